"""What happens to the machine: its interpreters, variables, libraries, and its clock."""

import os
import sys
from pathlib import Path

from tests.trace.edits import link, replace
from tests.trace.ground import Ground

VALUES = ("", "0", "1", "on", "static", "4", "s3cr3t", "/nowhere")
NAMES = (
    *("OMP_SCHEDULE", "CUBLAS_WORKSPACE_CONFIG", "PYTHONHASHSEED", "MY_FLAG", "MY_TOKEN"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "KUBERNETES_SERVICE_HOST", "PYTHONNOUSERSITE"),
    *("APPTAINER_CONTAINER", "container", "ENVSTAGE_MODE", "PYTHONSAFEPATH", "PIP_INDEX_URL"),
    *("CONDA_PREFIX", "NOBODY_ASKS", "PYTHONOPTIMIZE", "XLA_FLAGS", "UV_NO_CONFIG"),
)


def interpreter(it: Ground) -> str:
    others = [sys.executable, "/usr/bin/python3", "/bin/true", "/nowhere", str(it.venv.python)]
    kind = it.rng.choice(["link", "script", "garbage", "first"])
    path = it.base / "bin/python"
    python = it.rng.choice(others)
    it.back.append(lambda: path.unlink(missing_ok=True))
    if kind == "first":
        _on_path(it, "PATH", str(it.base / "bin"))
    if kind == "link":
        link(path, Path(python))
    else:
        text = "\x7fELF" if kind == "garbage" else f'#!/bin/sh\nexec "{python}" "$@"\n'
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(it.rng.choice([0o755, 0o755, 0o644]))
    return f"{kind} {python}"


def wrapper(it: Ground) -> str:
    options = it.rng.choice(["", "-I", "-S", "-E", "-O", "-X utf8"])
    path = it.base / "bin/wrapped"
    replace(path, f'#!/bin/sh\nexec "{it.venv.python}" {options} "$@"\n'.encode())
    path.chmod(0o755)
    return options


def pyvenv(it: Ground) -> None:
    path = it.venv.folder / "pyvenv.cfg"
    text = path.read_text()
    replace(path, text.replace("packages = false", "packages = true").encode())
    it.back.append(lambda: path.write_text(text))


def variable(it: Ground) -> str:
    name, value = it.rng.choice(NAMES), it.rng.choice([*VALUES, "hold", "verify", None])
    before = os.environ.get(name)
    if name == "ENVSTAGE_MODE" and value not in (None, "", "hold", "verify"):
        value = None
    _set(name, value)
    it.back.append(lambda: _set(name, before))
    return f"{name}={value}"


def search_path(it: Ground) -> str:
    name = it.rng.choice(["PYTHONPATH", "LD_LIBRARY_PATH", "PATH", "CUDA_HOME", "VIRTUAL_ENV"])
    folder = it.rng.choice(["extra", "more", "link", "project/lib", "system/cuda", "bin", "venv"])
    if name in ("CUDA_HOME", "VIRTUAL_ENV"):
        before = os.environ.get(name)
        _set(name, str(it.base / folder))
        it.back.append(lambda: _set(name, before))
    else:
        _on_path(it, name, str(it.base / folder))
    return f"{name} {folder}"


def _on_path(it: Ground, name: str, folder: str) -> None:
    before = os.environ.get(name)
    entries = [folder, *(before or "").split(os.pathsep)]
    _set(name, os.pathsep.join(entry for entry in entries if entry))
    it.back.append(lambda: _set(name, before))


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def library(it: Ground) -> str:
    folder = it.rng.choice([it.base / "more", it.extra, it.system / "lib", it.base / "home"])
    name = it.rng.choice(["libblas.so.3", "libcudnn.so.9.1.0", "libcudnn.so.9", "loose.py"])
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("x" * it.rng.randrange(3))
    return name


def affinity(it: Ground) -> None:
    count = it.rng.randrange(1, (os.cpu_count() or 1) + 1)
    os.sched_setaffinity(0, set(range(count)))


def os_package(it: Ground) -> None:
    name = it.rng.choice(["status.d/base", "status", "../apk"])
    text = f"Package: base\nVersion: {it.rng.randrange(3)}\nP:musl\nV:1.{it.rng.randrange(2)}\n"
    (it.system / "dpkg" / name).write_text(text)


def device(it: Ground) -> None:
    names = ["dev/kfd", "dev/nvidiactl", "proc/driver/nvidia/version", "ld.so.cache", "os-release"]
    path = it.system / it.rng.choice(names)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"ID=other\nVERSION_ID={it.rng.randrange(3)}\n")
    it.back.append(path.unlink)


def conda_file(it: Ground) -> str:
    """Snakemake made another environment of the file, or half of one."""
    folder = it.root / ".snakemake/conda"
    name = it.rng.choice(["1_", "2_"])
    kind = it.rng.choice([".yaml", ".env_setup_done"])
    path = folder / f"{name}{kind}"
    if path.exists() and it.rng.random() < 0.5:
        path.unlink()
    else:
        path.write_text(it.rng.choice(["dependencies: [python]\n", "dependencies: []\n"]))
    return path.name


def tool(it: Ground) -> None:
    path = it.base / "bin/wanted"
    path.write_text("#!/bin/sh\necho wanted 1.0\n")
    path.chmod(it.rng.choice([0o755, 0o644]))
    it.back.append(path.unlink)
    _on_path(it, "PATH", str(it.base / "bin"))


def clock(it: Ground) -> str:
    """The clock steps, by a second or by a day."""
    step_s = it.rng.choice([-86_400, -1, 0, 1, 86_400])
    it.clock_ns += step_s * 10**9
    return str(step_s)
