"""Read-only folders, full disks, and many captures at once."""

import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e

BOTH = {"environment", "train"}


def mounted(pipeline: Pipeline, script: str, **environ: str) -> tuple[int, str]:
    """Run a shell script in a mount namespace of its own: what it mounts ends with it."""
    # With -r a person who is not root may mount there as well.
    namespace = ["unshare", "-rm"]
    if shutil.which("unshare") is None:
        pytest.skip("there is no `unshare` to mount with")
    probe = [*namespace, "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    done = subprocess.run(
        [*namespace, "sh", "-c", script],
        cwd=pipeline.root,
        env=pipeline.variables(**environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


READ_ONLY = "mount --bind {0} {0} && mount -o remount,bind,ro {0} && cd . && "


@pytest.mark.parametrize("folder", ["environment", "$PWD"])
def test_read_only_folder(pipeline: Pipeline, folder: str) -> None:
    pipeline.install("beta", "2.0")
    before = pipeline.files()
    script = READ_ONLY.format(folder) + 'cd "$PWD" && envstage capture'
    code, said = mounted(pipeline, script)
    assert code == 2
    assert said.count("\n") == 1
    assert "cannot be written: Read-only file system. The file system is read-only; " in said
    assert "set ENVSTAGE_MODE=hold to keep the snapshot" in said
    assert pipeline.files() == before


@pytest.mark.parametrize("mode", ["hold", "verify"])
def test_read_only_repository_is_held_and_verified(pipeline: Pipeline, mode: str) -> None:
    # Nothing has to be written, not even a lock.
    shutil.rmtree(pipeline.root / ".envstage")
    script = READ_ONLY.format("$PWD") + 'cd "$PWD" && envstage capture'
    code, said = mounted(pipeline, script, ENVSTAGE_MODE=mode)
    assert (code, said) == (0, "")


def test_nothing_to_write_to_a_read_only_folder(pipeline: Pipeline) -> None:
    # The context alone is new at every capture, and nothing depends on it.
    code, said = mounted(pipeline, READ_ONLY.format("environment") + "envstage capture")
    assert code == 2
    assert "environment/context.json: cannot be written" in said


def test_full_disk(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    before = {path: data for path, data in pipeline.files().items() if path.startswith("env")}
    code, said = mounted(
        pipeline,
        "mkdir ../kept && cp -a environment/. ../kept"
        " && mount -t tmpfs -o size=256k tmpfs environment && cp -a ../kept/. environment;"
        " cat /dev/zero > environment/filler 2> /dev/null;"
        " envstage capture; code=$?;"
        " rm environment/filler; mkdir ../after; cp -a environment/. ../after; exit $code",
    )
    assert code == 2
    assert said.count("\n") == 1
    assert "cannot be written: No space left on device. Free some space and run it again." in said
    after = pipeline.base / "after"
    for path, data in before.items():
        if path.startswith("environment/"):
            assert (after / path.removeprefix("environment/")).read_bytes() == data, path
    assert not list(after.rglob("*.tmp"))


def test_full_disk_in_the_stage(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    _, said = mounted(
        pipeline,
        "mkdir ../kept && cp -a environment/. ../kept"
        " && mount -t tmpfs -o size=256k tmpfs environment && cp -a ../kept/. environment;"
        " cat /dev/zero > environment/filler 2> /dev/null;"
        " dvc repro --ignore-errors > ../said",
    )
    assert "No space left on device" in said
    output = (pipeline.base / "said").read_text()
    assert "'train' didn't change" not in output
    assert "is cached" not in output
    # Space again: everything goes its way.
    assert pipeline.ran(pipeline.repro()) == BOTH
    assert pipeline.read("model.txt") == "alpha 2.0\n"


def test_twenty_captures_at_once(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    outputs: list[str] = []

    def capture() -> None:
        outputs.append(pipeline.run("envstage", "capture"))

    threads = [threading.Thread(target=capture) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outputs) == 20
    assert sum("changed: packages.alpha 1.0 → 2.0 (upgrade)" in each for each in outputs) == 1
    assert sum("unchanged" in each for each in outputs) == 19
    written = pipeline.files()
    assert pipeline.ran(pipeline.repro("environment")) == {"environment"}
    assert {p: d for p, d in pipeline.files().items() if p != "dvc.lock"} == {
        p: d for p, d in written.items() if p != "dvc.lock"
    }
    assert not list(Path(pipeline.root / "environment").rglob("*.tmp"))


def test_two_repros_at_once(pipeline: Pipeline) -> None:
    codes: list[str] = []

    def repro() -> None:
        codes.append(pipeline.repro(code=None))

    threads = [threading.Thread(target=repro) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # DVC lets one of them wait or fail; whichever it is, nothing is half-written.
    assert any("Stage 'train' didn't change" in each for each in codes)
    assert pipeline.status() == ""
