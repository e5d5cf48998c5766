"""`%load_ext envstage`, in a real IPython."""

from pathlib import Path

import pytest

from tests.notebook.scripts import run_script

pytestmark = pytest.mark.e2e
SESSION = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.error import UsageError

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "envstage")
captured = shell.run_line_magic("envstage", "")
print(type(captured).__name__, "text/html" in shell.display_formatter.format(captured)[0])
print(shell.run_line_magic("envstage", "diff before/environment.json"))
for line in ("diff nothing-of-that-name", "differ", "diff"):
    try:
        shell.run_line_magic("envstage", line)
    except UsageError as error:
        print("error:", error)
"""


def test_the_magic(tmp_path: Path) -> None:
    pytest.importorskip("IPython", reason="IPython is not installed", exc_type=ImportError)
    script = "import envstage\nenvstage.capture().save('before')\n"
    lines = run_script(script + SESSION, tmp_path).splitlines()
    assert lines[0] == "Captured True"
    assert lines[1].startswith("No difference: before/environment.json → e-")
    assert lines[2].startswith("error: nothing-of-that-name")
    assert [line.startswith("error: %envstage shows") for line in lines[3:]] == [True, True]
