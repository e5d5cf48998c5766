"""Init, track and remove over tiny pipelines, many of them broken."""

import re
from pathlib import Path

import pytest

from envstage import config, config_file
from envstage.errors import EnvstageError
from envstage.pipelines.command import receipt_in
from envstage.pipelines.dvc import Plan, apply, plan_init, plan_remove, plan_track
from envstage.pipelines.dvc_file import all_stages, stages_in
from envstage.pipelines.dvc_stage import provided_stage
from envstage.pipelines.dvc_track import view_name
from envstage.pipelines.plan import Draft
from envstage.pipelines.templates import template
from envstage.pipelines.yaml_tree import Node, parse
from envstage.pipelines.yaml_values import meaning, meaning_of
from envstage.snapshot.model import Level
from tests.pipelines.pipelines import copied, files

GOOD = [
    "plain", "four-spaces", "crlf-no-final-newline", "no-deps", "flow", "foreach", "matrix", "wdir",
    "compound", "list", "block", "unicode", "uv", "shell-and-templating", "several-files",
    "params-config", "two-environments",
]  # fmt: skip


def applied(plan: Plan, root: Path) -> Plan:
    apply(plan, str(root))
    return plan


def initialised(name: str, root: Path, *stages: str, guard: bool = False) -> Path:
    copied(name, root)
    applied(plan_init(str(root)), root)
    if stages:
        applied(plan_track(str(root), stages, guard=guard), root)
    return root


def node(root: Path, *path: str | int, file: str = "dvc.yaml") -> Node:
    tree = parse((root / file).read_bytes().decode(), name=file)
    found = tree.at(path) if tree else None
    assert found is not None, path
    return found


def texts(found: Node) -> list[str]:
    return [(item.entries[0][0] if item.entries else item).value for item in found.items]


@pytest.mark.parametrize("guard", [False, True], ids=["unguarded", "guarded"])
@pytest.mark.parametrize("name", GOOD)
def test_every_edit_can_be_undone_and_none_is_made_twice(
    name: str, guard: bool, tmp_path: Path
) -> None:
    before = files(copied(name, tmp_path))
    applied(plan_init(str(tmp_path)), tmp_path)
    assert plan_init(str(tmp_path)).is_empty
    applied(plan_track(str(tmp_path), ("train",), guard=guard), tmp_path)
    assert plan_track(str(tmp_path), ("train",), guard=guard).is_empty
    assert plan_init(str(tmp_path)).is_empty
    assert [view.name for view in config_file.load(str(tmp_path)).views] == ["train"]
    applied(plan_remove(str(tmp_path)), tmp_path)
    after = files(tmp_path)
    assert after.pop("envstage.yaml", None) is not None or name == "params-config"
    before.pop("envstage.yaml", None)
    before.pop("params.yaml", None), after.pop("params.yaml", None)
    assert after == before


@pytest.mark.parametrize("name", GOOD)
def test_init_alone_leaves_nothing_behind_when_removed(name: str, tmp_path: Path) -> None:
    before = files(copied(name, tmp_path))
    applied(plan_init(str(tmp_path)), tmp_path)
    applied(plan_remove(str(tmp_path)), tmp_path)
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", GOOD)
def test_an_edit_adds_lines_and_takes_none(name: str, tmp_path: Path) -> None:
    before = files(copied(name, tmp_path))
    initialised(name, tmp_path, "train")
    if name in ("flow", "wdir", "compound"):  # a flow list, which grows on its line
        return
    after = files(tmp_path)["dvc.yaml"].splitlines()
    remaining = iter(after)
    assert all(line in remaining for line in before["dvc.yaml"].splitlines())


