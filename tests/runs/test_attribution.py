"""Files that a run loaded become the distributions that they belong to, and what else counts."""

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import msgspec
import pytest

from envstage.facets.contract import ProbeAnswer
from envstage.facets.imports import Names
from envstage.interpreter import finish_probe, start_probe
from envstage.observer.observation import Observation
from envstage.observer.processes import Process
from envstage.runs.attribution import observed_selection
from envstage.runs.loaded_files import is_derived
from envstage.views.selection import Selection
from envstage.world import Machine
from tests.observer.observed import observed
from tests.wheels import Venv, build_wheel

TOOL = "[console_scripts]\nalpha-tool = alpha:main\n"
PROCESSES = (Process(identity="1", pid=1, parent_pid=0),)


class Place:
    """A project, an environment beside it, and what a run of a script there used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        self.venv = Venv(folder / "venv")
        self.wheelhouse = folder / "wheelhouse"
        self.wheelhouse.mkdir()
        files = {"alpha.py": "def main():\n    pass\n"}
        self.venv.install(
            build_wheel(self.wheelhouse, "alpha", "1.0", files=files, entry_points=TOOL)
        )

    def probed(self) -> ProbeAnswer:
        cache = str(self.folder / "cache")
        probing = start_probe(Machine(), str(self.venv.python), str(self.project), cache)
        return finish_probe(probing, 60)

    def selection(self, observation: Observation) -> Selection:
        probe = self.probed()
        return observed_selection(observation, probe, Names(Machine(), str(self.project), probe))

    def ran(self, text: str) -> Selection:
        (self.project / "script.py").write_text(text)
        began_s = time.time()
        seen = observed([str(self.venv.python), "script.py"], self.project)
        assert seen.returncode == 0, seen.stderr
        assert seen.observation.doubts == ()
        return self.selection(msgspec.structs.replace(seen.observation, began_s=began_s))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_console_script_is_its_distributions_wherever_the_environment_lies(place: Place) -> None:
    seen = observed([str(place.venv.bin / "alpha-tool")], place.project)
    assert seen.returncode == 0
    selection = place.selection(seen.observation)
    assert selection.packages == {"alpha"}
    assert selection.files == frozenset()


def test_plain_script_of_a_distribution(place: Place) -> None:
    files = {"beta-1.0.data/scripts/beta-run": "#!python\nprint(1)\n"}
    place.venv.install(build_wheel(place.wheelhouse, "beta", "1.0", files=files))
    seen = observed([str(place.venv.bin / "beta-run")], place.project)
    assert seen.stdout == "1\n"
    selection = place.selection(seen.observation)
    assert selection.packages == {"beta"}
    assert selection.files == frozenset()


def test_generated_code_is_no_file(place: Place) -> None:
    text = "exec(compile('x = 1', '/tmp/ipykernel_77/123.py', 'exec'))\n"
    assert place.ran(text).files == frozenset()


def test_module_that_the_run_wrote_into_a_temporary_folder(place: Place) -> None:
    text = """
import os, runpy, tempfile
folder = tempfile.mkdtemp(dir="/tmp")
with open(folder + "/made.py", "w") as file:
    file.write("import alpha")
runpy.run_path(folder + "/made.py")
"""
    selection = place.ran(text)
    assert selection.files == frozenset()
    assert selection.packages == {"alpha"}


def test_module_from_elsewhere_is_a_file(place: Place) -> None:
    library = place.folder / "elsewhere" / "helper.py"
    library.parent.mkdir()
    library.write_text("")
    time.sleep(0.1)  # longer than the slack for coarse clocks
    selection = place.ran(f"import runpy; runpy.run_path({str(library)!r})")
    assert selection.files == {str(library)}


def test_archive_outside_is_a_file_as_a_whole(place: Place) -> None:
    archive = place.folder / "code.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("zipped.py", "")
    time.sleep(0.1)
    selection = place.ran(f"import sys; sys.path.append({str(archive)!r}); import zipped")
    assert selection.files == {str(archive)}


def test_loose_module_that_is_only_found(place: Place) -> None:
    (place.venv.site / "loosely.py").write_text("")
    selection = place.ran("import importlib.util; importlib.util.find_spec('loosely')")
    assert selection.modules == {"loosely"}


def test_loose_module_without_source(place: Place) -> None:
    source = place.folder / "bare.py"
    source.write_text("")
    target = place.venv.site / "bare.pyc"
    code = f"import py_compile; py_compile.compile({str(source)!r}, {str(target)!r})"
    subprocess.run([place.venv.python, "-c", code], check=True)
    source.unlink()
    assert "bare" in place.ran("import bare").modules


def test_namespace_searched_for_plugins(place: Place) -> None:
    def plugin(name: str) -> None:
        files = {f"plugins_of/{name}.py": ""}
        place.venv.install(build_wheel(place.wheelhouse, f"plugin-{name}", "1.0", files=files))

    plugin("one")
    text = """
import importlib, pkgutil, plugins_of
for found in pkgutil.iter_modules(plugins_of.__path__):
    importlib.import_module("plugins_of." + found.name)
