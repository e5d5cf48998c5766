"""What is imported, looked up and asked for is seen, by file."""

import json
import os
import subprocess
import sys
import textwrap
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

from tests.observer.observed import Outcome, names, observed, script

TRUTH = """
import json as _json, sys as _sys
_files = []
for _module in list(_sys.modules.values()):
    _file = getattr(_module, "__file__", None)
    if isinstance(_file, str):
        _files.append(_file)
print("TRUTH" + _json.dumps(_files))
"""


@cache
def owners() -> dict[str, str]:
    """The distribution of each installed file."""
    return {
        os.path.normpath(os.path.join(str(found.locate_file("")), str(item))): found.name
        for found in metadata.distributions()
        for item in found.files or ()
    }


def distributions_of(paths: list[str] | tuple[str, ...]) -> set[str]:
    """The distributions that installed these files."""
    return {owners()[path] for path in paths if path in owners()}


@pytest.mark.parametrize(
    "text",
    [
        "import pandas",
        "import sklearn.ensemble, joblib",
        "import yaml, rich.console, msgspec, packaging.version",
        "import pandas as pd\npd.DataFrame({'a': [1, 2]}).describe().to_csv()",
        "import hypothesis.strategies, pytest",
        "import ruamel.yaml, attrs, certifi",
    ],
)
def test_distributions_are_those_in_sys_modules(tmp_path: Path, text: str) -> None:
    seen = script(tmp_path, text + TRUTH)
    assert seen.returncode == 0, seen.stderr
    truth = json.loads(seen.stdout.rpartition("TRUTH")[2])
    preloaded = {path for _, path in seen.observation.preloaded}
    expected = distributions_of([path for path in truth if path not in preloaded])
    assert expected
    assert distributions_of(seen.observation.files) == expected
    assert seen.observation.doubts == ()


def test_optional_names_that_are_absent(tmp_path: Path, python: str) -> None:
    text = """
    import importlib.util
    try:
        import absent_optional
    except ImportError:
        pass
    print(importlib.util.find_spec("absent_too"), importlib.util.find_spec("present").name)
    try:
        from space import part, gone
    except ImportError:
        pass
    try:
        import space.gone
    except ImportError:
        pass
    """
    (tmp_path / "present.py").write_text("raise SystemExit(9)")
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "part.py").write_text("")
    seen = script(tmp_path, textwrap.dedent(text), python)
    assert seen.stdout == "None present\n", seen.stderr
    assert seen.observation.missing == ("absent_optional", "absent_too", "space.gone")
    found = dict(seen.observation.found)
    assert found["present"].endswith("present.py")
    assert set(found) == {"present", "space", "space.part"}
    assert names(seen.observation, tmp_path) == {"script.py", "space/part.py"}


def test_name_found_after_the_path_changed_is_not_missing(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "later.py").write_text("")
    text = "try: import later\nexcept ImportError: import sys; sys.path.append('lib')\nimport later"
    assert script(tmp_path, text).observation.missing == ()


def test_finder_behind_ours_is_asked(tmp_path: Path) -> None:
    text = """
import sys, importlib.util, importlib.abc
class Late(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name == "made":
            return importlib.util.spec_from_loader(name, self)
    def exec_module(self, module): module.VALUE = 5
sys.meta_path.append(Late())
import made
print(made.VALUE, made.__spec__.name)
"""
    seen = script(tmp_path, text)
    assert seen.stdout == "5 made\n"
    assert seen.observation.missing == ()


def test_every_way_to_load_code_is_seen(tmp_path: Path, python: str) -> None:
    for name in ("a", "b", "c", "d", "e", "gone"):
        (tmp_path / f"{name}.py").write_text("X = 1\n")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("zipped.py", "")
    text = """
import sys, runpy, threading, importlib, importlib.util
import a
thread = threading.Thread(target=lambda: importlib.import_module("b"))
thread.start(); thread.join()
runpy.run_path("c.py"); runpy.run_module("d")
spec = importlib.util.spec_from_file_location("other_name", "e.py")
spec.loader.exec_module(importlib.util.module_from_spec(spec))
import gone; del sys.modules["gone"]
sys.path.append("z.zip"); import zipped
"""
    seen = script(tmp_path, text, python)
    assert seen.returncode == 0, seen.stderr
    assert names(seen.observation, tmp_path) == {
        "script.py",
        *(f"{name}.py" for name in ("a", "b", "c", "d", "e", "gone")),
        "z.zip/zipped.py",
    }


def test_module_that_replaces_itself(tmp_path: Path) -> None:
    (tmp_path / "lazy.py").write_text(
        "import sys, types\nsys.modules[__name__] = types.ModuleType('x')\n"
    )
    assert "lazy.py" in names(script(tmp_path, "import lazy").observation, tmp_path)


@pytest.mark.hard_case(35)
def test_local_file_shadows_a_distribution(tmp_path: Path) -> None:
    (tmp_path / "pandas.py").write_text("")
    seen = script(tmp_path, "import pandas").observation
    assert distributions_of(seen.files) == set()
    assert names(seen, tmp_path) == {"script.py", "pandas.py"}


def asked(tmp_path: Path, text: str, python: str = sys.executable) -> Outcome:
    seen = script(tmp_path, "from importlib.metadata import *\n" + text, python)
    assert seen.returncode == 0, seen.stderr
    return seen


