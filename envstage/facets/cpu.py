"""The processor: vendor, microarchitecture, model and count, and the machine's memory.

The names of microarchitectures are archspec's. Its own detection looks at the running machine;
here its table of targets is matched against what the `World` serves, so that a captured host
gets the same answer wherever the test runs.
"""

import os
import re
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from envstage.facets.contract import FactRule, Request
from envstage.snapshot.model import ABSENT, Address, Level, NotApplicable, Unknown, Value
from envstage.world import TimedOut, World

if TYPE_CHECKING:
    from archspec.cpu import Microarchitecture

VENDOR: Final = FactRule("hardware.cpu.vendor", Level.HARDWARE, "who made the processor")
MICROARCHITECTURE: Final = FactRule(
    "hardware.cpu.microarchitecture",
    Level.HARDWARE,
    "archspec's name of the processor's instruction set: numeric libraries choose code by it",
)
FACTS: Final = (
    VENDOR,
    MICROARCHITECTURE,
    FactRule("hardware.cpu.model", None, "the processor's name as the maker sells it"),
    FactRule("hardware.cpu.count", None, "logical processors that the machine has"),
    FactRule("hardware.memory_bytes", None, "main memory; drifts by bytes between two starts"),
)

CPUINFO: Final = "/proc/cpuinfo"
SYSCTL: Final = (
    "/usr/sbin/sysctl",
    "-i",  # leave out what this machine does not know, rather than fail
    "hw.memsize",
    "hw.logicalcpu",
    "machdep.cpu.brand_string",
    "machdep.cpu.vendor",
    "machdep.cpu.features",
    "machdep.cpu.leaf7_features",
    "machdep.cpu.extfeatures",
)
SYSCTL_TIMEOUT_S: Final = 10.0
# Other spellings of the same architecture: Windows, macOS.
SPELLINGS: Final = {"AMD64": "x86_64", "ARM64": "aarch64", "arm64": "aarch64"}
# Several processors stand in the file; the first tells what the facts here need, and a machine
# with hundreds takes milliseconds to write them all.
FIRST_PROCESSOR_BYTES: Final = 16 * 1024


class Processor(msgspec.Struct, frozen=True, kw_only=True):
    """What the operating system tells about the first processor."""

    family: str
    vendor: str = ""
    model: str = ""
    part: str = ""
    generation: int = 0
    features: frozenset[str] = frozenset()


Told: TypeAlias = dict[str, str]
"""Keys and values as the operating system wrote them."""


def collect(world: World, request: Request) -> dict[Address, Value]:
    """The facts of the processor and of the memory."""
    wants = request.wants(MICROARCHITECTURE) or request.wants(VENDOR)
    told = machine_tells(world)
    facts: dict[Address, Value] = {
        ("hardware", "cpu", "model"): _model(told),
        ("hardware", "cpu", "count"): _count(world, told),
        ("hardware", "memory_bytes"): _memory_bytes(world, told),
    }
    if wants:
        vendor, name = _identity(world, told)
        facts["hardware", "cpu", "vendor"] = vendor
        facts["hardware", "cpu", "microarchitecture"] = name
    return facts


def machine_tells(world: World) -> Told | Unknown | NotApplicable:
    """What Linux's /proc/cpuinfo or macOS' sysctl says of the first processor."""
    if world.platform == "linux":
        return _cpuinfo(world)
    if world.platform == "darwin":
        return _sysctl(world)
    return Unknown(f"the processor is not looked at on {world.platform}")


def _cpuinfo(world: World) -> Told | Unknown:
    try:
        text = world.read(CPUINFO, FIRST_PROCESSOR_BYTES).decode("utf-8", "replace")
    except OSError as error:
        return Unknown(f"cannot read {CPUINFO}: {reason(error)}")
    lines = text.lstrip("\n").partition("\n\n")[0].split("\n")
    if not text.endswith("\n") and "\n\n" not in text:
        lines.pop()  # a line that was cut would name a lesser processor
    return _pairs(lines)


def _sysctl(world: World) -> Told | Unknown:
    try:
        done = world.run(SYSCTL, timeout_s=SYSCTL_TIMEOUT_S)
    except OSError as error:
        return Unknown(f"cannot run sysctl: {reason(error)}")
    except TimedOut:
        return Unknown("sysctl did not answer in time")
    return _pairs(done.stdout.decode("utf-8", "replace").split("\n"))


def reason(error: OSError) -> str:
    """Why the operating system refused, without the path: `permission denied`."""
    return (error.strerror or type(error).__name__).lower()


def _pairs(lines: list[str]) -> Told:
    split = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, colon, value in split if colon}


def _model(told: Told | Unknown | NotApplicable) -> Value:
    if not isinstance(told, dict):
        return told
    for key in ("model name", "machdep.cpu.brand_string", "cpu", "Model"):
        if told.get(key):
            return told[key]
    return ABSENT


def _count(world: World, told: Told | Unknown | NotApplicable) -> Value:
    """The machine's logical processors; those open to this process if it does not say."""
    if isinstance(told, dict) and told.get("hw.logicalcpu", "").isdigit():
        return int(told["hw.logicalcpu"])
    try:
        ranges = world.read("/sys/devices/system/cpu/present").decode("ascii", "replace")
    except OSError:
        return world.cpu_count()
    return len(numbers_of(ranges)) or world.cpu_count()


