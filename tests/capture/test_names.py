"""What the configuration names and nothing here answers to is said, with the nearest name."""

from pathlib import Path

from envstage.capture.names import unanswered_names
from envstage.config import DEFAULT_COLUMNS, Config, View
from envstage.snapshot.model import ABSENT, Facts
from envstage.world import Machine

FACTS: Facts = {
    ("system", "packages", "libgomp1"): "12.2.0-14",
    ("packages", "torch", "version"): "2.1.0",
    ("tools", "samtools", "version"): "samtools 1.20",
    ("tools", "samtolls", "version"): ABSENT,
}


def test_misspelt_column_and_tool(tmp_path: Path) -> None:
    (tmp_path / "samtools").write_text("")
    world = Machine({"PATH": str(tmp_path)})
    config = Config(columns=("packages.trch.version", "tools.bwa.version"), tools=("samtolls",))
    assert unanswered_names(world, config, "main", FACTS) == (
        "tools: there is no program `samtolls` on PATH here (did you mean `samtools`?); it counts "
        "as absent",
        "columns: nothing here is called `packages.trch.version` (did you mean `torch`?); the "
        "column says `none`",
        "columns: nothing here is called `tools.bwa.version`; the column says `none`",
    )


def test_nothing_is_said_of_what_is_there_or_belongs_to_other_machines() -> None:
    world = Machine({"PATH": ""})
    columns = (*DEFAULT_COLUMNS, "packages.torch.version", "packages.torch", "variables.MY_FLAG")
    config = Config(columns=(*columns, "packages.nvidia-*"), tools=("samtools",))
    assert unanswered_names(world, config, "main", FACTS) == ()


def test_misspelt_include() -> None:
    # A fact that never comes reruns nothing: who misspelt it would wait for ever.
    world = Machine({"PATH": ""})
    include = ("packages.trch", "system.packages.libgomp", "packages.torch", "packages.nvidia-*")
    there = View(name="train", include=(*include, "system.packages.libgomp1", "variables.A"))
    elsewhere = View(name="score", environment="gpu", include=("packages.trch",))
    assert unanswered_names(world, Config(views=(there, elsewhere)), "main", FACTS) == (
        "views.train.include: nothing here is called `packages.trch` (did you mean `torch`?); it "
        "counts as absent",
        "views.train.include: nothing here is called `system.packages.libgomp` (did you mean "
        "`libgomp1`?); it counts as absent",
    )
