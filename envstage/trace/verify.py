"""Whether a trace still holds: every question is asked again."""

import os
import time

from envstage.trace import document, questions
from envstage.trace.programs import IS_POSSIBLE, Running

Said = tuple[str, bool]
"""A line that a command says, and whether it is a remark, for standard error."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envstage.trace.document import Question, Trace

# Kinds. What follows PART is asked for `envstage capture` alone: the code's state, the files
# that no stage depends on. SAY is what it says where all of it holds.
PART = "part"
SAY = "say"
NOTE = "note"
RUN = "run"
IDENTITY = "identity"
CONTENT = "content"
NAMES = "names"
EXISTS = "exists"
REAL_PATH = "real path"
PROGRAM = "program"
MACHINE = "machine"
VARIABLE = "variable"
VARIABLES = "variables"
IS_SET = "is set"
TIMEOUT_S = 10.0
WORDS = "\x1f"
_ROOT_MARKS = ("envstage.yaml", "params.yaml", ".envstage", ".dvc", ".git")


def find(start: str, environ: "Mapping[str, str]") -> "tuple[str, Trace] | None":
    """The project around a folder, and its trace; None where there is none to go by."""
    # Under Snakemake, a job's variables are not those that the machine is described with.
    if not IS_POSSIBLE or environ.get("ENVSTAGE_SNAKEMAKE"):
        return None
    cache = document.cache_folder(environ)
    folder = os.path.abspath(start)
    while cache:
        trace = document.load(document.path_of(cache, folder))
        if trace is not None:
            return folder, trace
        # The project may begin here, and one that was never captured has no trace.
        if any(os.path.lexists(os.path.join(folder, mark)) for mark in _ROOT_MARKS):
            return None
        if os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)
    return None


def unchanged(start: str, environ: "Mapping[str, str]") -> list[Said] | None:
    """What `envstage capture` says in the project around a folder, where nothing changed.

    None: something did, or nobody can tell; then it has to be captured.
    """
    found = find(start, environ)
    if found is None:
        return None
    root, trace = found
    if not _holds(root, trace, environ, trace.questions):
        return None
    return [(text, mark == NOTE) for kind, text, mark in trace.questions if kind == SAY]


def views_hold(path: str, root: str, environ: "Mapping[str, str]") -> bool:
    """Whether the part of a trace that views follow from holds; the trace is in the file `path`."""
    trace = document.load(path) if IS_POSSIBLE else None
    if trace is None:
        return False
    kinds = [kind for kind, _, _ in trace.questions]
    return PART in kinds and _holds(root, trace, environ, trace.questions[: kinds.index(PART)])


def holds(trace: "Trace", root: str, environ: "Mapping[str, str]") -> bool:
    """Whether every question of a trace still has its answer."""
    return IS_POSSIBLE and _holds(root, trace, environ, trace.questions)


def run_question(argv: "Sequence[str]", cookie: str = "") -> str:
    """The subject of a question to a program; with a cookie, only what it frames counts."""
    return WORDS.join((cookie, *argv))


def told(code: int, output: bytes, cookie: str) -> str:
    """The answer of a program."""
    if cookie:
        _, _, framed = output.partition(cookie.encode())
        output = framed.partition(cookie[::-1].encode())[0]
    return questions.digest(b"%d" % code, output)


def _holds(
    root: str, trace: "Trace", environ: "Mapping[str, str]", asked: "list[Question]"
) -> bool:
    now_ns = time.time_ns()
    if any(
        _answer(kind, subject, environ, trace.salt, now_ns) != answer
        for kind, subject, answer in asked
        if kind not in (RUN, PART, SAY)
    ):
        return False
    return _say_the_same(root, environ, [each for each in asked if each[0] == RUN])


def _say_the_same(root: str, environ: "Mapping[str, str]", asked: "list[Question]") -> bool:
    """Whether every program still says what it said; they work side by side."""
    deadline = time.monotonic() + TIMEOUT_S
    running: list[tuple[Running, str, str]] = []
    try:
        for _, subject, answer in asked:
            cookie, *argv = subject.split(WORDS)
            running.append((Running(argv, environ, root), cookie, answer))
        for program, cookie, answer in running:
            found = program.finish(deadline - time.monotonic())
            if found is None or told(*found, cookie) != answer:
                return False
    except OSError:
        return False
    finally:
        for program, _, _ in running:
            program.end()
    return True


def _answer(
    kind: str, subject: str, environ: "Mapping[str, str]", salt: str, now_ns: int
) -> "str | None":
    """The answer to a question that no program has to be asked; None: nobody knows the kind."""
    if kind == IDENTITY:
        return questions.identity(subject, now_ns)
    if kind == VARIABLE:
        return questions.variable(environ, subject, salt)
    if kind == IS_SET:
        return str(subject in environ)
    if kind == PROGRAM:
        return questions.program(environ, subject)
    if kind == VARIABLES:
        return questions.variables(environ)
    ask = _PLAIN.get(kind)
    return None if ask is None else ask(subject)


_PLAIN: "dict[str, Callable[[str], str]]" = {
    CONTENT: questions.content,
    NAMES: questions.names,
    EXISTS: questions.exists,
    REAL_PATH: questions.real_path,
    MACHINE: questions.machine,
}