def numbers_of(ranges: str) -> tuple[int, ...]:
    """The numbers in a list as the kernel writes it: `0-3,8` is 0, 1, 2, 3, 8."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", ranges):
        found.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(found))


def _memory_bytes(world: World, told: Told | Unknown | NotApplicable) -> Value:
    if world.platform == "linux":
        return _meminfo_bytes(world)
    if isinstance(told, dict):
        text = told.get("hw.memsize", "")
        return int(text) if text.isdigit() else Unknown("sysctl does not say hw.memsize")
    return told


def _meminfo_bytes(world: World) -> Value:
    try:
        text = world.read("/proc/meminfo").decode("ascii", "replace")
    except OSError as error:
        return Unknown(f"cannot read /proc/meminfo: {reason(error)}")
    found = re.search(r"^MemTotal:\s*(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else Unknown("/proc/meminfo does not say MemTotal")


def _identity(world: World, told: Told | Unknown | NotApplicable) -> tuple[Value, Value]:
    """Vendor and microarchitecture."""
    if not isinstance(told, dict):
        return _of_windows() if world.platform == "win32" and os.name == "nt" else (told, told)
    if world.platform == "darwin":
        return _of_mac(told)
    return _of_linux(told, SPELLINGS.get(world.machine(), world.machine()))


def _of_linux(told: Told, family: str) -> tuple[Value, Value]:
    flags = {"x86_64": "flags", "aarch64": "Features"}.get(family)
    if flags is not None and flags not in told:
        incomplete = Unknown(f"{CPUINFO} does not list the processor's features")
        return told.get("vendor_id") or incomplete, incomplete
    power = re.search(r"POWER(\d+)", told.get("cpu", ""))
    processor = Processor(
        family=family,
        vendor=_vendor(told),
        part=told.get("CPU part", ""),
        generation=int(power[1]) if power else 0,
        features=frozenset(told.get(flags or "", "").split()),
    )
    return processor.vendor or ABSENT, _microarchitecture(processor)


def _vendor(told: Told) -> str:
    """The maker; ARM licensees by the code that they write into the processor."""
    if "vendor_id" in told:
        return told["vendor_id"]
    if "CPU implementer" in told:
        from archspec.cpu.schema import TARGETS_JSON

        code = told["CPU implementer"]
        return str(TARGETS_JSON["conversions"]["arm_vendors"].get(code, code))
    return "IBM" if "POWER" in told.get("cpu", "") else ""


def _of_windows() -> tuple[Value, Value]:
    """Windows keeps the features in no file: archspec asks the processor, past the `World`."""
    from archspec.cpu import detect

    return str(detect.detected_info().vendor), str(detect.host().name)


def _of_mac(told: Told) -> tuple[Value, Value]:
    brand = told.get("machdep.cpu.brand_string", "")
    if not brand:
        return (unknown := Unknown("sysctl does not name the processor")), unknown
    if brand.startswith("Apple"):
        return "Apple", _apple_name(brand)
    vendor = told.get("machdep.cpu.vendor", "")
    words = " ".join(told.get(f"machdep.cpu.{each}", "") for each in _MAC_FEATURES)
    processor = Processor(family="x86_64", vendor=vendor, features=_linux_names(words))
    return vendor or ABSENT, _microarchitecture(processor)


_MAC_FEATURES: Final = ("features", "leaf7_features", "extfeatures")


def _apple_name(brand: str) -> str:
    """`m3` for an Apple M3 Max; the newest that archspec knows for one newer than that."""
    from archspec.cpu import TARGETS

    found = re.search(r"M(\d+)", brand)
    newest = int(found[1]) if found else 1  # the first ones called themselves Apple processor
    known = (f"m{number}" for number in range(newest, 0, -1) if f"m{number}" in TARGETS)
    return next(known, "aarch64")


def _linux_names(words: str) -> frozenset[str]:
    """macOS' names of processor features as Linux has them, which are archspec's."""
    from archspec.cpu.schema import TARGETS_JSON

    features = set(words.lower().split())
    for theirs, ours in TARGETS_JSON["conversions"]["darwin_flags"].items():
        if features.issuperset(theirs.split()):
            features.update(ours.split())
    return frozenset(features)


def _microarchitecture(processor: Processor) -> str:
    """The most specific target of archspec's that the processor can run code for.

    The rules of choice are those of `archspec.cpu.host`, which asks the running machine.
    """
    from archspec.cpu import TARGETS

    fitting = [target for target in TARGETS.values() if _fits(target, processor)]
    generic = [target for target in fitting if target.vendor == "generic"]
    if not generic:
        return processor.family
    base = max(generic, key=_depth)
    same_part = [each for each in fitting if processor.part and each.cpu_part == processor.part]
    better = [target for target in (same_part or fitting) if target > base]
    return str(max(better, key=_depth, default=base).name)


def _depth(target: "Microarchitecture") -> tuple[int, int]:
    return len(target.ancestors), len(target.features)


def _fits(target: "Microarchitecture", processor: Processor) -> bool:
    if target.family.name != processor.family:
        return False
    if target.vendor not in (processor.vendor, "generic"):
        return False
    if target.vendor == "generic" and processor.family == "aarch64" and target.parents:
        return False  # armv8.1a and so on: no processor says which of them it is
    # Linux lists ssse3 without the sse3 that it implies.
    features = processor.features | ({"sse3"} if "ssse3" in processor.features else set())
    return bool(target.features <= features and target.generation <= processor.generation)
