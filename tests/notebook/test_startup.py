"""The variables that Python was started with, on captured hosts of a few lines."""

from pathlib import Path

import pytest

from envstage.notebook.startup import as_started
from envstage.world import READ_LIMIT_BYTES, Machine


class Process(Machine):
    """A process whose start-up block is given; none: the system keeps none."""

    def __init__(self, environ: dict[str, str], block: bytes | None) -> None:
        super().__init__(environ)
        self._block = block

    def read(self, path: str, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        assert path == "/proc/self/environ"
        if self._block is None:
            raise FileNotFoundError(path)
        return self._block


def test_what_facts_are_made_of_is_as_it_was() -> None:
    now = {"HOME": "/new", "OMP_NUM_THREADS": "1", "MY_A": "2", "XLA_FLAGS": "x"}
    block = b"HOME=/old\0MY_A=1\0PYTHONHASHSEED=0\0XLA_FLAGS=x\0"
    environ, changed = as_started(Process(now, block), ("MY_*",))
    assert changed == ("MY_A", "OMP_NUM_THREADS", "PYTHONHASHSEED")
    assert environ == {"HOME": "/new", "MY_A": "1", "PYTHONHASHSEED": "0", "XLA_FLAGS": "x"}


@pytest.mark.parametrize("block", [None, b"", b"my process: idle\0\0\0\0"])
def test_where_the_start_is_not_known(block: bytes | None) -> None:
    now = {"OMP_NUM_THREADS": "1"}
    assert as_started(Process(now, block), ()) == (now, ())


def test_a_real_process(tmp_path: Path) -> None:
    from tests.notebook.scripts import run_script

    text = (
        "import os\nos.environ['XLA_FLAGS'] = 'later'\n"
        "from envstage.notebook.startup import as_started\n"
        "from envstage.world import Machine\n"
        "environ, changed = as_started(Machine(), ())\n"
        "print(environ['XLA_FLAGS'] if changed else 'not known here')\n"
    )
    assert run_script(text, tmp_path, XLA_FLAGS="first").strip() in ("first", "not known here")
