"""CUDA and cuDNN three times over: compiled for, shipped in wheels, installed on the machine.

Frameworks are never imported: that starts CUDA (github.com/vllm-project/vllm/issues/8893). What
they were compiled for stands in their files.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from envstage.facets.contract import Collected, FactRule, Installed, Request
from envstage.facets.cpu import reason
from envstage.facets.nvml import search_path
from envstage.snapshot.model import ABSENT, Address, Level, NotApplicable, Unknown, Value
from envstage.world import World

COMPILED: Final = FactRule(
    "hardware.cuda.compiled.*",
    Level.PLATFORM,
    "the CUDA version that a framework was compiled for",
    counts=False,  # the framework is in the view by version and build: this cannot differ alone
)
CUDNN_COMPILED: Final = FactRule(
    "hardware.cuda.cudnn_compiled.*",
    Level.PLATFORM,
    "the cuDNN version that a framework was compiled for",
    counts=False,  # as above
)
SHIPPED: Final = FactRule(
    "hardware.cuda.shipped.*",
    Level.PLATFORM,
    "a library of CUDA as an installed wheel",
    counts=False,  # the wheel is a package like any other, and counts as that
)
SYSTEM_CUDA: Final = FactRule(
    "hardware.cuda.system.cuda", Level.PLATFORM, "the CUDA toolkit installed on the machine"
)
SYSTEM_CUDNN: Final = FactRule(
    "hardware.cuda.system.cudnn",
    Level.PLATFORM,
    "the cuDNN that the loader finds first: on LD_LIBRARY_PATH, else in the system's folders",
)
FACTS: Final = (COMPILED, CUDNN_COMPILED, SHIPPED, SYSTEM_CUDA, SYSTEM_CUDNN)

# The name of the wheel, without the CUDA version that it is for, by the library in it.
WHEELS: Final = {
    "nvidia-cuda-runtime": "cuda",
    "nvidia-cudnn": "cudnn",
    "nvidia-nccl": "nccl",
    "nvidia-cublas": "cublas",
}
TENSORFLOWS: Final = ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tf-nightly")
TOOLKIT: Final = "/usr/local/cuda"
SYSTEM_FOLDERS: Final = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    f"{TOOLKIT}/lib64",
)
CUDNN_FILE: Final = re.compile(r"(?:libcudnn\.so\.|cudnn64_)(\d+(?:\.\d+)*)(?:\.dll)?")


def collect(world: World, request: Request) -> Collected:
    """The facts of CUDA; nothing is looked at where none of them is wanted."""
    if not any(request.wants(rule) for rule in FACTS):
        return Collected(facts={})
    installed = request.probe.distributions if request.probe else ()
    shipped = _shipped(installed)
    toolkit, library, is_preferred = _system(world)
    facts: dict[Address, Value] = {
        ("hardware", "cuda", "system", "cuda"): toolkit,
        ("hardware", "cuda", "system", "cudnn"): library,
    }
    for name, versions in shipped.items():
        facts["hardware", "cuda", "shipped", name] = ", ".join(versions)
    for kind, framework, value in _compiled(world, installed):
        facts["hardware", "cuda", kind, framework] = value
    anomalies = _two_cudnns(library, shipped.get("cudnn", ())) if is_preferred else ()
    return Collected(facts=facts, anomalies=anomalies)


def _canonical(name: str) -> str:
    """The name as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _shipped(installed: tuple[Installed, ...]) -> dict[str, tuple[str, ...]]:
    """The versions of each library of CUDA that wheels brought, by the library's name."""
    found: dict[str, set[str]] = {}
    for each in installed:
        wheel = re.sub(r"-cu\d+$", "", _canonical(each.name))
        if wheel in WHEELS and each.version:
            found.setdefault(WHEELS[wheel], set()).add(each.version)
    return {name: tuple(sorted(found[name])) for name in sorted(found)}


