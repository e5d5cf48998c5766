"""A machine that remembers what it was asked: the trace of a capture (`envstage.trace`).

An identity is taken before its file is read: what changes in between is seen the next time.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from envstage.snapshot.secrets import is_secret_name, is_secret_value
from envstage.trace import questions, verify
from envstage.trace.document import Trace
from envstage.trace.programs import IS_POSSIBLE
from envstage.world import READ_LIMIT_BYTES, Completed, Machine, World

if TYPE_CHECKING:
    from envstage.trace.document import Question


# Others' code that makes facts, as far as it is loaded: another release may make others.
_LIBRARIES: Final = ("archspec", "msgspec", "packaging", "yaml")
# The image that all files of a container may come from: in one, no file has a time of its own.
_IMAGES: Final = ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER")
Bar: TypeAlias = Callable[[str, int, int], None]
"""Shows how far something is: what, how many are done, and of how many."""


class Recording(Machine):
    """This machine; every question is recorded with its answer.

    Attributes:
        behind: the same machine for questions that no fact comes of: they are not recorded.
    """

    def __init__(self, environ: Mapping[str, str], bar: Bar | None = None) -> None:
        super().__init__(environ)
        self._bar = bar
        self.behind: World = Machine(environ)
        self._salt = os.urandom(16).hex()
        self._now_ns = self.time_ns()
        self._answers: dict[tuple[str, str], str] = {}
        # Where traces cannot be verified, none is kept (Windows).
        self._is_complete = IS_POSSIBLE
        self._seen = _Environ(environ, self)

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables; each that is looked up is recorded by a salted digest."""
        return self._seen

    def trace(self, more: "Sequence[Question]") -> Trace | None:
        """All that was asked, and more; None where it cannot all be asked again."""
        self._depend_on_surroundings()
        asked: list[Question] = [(*question, answer) for question, answer in self._answers.items()]
        asked += more
        if not self._is_complete or any(
            answer == questions.YOUNG or any("\0" in field for field in (kind, subject, answer))
            for kind, subject, answer in asked
        ):
            return None
        return Trace(self._salt, asked)

    def witness(self, kind: str, subject: str, answer: str | None) -> None:
        """Record what was asked in another way; None: it cannot be asked again so cheaply."""
        if answer is None or self._answers.setdefault((kind, subject), answer) != answer:
            self._is_complete = False

    def _depend_on_surroundings(self) -> None:
        """What makes facts of the answers, and what the files are in."""
        for library in _LIBRARIES:
            file = getattr(sys.modules.get(library), "__file__", None)
            if file:
                self.depend_on(file)
        for name in _IMAGES:
            image = self.environ.get(name)
            if image and super().exists(image):
                self.depend_on(image)
            elif image:  # it may be another one by now, and nobody here can tell
                self.witness(verify.IDENTITY, image, None)

    def progress(self, what: str, done: int, total: int) -> None:
        """Move the bar, where there is one."""
        if self._bar is not None:
            self._bar(what, done, total)

    def identity(self, path: str) -> str:
        """What tells a file, unless it changed since this machine is being looked at."""
        return questions.identity(path, self._now_ns)

    def depend_on(self, path: str) -> None:
        """Record the identity of a file or folder that is read past this door."""
        self.witness(verify.IDENTITY, path, self.identity(path))

    def variable(self, name: str) -> None:
        """Record a variable: of a secret not even a digest, which could be guessed."""
        value = super().environ.get(name)
        if is_secret_name(name):
            self.witness(verify.IS_SET, name, str(value is not None))
        elif value is not None and is_secret_value(value):
            self.witness(verify.VARIABLE, name, None)
        else:
            answer = questions.variable(super().environ, name, self._salt)
            self.witness(verify.VARIABLE, name, answer)

    def variables(self) -> None:
        """Record which variables are set."""
        self.witness(verify.VARIABLES, "", questions.variables(super().environ))

    def read(self, path: str, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        """The content of a file, without lines that drift."""
        if not questions.is_made_on_reading(path):
            self.depend_on(path)
            return super().read(path, limit_bytes)
        self.witness(verify.CONTENT, path, questions.content(path))
        return questions.settled(path, super().read(path, limit_bytes))

    def list_dir(self, path: str) -> tuple[str, ...]:
        """The names in a folder, sorted."""
        try:
            names = super().list_dir(path)
        except OSError:
            self.witness(verify.NAMES, path, questions.names(path))
            raise
        self.witness(verify.NAMES, path, questions.digest(*map(os.fsencode, names)))
        return names

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        found = super().exists(path)
        self.witness(verify.EXISTS, path, str(found))
        return found

    def real_path(self, path: str) -> str:
        """The path with every symbolic link resolved."""
        found = super().real_path(path)
        self.witness(verify.REAL_PATH, path, found)
        return found

    def size_bytes(self, path: str) -> int:
        """The size of a file."""
        self.depend_on(path)
        return super().size_bytes(path)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        environ: Mapping[str, str] | None = None,
        given: bytes = b"",
    ) -> Completed:
        """Run a program: what it looked at nobody knows."""
        self.witness(verify.RUN, argv[0], None)
        return super().run(argv, timeout_s=timeout_s, environ=environ, given=given)

    def which(self, program: str) -> str | None:
        """The path of the executable that a shell would start for `program`."""
        found = super().which(program)
        self.witness(verify.PROGRAM, program, found or "")
        return found

    def cpu_count(self) -> int:
        """The logical processors that this process may run on."""
        self._ask_machine()
        return super().cpu_count()

    def machine(self) -> str:
        """The architecture."""
        self._ask_machine()
        return super().machine()

    def kernel(self) -> str:
        """The kernel's release."""
        self._ask_machine()
        return super().kernel()

    def _ask_machine(self) -> None:
        self.witness(verify.MACHINE, "", questions.machine())


def recorded(world: World) -> World:
    """The same machine, recording; another machine's files are left as they are."""
    return Recording(world.environ) if type(world) is Machine else world


def unrecorded(world: World) -> World:
    """The machine for questions that no fact comes of."""
    return world.behind if isinstance(world, Recording) else world


class _Environ(Mapping[str, str]):
    def __init__(self, environ: Mapping[str, str], recording: Recording) -> None:
        self._environ = environ
        self._recording = recording

    def __getitem__(self, name: str) -> str:
        self._recording.variable(name)
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        self._recording.variables()
        return iter(self._environ)

    def __len__(self) -> int:
        self._recording.variables()
        return len(self._environ)
