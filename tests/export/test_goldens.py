"""Every format's whole text, byte for byte."""

import pytest

from envstage.export.artifacts import Artifacts
from envstage.export.formats import FORMATS, format_of
from envstage.snapshot.model import Snapshot
from tests.export.goldens import CASES, FOLDER


@pytest.mark.parametrize(
    ("name", "form", "snapshot", "artifacts"), CASES, ids=[c[0] for c in CASES]
)
def test_text_is_the_expected_one(
    name: str, form: str, snapshot: Snapshot, artifacts: Artifacts | None
) -> None:
    text = format_of(form).render(snapshot, artifacts)
    assert text == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert text.endswith("\n")


def test_every_format_of_the_table_is_there_and_no_expected_text_is_left_over() -> None:
    assert [format_of(name).ID for name in FORMATS] == list(FORMATS)
    assert {path.stem for path in FOLDER.iterdir()} == {case[0] for case in CASES}
