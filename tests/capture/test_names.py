"""What the configuration names and nothing here answers to is said, with the nearest name."""

from pathlib import Path

from envstage.capture.names import unanswered_names
from envstage.config import DEFAULT_COLUMNS, Config
from envstage.snapshot.model import ABSENT, Facts
from envstage.world import Machine

FACTS: Facts = {
    ("packages", "torch", "version"): "2.1.0",
    ("tools", "samtools", "version"): "samtools 1.20",
    ("tools", "samtolls", "version"): ABSENT,
}


def test_misspelt_column_and_tool(tmp_path: Path) -> None:
    (tmp_path / "samtools").write_text("")
    world = Machine({"PATH": str(tmp_path)})
    config = Config(columns=("packages.trch.version", "tools.bwa.version"), tools=("samtolls",))
    assert unanswered_names(world, config, FACTS) == (
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
    assert unanswered_names(world, config, FACTS) == ()