@pytest.mark.parametrize("name", GOOD)
def test_a_receipt_is_an_out_once_and_goes_again(name: str, tmp_path: Path) -> None:
    before = files(copied(name, tmp_path))
    initialised(name, tmp_path)
    plan = plan_track(str(tmp_path), ("train",), guard=True, receipt=True)
    assert plan_track(str(tmp_path), ("train",), guard=True, receipt=True).diff() == plan.diff()
    applied(plan, tmp_path)
    assert plan_track(str(tmp_path), ("train",), guard=True, receipt=True).is_empty
    assert plan_init(str(tmp_path)).is_empty
    stage = next(s for s in all_stages(Draft(str(tmp_path))) if s.name == "train")
    written = {receipt_in(cmd) for cmd in stage.commands}
    outs = [stage.resolved(item) for item in stage.outs]
    if name == "shell-and-templating":  # it is not guarded: nobody writes a receipt
        assert written == {""}
        assert not any("receipts" in path for path in outs)
    else:
        (receipt,) = written
        file = outs[-1] if "receipts" in outs[-1] else outs[0]
        assert file.startswith("environment/receipts/train")
        assert receipt == stage.path_to(file)
        assert stage.instance in receipt
    applied(plan_remove(str(tmp_path)), tmp_path)
    after = files(tmp_path)
    for each in ("envstage.yaml", "params.yaml"):
        before.pop(each, None), after.pop(each, None)
    assert after == before


def test_a_receipt_joins_a_guard_that_is_there(tmp_path: Path) -> None:
    initialised("list", tmp_path, "train", guard=True)
    applied(plan_track(str(tmp_path), ("train",), guard=True, receipt=True), tmp_path)
    stage = next(s for s in all_stages(Draft(str(tmp_path))) if s.name == "train")
    path = "environment/receipts/train.json"
    assert [receipt_in(cmd) for cmd in stage.commands] == [path] * 3
    assert stage.commands[1].startswith("envstage run --view train --part 2/3 --receipt")


def test_instances_without_a_plain_name_have_no_receipt(tmp_path: Path) -> None:
    initialised("foreach", tmp_path)
    path = tmp_path / "dvc.yaml"
    text = path.read_text()
    start, end = text.index("foreach:"), text.index("\n", text.index("foreach:"))
    path.write_text(text[:start] + "foreach: ${models}" + text[end:])
    with pytest.raises(EnvstageError, match="no plain name"):
        plan_track(str(tmp_path), ("train",), guard=True, receipt=True)


BROKEN = [
    ("ignored", r"\.gitignore:2: the pattern `\*\.json` hides environment/environment\.json"),
    ("folder-ignored", r"\.gitignore:2: the pattern `/environment/` hides"),
    ("dvc-ignored", r"\.dvcignore:2: the pattern `environment` hides .* from DVC"),
    ("name-taken", "a stage `environment` is there already"),
    ("pip-freeze-named-environment", "--replace environment"),
    ("out-claims", "lock: the out `lock.txt` claims the folder environment/"),
    ("added-folder", r"environment\.dvc: `dvc add` claims a part of environment/"),
    ("no-pipeline", "no pipeline here"),
    ("not-yaml", r"dvc\.yaml:\d+: is not YAML"),
    ("stages-no-mapping", "by hand"),
    ("params-no-list", "`params` is no list"),
    ("both-configurations", "Keep one of them"),
]


@pytest.mark.parametrize(("name", "says"), BROKEN)
def test_init_refuses_and_says_what_to_do(name: str, says: str, tmp_path: Path) -> None:
    before = files(copied(name, tmp_path))
    with pytest.raises(EnvstageError, match=says) as caught:
        plan_init(str(tmp_path))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert files(tmp_path) == before


def test_init_refuses_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(EnvstageError, match=r"no DVC repository.*dvc init"):
        plan_init(str(tmp_path))


@pytest.mark.parametrize("name", ["shared-deps", "merged", "wdir-templated"])
def test_track_refuses_what_it_cannot_edit(name: str, tmp_path: Path) -> None:
    initialised(name, tmp_path)
    with pytest.raises(EnvstageError, match="by hand"):
        plan_track(str(tmp_path), ("train",))


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("trian", "Did you mean `train`"),
        ("xyz", "Stages: train"),
        ("train@a", "Track `train`"),
        ("environment", "own stage"),
        ("sub/dvc.yaml:train", "no stage"),
    ],
)
def test_track_refuses_addresses_that_are_none(address: str, says: str, tmp_path: Path) -> None:
    initialised("foreach", tmp_path)
    with pytest.raises(EnvstageError, match=says):
        plan_track(str(tmp_path), (address,))


def test_track_needs_init(tmp_path: Path) -> None:
    copied("plain", tmp_path)
    with pytest.raises(EnvstageError, match="envstage init dvc"):
        plan_track(str(tmp_path), ("train",))


