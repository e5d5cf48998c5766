"""The probe's answer: the interpreter, its distributions, framed so that noise cannot hurt."""

from __future__ import annotations

import sys
import time

from .distributions import installed, is_judged_by_files, is_replacing
from .frame import write
from .identities import seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PAYLOAD = 2
# Between two looks at packages that somebody is installing.
_WAITS_S = (0.3, 1.0)


def respond(cookie: str, cache_folder: str, path: list[str]) -> None:
    """Write the answer to standard output, between two cookies."""
    import json

    write(cookie, json.dumps(answer(cache_folder, path), separators=(",", ":")))


def answer(cache_folder: str, path: list[str]) -> dict[str, Any]:
    """Everything that is asked of an interpreter (`envstage.facets.contract.ProbeAnswer`).

    `path` is its import path as a program has it.
    """
    distributions, anomalies, (identities, youngest_ns), is_steady = _steady(path, cache_folder)
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
        # No record's identity tells what became of the files that it lists.
        "identities": "" if is_judged_by_files(anomalies) else identities,
        "youngest_ns": youngest_ns,
        "is_steady": is_steady,
    }


def _steady(
    path: list[str], cache_folder: str
) -> tuple[list[dict[str, Any]], list[str], tuple[str, int], bool]:
    """The distributions, read while nobody changed them: repeated until two looks agree."""
    before = seen(path)
    for wait_s in (*_WAITS_S, None):
        anomalies: list[str] = []
        distributions = installed(list(path), cache_folder, anomalies)
        after = seen(path)
        is_steady = after == before and not is_replacing(path, anomalies)
        if is_steady or wait_s is None:
            break
        time.sleep(wait_s)
        before = seen(path)
    return distributions, anomalies, after, is_steady


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
