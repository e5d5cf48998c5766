"""What is about to be started, and whether a Python below it would escape the observer.

Runs inside the observed program (see `recorder`), loaded when it first starts one. Of the
program's arguments and environment nothing but these marks leaves this file:

* `python`: the program is a Python, which has to report;
* `isolated`: a Python gets -I, -E or -S, and runs no `sitecustomize` of PYTHONPATH;
* `cleared`: a Python, shell or launcher starts without our variables;
* `elsewhere`: a container, another machine or another user, where they do not reach.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence, Set, Tuple

READ_AT_MOST_BYTES = 1 << 16
SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh", "fish", "ash"))
# fmt: off
LAUNCHERS = SHELLS | frozenset(
    (
        "env", "nohup", "nice", "ionice", "time", "timeout", "stdbuf", "setsid", "xargs", "taskset",
        "numactl", "chrt", "strace", "make", "just", "task", "uv", "uvx", "rye", "poetry", "pdm",
        "conda", "mamba", "micromamba", "pixi", "pipenv", "hatch", "tox", "nox", "direnv", "mise",
        "asdf", "mpirun", "mpiexec", "mpiexec.hydra", "horovodrun", "parallel", "watch", "script",
        "dvc", "snakemake"
    )
)
ELSEWHERE = frozenset(
    (
        "docker", "podman", "nerdctl", "singularity", "apptainer", "enroot", "charliecloud",
        "ch-run", "kubectl", "ssh", "mosh", "srun", "sbatch", "salloc", "qsub", "qrsh", "bsub",
        "condor_submit", "sudo", "su", "doas", "runuser", "chroot", "unshare", "nsenter", "bwrap",
        "flatpak", "systemd-run", "wine"
    )
)
# fmt: on
PYTHONS = ("python", "pypy")
CLEARING = frozenset(("-i", "-", "--ignore-environment"))
# Options of Python that take the next word as their value.
WITH_VALUE = "XW"


def is_python(name: str) -> bool:
    """Whether a program of this name is a Python: `python`, `python3.12`, `pypy3`, `pythonw`."""
    for prefix in PYTHONS:
        if name.startswith(prefix):
            return name[len(prefix) :].strip("0123456789.wt") in ("", "-dbg", ".exe")
    return False


def is_isolated(arguments: "Sequence[str]") -> bool:
    """Whether a Python with these arguments ignores PYTHONPATH or `sitecustomize`."""
    words = iter(arguments)
    for word in words:
        if word[:1] != "-" or word in ("-", "--"):
            return False
        if word[:2] == "--":
            continue
        for position, letter in enumerate(word[1:], 1):
            if letter in "IES":
                return True
            if letter in "cm":
                return False
            if letter in WITH_VALUE:
                if position == len(word) - 1:
                    next(words, None)
                break
    return False


def text(value: "Any") -> str:
    """A word of a command line or an environment, which may be bytes or a path."""
    return os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else ""


def variables(environ: "Any") -> "Dict[str, str]":
    """The variables that matter here, of a mapping from text or bytes."""
    found = {}
    for key in environ:
        name = text(key)
        if name in ("PATH", "PYTHONPATH", "ENVSTAGE_OBSERVE"):
            found[name] = text(environ[key])
    return found


def is_cleared(environ: "Dict[str, str]", report: str, hook: str) -> bool:
    """Whether a Python with this environment would not load the hook, or report elsewhere."""
    if os.path.abspath(environ.get("ENVSTAGE_OBSERVE") or os.sep) != report:
        return True
    return hook not in environ.get("PYTHONPATH", "").split(os.pathsep)


def resolved(program: str, path: str) -> str:
    """The file that a program's name stands for; empty where there is none."""
    if os.sep in program:
        return program if os.path.isfile(program) else ""
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder or os.curdir, program)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return ""


def read_start(path: str) -> bytes:
    """The first bytes of a file; nothing where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | os.O_NONBLOCK)
    except (OSError, ValueError):
        return b""
    try:
        return os.read(descriptor, READ_AT_MOST_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def interpreter_words(content: bytes) -> "List[str]":
    """The words of a script's first line: `#!/usr/bin/env -S python3 -I`."""
    if content[:2] != b"#!":
        return []
    words = os.fsdecode(content.split(b"\n", 1)[0][2:]).split()
    if words and os.path.basename(words[0]) == "env" and "-i" not in words:
        words = [word for word in words[1:] if word != "-S" and "=" not in word]
    return words