@pytest.mark.parametrize(
    ("name", "path", "dep"),
    [
        ("plain", (), "environment/views/train.json"),
        ("foreach", ("do",), "../environment/views/train.json"),
        ("matrix", (), "environment/views/train.json"),
        ("wdir", (), "../../environment/views/train.json"),
        ("frozen", (), "environment/views/train.json"),
    ],
)
def test_a_stage_depends_on_its_view_from_where_it_runs(
    name: str, path: tuple[str, ...], dep: str, tmp_path: Path
) -> None:
    initialised(name, tmp_path, "train")
    assert texts(node(tmp_path, "stages", "train", *path, "deps"))[-1] == dep
    outs = texts(node(tmp_path, "stages", "environment", "outs"))
    assert outs[-1] == "environment/views/train.json"


@pytest.mark.parametrize(
    ("name", "path", "cmds"),
    [
        ("plain", (), ["envstage run --view train -- python train.py"]),
        ("foreach", ("do",), ["envstage run --view train -- python train.py ${item}"]),
        ("no-deps", (), ["envstage run --view train -- python train.py --epochs ${epochs}"]),
        ("uv", (), ["uv run --extra gpu envstage run --view train -- uv run --extra gpu train.py"]),
        ("compound", (), ["envstage run --view train --shell "
                          "'cd src && PYTHONPATH=. python train.py | tee ../log'"]),
        ("list", (), ["envstage run --view train --part 1/3 -- mkdir -p out",
                      "envstage run --view train --part 2/3 -- python train.py",
                      "envstage run --view train --part 3/3 --shell "
                      "'echo \"done\" > out/done'"]),
        ("shell-and-templating", (), ["python train.py ${train} > log"]),
    ],
)  # fmt: skip
def test_the_guard_stands_before_every_command(
    name: str, path: tuple[str, ...], cmds: list[str], tmp_path: Path
) -> None:
    initialised(name, tmp_path, "train", guard=True)
    cmd = node(tmp_path, "stages", "train", *path, "cmd")
    assert (texts(cmd) or [cmd.value]) == cmds


def test_a_command_that_cannot_be_guarded_is_named(tmp_path: Path) -> None:
    initialised("shell-and-templating", tmp_path)
    plan = plan_track(str(tmp_path), ("train",), guard=True)
    assert any("`train` is not guarded" in message for message in plan.messages)


def test_stages_of_other_files_have_views_of_their_own(tmp_path: Path) -> None:
    addresses = ("train", "sub/dvc.yaml:train", "sub/deep er/dvc.yaml:train")
    initialised("several-files", tmp_path, *addresses)
    assert [view.name for view in config_file.load(str(tmp_path)).views] == [
        "train", "sub-train", "sub-deep-er-train",
    ]  # fmt: skip
    found = node(tmp_path, "stages", "train", "deps", file="sub/deep er/dvc.yaml")
    assert texts(found) == ["../../environment/views/sub-deep-er-train.json"]


def test_views_that_would_be_one_file_are_refused(tmp_path: Path) -> None:
    initialised("several-files", tmp_path, "sub/dvc.yaml:train")
    dvc = tmp_path / "dvc.yaml"
    dvc.write_text(dvc.read_text().replace("  train:", "  sub-train:"))
    with pytest.raises(EnvstageError, match=r"that of `sub/dvc\.yaml:train`"):
        plan_track(str(tmp_path), ("sub-train",))
    dvc.write_text(dvc.read_text().replace("  sub-train:", "  Sub-Train:"))
    with pytest.raises(EnvstageError, match="same file"):
        plan_track(str(tmp_path), ("Sub-Train",))


def test_a_view_name_is_always_a_configurable_one(tmp_path: Path) -> None:
    for name in ("é" * 5, "x" * 200, "a@b", "..."):
        (tmp_path / "dvc.yaml").write_text(f"stages:\n  '{name}': {{cmd: x}}\n")
        (stage,) = stages_in(Draft(str(tmp_path)), "dvc.yaml")
        assert config.NAME.fullmatch(view_name(stage)), name


