"""The operating system: family, release, architecture, C library, container, system packages.

`system.architecture` is named as Linux' `uname -m` names it, on every system: `x86_64` (also for
`AMD64`), `aarch64` (also for macOS' `arm64`), `i686`. A release is `ID` and `VERSION_ID` of
os-release and nothing else: names, URLs and build ids change with every point update.
"""

import re
from typing import Final

from envstage.facets import container, libc, os_packages
from envstage.facets.contract import Collected, FactRule, Request
from envstage.snapshot.model import ABSENT, Address, Level, Unknown, Value
from envstage.world import World

NAME: Final = "system"

FACTS: Final = (
    FactRule("system.os", Level.PLATFORM, "the family: linux, darwin, windows"),
    FactRule("system.distribution", Level.PLATFORM, "the release: debian 12, macos 14.4"),
    FactRule("system.architecture", Level.PLATFORM, "the instruction set: x86_64, aarch64"),
    *libc.FACTS,
    *container.FACTS,
    FactRule("system.kernel", None, "the kernel's release"),
    *os_packages.FACTS,
)

OS_RELEASE: Final = ("/etc/os-release", "/usr/lib/os-release")
MACOS_VERSION: Final = "/System/Library/CoreServices/SystemVersion.plist"

_FAMILIES: Final = {"win32": "windows", "cygwin": "windows"}
_ARCHITECTURES: Final = {
    "amd64": "x86_64",
    "x64": "x86_64",
    "arm64": "aarch64",
    "x86": "i686",
    "i386": "i686",
    "i486": "i686",
    "i586": "i686",
}
# What os-release(5) allows in ID and VERSION_ID; capitals occur in the wild.
_WORD: Final = re.compile(r"[A-Za-z0-9._+~-]{1,64}")


def collect(world: World, request: Request) -> Collected:
    """The system's facts; OS packages and kernel for the context."""
    facts: dict[Address, Value] = {
        ("system", "os"): family(world),
        ("system", "distribution"): distribution(world),
        ("system", "architecture"): architecture(world),
        ("system", "kernel"): kernel(world),
        ("system", "libc"): libc.libc(world, request),
    }
    facts.update(container.collect(world, request))
    packages = os_packages.collect(world, request)
    facts.update(packages.facts)
    return Collected(facts=facts, anomalies=packages.anomalies)


def family(world: World) -> str:
    """`linux`, `darwin`, `windows`, or the name that `sys.platform` begins with."""
    return _FAMILIES.get(world.platform) or world.platform.rstrip("0123456789.")


def architecture(world: World) -> Value:
    """The instruction set, under one name on every system."""
    word = world.machine().strip().lower()
    if not _WORD.fullmatch(word):
        return Unknown("the machine does not say what it is")
    return _ARCHITECTURES.get(word, word)


def kernel(world: World) -> Value:
    """The kernel's release; on Windows, where there is no such thing, the build."""
    if family(world) == "windows":
        return _windows_version(world) or Unknown("Windows does not say its version")
    return _printable(world.kernel()) or Unknown("the kernel does not say its release")


def distribution(world: World) -> Value:
    """The release of the system: `debian 12`, `arch`, `macos 14.4.1`, `windows 10.0.19045`."""
    if family(world) == "linux":
        return _linux_distribution(world)
    if family(world) == "darwin":
        return _macos_version(world)
    if family(world) == "windows":
        version = _windows_version(world)
        return f"windows {version}" if version else Unknown("Windows does not say its version")
    release = _printable(world.kernel())
    return f"{family(world)} {release}" if release else Unknown("the system does not say which")


def _linux_distribution(world: World) -> Value:
    """By the first os-release file that there is; without any, absent (a bare container)."""
    found: Value = ABSENT
    for path in OS_RELEASE:
        try:
            content = world.read(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            return Unknown(f"cannot read {path}: {why(error)}")
        found = _named(os_release(content.decode("utf-8", "replace")), path)
        if isinstance(found, str):
            return found
    return found


def _named(fields: dict[str, str | None], path: str) -> Value:
    for key in ("ID", "VERSION_ID"):
        value = fields.get(key, "")
        if value is None or (value and not _WORD.fullmatch(value)):
            return Unknown(f"{key} in {path} is cut off or malformed")
    if not fields.get("ID"):
        return Unknown(f"{path} has no ID")
    return f"{fields['ID']} {fields.get('VERSION_ID') or ''}".rstrip()


def os_release(text: str) -> dict[str, str | None]:
    """The assignments of an os-release file; `None` for one whose quotes are not closed.

    Source: os-release(5). A subset of shell syntax: quotes, and backslashes before `$ " \\ ``.
    """
    fields: dict[str, str | None] = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if not equals or key.startswith("#"):
            continue
        if value[:1] in ('"', "'"):
            is_closed = len(value) >= 2 and value[-1] == value[0]
            fields[key] = re.sub(r"\\([$\"'\\`])", r"\1", value[1:-1]) if is_closed else None
        else:
            fields[key] = value
    return fields


def _macos_version(world: World) -> Value:
    try:
        text = world.read(MACOS_VERSION).decode("utf-8", "replace")
    except OSError as error:
        return Unknown(f"cannot read {MACOS_VERSION}: {why(error)}")
    # A regular expression: plistlib costs as much as the rest of this facet.
    match = re.search(r"<key>ProductVersion</key>\s*<string>([0-9.]{1,32})</string>", text)
    return f"macos {match[1]}" if match else Unknown(f"{MACOS_VERSION} has no ProductVersion")


def _windows_version(world: World) -> str:
    """`10.0.19045` from how Python writes `sys.getwindowsversion()`."""
    text = world.kernel()
    numbers = [re.search(rf"\b{name}=(\d+)", text) for name in ("major", "minor", "build")]
    if all(numbers):
        return ".".join(match[1] for match in numbers if match)
    return text if re.fullmatch(r"[0-9.]{1,32}", text) else ""


def _printable(text: str) -> str:
    return "".join(char for char in text.strip() if char.isprintable())[:100]


def why(error: OSError) -> str:
    """What went wrong, in words without a path: `permission denied`."""
    return (error.strerror or type(error).__name__).lower()
