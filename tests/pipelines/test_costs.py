"""What pipelines of many stages cost, in counts that no busy machine changes.

A file that is read once for each of its stages takes time that grows with the square of them.
"""

import difflib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from envstage import config_file
from envstage.errors import EnvstageError
from envstage.pipelines import dvc_usage, yaml_batch, yaml_tree
from envstage.pipelines.dvc import Plan, apply, plan_init, plan_remove, plan_track
from envstage.pipelines.dvc_history import Tracked
from envstage.pipelines.yaml_splice import Edits
from envstage.project import open_project
from envstage.snapshot.model import Level
from envstage.world import Completed, Machine
from tests.pipelines.pipelines import copied

FEW, MANY = 15, 60
SHAPES = {
    "block": "  s{0}:\n    cmd: python s.py {0}\n    outs: [o{0}]\n",
    "flow": "  s{0}: {{cmd: \"python s.py '{0}'\", deps: [s.py], outs: [o{0}]}}\n",
    "line": "s{0}: {{cmd: python s.py {0}, outs: [o{0}]}}",
    "text": "  s{0}:\n    cmd: |\n      set -e\n      python s.py '{0}'\n    deps:\n      - s.py\n",
    "list": "  s{0}:\n    cmd:\n      - mkdir -p o\n      - python s.py {0}\n    outs: [o{0}]\n",
    "foreach": "  s{0}:\n    foreach: [a, b]\n    do:\n      cmd: python s.py ${{item}}\n",
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many characters were parsed of the texts that are longer than a stage."""
    counts: Counter[str] = Counter()
    parse = yaml.parse

    def counted(text: str, *arguments: Any, **named: Any) -> Any:
        if len(text) > 400:
            counts["texts"] += 1
            counts["characters"] += len(text)
        return parse(text, *arguments, **named)

    monkeypatch.setattr(yaml, "parse", counted)
    return counts


def pipeline(root: Path, stages: int, shape: str = "block") -> Path:
    """A pipeline of many stages, with the environment's."""
    copied("plain", root)
    (root / ".dvcignore").write_text("__pycache__/\n")
    parts = [SHAPES[shape].format(number) for number in range(stages)]
    text = f" {{{', '.join(parts)}}}\n" if shape == "line" else "\n" + "".join(parts)
    (root / "dvc.yaml").write_text(f"stages:{text}")
    apply(plan_init(str(root)), str(root))
    return root


def tracked(root: Path, stages: int, **options: Any) -> Plan:
    names = tuple(f"s{number}" for number in range(stages))
    return plan_track(str(root), names, guard=True, **options)


def readings(read: Counter[str], act: Callable[..., object], *arguments: Any, **named: Any) -> int:
    """How many long texts were parsed, if none of them was remembered from before."""
    yaml_tree.parse.cache_clear()
    yaml_batch._said.cache_clear()
    read.clear()
    act(*arguments, **named)
    return read["texts"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("receipt", [False, True], ids=["", "receipt"])
def test_tracking_reads_the_pipeline_as_often_however_many_stages_it_has(
    read: Counter[str], shape: str, receipt: bool, tmp_path: Path
) -> None:
    counts = []
    for stages in (FEW, MANY):
        root = pipeline(tmp_path / str(stages), stages, shape)
        counts.append(readings(read, tracked, root, stages, receipt=receipt))
        assert len(tracked(root, stages).edits) == 2
    # dvc.yaml and the configuration, as they are and as they will be, and a new key in between.
    assert counts[0] <= counts[1] <= 8


@pytest.mark.parametrize("shape", SHAPES)
def test_taking_it_out_again_does_too(read: Counter[str], shape: str, tmp_path: Path) -> None:
    counts = []
    for stages in (FEW, MANY):
        root = pipeline(tmp_path / str(stages), stages, shape)
        apply(tracked(root, stages, receipt=shape != "foreach"), str(root))
        counts.append(readings(read, plan_remove, str(root)))
    assert counts[0] == counts[1] <= 6


def test_a_stage_that_many_depend_on_is_replaced_at_once(
    read: Counter[str], tmp_path: Path
) -> None:
    counts = []
    for stages in (FEW, MANY):
        root = copied("plain", tmp_path / str(stages))
        users = "".join(
            f"  s{number}: {{cmd: python s.py, deps: [lock.txt, s.py]}}\n"
            for number in range(stages)
        )
        freeze = "  freeze: {cmd: pip freeze > lock.txt, outs: [lock.txt]}\n"
        (root / "dvc.yaml").write_text(f"stages:\n{freeze}{users}")
        counts.append(readings(read, plan_init, str(root), replace="freeze"))
    assert counts[0] <= counts[1] <= 8


def test_a_higher_level_writes_the_level_of_all_views_at_once(
    read: Counter[str], tmp_path: Path
) -> None:
    counts = []
    for stages in (FEW, MANY):
        root = pipeline(tmp_path / str(stages), stages + 1)
        apply(tracked(root, stages), str(root))
        last = (f"s{stages}",)
        counts.append(readings(read, plan_track, str(root), last, level=Level.HARDWARE))
    assert {view.level for view in config_file.load(str(root)).views} == {None}
    assert counts[0] <= counts[1] <= 8


def test_an_edit_that_cannot_be_made_is_found_by_halves(read: Counter[str]) -> None:
    text = "".join(f"k{number}: &a{number} long text {number}\n" for number in range(MANY))
    edits = Edits(f"{text}end: *a37\n")
    for number in range(MANY):
        edits.replace_scalar((f"k{number}",), "other")
    with pytest.raises(EnvstageError, match="k37: other"):
        readings(read, edits.text)
    assert read["texts"] <= 15


def test_a_diff_looks_at_a_line_a_few_times(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    find = difflib.SequenceMatcher.find_longest_match
    seen = []

    def counted(self: Any, alo: int = 0, ahi: Any = None, blo: int = 0, bhi: Any = None) -> Any:
        seen.append(ahi - alo + bhi - blo)
        return find(self, alo, ahi, blo, bhi)

    monkeypatch.setattr(difflib.SequenceMatcher, "find_longest_match", counted)
    plan = tracked(pipeline(tmp_path, MANY), MANY)
    lines = plan.diff().count("\n")
    assert lines > 5 * MANY
    assert sum(seen) <= 3 * lines


class _Counting(Machine):
    def __init__(self) -> None:
        super().__init__()
        self.started: list[str] = []

    def run(self, argv: Any, **named: Any) -> Completed:
        self.started.append(argv[0])
        return super().run(argv, **named)


def test_the_views_of_stages_are_found_in_one_reading(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = pipeline(tmp_path, FEW)
    apply(tracked(root, FEW), str(root))
    load = dvc_usage.load_yaml
    loaded: list[str] = []

    def counted(path: str) -> dict[str, Any]:
        loaded.append(path)
        return load(path)

    monkeypatch.setattr(dvc_usage, "load_yaml", counted)
    world = _Counting()
    known = Tracked(world, open_project(str(root)))
    for number in range(FEW):
        view, usage = known.of(f"s{number}@a")
        assert (view.name, usage.address) == (f"s{number}", f"s{number}")
    assert len(loaded) == len(world.started) == 1
    with pytest.raises(EnvstageError, match=r"tracked: s0, s1, s10.*envstage track other"):
        known.of("other")