def scan(words: "Sequence[str]", hook: str) -> "Set[str]":
    """The marks in a launcher's words or a shell's text: suspicion suffices."""
    marks = set()
    for position, word in enumerate(words):
        name = os.path.basename(word)
        following = words[position + 1 :]
        if name in ELSEWHERE:
            marks.add("elsewhere")
        elif is_python(name) and is_isolated(following):
            marks.add("isolated")
        elif clears(name, following) or replaces_path(word, following, hook):
            marks.add("cleared")
    return marks


def clears(name: str, following: "Sequence[str]") -> bool:
    """Whether a word is `env` with an empty environment to begin with."""
    return name == "env" and bool(CLEARING.intersection(following[:8]))


def replaces_path(word: str, following: "Sequence[str]", hook: str) -> bool:
    """Whether a word sets or unsets PYTHONPATH or our own variable, leaving the hook out."""
    if word in ("unset", "-u", "--unset"):
        return bool({"PYTHONPATH", "ENVSTAGE_OBSERVE"}.intersection(following[:4]))
    name, equals, value = word.partition("=")
    if not equals or name not in ("PYTHONPATH", "ENVSTAGE_OBSERVE"):
        return False
    return name == "ENVSTAGE_OBSERVE" or not (
        hook in value or "$PYTHONPATH" in value or "${PYTHONPATH" in value
    )


def words_of(source: str) -> "List[str]":
    """The words of a shell's text, roughly: quoting is ignored, comments are left out."""
    lines = [line for line in source.split("\n") if not line.lstrip().startswith("#")]
    joined = "\n".join(lines)
    for character in ";|&()`\"'":
        joined = joined.replace(character, " ")
    return joined.split()


def shell_words(arguments: "Sequence[str]") -> "List[str]":
    """What a shell with these arguments will run: the text after `-c`, or its script's."""
    for position, word in enumerate(arguments):
        if word[:1] == "-" and word[:2] != "--" and "c" in word:
            return words_of(" ".join(arguments[position + 1 : position + 2]))
        if word[:1] not in "-+":
            return words_of(os.fsdecode(read_start(word)))
    return []


def program_started(
    program: "Any", argv: "Any", environ: "Any", report: str, hook: str
) -> "Tuple[str, Tuple[str, ...]]":
    """The name of a program about to be started, and its marks, sorted.

    Args:
        program: the executable, or nothing: then it is the first of `argv`.
        argv: the whole command line, or one text.
        environ: its environment.
        report: the report folder of this run.
        hook: the hook's folder in PYTHONPATH.
    """
    words = [text(argv)] if isinstance(argv, (str, bytes, os.PathLike)) else list(map(text, argv))
    variable = variables(environ)
    path = resolved(text(program) if program else words[0], variable.get("PATH", os.defpath))
    if not path:  # nothing will be started
        return os.path.basename(words[0] if words else ""), ()
    marks = marks_of(path, words[1:], hook)
    if is_cleared(variable, report, hook) and can_lead_to_python(path, marks):
        marks.add("cleared")
    return os.path.basename(path), tuple(sorted(marks))


def can_lead_to_python(path: str, marks: "Set[str]") -> bool:
    """Whether a program is a Python, a launcher or a script: what may start a Python."""
    name = os.path.basename(path)
    return "python" in marks or name in LAUNCHERS or read_start(path)[:2] == b"#!"


def marks_of(path: str, arguments: "Sequence[str]", hook: str) -> "Set[str]":
    """The marks of a program by its file and arguments."""
    name = os.path.basename(path)
    if is_python(name):
        return {"python", "isolated"} if is_isolated(arguments) else {"python"}
    if name in ELSEWHERE:
        return {"elsewhere"}
    if name in SHELLS:
        return scan(shell_words(arguments), hook)
    if name in LAUNCHERS:
        return scan([name, *arguments], hook)
    return marks_of_script(path, hook)


def marks_of_script(path: str, hook: str) -> "Set[str]":
    """The marks of a program that is a script: by its interpreter, and a shell's by its text."""
    content = read_start(path)
    words = interpreter_words(content)
    if not words:
        return set()
    name = os.path.basename(words[0])
    if is_python(name):
        return {"python", "isolated"} if is_isolated(words[1:]) else {"python"}
    if name in SHELLS:
        return scan(words_of(os.fsdecode(content)), hook)
    return scan(words, hook)


def command_marks(
    argv: "Sequence[str]", environ: "Dict[str, str]", report: str, hook: str
) -> "Tuple[str, ...]":
    """The marks of a whole command, for the guard that starts it."""
    return program_started(None, list(argv), environ, report, hook)[1]
