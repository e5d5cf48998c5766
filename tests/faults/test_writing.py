"""Whatever happens while a capture writes: every file is the old or the new one, whole."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.injected import at_changes
from tests.repository import Repository, one_line, place

pytestmark = pytest.mark.e2e

CONFIGURATION = "variables: {watch: [FLAG]}\nviews: {train: {}, evaluate: {}}\n"
Outputs = dict[str, bytes]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository.at(tmp_path, CONFIGURATION)
    repository.install("alpha", "1.0")
    return repository


@pytest.fixture(params=[5, pytest.param(1, marks=pytest.mark.long)], ids=["some", "every"])
def step(request: pytest.FixtureRequest) -> int:
    """How many changes lie between two faults: every change is minutes."""
    return int(request.param)


def states(repository: Repository, *flags: str) -> list[Outputs]:
    """What a capture writes under each value of the watched variable; the last one stays."""
    found = []
    for flag in flags:
        repository.capture(FLAG=flag)
        found.append(repository.outputs())
    return found


def assert_whole(repository: Repository, old: Outputs, new: Outputs, where: object) -> Outputs:
    """Each file is the old or the new one; what else is there is a temporary file."""
    found = repository.outputs()
    for name, content in found.items():
        if name.endswith(".tmp"):
            continue
        assert content in (old.get(name), new.get(name)), f"{name}, {where}"
    for name in old:
        assert name in found, f"{name} is gone, {where}"
    repository.context()  # JSON, whole
    return found


def assert_healed(repository: Repository, new: Outputs) -> None:
    repository.capture(FLAG="new")
    assert repository.outputs() == new  # and no temporary file is left


def test_killed_before_each_change(repository: Repository, step: int) -> None:
    new, old = states(repository, "new", "old")
    assert {name for name in new if new[name] != old[name]} >= {
        *("environment.json", "summary.json", "views/train.json", "views/evaluate.json"),
        "facets/variables.json",
    }
    for ended in at_changes(repository, "kill", step, FLAG="new"):
        assert ended.code == -signal.SIGKILL
        assert_whole(repository, old, new, ended)
    assert_healed(repository, new)


def test_killed_in_the_first_capture(repository: Repository, step: int) -> None:
    kept = repository.base / "empty"
    repository.root.rename(kept)
    repository.clone_of(kept)
    [new] = states(repository, "new")
    repository.clone_of(kept)
    for ended in at_changes(repository, "kill", step, FLAG="new"):
        for name, content in repository.outputs().items():
            assert name.endswith(".tmp") or content == new[name], ended
        assert_healed(repository, new)


@pytest.mark.parametrize("kills", [25, pytest.param(500, marks=pytest.mark.long)])
def test_killed_at_random(repository: Repository, kills: int) -> None:
    chance = random.Random(kills)
    new, old = states(repository, "new", "old")
    started = time.monotonic()
    repository.capture(FLAG="old")
    longest_s = 1.1 * (time.monotonic() - started)
    killed = 0
    for number in range(kills):
        flag = ("new", "old")[number % 2]
        process = repository.start(FLAG=flag)
        time.sleep(chance.uniform(0, longest_s))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        assert_whole(repository, old, new, number)
    assert killed > kills / 3
    assert_healed(repository, new)


def test_what_was_left_behind_goes_though_nothing_else_changed(repository: Repository) -> None:
    [new] = states(repository, "new")
    repository.capture(FLAG="new")
    for name in ("environment.json", "views/train.json", "facets/packages.json"):
        place(repository.root / "environment", f"{name}.4711.tmp", "{")
    kept = place(repository.root / "environment", "notes.tmp", "a person's own")
    repository.capture(FLAG="new")
    assert repository.outputs() == new | {kept.name: kept.read_bytes()}


ERRORS = {
    "full": "No space left on device. Free some space and run it again.",
    "denied": "Permission denied. Make the folder writable, or set ENVSTAGE_MODE=hold",
    "broken": "Input/output error.",
    "rename": "Invalid cross-device link.",
}


@pytest.mark.parametrize("fault", ERRORS)
def test_an_error_of_the_disk_at_each_change(repository: Repository, fault: str, step: int) -> None:
    new, old = states(repository, "new", "old")
    refused = 0
    for ended in at_changes(repository, fault, step, FLAG="new"):
        found = assert_whole(repository, old, new, ended)
        if fault != "denied":
            assert not [name for name in found if name.endswith(".tmp")], ended
        if ended.code == 0:  # what nothing depends on: a cache
            assert found == new, ended
            continue
        refused += 1
        assert ended.code == 2, ended
        assert ERRORS[fault] in one_line(ended.said)
        assert "cannot be written: " in ended.said
    assert refused
    assert_healed(repository, new)


@pytest.mark.parametrize("fault", ["vanish", "vanish_all"])
def test_a_folder_that_vanishes(repository: Repository, fault: str, step: int) -> None:
    new, _ = states(repository, "new", "old")
    for ended in at_changes(repository, fault, step, FLAG="new"):
        assert ended.code in (0, 2, 3), ended
        if ended.code:
            one_line(ended.said)
        for name, content in repository.outputs().items():
            assert content == new[name], (name, ended)
    assert_healed(repository, new)


def test_a_clock_that_goes_backwards(repository: Repository) -> None:
    new, _ = states(repository, "new", "old")
    for ended in at_changes(repository, "back", 5, FLAG="new"):
        assert ended.code == 0, ended
        assert repository.outputs() == new
