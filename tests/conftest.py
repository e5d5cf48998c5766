"""What every test stands on: nobody's HOME, Git identity, shell, caches or active environment."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Machines are noisy: how long an example takes says nothing about the code.
settings.register_profile("envstage", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("envstage")

# A shell lets what it starts with `&` ignore Ctrl-C, and everything below would inherit that.
for _number in (signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGINT)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(
            _number,
            signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL,
        )

_DROPPED = tuple(
    "_ PYTHONPATH VIRTUAL_ENV CONDA_PREFIX CUDA_VISIBLE_DEVICES LD_LIBRARY_PATH".split()
)
_DROPPED_PREFIXES = ("DVC_", "ENVSTAGE_", "OMP_", "MKL_", "OPENBLAS_", "GIT_")


@pytest.fixture(autouse=True)
def _neutral_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name in _DROPPED or name.startswith(_DROPPED_PREFIXES):
            del os.environ[name]
    home = tmp_path_factory.mktemp("home")
    os.environ |= {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "DVC_NO_ANALYTICS": "1",
        "SHELL": "/bin/sh",  # which DVC would start
        "PYTHONDONTWRITEBYTECODE": "",
    }
    os.environ.pop("PYTHONDONTWRITEBYTECODE")
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def wheelhouse(tmp_path: Path) -> Path:
    """An empty folder for wheels that a test builds."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that takes minutes by nature is given an hour."""
    for item in items:
        if item.get_closest_marker("long") is not None:
            item.add_marker(pytest.mark.timeout(3600))
