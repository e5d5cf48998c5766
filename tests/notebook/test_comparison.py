# ruff: noqa: RUF001 - the guide prints heavy plus and minus signs
"""`compare_environments`: both forms, what it returns, what it prints."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from envstage import compare_environments
from envstage.cli import main
from envstage.errors import EnvstageError
from envstage.notebook.comparison import Described, compared

OLD: dict[str, Any] = {
    "python_version": "3.10.12 (main)",
    "python_version_short": "3.10.12",
    "cuda_version": "12.2",
    "packages": {"torch": "2.0.1", "PyYAML": "6.0", "gone": "1"},
}
NEW: dict[str, Any] = OLD | {
    "packages": {"torch": "2.1.0", "pyyaml": "6.0", "transformers": "4.36.0"}
}
PRINTED = """\
🔍 Environment Differences:

  Python: 3.10.12 → 3.10.12
  CUDA: 12.2 → 12.2

  📦 Changed packages (1):
    - torch: 2.0.1 → 2.1.0

  ➕ Added packages: 1
    - transformers==4.36.0

  ➖ Removed packages: 1
    - gone==1
"""


def saved(folder: Path, name: str, document: object) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document))
    return path


def test_the_guides_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    diff = compare_environments(saved(tmp_path, "a", OLD), str(saved(tmp_path, "b", NEW)))
    assert diff == {
        "added": [("transformers", "4.36.0")],
        "removed": [("gone", "1")],
        "changed": [("torch", "2.0.1", "2.1.0")],
        "python_version_changed": False,
        "cuda_version_changed": False,
    }
    assert capsys.readouterr().out == PRINTED


def test_python_and_cuda(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = OLD | {"python_version_short": "3.11.4", "cuda_version": None}
    diff = compare_environments(saved(tmp_path, "a", OLD), saved(tmp_path, "b", other))
    assert diff["python_version_changed"]
    assert diff["cuda_version_changed"]
    assert "  Python: 3.10.12 → 3.11.4\n  CUDA: 12.2 → none\n" in capsys.readouterr().out


def test_without_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path, "a", OLD)
    assert not any(compare_environments(path, path).values())
    assert "No differences" in capsys.readouterr().out


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        compare_environments(tmp_path / "none.json", saved(tmp_path, "b", NEW))


@pytest.mark.parametrize("document", [[1], {"a": 1}, "text", {"packages": 3}])
def test_something_else(tmp_path: Path, document: object) -> None:
    path = saved(tmp_path, "a", document)
    with pytest.raises(EnvstageError, match=r"a\.json"):
        compare_environments(path, path)


def test_a_console_that_lacks_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", console)
    compare_environments(saved(tmp_path, "a", OLD), saved(tmp_path, "b", NEW))
    console.seek(0)
    assert "torch: 2.0.1 ? 2.1.0" in console.read()


def test_both_forms_of_one_environment_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from envstage import capture_environment, save_environment_snapshot

    monkeypatch.chdir(tmp_path)
    (tmp_path / "envstage.yaml").write_text(
        f"environments:\n  main: {{python: {sys.executable}, level: hardware}}\n"
    )
    assert main(["capture", "-C", str(tmp_path)]) == 0
    own = tmp_path / "environment/environment.json"
    _, flat, _ = save_environment_snapshot(capture_environment(), tmp_path / "flat")
    for pair in ((own, flat), (flat, own), (own, own)):
        assert not any(compare_environments(*pair).values()), pair
    document = json.loads(Path(flat).read_text())
    document["packages"]["numpy"] = "0.1"
    edited = saved(tmp_path, "edited", document)
    assert [name for name, *_ in compare_environments(own, edited)["changed"]] == ["numpy"]


def test_what_only_envstage_needs_is_left_out_where_that_is_told() -> None:
    with_ours = Described(
        packages={"archspec": ("archspec", "1"), "a": ("a", "1")}, idle=frozenset({"archspec"})
    )
    without = Described(packages={"a": ("a", "1")})
    assert compared(without, with_ours)["added"] == []
    plain = Described(packages={"archspec": ("archspec", "2"), "a": ("a", "1")})
    assert compared(plain, with_ours)["changed"] == [("archspec", "2", "1")]
