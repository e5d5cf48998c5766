"""Bad input gives one clear line, the right exit code, and no traceback."""

import json

import pytest

from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e

SNAPSHOT = "environment/environment.json"


def line_of(pipeline: Pipeline, *command: str, code: int) -> str:
    """The one line that a command says, without the name that it begins with."""
    output = pipeline.run("envstage", *command, code=code)
    assert output.startswith("envstage: "), output
    assert output.endswith((".\n", "?\n")), output
    assert output.count("\n") == 1, output
    return output.removeprefix("envstage: ").rstrip("\n")


CONFIGURATIONS = {
    "no YAML": ("views: [", "envstage.yaml:2: is not YAML: "),
    "a tab": ("views:\n\ttrain: {}\n", "envstage.yaml:2: is not YAML: "),
    "a star": (
        "environments:\n  main: {where: {hardware.gpu.models: *H100*}}\n",
        "envstage.yaml:2: is not YAML",
    ),
    "a list": ("- views\n", "envstage.yaml:1: a mapping is expected here"),
    "not UTF-8": ("views: {train: {}} # \udcff\n", "envstage.yaml:1: is not YAML"),
    "unknown key": (
        "colums: [python.version]\n",
        "envstage.yaml:1: colums: `colums` is not a setting. Did you mean `columns`?",
    ),
    "unknown key of a view": (
        "views:\n  train:\n    includes: [packages.alpha]\n",
        "envstage.yaml:3: views.train.includes: `includes` is not a setting. "
        "Did you mean `include`?",
    ),
    "unknown level": (
        "environments:\n  main: {level: hardwear}\n",
        "envstage.yaml:2: environments.main.level: `hardwear` is none of software, platform, "
        "hardware. Did you mean `hardware`?",
    ),
    "unknown environment": (
        "views:\n  train: {environment: mian}\n",
        "envstage.yaml:2: views.train: there is no environment `mian`. Did you mean `main`?",
    ),
    "level above": (
        "views:\n  train: {level: hardware}\n",
        "envstage.yaml:2: views.train: level hardware is above its environment's level",
    ),
    "a number for a text": (
        "timeout_s: soon\n",
        "envstage.yaml:1: timeout_s: a whole number from 1 to 3600 is expected here.",
    ),
    "too many columns": (
        "columns: [a, b, c, d, e, f, g, h, i]\n",
        "envstage.yaml:1: columns: 9 columns, at most 8 fit",
    ),
    "a name that leaves the folder": ("views: {../x: {}}\n", "envstage.yaml:1: views.../x: "),
    "unknown fact in a view": (
        "views:\n  train: {include: [hardware.gpu.drivers]}\n",
        "envstage.yaml: views.train.include: `hardware.gpu.drivers` names no fact. "
        "Did you mean `hardware.gpu.driver`?",
    ),
    "unknown fact in where": (
        "environments:\n  main: {where: {hardwear.gpu.models: a}}\n",
        "envstage.yaml: environments.main.where: `hardwear.gpu.models` names no fact.",
    ),
    "unknown fact as a column": ("columns: [pyton.version]\n", "envstage.yaml: columns: `pyton."),
    "an alias that expands without end": (
        "a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
        "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
        "nested too deeply or expands without measure",
    ),
}


def test_configurations(pipeline: Pipeline) -> None:
    before = pipeline.files()
    for name, (text, expected) in CONFIGURATIONS.items():
        (pipeline.root / "envstage.yaml").write_text(text, errors="surrogateescape")
        assert expected in line_of(pipeline, "capture", code=2), name
    pipeline.run("git", "checkout", "-q", "envstage.yaml")
    assert pipeline.files() == before


def test_both_configurations(pipeline: Pipeline) -> None:
    pipeline.write("params.yaml", "lr: 0.1\nenvstage:\n  views: {}\n")
    assert line_of(pipeline, "capture", code=2) == (
        "params.yaml:3: both envstage.yaml and a section `envstage:` are there. "
        "Keep one of them: delete the section or the file."
    )


