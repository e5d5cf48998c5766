"""Which interpreter an environment means, and what the probe learns under it."""

import os
import shlex
from collections.abc import Sequence

import msgspec

from envstage.facets.contract import ProbeAnswer
from envstage.snapshot.canonical import parsed_as
from envstage.snapshot.secrets import without_secret_words
from envstage.trace import verify
from envstage.trace.questions import SETTLED_NS, identity
from envstage.world import Completed, Endless, Started, TimedOut, World

PROBE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe", "main.py")
_TOO_OLD = 78
_STDERR_CHARACTERS = 300


class ProbeError(Exception):
    """The interpreter gave no answer: what happened, and what to do."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


class Probing(msgspec.Struct, frozen=True):
    """A probe that is under way, since `since_ns`."""

    command: tuple[str, ...]
    started: Started
    cookie: str
    since_ns: int = 0

    @property
    def python(self) -> str:
        """The command, for messages."""
        return " ".join(self.command)


def command_of(world: World, python: str, root: str) -> tuple[str, ...]:
    """The command that starts the interpreter, as the stage's shell would find it.

    Args:
        python: `auto` (what `python`, else `python3`, means on PATH), a path (relative to the
            project), a program (`python3.11`), a launcher (`uv run`, `conda run -n ml`), or the
            file of a Snakemake rule's `conda:` directive (`envs/train.yaml`).
        root: the project's folder.

    Raises:
        ProbeError: there is no such program.
    """
    if is_conda_file(python):
        found = _conda_python(world, python, root)
        if found is None:
            raise ProbeError(
                f"Snakemake has not created the environment of {python} yet",
                "Run `snakemake --sdm conda --conda-create-envs-only`",
            )
        return (found,)
    if python == "auto":
        for name in ("python", "python3"):
            found = world.which(name)
            if found is not None:
                return (found,)
        raise ProbeError(
            "neither `python` nor `python3` is on PATH",
            "Activate the stage's environment, or set `python:` of the environment",
        )
    local = os.path.join(root, _expanded(world, python))
    if ("/" in python or os.sep in python) and world.exists(local):
        return (os.path.normpath(local),)
    words = shlex.split(python, posix=os.sep == "/")
    program = world.which(words[0]) if words else None
    if program is None:
        raise ProbeError(
            f"there is no interpreter `{python}`",
            "Create the environment, or correct `python:` of the environment",
        )
    is_launcher = len(words) > 1 and "python" not in os.path.basename(words[-1]).lower()
    return (program, *words[1:], *(["python"] if is_launcher else []))


def _expanded(world: World, python: str) -> str:
    home = world.environ.get("HOME") if python.startswith("~/") else None
    return home + python[1:] if home else os.path.expanduser(python)


def is_conda_file(python: str) -> bool:
    """Whether an interpreter is named by the file of a `conda:` directive."""
    return python.endswith((".yaml", ".yml"))


def is_created(world: World, python: str, root: str) -> bool:
    """False where Snakemake has still to create the environment of a `conda:` directive."""
    return not is_conda_file(python) or _conda_python(world, python, root) is not None


def _conda_python(world: World, file: str, root: str) -> str | None:
    """The interpreter of the environment that Snakemake made of a file.

    Snakemake keeps a copy of the file beside the environment, and marks one that is whole:
    `.snakemake/conda/<hash>_`, `<hash>_.yaml`, `<hash>_.env_setup_done`.
    """
    prefix = world.environ.get("SNAKEMAKE_CONDA_PREFIX") or os.path.join(
        root, ".snakemake", "conda"
    )
    try:
        wanted = world.read(os.path.join(root, *file.split("/")))
        names = world.list_dir(prefix)
    except OSError:
        return None
    for name in names:
        base, ending = os.path.splitext(name)
        python = os.path.join(prefix, base, "bin", "python")
        is_whole = ending == ".yaml" and f"{base}.env_setup_done" in names
        if is_whole and world.read(os.path.join(prefix, name)) == wanted and world.exists(python):
            return python
    return None


def start_probe(world: World, python: str, root: str, cache_folder: str) -> Probing:
    """Start the probe; it works while the caller collects other facts.

    Raises:
        ProbeError: the interpreter is not there or cannot be started.
    """
    command = command_of(world, python, root)
    cookie = "envstage-" + os.urandom(8).hex()
    argv = (*command, PROBE, cookie, cache_folder)
    since_ns = world.time_ns()
    try:
        started = world.start(argv, cwd=root)
    except OSError as error:
        witness_failure(world, command)
        raise ProbeError(
            f"`{command[0]}` cannot be started: {error.strerror}",
            "Correct `python:` of the environment",
        ) from None
    return Probing(command, started, cookie, since_ns)


def finish_probe(probing: Probing, timeout_s: float) -> ProbeAnswer:
    """Wait for the probe and read its answer.

    Raises:
        ProbeError: it hung, failed, is too old, or answered what nobody understands.
    """
    try:
        done = probing.started.finish(timeout_s)
    except Endless:
        raise ProbeError(
            f"`{probing.python}` answers without end",
            "Something prints at its start (a .pth file, sitecustomize)",
        ) from None
    except TimedOut:
        raise ProbeError(
            f"`{probing.python}` did not answer within {timeout_s:g} s",
            "Something hangs at its start (a .pth file, sitecustomize); "
            "raise `timeout_s` if it is only slow",
        ) from None
    text = _framed(done.stdout, probing.cookie)
    if text is None:
        raise _failed(probing.python, done)
    try:
        answer: ProbeAnswer = parsed_as(text, ProbeAnswer)
    except ValueError as error:
        raise ProbeError(
            f"`{probing.python}` answered what envstage does not understand ({error})",
            "Reinstall envstage: its probe and the rest are of different versions",
        ) from None
    if not answer.is_steady:
        raise ProbeError(
            f"somebody is changing the packages of `{probing.python}`",
            "Wait until it is done (pip, uv, conda), then run this again",
        )
    return answer


def witness_probe(world: World, probing: Probing, answer: ProbeAnswer) -> None:
    """Tell a trace of the questions that have the same answers as long as the probe would."""
    argv = (*probing.command, PROBE, probing.cookie)
    is_settled = bool(answer.identities) and answer.youngest_ns < probing.since_ns - SETTLED_NS
    told = verify.told(0, answer.identities.encode(), "") if is_settled else None
    world.witness(verify.RUN, verify.run_question(argv, probing.cookie), told)
    for each in answer.distributions:
        if each.direct_url is not None:
            path = os.path.join(each.metadata_path, "direct_url.json")
            world.witness(verify.IDENTITY, path, identity(path, probing.since_ns))


def witness_failure(world: World, command: Sequence[str]) -> None:
    """Tell a trace that an interpreter did not answer: what has to change for that nobody knows."""
    world.witness(verify.RUN, verify.run_question(command), None)


def _framed(stdout: bytes, cookie: str) -> bytes | None:
    start = stdout.find(cookie.encode())
    end = stdout.rfind(cookie[::-1].encode())
    if start < 0 or end < start:
        return None
    return stdout[start + len(cookie) : end]


def _failed(python: str, done: Completed) -> ProbeError:
    if done.returncode == _TOO_OLD:
        return ProbeError(
            f"`{python}` is older than Python 3.8", "Name a newer interpreter in `python:`"
        )
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    last = "".join(ch for ch in (lines[-1] if lines else "") if ch.isprintable())
    last = without_secret_words(last)  # a sitecustomize may say anything
    reason = f": {last[:_STDERR_CHARACTERS]}" if last else ""
    return ProbeError(
        f"`{python}` ended with {done.returncode} before it could answer{reason}",
        f"Run `{python} -c pass` to see its own complaint",
    )
