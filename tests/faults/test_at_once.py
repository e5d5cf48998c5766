"""Many captures at once in one repository: one result, no torn file, nobody waits for ever."""

import json
import random
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from tests.repository import VIEW, Repository

pytestmark = pytest.mark.e2e

CONFIGURATION = "variables: {watch: [FLAG]}\nviews: {train: {}}\n"
MANY = pytest.mark.parametrize("count", [8, pytest.param(100, marks=pytest.mark.long)])


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository.at(tmp_path, CONFIGURATION)
    repository.install("alpha", "1.0")
    repository.capture(FLAG="before")
    return repository


@MANY
def test_one_of_them_writes(repository: Repository, count: int) -> None:
    said: list[str] = []
    torn: list[str] = []
    ended = threading.Event()

    def capture() -> None:
        said.append(repository.capture(FLAG="after"))

    def read() -> None:
        # Whoever reads meanwhile finds a whole file, at every moment.
        while not ended.is_set():
            for name, content in repository.outputs().items():
                if name.endswith(".json"):
                    try:
                        json.loads(content)
                    except ValueError:
                        torn.append(name)

    reader = threading.Thread(target=read)
    workers = [threading.Thread(target=capture) for _ in range(count)]
    reader.start()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ended.set()
    reader.join()
    assert torn == []
    assert len(said) == count
    changed = [each for each in said if "variables.FLAG before → after" in each]
    assert len(changed) == 1
    assert sum("unchanged" in each for each in said) == count - 1
    assert repository.facts(VIEW)["variables"]["FLAG"] == "after"
    repository.context()


@MANY
def test_some_of_them_are_killed(repository: Repository, count: int) -> None:
    # A lock ends with its holder: nobody is left waiting.
    chance = random.Random(count)
    running = [repository.start(FLAG=f"{number % 4}") for number in range(count)]
    for process in running[: count // 2]:
        threading.Timer(chance.uniform(0, 0.3), process.kill).start()
    for process in running:
        process.wait(timeout=240)
    assert {process.returncode for process in running[count // 2 :]} == {0}
    assert repository.facts(VIEW)["variables"]["FLAG"] in {"before", "0", "1", "2", "3"}
    repository.capture(FLAG="after")
    assert not [name for name in repository.outputs() if name.endswith(".tmp")]
    outputs = repository.outputs()
    assert "unchanged" in repository.capture(FLAG="after")
    assert repository.outputs() == outputs


def test_a_capture_that_waits_can_be_ended(repository: Repository) -> None:
    if shutil.which("flock") is None:
        pytest.skip("there is no `flock` to hold the lock with")
    holder = repository.root / ".envstage" / "lock"
    with subprocess.Popen(["flock", str(holder), "sleep", "60"]) as process:
        waiting = repository.start()
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=0.5)
        waiting.terminate()
        assert waiting.wait(timeout=10) != 0
        process.terminate()