"""
    selection = place.ran(text)
    assert selection.packages == {"plugin-one"}
    assert selection.modules == {"plugins_of"}
    before = Names(Machine(), str(place.project), place.probed()).meaning("plugins_of")
    plugin("two")
    after = Names(Machine(), str(place.project), place.probed()).meaning("plugins_of")
    assert (before, after) == ("package plugin-one", "package plugin-one, plugin-two")


def test_package_that_lists_its_own_files_asks_nothing(place: Place) -> None:
    files = {"gamma/__init__.py": "import os; os.listdir(__path__[0])", "gamma/a.py": ""}
    place.venv.install(build_wheel(place.wheelhouse, "gamma", "1.0", files=files))
    selection = place.ran("import gamma")
    assert selection.packages == {"gamma"}
    assert selection.modules == frozenset()


def test_module_found_beyond_the_import_path(place: Place) -> None:
    library = place.folder / "elsewhere" / "helper.py"
    library.parent.mkdir()
    library.write_text("")
    time.sleep(0.1)
    text = f"import sys, importlib.util; sys.path.append({str(library.parent)!r})\n"
    assert place.ran(text + "importlib.util.find_spec('helper')").files == {str(library)}


def test_own_editable_install_is_code(place: Place) -> None:
    (place.project / "src" / "mine").mkdir(parents=True)
    (place.project / "src" / "mine" / "__init__.py").write_text("import alpha")
    edited(place, place.project, "mine")
    assert place.ran("import mine").packages == {"alpha"}


def test_editable_install_outside_counts_where_it_is_only_found(place: Place) -> None:
    checkout = place.folder / "checkout"
    (checkout / "src" / "other").mkdir(parents=True)
    (checkout / "src" / "other" / "__init__.py").write_text("")
    edited(place, checkout, "other")
    assert place.ran("import other").packages == {"other"}
    selection = place.ran("import importlib.util; importlib.util.find_spec('other')")
    assert selection.packages == {"other"}
    assert selection.modules == frozenset()


def edited(place: Place, checkout: Path, name: str) -> None:
    """Make an editable install as build backends do: a `.pth` file and a direct_url.json."""
    files = {f"_{name}.pth": f"{checkout}/src\n"}
    place.venv.install(build_wheel(place.wheelhouse, name, "1.0", files=files))
    [info] = place.venv.site.glob(f"{name}-1.0.dist-info")
    url = f'{{"url": "file://{checkout}", "dir_info": {{"editable": true}}}}'
    (info / "direct_url.json").write_text(url)


def test_whole_mapping_of_providers_covers_its_keys(place: Place) -> None:
    observation = Observation(processes=PROCESSES, providers=("*", "alpha"))
    assert place.selection(observation).providers == {"*"}


@pytest.mark.parametrize(
    ("path", "is_so"),
    [
        ("/tmp/torchinductor_ada/ab/cabc.py", True),
        ("/home/ada/.triton/cache/XYZ/__triton_launcher.so", True),
        ("/home/ada/.cache/torch_extensions/py311_cpu/fast/fast.so", True),
        ("/home/ada/.cache/huggingface/modules/transformers_modules/m/model.py", False),
        ("/home/ada/lib/helper.py", False),
        ("/tmp/gone_by_now/made.py", True),
    ],
)
def test_compiled_caches_are_derived(path: str, is_so: bool) -> None:
    assert is_derived(path, 1.0) is is_so


@pytest.mark.parametrize("is_project", [True, False])
def test_an_environment_inside_an_editable_checkout(
    tmp_path: Path, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch, is_project: bool
) -> None:
    """`.venv` beside the code that is installed in it, as most projects have it."""
    checkout = tmp_path / "checkout"
    (checkout / "mine").mkdir(parents=True)
    (checkout / "mine/__init__.py").write_text("")
    venv = Venv(checkout / ".venv")
    venv.install(build_wheel(wheelhouse, "alpha", "1.0"))
    info = venv.site / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "RECORD").write_text("mine.pth,,\n")
    (info / "direct_url.json").write_text(
        f'{{"url": "file://{checkout}", "dir_info": {{"editable": true}}}}'
    )
    (venv.site / "mine.pth").write_text(f"{checkout}\n")
    root = checkout if is_project else tmp_path / "elsewhere"
    root.mkdir(exist_ok=True)
    (root / "envstage.yaml").write_text("views: {train: {}}\n")
    (root / "train.py").write_text("import alpha, mine\n")
    monkeypatch.setenv("PATH", f"{venv.bin}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DVC_STAGE", "train")
    envstage = [sys.executable, "-m", "envstage"]
    run = ["run", "--view", "train", "--", "python", "train.py"]
    for words in (["capture"], run):
        subprocess.run([*envstage, *words], cwd=root, check=True)
    view = json.loads((root / "environment/views/train.json").read_text())
    assert view["facts"]["packages"]["alpha"]["version"] == "1.0"
    assert ("mine" in view["facts"]["packages"]) or is_project
