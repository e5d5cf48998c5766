"""What pip and uv are configured for, and that nothing secret of it is stored (cases 3 and 31)."""

from pathlib import Path

import pytest

from envstage.indexes import Indexes, configured
from envstage.world import Machine


def read(tmp_path: Path, **environ: str) -> Indexes:
    base = {"HOME": str(tmp_path / "home"), "PIP_CONFIG_FILE": "/dev/null"}
    return configured(Machine({**base, **environ}), str(tmp_path / "project"))


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_variables_of_pip(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        PIP_INDEX_URL="https://a/simple",
        PIP_EXTRA_INDEX_URL="https://b/simple  https://c/simple",
        PIP_FIND_LINKS="/wheels",
        PIP_NO_INDEX="1",
    )
    assert found == Indexes(
        default="https://a/simple",
        extra=("https://b/simple", "https://c/simple"),
        find_links=("/wheels",),
        is_disabled=True,
    )


def test_variables_of_uv_come_before_those_of_pip(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        UV_DEFAULT_INDEX="https://a/simple",
        UV_INDEX="corp=https://b/simple https://c/simple",
        UV_FIND_LINKS="/one,/two",
        PIP_INDEX_URL="https://other/simple",
        PIP_EXTRA_INDEX_URL="https://c/simple https://d/simple",
    )
    assert found.default == "https://a/simple"
    assert found.extra == ("https://b/simple", "https://c/simple", "https://d/simple")
    assert found.find_links == ("/one", "/two")


def test_file_of_pip(tmp_path: Path) -> None:
    path = write(
        tmp_path / "home/.config/pip/pip.conf",
        "[global]\nindex-url = https://a/simple\nextra-index-url =\n    https://b/simple\n"
        "    https://c/simple\n[install]\nfind_links = /wheels\n",
    )
    for environ in ({"PIP_CONFIG_FILE": path}, {"PIP_CONFIG_FILE": ""}):
        found = read(tmp_path, **environ)
        assert found.default == "https://a/simple"
        assert found.extra[:2] == ("https://b/simple", "https://c/simple")
        assert "/wheels" in found.find_links


@pytest.mark.parametrize(
    ("name", "head"), [("uv.toml", ""), ("pyproject.toml", "[project]\nname = 'p'\n[tool.uv]\n")]
)
def test_file_of_uv_in_the_project(tmp_path: Path, name: str, head: str) -> None:
    key = "tool.uv.index" if name == "pyproject.toml" else "index"
    write(
        tmp_path / "project" / name,
        f'{head}find-links = ["wheels"]\nextra-index-url = ["https://c/simple"]\n'
        f'[[{key}]]\nurl = "https://b/simple"\n'
        f'[[{key}]]\nurl = "https://a/simple"\ndefault = true\n',
    )
    found = read(tmp_path)
    assert found.default == "https://a/simple"
    assert found.extra == ("https://b/simple", "https://c/simple")
    assert found.find_links == (str(tmp_path / "project" / "wheels"),)
    assert read(tmp_path, UV_NO_CONFIG="1") == Indexes()


@pytest.mark.parametrize("text", ["", "[", "index = 3\n", "find-links = 7\n[pip]\nindex-url = 1\n"])
def test_broken_files_say_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path / "project" / "uv.toml", text)
    path = write(tmp_path / "pip.conf", text)
    found = read(tmp_path, PIP_CONFIG_FILE=path)
    assert found.extra == ()
    assert found.find_links == ()


@pytest.mark.hard_case(3)
def test_credentials_are_used_and_never_stored(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        PIP_INDEX_URL="https://bob:hunter2secret@corp.example/simple",
        PIP_EXTRA_INDEX_URL="https://ghp_0123456789abcdef0123456789abcdef0123@x.example/simple",
        PIP_FIND_LINKS="https://corp.example/wheels?token=SECRETSECRETSECRET",
    )
    assert "hunter2secret" in str(found.default)
    stored = found.scrubbed()
    assert stored.default == "https://corp.example/simple"
    assert stored.extra == ("https://x.example/simple",)
    assert stored.find_links == ("https://corp.example/wheels",)
