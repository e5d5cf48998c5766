import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envstage.facets import numerics, search_paths, variables
from envstage.facets.catalogue import rule_of
from envstage.snapshot.model import Address, Level, Unknown, Value
from envstage.snapshot.secrets import is_secret_name
from envstage.world import Machine
from tests.facets.requests import request
from tests.snapshot.test_secrets import SECRETS

Looker = Callable[..., Value]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    return root


def collect(
    environ: dict[str, str], root: Path | str = "/project", *watch: str
) -> dict[Address, Value]:
    asked = request(root=str(root), watch=watch)
    return dict(variables.collect(Machine(environ), asked).facts)


def write(path: Path, text: str = "x = 1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_only_what_is_set_and_changes_results_is_recorded() -> None:
    environ = {
        "XLA_FLAGS": "--xla_gpu_deterministic_ops=true",
        "PYTHONHASHSEED": "0",
        "MKL_CBWR": "",
        "HOME": "/home/anna",
        "LANG": "C",
        "TZ": "UTC",
        "OMP_NUM_THREADS": "4",
        "CUDA_VISIBLE_DEVICES": "0",
        "DVC_STAGE": "train",
    }
    assert collect(environ) == {
        ("variables", "PYTHONHASHSEED"): "0",
        ("variables", "XLA_FLAGS"): "--xla_gpu_deterministic_ops=true",
    }
    assert collect({}) == {}


@pytest.mark.hard_case(19)
def test_a_random_hash_seed_is_as_good_as_none() -> None:
    assert collect({"PYTHONHASHSEED": "random"}) == {}


def test_watched_variables_are_added() -> None:
    environ = {"MY_FLAG": "", "MY_OTHER": "2", "YOURS": "3"}
    assert collect(environ, "/p", "MY_FLAG", "NOT_SET") == {("variables", "MY_FLAG"): ""}
    assert collect(environ, "/p", "MY_*") == {
        ("variables", "MY_FLAG"): "",
        ("variables", "MY_OTHER"): "2",
    }


def test_what_is_never_recorded_even_if_watched() -> None:
    environ = {"CUDA_VISIBLE_DEVICES": "0", "DVC_ROOT": "/r", "ENVSTAGE_MODE": "hold"}
    assert collect(environ, "/p", *environ, "*") == {}


@pytest.mark.hard_case(25)
@pytest.mark.parametrize("kind", SECRETS)
def test_of_a_secret_only_that_it_is_set(kind: str) -> None:
    facts = collect({"MY_FLAG": SECRETS[kind], "XLA_FLAGS": f"a {SECRETS[kind]}"}, "/p", "MY_FLAG")
    assert facts == {("secrets", "MY_FLAG"): "set", ("secrets", "XLA_FLAGS"): "set"}


@pytest.mark.hard_case(25)
def test_another_value_of_a_secret_is_no_difference() -> None:
    one = collect({"HF_TOKEN": "one"}, "/p", "HF_TOKEN")
    assert one == collect({"HF_TOKEN": "two"}, "/p", "HF_TOKEN") == {("secrets", "HF_TOKEN"): "set"}
    rule = rule_of(("secrets", "HF_TOKEN"))
    assert rule is not None and rule.level is None
    rule = rule_of(("variables", "XLA_FLAGS"))
    assert rule is not None and rule.level is Level.SOFTWARE


@given(st.sampled_from(sorted(SECRETS)), st.text("ab =:,;-", max_size=10), st.booleans())
def test_no_planted_secret_gets_out(kind: str, around: str, is_watched: bool) -> None:
    planted = f"{around} {SECRETS[kind]} {around}"
    environ = {"XLA_FLAGS": planted, "PYTHONPATH": planted, "LD_PRELOAD": planted, "W": planted}
    facts = collect(environ, "/p", *(["W"] if is_watched else []))
    assert SECRETS[kind] not in str(facts)


def test_the_order_of_variables_is_no_difference() -> None:
    names = [variable.name for variable in numerics.DEFAULTS]
    environ = {name: "1" for name in names}
    random.Random(7).shuffle(names)
    facts = collect(environ)
    assert list(facts.items()) == list(collect({name: "1" for name in names}).items())
    assert len(facts) == len(names)


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"])
def test_the_default_list_is_strict(name: str) -> None:
    names = [variable.name for variable in numerics.DEFAULTS]
    assert name not in names and len(names) == len(set(names))
    assert not any(is_secret_name(each) for each in names)
    assert all(variable.why for variable in numerics.DEFAULTS)


def test_no_value_holds_an_absolute_path(project: Path) -> None:
    write(project / "dump" / "a")
    value = f"--dump={project}/dump --data=/data/set -L/usr/lib file:///etc/x a/b http://h/p"
    (found,) = collect({"XLA_FLAGS": value}, project).values()
    assert isinstance(found, str)
    assert found.startswith("--dump=dump --data=sha256:")
    assert found.endswith(" a/b http://h/p")
    assert "/data" not in found and "/usr" not in found and "/etc" not in found
    other = collect({"XLA_FLAGS": value.replace("/data/set", "/data/set2")}, project)
    assert found not in other.values()


def test_a_path_with_spaces_is_one_path() -> None:
    (found,) = collect({"W": "/home/John Doe/x"}, "/p", "W").values()
    assert isinstance(found, str) and found.startswith("sha256:") and "Doe" not in found


def test_long_and_undecodable_values_become_digests() -> None:
    facts = collect({"XLA_FLAGS": "a " * 5000, "MKL_CBWR": "\udcff"})
    assert all(str(value).startswith("sha256:") for value in facts.values())
    assert len(facts) == 2


def test_entries_inside_the_project_are_relative(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    path = f"{project}/src:{project}::src/../src:{tmp_path}/link/src:{project}/missing:/no/such"
    assert collect({"PYTHONPATH": path}, project) == {("variables", "PYTHONPATH"): ("src", ".")}
    assert collect({"PYTHONPATH": "::/no/such"}, project) == {}


def test_modules_outside_count_by_content_and_not_by_place(project: Path, tmp_path: Path) -> None:
    def digest(name: str) -> Value:
        facts = collect({"PYTHONPATH": f"{tmp_path}/{name}"}, project)
        return facts.get(("variables", "PYTHONPATH"))

    for name in ("one", "two"):
        write(tmp_path / name / "a.py")
        write(tmp_path / name / "package" / "b.py")
        write(tmp_path / name / "space" / "deep" / "c.so", "so")
    first = digest("one")
    assert isinstance(first, tuple) and len(first) == 1 and str(first[0]).startswith("sha256:")
    assert first == digest("two")

    # What Python does not import is no difference.
    write(tmp_path / "two" / "__pycache__" / "a.cpython-311.pyc", "noise")
    write(tmp_path / "two" / "README.md")
    write(tmp_path / "two" / "LICENSE")
    write(tmp_path / "two" / "x-1.dist-info" / "a.py")
    write(tmp_path / "two" / "a.pyc", "beside its source")
    (tmp_path / "two" / "package" / "loop").symlink_to(tmp_path / "two")
    assert digest("two") == first

    write(tmp_path / "two" / "package" / "b.py", "x = 2\n")
    changed = digest("two")
    assert changed != first
    write(tmp_path / "two" / "lone.pyc", "no source")
    assert digest("two") not in (first, changed)


def test_a_folder_around_the_project_does_not_count_the_project(project: Path) -> None:
    write(project.parent / "shared.py")
    environ = {"PYTHONPATH": str(project.parent)}
    before = collect(environ, project)
    write(project / "src" / "train.py")
    assert before and collect(environ, project) == before


def test_order_is_kept_and_duplicates_are_not(project: Path, tmp_path: Path) -> None:
    a, b = write(tmp_path / "a" / "a.py").parent, write(tmp_path / "b" / "b.py").parent
    look = ("variables", "PYTHONPATH")
    forth = collect({"PYTHONPATH": f"{a}:{b}:{a}"}, project)[look]
    back = collect({"PYTHONPATH": f"{b}:{a}"}, project)[look]
    assert isinstance(forth, tuple) and isinstance(back, tuple)
    assert len(forth) == 2 and forth == back[::-1]


def test_an_archive_on_the_path_counts_by_its_content(project: Path, tmp_path: Path) -> None:
    archive = write(tmp_path / "a.zip", "one")
    before = collect({"PYTHONPATH": str(archive)}, project)
    write(archive, "two")
    assert before and before != collect({"PYTHONPATH": str(archive)}, project)


def test_very_many_modules_count_by_name_and_size(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(4):
        write(tmp_path / "many" / f"m{index}.py", "one")
    environ = {"PYTHONPATH": f"{tmp_path}/many"}
    monkeypatch.setattr(search_paths, "FILES_HASHED_AT_MOST", 3)
    before = collect(environ, project)
    write(tmp_path / "many" / "m0.py", "two")
    assert collect(environ, project) == before
    write(tmp_path / "many" / "m0.py", "three")
    assert collect(environ, project) != before

    write(tmp_path / "many" / "folder" / "m.py")
    monkeypatch.setattr(search_paths, "FILES_LISTED_AT_MOST", 3)
    (found,) = collect(environ, project).values()
    assert found == Unknown("an entry outside the project holds more than 3 modules or folders")


def test_envstages_own_hook_is_in_no_picture(project: Path) -> None:
    own = Path(variables.__file__).parent.parent
    assert collect({"PYTHONPATH": f"{own}/observer:{own}"}, project) == {}


def test_libraries_count_by_name_and_size(project: Path, tmp_path: Path) -> None:
    def digest() -> Value:
        facts = collect({"LD_LIBRARY_PATH": f"{tmp_path}/lib;{tmp_path}/none:"}, project)
        return facts.get(("variables", "LD_LIBRARY_PATH"))

    (tmp_path / "lib").mkdir()
    assert digest() is None
    write(tmp_path / "lib" / "libcudnn.so.8", "8.0")
    first = digest()
    assert isinstance(first, tuple) and len(first) == 1
    write(tmp_path / "lib" / "libcudnn.txt", "noise")
    assert digest() == first
    write(tmp_path / "lib" / "libcudnn.so.8", "8.3.2")
    assert digest() != first


def test_the_drivers_libraries_are_not_the_variables_concern(project: Path, tmp_path: Path) -> None:
    write(tmp_path / "lib" / "libcuda.so.535.104.05", "535")
    write(tmp_path / "lib" / "libnvidia-ml.so.1", "535")
    assert collect({"LD_LIBRARY_PATH": f"{tmp_path}/lib"}, project) == {}
    write(tmp_path / "lib" / "libcudart.so.12", "12")
    assert collect({"LD_LIBRARY_PATH": f"{tmp_path}/lib"}, project)


def test_preloaded_libraries(project: Path, tmp_path: Path) -> None:
    inside = write(project / "libmine.so", "1")
    outside = write(tmp_path / "libjemalloc.so.2", "22")
    (found,) = collect({"LD_PRELOAD": f"{inside} {outside}:/no/such.so"}, project).values()
    assert isinstance(found, tuple) and found[0] == "libmine.so" and len(found) == 2
    assert str(tmp_path) not in str(found)
    write(outside, "333")
    assert collect({"LD_PRELOAD": f"{inside} {outside}"}, project) != {
        ("variables", "LD_PRELOAD"): found
    }


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root can read everything"
)
def test_a_folder_that_nobody_can_read_brings_nothing(project: Path, tmp_path: Path) -> None:
    denied = write(tmp_path / "denied" / "a.py").parent
    denied.chmod(0)
    assert collect({"PYTHONPATH": str(denied)}, project) == {}
    denied.chmod(0o700)


def test_a_module_that_cannot_be_read_is_no_failure(project: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "broken.py").symlink_to("/no/such/file.py")
    (found,) = collect({"PYTHONPATH": f"{tmp_path}/out"}, project).values()
    assert isinstance(found, tuple) and len(found) == 1