def test_stage_whose_view_nobody_configured(pipeline: Pipeline) -> None:
    text = pipeline.run("envstage", "run", "--view", "trian", "--", "true", code=2)
    assert "there is no view `trian` (there: train). Did you mean `train`?" in text
    assert line_of(pipeline, "capture", "-e", "gpu", code=2).startswith(
        "envstage.yaml: there is no environment `gpu` (there: main)"
    )


def test_a_tool_that_is_not_there(pipeline: Pipeline) -> None:
    pipeline.write("envstage.yaml", "tools: [nosuchtool]\n" + pipeline.read("envstage.yaml"))
    first = pipeline.run("envstage", "capture")
    # Its absence is a fact from now on: the fingerprint is another one, and nothing changed here.
    assert "written anew: nothing differs, other facts are recorded\n" in first
    assert "there is no program `nosuchtool` on PATH here; it counts as absent" in first
    assert " unchanged\n" in pipeline.run("envstage", "capture")


def corrupted(text: str) -> dict[str, tuple[str, str]]:
    """Snapshots that are none: what is in the file, and what is said."""
    document = json.loads(text)
    edited = text.replace('"1.0"', '"1.5"', 1)
    newer = json.dumps(document | {"schema": 99})
    lacking = json.dumps({key: value for key, value in document.items() if key != "facts"})
    return {
        "cut short": (text[: len(text) // 2], "is not JSON. Restore it from Git, or run"),
        "empty": ("", "is not JSON."),
        "merge conflict": (f"<<<<<<< HEAD\n{text}=======\n>>>>>>> other\n", "is not JSON."),
        "edited": (edited, "is not what its fingerprint says: it was edited or damaged."),
        "lacking": (lacking, "is no snapshot ("),
        "another document": ("[1]", "is no document of envstage's."),
        "nested without end": ("[" * 100_000, "is not JSON."),
        "newer": (newer, "is of schema 99, this envstage knows 1. Upgrade envstage: pip"),
    }


def test_snapshots(pipeline: Pipeline) -> None:
    text = pipeline.read(SNAPSHOT)
    for name, (damaged, expected) in corrupted(text).items():
        pipeline.write(SNAPSHOT, damaged)
        for command in (("show",), ("diff", SNAPSHOT), ("check",)):
            said = line_of(pipeline, *command, code=2)
            assert said.startswith(f"{SNAPSHOT}: {expected}"), (name, command, said)
        assert expected in pipeline.run("envstage", "capture", code=2, ENVSTAGE_MODE="hold")
        pipeline.write(SNAPSHOT, text)


def test_capture_writes_a_damaged_snapshot_anew(pipeline: Pipeline) -> None:
    before = pipeline.files()
    pipeline.write(SNAPSHOT, before[SNAPSHOT].decode()[:100])
    pipeline.write("environment/views/train.json", "{")
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    assert pipeline.files() == before


def test_capture_does_not_replace_what_a_newer_release_wrote(pipeline: Pipeline) -> None:
    # Its views would be of the older schema: every stage of everybody else would rerun.
    newer = json.loads(pipeline.read(SNAPSHOT)) | {"schema": 99}
    pipeline.write(SNAPSHOT, json.dumps(newer))
    said = line_of(pipeline, "capture", code=2)
    assert said.startswith(f"{SNAPSHOT}: is of schema 99, this envstage knows 1.")
    assert json.loads(pipeline.read(SNAPSHOT)) == newer


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("diff", "nosuch"), 2),
        (("show", "HEAD~99"), 2),
        (("show", "--fact", "packages.nosuch"), 2),
        (("run", "--view", "train"), 2),
        (("run", "--view", "train", "--", "./nosuch"), 127),
    ],
)
def test_misuse(pipeline: Pipeline, command: tuple[str, ...], code: int) -> None:
    line_of(pipeline, *command, code=code)


def test_outside_any_repository(pipeline: Pipeline) -> None:
    said = line_of(pipeline, "capture", "-C", "/", code=2)
    assert said.startswith("/: no envstage project here: neither envstage.yaml nor a repository")