def test_the_configuration_stays_where_it_is(tmp_path: Path) -> None:
    copied("params-config", tmp_path)
    plan = applied(plan_init(str(tmp_path)), tmp_path)
    assert any("Hydra" in message for message in plan.messages)
    applied(plan_track(str(tmp_path), ("train",), level=Level.SOFTWARE), tmp_path)
    assert not (tmp_path / "envstage.yaml").exists()
    assert (tmp_path / "params.yaml").read_text() == (
        "lr: 0.1   # rate\nenvstage:\n  columns: [python.version]\n"
        "  views:\n    train: {level: software}\nseed: 1\n"
    )


def test_a_further_environment_has_files_of_its_own(tmp_path: Path) -> None:
    initialised("two-environments", tmp_path)
    plan = plan_track(str(tmp_path), ("train",), environment="gpu", level=Level.HARDWARE)
    applied(plan, tmp_path)
    outs = texts(node(tmp_path, "stages", "environment", "outs"))
    assert "environment/gpu/facets" in outs
    assert outs[-1] == "environment/gpu/views/train.json"
    assert texts(node(tmp_path, "params")) == [
        "environment/summary.json", "environment/gpu/summary.json",
    ]  # fmt: skip
    (view,) = config_file.load(str(tmp_path)).views
    assert (view.environment, view.level) == ("gpu", Level.HARDWARE)
    assert (tmp_path / "environment/gpu/.gitignore").exists()
    with pytest.raises(EnvstageError, match="belongs to the environment `gpu`"):
        dvc = tmp_path / "dvc.yaml"
        dvc.write_text(dvc.read_text().replace("    deps:\n", "").replace(
            "      - environment/gpu/views/train.json\n", ""))  # fmt: skip
        plan_track(str(tmp_path), ("train",))


def test_a_higher_level_leaves_the_other_views_at_theirs(tmp_path: Path) -> None:
    initialised("several-files", tmp_path, "train")
    plan = plan_track(str(tmp_path), ("sub/dvc.yaml:train",), level=Level.HARDWARE)
    applied(plan, tmp_path)
    settled = config_file.load(str(tmp_path))
    assert settled.environment("main").level == Level.HARDWARE
    assert [view.level for view in settled.views] == [Level.PLATFORM, Level.HARDWARE]
    assert any("platform" in message for message in plan.messages)


def test_a_view_that_is_no_longer_configured_is_no_out(tmp_path: Path) -> None:
    initialised("plain", tmp_path, "train")
    (tmp_path / "envstage.yaml").unlink()
    plan = plan_init(str(tmp_path))
    assert any("no view of that name is configured" in message for message in plan.messages)
    dvc = tmp_path / "dvc.yaml"
    dvc.write_text(dvc.read_text().replace("      - environment/views/train.json\n", "", 1))
    applied(plan_init(str(tmp_path)), tmp_path)
    assert "views/train" not in dvc.read_text()


def test_a_frozen_stage_and_a_shared_view_are_mentioned(tmp_path: Path) -> None:
    initialised("frozen", tmp_path / "a")
    assert "is frozen" in plan_track(str(tmp_path / "a"), ("train",)).messages[0]
    initialised("matrix", tmp_path / "b")
    assert "stands for several" in plan_track(str(tmp_path / "b"), ("train",)).messages[0]


def test_a_stage_of_another_interpreter_than_its_environments_is_mentioned(tmp_path: Path) -> None:
    # Its view would be of an environment in which it does not run: no change would rerun it.
    initialised("plain", tmp_path / "a")
    dvc = tmp_path / "a/dvc.yaml"
    dvc.write_text(dvc.read_text().replace("cmd: python", "cmd: .venv/bin/python", 1))
    [message] = plan_track(str(tmp_path / "a"), ("train",)).messages
    assert message.startswith(
        "`train` starts `.venv/bin/python`, but the environment `main` is that of `python` on PATH"
    )
    initialised("wdir", tmp_path / "b")  # the same one, as the stage's folder has it
    assert not plan_track(str(tmp_path / "b"), ("train",)).messages


