"""Software versions for MultiQC and nf-core: `*_mqc_versions.yml`.

One group, name and version a line (https://docs.seqera.io/multiqc/reports/customisation,
"Listing software versions").
"""

import json
from collections.abc import Iterator
from typing import Final

from envstage.export.artifacts import Artifacts
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Snapshot
from envstage.snapshot.words import printable

ID: Final = "mqc-versions"
NEEDS_ARTIFACTS: Final = False


def render(snapshot: Snapshot, artifacts: Artifacts | None = None) -> str:
    """The document: one group of the environment's name; every version is quoted text."""
    del artifacts
    lines = [f"# {snapshot_fingerprint(snapshot)}"]
    rows = dict(_rows(snapshot))
    unknown = sorted(name for name, version in rows.items() if version is None)
    lines += [f"# {printable(name)}: its version is unknown" for name in unknown]
    known = [f"  {_text(name)}: {_text(text)}" for name, text in rows.items() if text is not None]
    lines.append(f"{_text('environment ' + snapshot.environment)}:" + ("" if known else " {}"))
    return "\n".join([*lines, *known]) + "\n"


def _rows(snapshot: Snapshot) -> Iterator[tuple[str, str | None]]:
    for address, value in sorted(snapshot.facts.items()):
        name = ""
        if address == ("python", "version"):
            name = "python"
        elif address[0] in ("packages", "conda", "tools") and address[2:] == ("version",):
            name = address[1] if address[0] != "conda" else f"conda {address[1]}"
        if name and value is not None:
            yield name, value if isinstance(value, str) else None


def _text(text: str) -> str:
    """A YAML string that is one in YAML 1.1 and 1.2: JSON's, ASCII only (`3.10` is no number)."""
    return json.dumps(printable(text))