def _compiled(world: World, installed: tuple[Installed, ...]) -> Iterator[tuple[str, str, Value]]:
    """What each framework was compiled for: kind of fact, framework, value."""
    for each in installed:
        name = _canonical(each.name)
        if name == "torch":
            text = _source(world, f"{each.location}/torch/version.py")
            yield "compiled", "torch", _torch(text)
        elif name in TENSORFLOWS:
            text = _source(world, f"{each.location}/tensorflow/python/platform/build_info.py")
            yield "compiled", "tensorflow", _tensorflow(text, "cuda_version")
            yield "cudnn_compiled", "tensorflow", _tensorflow(text, "cudnn_version")
        elif plugin := re.fullmatch(r"jax-cuda(\d+)-plugin", name):
            yield "compiled", "jaxlib", plugin[1]  # its files tell no more than its name


def _source(world: World, path: str) -> str | Unknown:
    """The text of a framework's file. The path differs between machines: only its end is told."""
    name = path.rpartition("/")[2]
    try:
        return world.read(path).decode("utf-8", "replace")
    except OSError as error:
        return Unknown(f"cannot read its {name}: {reason(error)}")


def _torch(text: str | Unknown) -> Value:
    if isinstance(text, Unknown):
        return text
    found = re.search(r"^cuda\b[^=\n]*=\s*(?:None|'([^'\n]*)'|\"([^\"\n]*)\")\s*$", text, re.M)
    if found is None:
        return Unknown("its version.py does not tell")
    return found[1] or found[2] or ABSENT


def _tensorflow(text: str | Unknown, key: str) -> Value:
    if isinstance(text, Unknown):
        return text
    found = re.search(rf"""['"]{key}['"]\s*[,:]\s*['"]([^'"\n]+)['"]""", text)
    if found:
        return found[1]
    is_told = re.search(r"""['"]is_cuda_build['"]\s*[,:]\s*(True|False)""", text)
    return ABSENT if is_told else Unknown("its build_info.py does not tell")


def _system(world: World) -> tuple[Value, Value, bool]:
    """The machine's toolkit, its cuDNN, and whether that one goes before a wheel's."""
    if world.platform == "darwin":
        nothing = NotApplicable("NVIDIA has no CUDA for macOS")
        return nothing, nothing, False
    if world.platform == "win32":  # has no search path for libraries of its own
        folder = world.environ.get("CUDA_PATH", "")
        return _toolkit(world), _first_cudnn(world, [f"{folder}/bin"] if folder else []), False
    preferred = _first_cudnn(world, search_path(world))
    if preferred is not None:
        return _toolkit(world), preferred, True
    return _toolkit(world), _first_cudnn(world, SYSTEM_FOLDERS), False


def _toolkit(world: World) -> Value:
    environ = world.environ
    folder = environ.get("CUDA_HOME") or environ.get("CUDA_PATH") or TOOLKIT
    for name, pattern in (
        ("version.json", r'"cuda"\s*:\s*\{[^{}]*"version"\s*:\s*"([^"]+)"'),
        ("version.txt", r"CUDA Version (\S+)"),
    ):
        try:
            text = world.read(f"{folder}/{name}").decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return Unknown(f"cannot read the CUDA toolkit's {name}: {reason(error)}")
        found = re.search(pattern, text)
        return found[1] if found else Unknown(f"the CUDA toolkit's {name} does not tell")
    return ABSENT


def _first_cudnn(world: World, folders: Sequence[str]) -> str | None:
    """The version of cuDNN in the first folder that has one: several as `8.9.7, 9.1.0`."""
    for folder in folders:
        versions = set(_cudnns(world, folder))
        if versions:
            return ", ".join(sorted(versions, key=_by_number))
    return None


def _cudnns(world: World, folder: str) -> Iterator[str]:
    try:
        names = world.list_dir(folder)
    except OSError:
        return
    for name in names:
        asked = CUDNN_FILE.fullmatch(name)
        if asked:
            # `libcudnn.so.9`, which is what programs ask for, leads to the file of one version.
            real = CUDNN_FILE.fullmatch(world.real_path(f"{folder}/{name}").rpartition("/")[2])
            yield (real or asked)[1]


def _by_number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _two_cudnns(library: Value, shipped: tuple[str, ...]) -> tuple[str, ...]:
    """Case 14: the loader takes one cuDNN, the framework was tested with the other."""
    if not isinstance(library, str) or not shipped:
        return ()
    if all(f"{version}.".startswith(f"{library}.") for version in shipped):
        return ()
    return (
        f"two cuDNN libraries: LD_LIBRARY_PATH has {library},"
        f" the installed wheel is {', '.join(shipped)}",
    )
