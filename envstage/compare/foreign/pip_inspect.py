"""`pip inspect`: every distribution with its version, and the interpreter's markers.

https://pip.pypa.io/en/stable/reference/inspect-report/
"""

from typing import Any, Final

from envstage.compare.foreign.interface import (
    UNLISTED,
    Document,
    Foreign,
    architecture_fact,
    canonical_name,
    origin_facts,
    unreadable,
)
from envstage.compare.sides import Coverage
from envstage.snapshot.canonical import parsed
from envstage.snapshot.model import Address, Value

FORMAT: Final = "pip inspect"
_OS: Final = {"linux": "linux", "darwin": "darwin", "win32": "windows"}


def recognises(document: Document) -> bool:
    """A JSON object with pip's list and the markers."""
    data = document.data
    return data.lstrip()[:1] == b"{" and b'"pip_version"' in data and b'"installed"' in data


def read(document: Document) -> Foreign:
    """Its distributions, and the interpreter."""
    try:
        report = parsed(document.data)
        facts = _interpreter(report.get("environment") or {})
        for item in report["installed"]:
            facts |= _distribution(item)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(document.where, f"is no report of pip inspect ({error})") from None
    return Foreign(
        format=FORMAT,
        facts=facts,
        # pip lists itself here; envstage's own are in no snapshot.
        coverage=Coverage(complete=frozenset({"packages"}), unlisted=UNLISTED - {"pip"}),
    )


def _interpreter(markers: dict[str, Any]) -> dict[Address, Value]:
    facts: dict[Address, Value] = {}
    if version := markers.get("python_full_version"):
        facts["python", "version"] = str(version)
    if implementation := markers.get("platform_python_implementation"):
        facts["python", "implementation"] = str(implementation).lower()
    if machine := markers.get("platform_machine"):
        facts |= architecture_fact(str(machine))
    if (platform := _OS.get(str(markers.get("sys_platform")))) is not None:
        facts["system", "os"] = platform
    return facts


def _distribution(item: dict[str, Any]) -> dict[Address, Value]:
    metadata = item["metadata"]
    name = canonical_name(str(metadata["name"]))
    if name is None:
        return {}
    facts: dict[Address, Value] = {("packages", name, "version"): str(metadata["version"])}
    direct = item.get("direct_url")
    if isinstance(direct, dict) and isinstance(direct.get("url"), str):
        commit = (direct.get("vcs_info") or {}).get("commit_id", "")
        prefix = "git+" if (direct.get("vcs_info") or {}).get("vcs") == "git" else ""
        url = f"{prefix}{direct['url']}"
        facts |= origin_facts(name, f"{url}@{commit}" if commit else url)
    return facts
