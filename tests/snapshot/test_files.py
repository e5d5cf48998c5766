"""Files are always the old or the new ones, whole; untouched where nothing changes."""

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from envstage.errors import EnvstageError
from envstage.snapshot.files import locked, write


def test_unchanged_bytes_leave_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    assert write(str(path), b"content")
    before = path.stat()
    assert not write(str(path), b"content")
    assert path.stat() == before
    assert write(str(path), b"conten")
    assert path.read_bytes() == b"conten"


def test_a_name_without_a_folder_is_a_file_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `envstage export html -o page.html`
    monkeypatch.chdir(tmp_path)
    assert write("page.html", b"content")
    assert (tmp_path / "page.html").read_bytes() == b"content"
    with pytest.raises(EnvstageError, match=r"\.: cannot be written: "):
        write(".", b"content")


def test_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(str(path), b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(EnvstageError, match="cannot be written"):
            write(str(path), b"x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_no_space_left_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvstageError, match=r"No space left on device\. Free some space"):
        write(str(tmp_path / "file"), b"new")
    assert os.listdir(tmp_path) == []


def test_a_folder_in_the_way_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file" / "inner").mkdir(parents=True)
    with pytest.raises(EnvstageError, match="cannot be written"):
        write(str(tmp_path / "file"), b"new")


def test_lock_excludes_other_processes_and_dies_with_its_holder(tmp_path: Path) -> None:
    path = str(tmp_path / "state" / "lock")
    code = (
        "import sys, time\nfrom envstage.snapshot.files import locked\n"
        f"with locked({path!r}, 5):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    message = "another envstage has been at work here"
    with pytest.raises(EnvstageError, match=message), locked(path, 0.1):
        pass
    threading.Timer(0.2, holder.kill).start()
    started = time.monotonic()
    with locked(path, 10):
        assert time.monotonic() - started < 5
    holder.wait()
    holder.stdout.close()
