"""The flat form of an environment: one dict, the keys of the usage guide.

Plain JSON values only, and nothing that differs between two captures of an unchanged machine.
"""

import platform
import re
import sys
from typing import Any, Final

import msgspec

from envstage.export.requirements import requirements
from envstage.facets.packages import TOOLING, TOOLING_MARK
from envstage.notebook.running import Running
from envstage.snapshot.canonical import parsed
from envstage.snapshot.document import encode
from envstage.snapshot.model import Address, Facts, Snapshot, Unknown, Value
from envstage.world import World

OWN_KEY: Final = "envstage"
"""The key under which a flat document carries envstage's own."""

# What `pip freeze` leaves out.
_UNLISTED: Final = frozenset({"pip", "distribute"})
_UNLISTED_BEFORE_3_12: Final = _UNLISTED | {"setuptools", "wheel"}
_CUDNN: Final = (
    ("hardware", "cuda", "shipped", "cudnn"),
    ("hardware", "cuda", "cudnn_compiled", "tensorflow"),
    ("hardware", "cuda", "system", "cudnn"),
)
_CUDA: Final = (
    ("hardware", "cuda", "compiled", "torch"),
    ("hardware", "cuda", "compiled", "tensorflow"),
    ("hardware", "cuda", "compiled", "jaxlib"),
    ("hardware", "cuda", "system", "cuda"),
)
_VISIBLE: Final = ("hardware", "gpu", "visible")
_MODELS: Final = ("hardware", "gpu", "models")
_TORCH_CUDA: Final = ("hardware", "cuda", "compiled", "torch")


def flat(world: World, running: Running) -> dict[str, Any]:
    """The dict of `capture_environment` (its keys are described there)."""
    facts = running.capture.facts
    listed = _listed(facts)
    packages = {name: str(facts["packages", name, "version"]) for name in listed}
    info = {
        "python_version": sys.version,
        "python_version_short": ".".join(map(str, sys.version_info[:3])),
        "platform": platform.platform(),
        "platform_system": platform.system(),
        "platform_release": platform.release(),
        "pip_freeze": _freeze(running.snapshot, facts, listed),
        "packages": packages,
        "torch_version": _torch_version(world, running) or packages.get("torch"),
        "transformers_version": packages.get("transformers"),
        "numpy_version": packages.get("numpy"),
    }
    own = {
        "snapshot": parsed(encode(running.snapshot)),
        "tooling": sorted(name for name in packages if _is_idle(facts, name)),
        "set_by_program": list(running.changed),
        "notes": [*running.snapshot.anomalies, *running.notes, *_unknowns(facts)],
    }
    return {**info, **device_keys(facts), OWN_KEY: own}


def device_keys(facts: Facts) -> dict[str, Any]:
    """`cuda_available`, `cuda_version`, `cudnn_version`, `gpu_name`, `gpu_count`.

    No framework is asked: that would start CUDA, after which no process can be forked. CUDA is
    available where a GPU is visible to this process and PyTorch, if there is one, was built for it.
    """
    visible = _texts(facts.get(_VISIBLE))
    is_for_cuda = _TORCH_CUDA not in facts or isinstance(facts[_TORCH_CUDA], str)
    is_available = bool(visible) and is_for_cuda
    return {
        "cuda_available": is_available,
        "cuda_version": _first(facts, _CUDA) if is_available else None,
        "cudnn_version": _first(facts, _CUDNN) if is_available else None,
        "gpu_name": ", ".join(_texts(facts.get(_MODELS))) or None,
        "gpu_count": len(visible),
    }


def _listed(facts: Facts) -> list[str]:
    """The packages that `pip freeze` lists and that have a version."""
    left_out = _UNLISTED if sys.version_info >= (3, 12) else _UNLISTED_BEFORE_3_12
    return sorted(
        address[1]
        for address, value in facts.items()
        if address[0] == "packages"
        and address[2:] == ("version",)
        and isinstance(value, str)
        and address[1] not in left_out
    )


def _freeze(snapshot: Snapshot, facts: Facts, listed: list[str]) -> str:
    """The packages, also those that the snapshot leaves out, as lines for pip."""
    wanted = set(listed)
    chosen = {
        address: value
        for address, value in facts.items()
        if address[0] == "packages" and address[1] in wanted
    }
    text = requirements(msgspec.structs.replace(snapshot, facts=chosen))
    lines = text.splitlines(keepends=True)[1:]  # the first says who wrote it
    return "".join(line for line in lines if not line.startswith("--"))


def _torch_version(world: World, running: Running) -> str | None:
    """`torch.__version__`, which names the build (`2.1.0+cu121`), read without importing it."""
    answer = running.capture.answer
    for each in answer.distributions if answer else ():
        if each.name == "torch":
            try:
                text = world.read(f"{each.location}/torch/version.py").decode("utf-8", "replace")
            except OSError:
                return None
            found = re.search(r"^__version__\s*=\s*['\"]([^'\"\n]+)['\"]", text, re.MULTILINE)
            return found[1] if found else None
    return None


def _is_idle(facts: Facts, name: str) -> bool:
    return name in TOOLING or (TOOLING_MARK, name, "version") in facts


def _unknowns(facts: Facts) -> list[str]:
    """The facts behind the keys above of which nobody can say anything: not the same as none."""
    return [
        f"{'.'.join(address)} is unknown: {value.why}"
        for address in (_VISIBLE, _TORCH_CUDA)
        if isinstance(value := facts.get(address), Unknown)
    ]


def _first(facts: Facts, addresses: tuple[Address, ...]) -> str | None:
    for address in addresses:
        value = facts.get(address)
        if isinstance(value, str):
            return value
    return None


def _texts(value: Value) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(str(each) for each in value)
    return (value,) if isinstance(value, str) else ()
