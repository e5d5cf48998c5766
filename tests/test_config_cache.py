"""The kept configuration is never taken for a changed one."""

import os
import time
from pathlib import Path

import pytest

from envstage import config_cache
from envstage import config_file as configuration
from envstage.errors import EnvstageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".envstage").mkdir()
    file = tmp_path / "envstage.yaml"
    file.write_text("tools: [aaa]\n")
    # Old enough to be kept: its ctime cannot be set, so wait for it.
    time.sleep(2.1)
    return tmp_path


def test_kept_configuration_is_the_one_in_the_file(root: Path) -> None:
    first = config_cache.load(str(root))
    assert (root / ".envstage" / "config.json").exists()
    assert config_cache.load(str(root)) == first == configuration.load(str(root))


def test_edit_of_the_same_size_with_its_time_put_back_is_seen(root: Path) -> None:
    config_cache.load(str(root))
    file = root / "envstage.yaml"
    stat = file.stat()
    file.write_text("tools: [bbb]\n")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert config_cache.load(str(root)).tools == ("bbb",)


def test_a_second_configuration_is_still_refused(root: Path) -> None:
    config_cache.load(str(root))
    (root / "params.yaml").write_text("envstage: {}\n")
    with pytest.raises(EnvstageError, match="both"):
        config_cache.load(str(root))


@pytest.mark.parametrize("garbage", [b"", b"{", b'{"key": 1, "config": 2}', b"\xff"])
def test_garbage_is_as_if_it_was_not_there(root: Path, garbage: bytes) -> None:
    (root / ".envstage" / "config.json").write_bytes(garbage)
    assert config_cache.load(str(root)).tools == ("aaa",)