@pytest.mark.hard_case(41)
def test_metadata_read_and_asked_for(tmp_path: Path) -> None:
    text = "version('numpy')\ntry: version('absent-one')\nexcept PackageNotFoundError: pass"
    seen = asked(tmp_path, text).observation
    assert [os.path.basename(path).split("-")[0] for path in seen.metadata] == ["numpy"]
    assert seen.distributions == ("absent-one", "numpy")
    assert seen.enumerations == ()


def test_metadata_under_every_python(tmp_path: Path, python: str) -> None:
    seen = asked(tmp_path, "try: version('absent-one')\nexcept PackageNotFoundError: pass", python)
    assert seen.observation.distributions == ("absent-one",)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("entry_points(group='torch.backends')", ("torch.backends",)),
        ("entry_points().select(group='a.b')", ("a.b",)),
        ("list(entry_points().select(group='console_scripts'))", ("console_scripts",)),
        ("list(entry_points(group='console_scripts'))", ("console_scripts",)),
        ("list(entry_points(group='x', name='y'))", ("x",)),
        ("entry_points(name='pip')", ("*",)),
        ("for point in entry_points(): pass", ("*",)),
        ("list(distribution('pandas').entry_points)", ()),
    ],
)
def test_entry_point_groups(tmp_path: Path, text: str, groups: tuple[str, ...]) -> None:
    seen = asked(tmp_path, text).observation
    assert seen.entry_point_groups == groups
    assert len(seen.metadata) <= 1


def test_entry_points_of_old_pythons_are_all(tmp_path: Path, python: str) -> None:
    seen = asked(tmp_path, "import sys; print(sys.version_info < (3, 10)); entry_points()", python)
    is_old = seen.stdout == "True\n"
    assert seen.observation.entry_point_groups == (("*",) if is_old else ())


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the dictionary interface is gone")
def test_entry_points_as_dictionary(tmp_path: Path) -> None:
    seen = asked(
        tmp_path, "import warnings; warnings.simplefilter('ignore')\nentry_points().get('q.r')"
    )
    assert seen.observation.entry_point_groups == ("q.r",)


def test_enumeration_of_distributions(tmp_path: Path) -> None:
    assert asked(tmp_path, "list(distributions())").observation.enumerations == ("distributions",)
    seen = asked(tmp_path, "list(packages_distributions())").observation
    assert seen.enumerations == ()  # names, no versions: see test_hosts
    assert seen.providers == ("*",)


def test_pkg_resources_queries(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    if int(metadata.version("setuptools").split(".")[0]) >= 81:
        pytest.skip("this setuptools has no pkg_resources")
    text = """
import warnings; warnings.simplefilter("ignore")
import pkg_resources
print(pkg_resources.get_distribution("numpy").version != "")
list(pkg_resources.iter_entry_points("one.group")); list(pkg_resources.iter_entry_points("two"))
try: pkg_resources.require("absent-dist")
except pkg_resources.DistributionNotFound: pass
print(type(pkg_resources.__spec__.loader).__name__, vars(pkg_resources.__spec__.loader).keys())
"""
    seen = script(tmp_path, text)
    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.startswith("True\nSourceFileLoader")
    assert "exec_module" not in seen.stdout
    assert set(seen.observation.distributions) >= {"numpy", "absent-dist"}
    assert seen.observation.entry_point_groups == ("one.group", "two")


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


@pytest.mark.hard_case(37)
def test_modules_of_pth_files_count_only_when_imported(tmp_path: Path, venv: Path) -> None:
    [packages] = venv.glob("lib/python*/site-packages")
    (packages / "early.py").write_text("")
    (packages / "early.pth").write_text("import early\n")
    python = str(venv / "bin" / "python")
    seen = script(tmp_path, "import os", python).observation
    assert [name for name, _ in seen.preloaded] == ["early"]
    assert not any(path.endswith("early.py") for path in seen.files)
    out = script(tmp_path, "import early; print(type(early.__spec__), early.__spec__)", python)
    assert any(path.endswith("early.py") for path in out.observation.files)
    assert "_frozen_importlib.ModuleSpec" in out.stdout


def test_libraries_and_extensions(tmp_path: Path) -> None:
    text = "import pandas, ctypes\ntry: ctypes.CDLL('libabsent.so')\nexcept OSError: pass"
    seen = script(tmp_path, text).observation
    assert seen.asked_libraries == ("libabsent.so",)
    assert any("libc.so" in path or "musl" in path for path in seen.libraries)
    assert any("numpy" in path for path in seen.libraries)
    extensions = {path for path in seen.files if path.endswith(".so")}
    assert extensions and extensions <= set(seen.libraries)
    assert not seen.uses_gpu


def test_console_script_and_module(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text(f"#!{sys.executable}\nimport yaml\nprint(1)\n")
    (tmp_path / "tool").chmod(0o755)
    seen = observed(["./tool"], tmp_path)
    assert seen.stdout == "1\n"
    assert distributions_of(seen.observation.files) == {"PyYAML"}
    seen = observed([sys.executable, "-m", "yaml.nodes"], tmp_path)
    assert distributions_of(seen.observation.files) == {"PyYAML"}
