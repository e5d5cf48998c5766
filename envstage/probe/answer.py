"""The probe's answer: the interpreter, its distributions, framed so that noise cannot hurt."""

from __future__ import annotations

import os
import sys

from .distributions import installed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PAYLOAD = 1


def respond(cookie: str, cache_folder: str, path: list[str]) -> None:
    """Write the answer to standard output, between two cookies, in one piece.

    Anything else may write there too: a `sitecustomize`, a `.pth` file, an exit handler.
    """
    import json

    text = json.dumps(answer(cache_folder, path), separators=(",", ":"))
    frame = "\n%s%s%s\n" % (cookie, text, cookie[::-1])
    sys.stdout.flush()
    data = frame.encode("ascii")
    while data:
        data = data[os.write(1, data) :]


def answer(cache_folder: str, path: list[str]) -> dict[str, Any]:
    """Everything that is asked of an interpreter (`envstage.facets.contract.ProbeAnswer`).

    `path` is its import path as a program has it.
    """
    anomalies: list[str] = []
    distributions = installed(list(path), cache_folder, anomalies)
    return {
        "payload": PAYLOAD,
        "executable": sys.executable or "",
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "implementation": sys.implementation.name,
        "version": _version(),
        "abi": _abi(),
        "is_free_threaded": "t" in getattr(sys, "abiflags", "") or _is_free_threaded(),
        "is_debug": hasattr(sys, "gettotalrefcount"),
        "compiler": sys.version.replace("\n", " "),
        "path": [entry for entry in path if entry],
        "distributions": distributions,
        "anomalies": anomalies,
    }


def _version() -> str:
    """The full version in PEP 440's spelling: `3.13.0`, `3.14.0rc2`."""
    info = sys.version_info
    text = "%d.%d.%d" % info[:3]
    stage = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info.releaselevel)
    return text + (stage + str(info.serial) if stage else "")


def _abi() -> str:
    """The tag of compiled modules: `cpython-311-x86_64-linux-gnu`, `cp311-win_amd64`."""
    import _imp

    for suffix in _imp.extension_suffixes():
        parts = suffix.split(".")
        if len(parts) == 3 and parts[1] != "abi3":
            return str(parts[1])
    return str(sys.implementation.cache_tag or "")


def _is_free_threaded() -> bool:
    # 3.13 and newer; `sysconfig` would say the same and costs 5 ms.
    return "free-threading" in sys.version
