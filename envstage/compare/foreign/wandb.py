"""What Weights & Biases keeps of a run: `wandb-metadata.json`, with requirements.txt beside it.

https://docs.wandb.ai/ (files of a run). The list is every distribution of the environment.
"""

import re
from typing import Any, Final

from envstage.compare.foreign import flat_json, requirements
from envstage.compare.foreign.interface import Document, Foreign, unreadable
from envstage.compare.sides import Coverage
from envstage.snapshot.canonical import parsed
from envstage.snapshot.model import Address, Value

FORMAT: Final = "W&B run"
_METADATA: Final = "wandb-metadata.json"
_LIST: Final = "requirements.txt"
_PYTHON: Final = re.compile(r"(?:(CPython|PyPy)\s+)?(\d+\.\d+\.\d+\S*)")


def recognises(document: Document) -> bool:
    """The metadata, or the list beside it."""
    return document.name == _METADATA or (document.name == _LIST and _METADATA in document.beside)


def read(document: Document) -> Foreign:
    """Packages from the one, interpreter and GPU from the other."""
    metadata = document.other(_METADATA)
    facts: dict[Address, Value] = {}
    if metadata is not None:
        try:
            facts |= _machine(parsed(metadata.data))
        except (ValueError, TypeError, AttributeError) as error:
            raise unreadable(metadata.where, f"is no metadata of W&B ({error})") from None
    listed = document.other(_LIST)
    if listed is None:
        return Foreign(format=FORMAT, facts=facts, coverage=Coverage())
    packages = requirements.read(listed)
    return Foreign(
        format=FORMAT,
        facts={**facts, **packages.facts},
        coverage=Coverage(complete=frozenset({"packages"}), unlisted=packages.coverage.unlisted),
    )


def _machine(found: dict[str, Any]) -> dict[Address, Value]:
    facts: dict[Address, Value] = dict(flat_json.system_facts(str(found.get("os", ""))))
    if match := _PYTHON.fullmatch(str(found.get("python", ""))):
        facts["python", "version"] = match[2]
        if match[1]:
            facts["python", "implementation"] = match[1].lower()
    devices = found.get("gpu_nvidia") or found.get("gpuNvidia") or ()
    models = {str(device["name"]) for device in devices if device.get("name")}
    if not models and found.get("gpu"):
        models = {str(found["gpu"])}
    if models:
        facts["hardware", "gpu", "models"] = tuple(sorted(models))
    # Of the driver, not of a framework: what nvidia-smi says.
    if cuda := found.get("cudaVersion") or found.get("cuda"):
        facts["hardware", "gpu", "cuda_driver"] = str(cuda)
    return facts