@pytest.mark.parametrize(
    ("name", "python", "cmd"),
    [
        ("plain", "auto", "envstage capture"),
        ("uv", "uv run --extra gpu python", "uv run --extra gpu envstage capture"),
        ("wdir", ".venv/bin/python", "envstage capture"),
        ("several-files", "auto", "envstage capture"),
    ],
)
def test_the_environment_is_that_of_the_stages(
    name: str, python: str, cmd: str, tmp_path: Path
) -> None:
    initialised(name, tmp_path)
    assert config_file.load(str(tmp_path)).environment("main").python == python
    assert node(tmp_path, "stages", "environment", "cmd").value == cmd


def test_a_stage_that_freezes_the_environment_is_recognised_and_replaced(tmp_path: Path) -> None:
    copied("pip-freeze", tmp_path)
    assert "--replace freeze" in plan_init(str(tmp_path)).messages[0]
    plan = applied(plan_init(str(tmp_path), replace="freeze"), tmp_path)
    assert "requirements.lock" in plan.messages[0]
    assert texts(node(tmp_path, "stages", "train", "deps")) == [
        "train.py", "environment/views/train.json",
    ]  # fmt: skip
    assert "freeze:" not in (tmp_path / "dvc.yaml").read_text()
    assert plan_init(str(tmp_path), replace="freeze").is_empty
    assert plan_init(str(tmp_path)).is_empty


def test_a_stage_of_our_name_can_be_replaced(tmp_path: Path) -> None:
    copied("pip-freeze-named-environment", tmp_path)
    applied(plan_init(str(tmp_path), replace="environment"), tmp_path)
    assert node(tmp_path, "stages", "environment", "cmd").value == "envstage capture"
    assert texts(node(tmp_path, "stages", "train", "deps")) == ["environment/views/train.json"]
    assert plan_init(str(tmp_path), replace="environment").is_empty


@pytest.mark.parametrize(
    ("name", "stage", "says"),
    [
        ("freeze-is-read", "freeze", "the command of `train` reads lock.txt"),
        ("pip-freeze", "train", "does not write down the environment"),
        ("pip-freeze", "frieze", "Did you mean `freeze`"),
    ],
)
def test_what_cannot_be_replaced_is_not(name: str, stage: str, says: str, tmp_path: Path) -> None:
    copied(name, tmp_path)
    with pytest.raises(EnvstageError, match=re.escape(says)):
        plan_init(str(tmp_path), replace=stage)


def test_bytecode_below_a_dependency_is_mentioned(tmp_path: Path) -> None:
    copied("compound", tmp_path)
    (tmp_path / "src" / "__pycache__").mkdir(parents=True)
    assert any("__pycache__" in message for message in plan_init(str(tmp_path)).messages)
    (tmp_path / ".dvcignore").write_text("__pycache__/\n")
    assert not plan_init(str(tmp_path)).messages


def test_a_users_own_ignore_lines_stay(tmp_path: Path) -> None:
    copied("plain", tmp_path)
    (tmp_path / ".gitignore").write_bytes(b"a\r\n\xff\r\n.envstage")
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment" / ".gitignore").write_text("mine")
    before = files(tmp_path)
    applied(plan_init(str(tmp_path)), tmp_path)
    after = files(tmp_path)
    assert after[".gitignore"] == before[".gitignore"]
    assert after["environment/.gitignore"] == b"mine\n/facets\n/context.json"


def test_remove_keeps_what_is_the_users(tmp_path: Path) -> None:
    initialised("plain", tmp_path, "train")
    (tmp_path / "environment" / "environment.json").write_text("{}")
    plan = applied(plan_remove(str(tmp_path)), tmp_path)
    assert sorted(files(tmp_path)) == [
        "dvc.yaml", "environment/.gitignore", "environment/environment.json", "envstage.yaml",
    ]  # fmt: skip
    assert any("git rm" in message for message in plan.messages)
    with pytest.raises(EnvstageError, match="no environment stage"):
        plan_remove(str(tmp_path))


def test_the_template_is_what_init_writes(tmp_path: Path) -> None:
    initialised("plain", tmp_path, "train")
    tree = parse(template("dvc", "dvc.yaml"), name="template")
    assert tree is not None
    for path in (("stages", "environment"), ("params",)):
        assert meaning(tree.at(path)) == meaning(node(tmp_path, *path))
    stage = provided_stage(config_file.load(str(tmp_path)), "envstage capture")
    assert meaning_of(stage) == meaning(tree.at(("stages", "environment")))
