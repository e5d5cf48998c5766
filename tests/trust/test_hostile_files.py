"""A repository, an interpreter or an environment of a stranger's: one line, and nothing is lost."""

import json
import os
import zipfile
from pathlib import Path
from unittest import mock

import pytest

from envstage import world
from envstage.errors import EnvstageError
from envstage.pipelines.dvc_usage import mapping_of
from envstage.snapshot.canonical import canonical, fingerprint
from envstage.snapshot.document import decode
from envstage.snapshot.files import write
from tests.fuzz.corpus import NASTY
from tests.trust.places import Place

pytestmark = pytest.mark.e2e

SNAPSHOT = "environment/environment.json"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def one_line(place: Place, *words: str, code: int) -> str:
    found, text = place.said(*words)
    assert found == code, text
    assert text.startswith("envstage: ") and text.count("\n") == 1, text
    assert all(char.isprintable() for char in text[:-1]), text
    return text


def committed(place: Place, facts: object, environment: str = "main") -> None:
    body = {"environment": environment, "facts": facts, "level": "platform", "schema": 1}
    place.write(SNAPSHOT, canonical(body | {"fingerprint": fingerprint("e", body)}).decode())


@pytest.mark.parametrize(
    "facts",
    [
        {"../../../evil": {"a": "1"}},
        {"/tmp/evil": {"a": "1"}},
        {"a/b": {"a": "1"}},
        {"": {"a": "1"}},
        json.loads('{"a": ' * 700 + "1" + "}" * 700),
        {"packages": {"a": {"version": 2**64}}},
        {"packages": {"a": {"version": 1.5}}},
        None,
    ],
    ids=lambda facts: str(facts)[:20],
)
def test_a_held_snapshot_of_a_stranger_writes_nothing_elsewhere(
    place: Place, facts: object
) -> None:
    committed(place, facts)
    before = place.contents()
    place.environ["ENVSTAGE_MODE"] = "hold"
    assert one_line(place, "capture", code=2).startswith(f"envstage: {SNAPSHOT}: is no snapshot (")
    lock = "project/.envstage/lock"
    assert {k: v for k, v in place.contents().items() if k != lock} == before


@pytest.mark.parametrize("name", ["../x", "a/b", "", "..", "a\n", "x" * 101])
def test_an_environment_of_a_name_that_no_folder_can_have(place: Place, name: str) -> None:
    committed(place, {}, name)
    assert "the environment's name is none" in one_line(place, "show", code=2)


def test_a_key_twice(place: Place) -> None:
    committed(place, {"packages": {"a": {"version": "1"}}})
    text = place.read(SNAPSHOT)
    place.write(SNAPSHOT, text.replace('"version": "1"', '"version": "0",\n "version": "1"'))
    assert "has a key twice" in one_line(place, "show", code=2)
    # Other white space is no other document.
    place.write(SNAPSHOT, text.replace("\n", "\r\n"))
    assert place.said("show")[0] == 0


@pytest.mark.parametrize("name", [name for name in NASTY if name != "hostile text"])
def test_whatever_stands_in_a_file_of_ours(place: Place, name: str) -> None:
    path = place.root / SNAPSHOT
    path.parent.mkdir()
    path.write_bytes(NASTY[name])
    for words in (("show",), ("diff", SNAPSHOT, SNAPSHOT), ("export", "requirements")):
        if name != "deep TOML":  # which may be a line of a requirements file
            one_line(place, *words, code=2)
    assert path.read_bytes() == NASTY[name]
    (place.root / "envstage.yaml").write_bytes(NASTY[name])
    if name not in ("nothing", "a byte order mark alone"):  # no configuration is a good one
        one_line(place, "capture", code=2)
        assert path.read_bytes() == NASTY[name]


@pytest.mark.parametrize("name", ["a merge bomb", "an alias bomb", "deep YAML sequences"])
def test_a_pipeline_that_expands_without_measure(name: str) -> None:
    assert "x" not in mapping_of(NASTY[name]).get("j", {})
    assert mapping_of(b"a: &a {x: 1}\nstages: {<<: *a, b: 2}\n") == {
        "a": {"x": 1},
        "stages": {"x": 1, "b": 2},
    }


@pytest.mark.parametrize(
    "link", ["environment", "environment/views", "environment/facets", ".envstage"]
)
def test_a_folder_that_leads_out_of_the_project(place: Place, link: str) -> None:
    outside = place.base / "outside"
    outside.mkdir()
    (outside / "mine.json").write_text("{}")
    (place.root / link).parent.mkdir(exist_ok=True)
    (place.root / link).symlink_to(outside)
    said = one_line(place, "capture", code=2)
    assert "leads out of the project, and envstage writes there" in said
    assert [each.name for each in outside.iterdir()] == ["mine.json"]


def test_a_file_that_is_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    target = tmp_path / "environment.json"
    target.symlink_to(mine)
    assert write(str(target), b"{}")
    assert mine.read_text() == "mine" and target.read_text() == "{}" and not target.is_symlink()
    (tmp_path / f"other.{os.getpid()}.tmp").symlink_to(mine)
    with pytest.raises(EnvstageError):
        write(str(tmp_path / "other"), b"{}")
    assert mine.read_text() == "mine"


def test_an_interpreter_that_answers_without_end(place: Place) -> None:
    place.tool("python", "exec yes envstage")
    place.environ["PATH"] = f"{place.tools}:/usr/bin:/bin"
    with mock.patch.object(world, "OUTPUT_LIMIT_BYTES", 1024 * 1024):
        assert "answers without end" in one_line(place, "capture", code=3)


@pytest.mark.parametrize("name", NASTY)
def test_a_distribution_of_anybody(place: Place, name: str) -> None:
    info = place.venv.site / "odd-1.0.dist-info"
    info.mkdir()
    for file in ("METADATA", "RECORD", "WHEEL", "direct_url.json", "entry_points.txt", "INSTALLER"):
        (info / file).write_bytes(NASTY[name])
    (place.venv.site / "conda-meta").mkdir()
    (place.venv.site / "conda-meta/x-1-0.json").write_bytes(NASTY[name])
    with zipfile.ZipFile(place.venv.site / "zipped.egg", "w") as egg:
        egg.writestr("EGG-INFO/PKG-INFO", NASTY[name][:5_000])
    (place.venv.site / "zipped.pth").write_text("./zipped.egg\n")
    code, text = place.said("capture")
    assert code == 0, text
    assert all(char.isprintable() or char == "\n" for char in text), text
    facts = decode((place.root / SNAPSHOT).read_bytes(), "x").facts
    # The others are as they were.
    assert facts["packages", "plain", "version"] == "1.0"
    for words in (("show", "--all"), ("export", "requirements"), ("diff", SNAPSHOT, "now")):
        code, text = place.said(*words)
        assert code == 0 and all(char.isprintable() or char == "\n" for char in text), text
