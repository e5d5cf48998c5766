"""Who asks for plugins, providers or everything, by whatever way."""

import subprocess
from pathlib import Path

import pytest

from tests.observer.observed import Outcome, observed, script
from tests.wheels import UV, Venv, build_wheel

POINTS = "[demo.group]\none = alpha\n[console_scripts]\nalpha-tool = alpha:main\n"


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """An environment with two distributions that have entry points."""
    folder = tmp_path_factory.mktemp("hosts")
    made = Venv(folder / "venv")
    made.install(
        build_wheel(folder, "alpha", "1.0", entry_points=POINTS),
        build_wheel(folder, "beta", "1.0", entry_points="[other.group]\nb = beta\n"),
    )
    return made


def install(venv: Venv, *what: str) -> None:
    subprocess.run([UV, "pip", "install", "-q", "--python", str(venv.python), *what], check=True)


def run(venv: Venv, folder: Path, text: str) -> Outcome:
    (folder / "script.py").write_text(text)
    seen = observed([str(venv.python), "script.py"], folder)
    assert seen.returncode == 0, seen.stderr
    return seen


START = "from importlib.metadata import packages_distributions\nfound = packages_distributions()\n"


@pytest.mark.parametrize(
    ("text", "providers"),
    [
        ("found.get('alpha')", ("alpha",)),
        ("found['alpha']; 'absent' in found", ("absent", "alpha")),
        ("list(found)", ("*",)),
        ("len(found)", ("*",)),
        ("dict(found)", ("*",)),
        ("{**found}", ("*",)),
        ("import json; json.dumps(found)", ("*",)),
        ("import copy; copy.copy(found)", ("*",)),
        ("import pickle; print(type(pickle.loads(pickle.dumps(found))) is dict)", ("*",)),
        ("found | {}", ("*",)),
        ("sorted(found.items())", ("*",)),
    ],
)
def test_providers_that_were_asked_for(
    tmp_path: Path, venv: Venv, text: str, providers: tuple[str, ...]
) -> None:
    seen = run(venv, tmp_path, START + text).observation
    assert seen.providers == providers
    assert seen.enumerations == ()
    assert seen.metadata == ()
    assert seen.distributions == (("alpha",) if "alpha" in providers else ())


def test_mapping_is_what_it_would_be(tmp_path: Path, venv: Venv) -> None:
    text = START + "print(sorted(found.items()), isinstance(found, dict), type(found).__name__)"
    assert run(venv, tmp_path, text).stdout == (
        "[('alpha', ['alpha']), ('beta', ['beta'])] True dict\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "import os, sysconfig; os.listdir(sysconfig.get_path('purelib'))",
        "import os, sysconfig; list(os.scandir(sysconfig.get_path('purelib') + '/'))",
        "import pkgutil; list(pkgutil.iter_modules())",
        "import glob, sysconfig; glob.glob(sysconfig.get_path('purelib') + '/*.dist-info')",
        "from pathlib import Path; import sysconfig\n"
        "list(Path(sysconfig.get_path('purelib')).iterdir())",
    ],
)
def test_listing_all_packages_is_an_enumeration(tmp_path: Path, venv: Venv, text: str) -> None:
    assert run(venv, tmp_path, text).observation.enumerations == ("a listing of site-packages",)


@pytest.mark.parametrize("text", ["os.listdir(site)", "list(Path(site).iterdir())"])
def test_listing_under_every_python(tmp_path: Path, python: str, text: str) -> None:
    start = "import os, sysconfig\nfrom pathlib import Path\nsite = sysconfig.get_path('purelib')\n"
    seen = script(tmp_path, start + text, python)
    assert seen.returncode == 0, seen.stderr
    assert len(seen.observation.enumerations) == 1


def test_providers_under_every_python(tmp_path: Path, python: str) -> None:
    text = """
import importlib.metadata as library
ask = getattr(library, "packages_distributions", None)
print(ask is None or (ask().get("absent_one"), ask.__name__, ask.__module__))
"""
    seen = script(tmp_path, text, python)
    assert seen.returncode == 0, seen.stderr
    if seen.stdout != "True\n":
        assert seen.stdout == "(None, 'packages_distributions', 'importlib.metadata')\n"
        assert seen.observation.providers == ("absent_one",)
    assert seen.observation.enumerations == seen.observation.doubts == ()


def test_importing_and_asking_list_nothing_that_counts(tmp_path: Path, venv: Venv) -> None:
    text = "import alpha, beta\nfrom importlib.metadata import *\nversion('alpha')"
    assert run(venv, tmp_path, text).observation.enumerations == ()


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("entry_points().groups", ("*",)),
        ("'demo.group' in entry_points().groups", ("*",)),
        ("entry_points().select(group='demo.group').groups", ("demo.group",)),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_names_of_groups(tmp_path: Path, venv: Venv, text: str, groups: tuple[str, ...]) -> None:
    seen = run(venv, tmp_path, "from importlib.metadata import entry_points\n" + text)
    assert seen.observation.entry_point_groups == groups


HOSTS = {
    "pluggy": (
        "import pluggy\nprint(pluggy.PluginManager('x').load_setuptools_entrypoints('demo.group'))",
        "1\n",
    ),
    "entrypoints": (
        "import entrypoints\nprint(len(entrypoints.get_group_all('demo.group')))",
        "1\n",
    ),
    "stevedore": (
        "from stevedore import ExtensionManager\nprint(ExtensionManager('demo.group').names())",
        "['one']\n",
    ),
}


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.parametrize("host", HOSTS)
def test_hosts_ask_for_one_group(tmp_path: Path, venv: Venv, host: str) -> None:
    text, output = HOSTS[host]
    install(venv, host)
    for _ in range(2):  # the second time, stevedore answers from its file
        seen = run(venv, tmp_path, text)
        assert seen.stdout == output
        assert seen.observation.entry_point_groups == ("demo.group",)
        assert seen.observation.enumerations == ()
        assert seen.observation.metadata == ()


@pytest.mark.e2e
@pytest.mark.long
def test_plugin_that_enumerates_is_heard_below_its_host(tmp_path: Path, venv: Venv) -> None:
    wheel = build_wheel(
        tmp_path,
        "curious",
        "1.0",
        files={
            "curious.py": "from importlib.metadata import distributions\nlist(distributions())\n"
        },
        entry_points="[curious.group]\nc = curious\n",
    )
    install(venv, "pluggy")
    venv.install(wheel)
    text = "import pluggy\npluggy.PluginManager('x').load_setuptools_entrypoints('curious.group')"
    seen = run(venv, tmp_path, text).observation
    assert seen.enumerations == ("distributions",)
    venv.uninstall("curious")


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "enumerations"),
    [
        ("list(pkg_resources.working_set)", ("pkg_resources",)),
        ("pkg_resources.get_distribution('alpha')", ()),
        ("list(pkg_resources.iter_entry_points('demo.group'))", ()),
    ],
)
def test_pkg_resources(
    tmp_path: Path, venv: Venv, text: str, enumerations: tuple[str, ...]
) -> None:
    install(venv, "setuptools<81")
    start = "import warnings; warnings.simplefilter('ignore')\nimport pkg_resources\n"
    assert run(venv, tmp_path, start + text).observation.enumerations == enumerations
