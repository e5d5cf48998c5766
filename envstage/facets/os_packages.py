"""The operating system's packages, read from the databases of dpkg, apk and rpm.

For the context, and for views that include them by name. dpkg's and apk's databases are text and
are read here (2 ms for 700 packages); rpm's needs `rpm`, and is asked only where a view does.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from envstage.facets.contract import Collected, FactRule, Request
from envstage.snapshot.model import Address, Unknown, Value
from envstage.world import TimedOut, World

GROUP: Final = ("system", "packages")
RULE: Final = FactRule("system.packages.*", None, "the version of an OS package")
FACTS: Final = (
    RULE,
    FactRule("system.packages", None, "why the OS packages could not be listed"),
)

DPKG_STATUS: Final = "/var/lib/dpkg/status"
DPKG_FOLDER: Final = "/var/lib/dpkg/status.d"  # distroless images: one file a package
APK_DATABASES: Final = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
RPM_DATABASES: Final = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
RPM_QUERY: Final = (
    "rpm",
    "-qa",
    "--qf",
    r"%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\n",
)
RPM_TIMEOUT_S: Final = 20.0
# Name, version, architecture, state: each at the beginning of a line.
DPKG_FIELDS: Final = ("\nPackage:", "\nVersion:", "\nArchitecture:", "\nStatus:")
APK_FIELDS: Final = ("\nP:", "\nV:", "\nA:", "\nStatus:")  # apk lists what is installed only
DATABASE_LIMIT_BYTES: Final = 64 * 1024 * 1024

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_VERSION: Final = re.compile(r"[A-Za-z0-9.+~:^_-]+")
_ANY_ARCHITECTURE: Final = frozenset({"", "all", "noarch", "(none)"})


class Package(NamedTuple):
    """One installed package. Unusable entries have an empty name or version."""

    name: str
    version: str
    architecture: str = ""


def collect(world: World, request: Request) -> Collected:
    """The version of every installed package of the system, and what could not be read."""
    if not world.platform.startswith("linux"):
        return Collected(facts={})
    packages: list[Package] = []
    problems: list[str] = []
    for source in (_dpkg, _distroless, _apk, _rpm):
        try:
            packages.extend(source(world, request))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problems.append(f"{source.__name__[1:]}: {(error.strerror or 'unreadable').lower()}")
        except TimedOut:
            problems.append(f"{source.__name__[1:]}: no answer within {RPM_TIMEOUT_S:g} s")
    facts, unusable = _facts(packages)
    if unusable:
        problems.append(f"{unusable} entries without a usable name and version")
    anomalies = tuple(f"OS packages: {problem}" for problem in problems)
    if problems:
        facts |= {
            address: Unknown(anomalies[0])
            for address in _asked(request, is_empty=not facts)
            if address not in facts
        }
    return Collected(facts=facts, anomalies=anomalies)


def _facts(packages: Iterable[Package]) -> tuple[dict[Address, Value], int]:
    """Versions by name: `openssl`, and `libc6:i386` for what is not the machine's own kind."""
    usable = [
        package
        for package in packages
        if _NAME.fullmatch(package.name) and _VERSION.fullmatch(package.version)
    ]
    unusable = sum(1 for _ in packages) - len(usable)
    own = _own_architecture(usable)
    versions: dict[str, set[str]] = {}
    for name, version, architecture in usable:
        is_own = architecture == own or architecture in _ANY_ARCHITECTURE
        versions.setdefault(name if is_own else f"{name}:{architecture}", set()).add(version)
    facts: dict[Address, Value] = {}
    for name in sorted(versions):
        # Kernels are installed side by side.
        several = tuple(sorted(versions[name]))
        facts[_address(name)] = several[0] if len(several) == 1 else several
    return facts, unusable


def _address(name: str) -> Address:
    return (*GROUP, name)


def _own_architecture(packages: Iterable[Package]) -> str:
    """The architecture of most packages; of equals, the first by name."""
    counts = Counter(package.architecture for package in packages)
    known = [name for name in counts if name not in _ANY_ARCHITECTURE]
    return min(known, key=lambda name: (-counts[name], name), default="")


def _asked(request: Request, *, is_empty: bool) -> list[Address]:
    """Which addresses stand for "could not be read": those included by name, or the group."""
    prefix = ".".join(GROUP) + "."
    names = [
        pattern[len(prefix) :]
        for pattern in request.include
        if pattern.startswith(prefix) and not set(pattern) & set("*?[")
    ]
    if names:
        return [_address(name) for name in sorted(set(names))]
    return [GROUP] if is_empty else []


def _dpkg(world: World, request: Request) -> list[Package]:
    text = world.read(DPKG_STATUS, DATABASE_LIMIT_BYTES).decode("utf-8", "replace")
    return list(_stanzas(text, DPKG_FIELDS))


def _distroless(world: World, request: Request) -> list[Package]:
    packages: list[Package] = []
    for name in world.list_dir(DPKG_FOLDER):
        if not name.endswith(".md5sums"):
            text = world.read(f"{DPKG_FOLDER}/{name}").decode("utf-8", "replace")
            packages.extend(_stanzas(text, DPKG_FIELDS))
    return packages


def _apk(world: World, request: Request) -> list[Package]:
    for path in APK_DATABASES:
        if world.exists(path):
            text = world.read(path, DATABASE_LIMIT_BYTES).decode("utf-8", "replace")
            return list(_stanzas(text, APK_FIELDS))
    return []


def _stanzas(text: str, keys: tuple[str, str, str, str]) -> Iterator[Package]:
    """The installed packages of a database of paragraphs."""
    for paragraph in text.split("\n\n"):
        if paragraph and not paragraph.isspace():
            lines = "\n" + paragraph
            name, version, architecture, state = [_field(lines, key) for key in keys]
            if (state or "installed").rpartition(" ")[2] == "installed":
                yield Package(name, version, architecture)


def _field(paragraph: str, key: str) -> str:
    """The first line of a field. Searched for: most lines of a database are of no interest."""
    start = paragraph.find(key)
    if start < 0:
        return ""
    start += len(key)
    end = paragraph.find("\n", start)
    return paragraph[start : end if end >= 0 else len(paragraph)].strip()


def _rpm(world: World, request: Request) -> list[Package]:
    if not request.wants(RULE) or not any(world.exists(path) for path in RPM_DATABASES):
        return []
    if world.which(RPM_QUERY[0]) is None:
        raise OSError(0, "there is a database, but no program `rpm` to read it")
    done = world.run(RPM_QUERY, timeout_s=RPM_TIMEOUT_S)
    if done.returncode != 0:
        raise OSError(0, f"exit code {done.returncode}")
    packages = []
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        fields = line.split("\t")
        # Keys of signers are listed as packages.
        if fields[0] != "gpg-pubkey":
            packages.append(Package(*fields) if len(fields) == 3 else Package("", ""))
    return packages
