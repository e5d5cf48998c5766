"""Compiles the stand-in, once a process."""

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("stand_in.c")
NAME = "libnvidia-ml.so.1"


@functools.cache
def library() -> Path:
    """The compiled stand-in; skips the test on a machine that cannot compile it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("the stand-in for NVML needs Linux and a C compiler")
    folder = Path(tempfile.mkdtemp(prefix="nvml-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    built = folder / NAME
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", f"-Wl,-soname,{NAME}"]
    subprocess.run([compiler, *flags, "-o", str(built), str(SOURCE), "-ldl"], check=True)
    return built
