"""The scripts: what each is called, how it is started, what is expected of it.

A script says the last two in comments at its start: `# command: …` (where it is not
`python SCRIPT`) and `# expected: wide` (where it does what no observer can see). A folder
`NAME.files` beside it is copied with it.
"""

import re
import shlex
import shutil
from pathlib import Path
from typing import Final

import msgspec

SCRIPTS: Final = Path(__file__).resolve().parent.parent / "scripts"
_OPTION: Final = re.compile(r"(?m)^# (command|expected): (.+)$")


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One script. `title` is the first line of its docstring."""

    name: str
    title: str
    command: tuple[str, ...]
    is_wide_by_nature: bool = False

    def copy_to(self, folder: Path) -> None:
        """Put the script and its files into a project's folder."""
        shutil.copy(SCRIPTS / f"{self.name}.py", folder)
        files = SCRIPTS / f"{self.name}.files"
        if files.is_dir():
            shutil.copytree(files, folder, dirs_exist_ok=True)


def cases() -> tuple[Case, ...]:
    """All scripts, by name."""
    return tuple(_case(path) for path in sorted(SCRIPTS.glob("*.py")))


def _case(path: Path) -> Case:
    text = path.read_text()
    options = dict(_OPTION.findall(text))
    command = options.get("command", "python {script}").format(script=path.name)
    return Case(
        name=path.stem,
        title=text.split('"""')[1].strip().split("\n")[0],
        command=tuple(shlex.split(command)),
        is_wide_by_nature=options.get("expected") == "wide",
    )
