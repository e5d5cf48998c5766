"""Identity is frozen: what was written under a schema has its fingerprint for ever."""

import hashlib
import json
from pathlib import Path

import pytest

from envstage.facets import catalogue
from envstage.facets.numerics import DEFAULTS, LIBRARY_PATHS, MODULE_PATHS
from envstage.snapshot import document as snapshot_document
from envstage.snapshot.canonical import canonical
from envstage.snapshot.model import SCHEMA
from envstage.views import document as view_document

DATA = Path(__file__).parents[1] / "data"
FOLDERS = [DATA / f"schema-{number}" for number in range(1, SCHEMA + 1)]
DOCUMENTS = [
    (folder / name, entry["fingerprint"], entry["sha256"])
    for folder in FOLDERS
    for name, entry in json.loads((folder / "fingerprints.json").read_text()).items()
]
REASON = "schema 1 is frozen: tests/data/schema-1/README.md"


def test_every_level_and_selection_is_there() -> None:
    names = {path.name for path, _, _ in DOCUMENTS}
    for level in ("software", "platform", "hardware"):
        assert f"snapshot-{level}.json" in names
        assert {f"view-{level}-wide.json", f"view-{level}-observed.json"} <= names
    for folder in FOLDERS:
        files = {path.name for path in folder.glob("*.json")}
        assert files == names | {"fingerprints.json", "counting.json", "meanings.json"}


@pytest.mark.hard_case(28)
@pytest.mark.parametrize(
    ("path", "fingerprint", "digest"), DOCUMENTS, ids=lambda each: getattr(each, "stem", "")
)
def test_a_document_keeps_its_bytes_and_its_fingerprint(
    path: Path, fingerprint: str, digest: str
) -> None:
    data = path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest, REASON
    if path.name.startswith("snapshot"):
        snapshot = snapshot_document.decode(data, path.name)
        assert snapshot_document.snapshot_fingerprint(snapshot) == fingerprint, REASON
        assert json.loads(data)["fingerprint"] == fingerprint
        assert snapshot_document.encode(snapshot) == data, REASON
    else:
        view = view_document.decode(data, path.name)
        assert view_document.view_fingerprint(view) == fingerprint, REASON
        assert view_document.encode(view) == data, REASON


def test_the_fingerprint_is_what_anybody_can_compute() -> None:
    # By the standard library alone, from the description in the README: no helper of ours.
    for path, fingerprint, _ in DOCUMENTS:
        document = json.loads(path.read_bytes())
        document.pop("fingerprint", None)
        text = json.dumps(document, sort_keys=True, indent=2) + "\n"
        digest = hashlib.sha256(text.encode("ascii")).hexdigest()
        assert fingerprint == f"{fingerprint[0]}-{digest}"
        assert canonical(document) == text.encode("ascii")


def test_what_counts_belongs_to_the_schema() -> None:
    frozen = json.loads((FOLDERS[-1] / "counting.json").read_text())
    counting = {
        rule.pattern: rule.level.word
        for rule in catalogue.rules()
        if rule.counts and rule.level is not None
    }
    assert counting == frozen["facts"], REASON
    names = sorted(each.name for each in (*DEFAULTS, *MODULE_PATHS, *LIBRARY_PATHS))
    assert names == frozen["variables"], REASON
