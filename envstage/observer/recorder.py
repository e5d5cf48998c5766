"""Record what this process uses, as it uses it, in a file of its own. Never disturb it.

Runs inside the observed program, under any Python from 3.8 on: the standard library only, and
of that only what a bare interpreter has loaded anyway, so that the program finds no module
loaded that it would have had to import itself (`atexit`, a builtin, is the exception).

How it sees, and why this way:

* An audit hook. The interpreter itself announces each code object that is executed (`exec`:
  every module, whatever loaded it, with its file), each extension module (`import`), each file
  opened (metadata), each program started. Nothing is patched for it.
* One finder in front of `sys.meta_path` (see `finder`) for names that are looked up, found or
  not, and for queries for metadata.
* `os.register_at_fork` and a wrapped `os._exit`, through which fork workers leave.

Lines are written as things happen, so that a crash loses little: at most the further modules
of folders of which one is already recorded (see `Recorder.used`).

One line an event: the kind, then fields, separated by tabs; backslash escapes. `events`
reads them and lists the kinds.
"""

import atexit
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module `typing` must not be loaded in the observed program
    from typing import Any, Callable, Dict, List, NoReturn, Set, Tuple

FORMAT = "1"
FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
# `site` itself looks these up at every start.
NAMES_OF_SITE = ("sitecustomize", "usercustomize")
# The standard library looks these up, and they cannot be installed: parts of other platforms.
# `sys.stdlib_module_names` has most of them, from Python 3.10 on.
NAMES_ELSEWHERE = (
    "nt",
    "winreg",
    "_winreg",
    "msvcrt",
    "_winapi",
    "_wmi",
    "_overlapped",
    "_scproxy",
    "vms_lib",
    "java",
    "org",
    "__builtin__",
)
INSTALLED = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)


def load(name: str) -> "Dict[str, Any]":
    """The namespace of a neighbouring file, loaded by path and kept out of `sys.modules`."""
    path = FOLDER + name + ".py"
    module = "_envstage_observer_" + name
    space = {"__name__": module, "__file__": path}
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader(module, path)
    exec(loader.get_code(module), space)
    return space


if TYPE_CHECKING:
    from envstage.observer.finder import Finder, watch_preloaded
    from envstage.observer.machine import see_machine
    from envstage.observer.others import Others
    from envstage.observer.report import WANTED, Report
else:
    Report, WANTED = map(load("report").get, ("Report", "WANTED"))
    Finder, watch_preloaded = map(load("finder").get, ("Finder", "watch_preloaded"))
    Others = load("others")["Others"]
    # Not when it is needed: a program may have left for another root or user by then.
    see_machine = load("machine")["see_machine"]


def is_on_disk(path: str) -> bool:
    """Whether a file is there, or an archive that holds it. Generated code (a notebook's cells,
    what dynamo writes) names files that never were: what it is made from is seen by itself."""
    while len(path) > 1:
        try:
            os.stat(path)
        except (OSError, ValueError):
            parent = os.path.dirname(path)
            if parent == path:
                return False
            path = parent
            continue
        return os.path.isfile(path)
    return False


class Recorder:
    """What is known of this process, and the handlers of what happens in it."""

    def __init__(self, folder: str, hook: str) -> None:
        self.report = Report(folder)
        self.hook = hook
        self.is_heard = False
        self.files: "Set[str]" = set()
        self.folders: "Set[str]" = set()
        self.standard = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
        self.names: "Set[str]" = set(getattr(sys, "stdlib_module_names", ()))
        self.names.update(NAMES_OF_SITE, NAMES_ELSEWHERE)
        self.finder = Finder(self)
        self.parts: "Dict[str, Dict[str, Any]]" = {}

    def part(self, name: str) -> "Dict[str, Any]":
        """A neighbouring file, loaded when it is first needed."""
        if name not in self.parts:
            self.parts[name] = load(name)
        return self.parts[name]

    # Files

    def executed(self, arguments: "Tuple[Any, ...]") -> None:
        """`exec`: a code object is about to run; that of a module names its file."""
        name = arguments[0].co_filename
        if name not in self.files and name[:1] != "<":
            self.files.add(name)
            self.used(name)

    def imported(self, arguments: "Tuple[Any, ...]") -> None:
        """`import` with a file: an extension module is about to be loaded."""
        name = arguments[1]
        if name is not None and name not in self.files:
            self.files.add(name)
            self.used(os.fsdecode(name))

    def used(self, name: str) -> None:
        """Record a file, unless it is of the standard library or ours."""
        path = name if name[:1] == os.sep else os.path.join(os.getcwd(), name)
        if self.is_standard(path) or path.startswith(FOLDER):
            return
        if INSTALLED[0] not in path and INSTALLED[1] not in path and not is_on_disk(path):
            return
        folder = os.path.dirname(path)
        if folder in self.folders:
            self.report.write_later("module", path)
            return
        self.report.write("module", path)
        # A write for each of a thousand modules is what observing costs most. The second one
        # of an installed package's folder can wait for the next line: its distribution is
        # known by the first. Single modules and those outside distributions never wait.
        if INSTALLED[0] in folder or INSTALLED[1] in folder:
            self.folders.add(folder)

    def is_standard(self, path: str) -> bool:
        """Whether a file is the interpreter's own."""
        if not path.startswith(self.standard):
            return False
        rest = path[len(self.standard) :]
        return not rest.startswith(("site-packages" + os.sep, "dist-packages" + os.sep))

    def opened(self, arguments: "Tuple[Any, ...]") -> None:
        """`open`: by its path alone, a file of a distribution's metadata."""
        path = arguments[0]
        if type(path) is not str or ("-info" not in path and "EGG-INFO" not in path):
            return
        if not path.startswith(FOLDER):  # where `entries` itself is about to be read
            self.part("entries")["metadata_opened"](self.report, path)

    def listed(self, arguments: "Tuple[Any, ...]") -> None:
        """`os.listdir`, `os.scandir`: of a folder of installed packages, or within one; the
        import system itself does it all the time."""
        path = arguments[0]
        if hasattr(path, "__fspath__"):
            path = os.fspath(path)
        if type(path) is not str or "-packages" not in path:
            return
        frame: "Any" = sys._getframe(2)  # past the audit hook
        if not frame.f_code.co_filename.startswith("<frozen importlib"):
            self.part("entries")["folder_listed"](self.report, path)

    def dlopened(self, arguments: "Tuple[Any, ...]") -> None:
        """`ctypes.dlopen`: a library asked for by name, found or not."""
        if isinstance(arguments[0], (str, bytes)):
            self.report.once("dlopen", os.fsdecode(arguments[0]))

    # The process's own beginning, forks and end

    def forked_here(self) -> None:
        """In the parent after a fork; the child says `start` with this identity."""
        if not is_preparing_program():
            self.report.write("fork")

    def forked_away(self) -> None:
        """In the child after a fork: a file of its own."""
        try:
            parent = self.report.identity
            self.report.abandon()
            self.begin("preexec" if is_preparing_program() else "fork", parent)
        except Exception as error:
            self.incomplete(error)

    def begin(self, kind: str, parent: str) -> None:
        """Open the file and say who this is."""
        self.report.open()
        argv = getattr(sys, "argv", None) or [""]
        self.report.write(
            "start",
            FORMAT,
            self.report.identity,
            str(os.getpid()),
            str(os.getppid()),
            kind,
            parent,
            sys.executable or "",
            sys.prefix,
            "%d.%d.%d" % sys.version_info[:3],
            argv[0],
        )

    def end(self) -> None:
        """Say what is only known at the end, and that this is the end."""
        try:
            if self.finder not in sys.meta_path:
                self.report.write("incomplete", "the program removed the finder")
            libraries = see_machine(self.report, "self")
            self.report.write("end")
        except Exception as error:
            self.incomplete(error)
            return
        self.say_what_is_in_effect(libraries)

    def say_what_is_in_effect(self, libraries: "List[bytes]") -> None:
        """For the receipt, if there will be one: evidence, on which no view depends. It comes
        after the `end`, so that whatever happens here costs nothing else."""
        try:
            if os.path.exists(os.path.join(self.report.folder, WANTED)):
                self.part("effective")["see_effective"](self.report, libraries)
        except Exception as error:
            self.report.once("unseen", "settings: %s" % type(error).__name__)

    def incomplete(self, error: Exception) -> None:
        """An error of ours: said in the report, never in the program."""
        self.report.once("incomplete", "%s: %s" % (type(error).__name__, error))

    # Wiring

    def install(self) -> None:
        """Begin to listen."""
        self.begin("exec", "")
        watch_preloaded(self)
        if "importlib.metadata" in sys.modules:  # by a `.pth` file
            module = sys.modules["importlib.metadata"]
            self.part("hosts")["wrap_metadata"](self, module)
        sys.meta_path.insert(0, self.finder)
        sys.addaudithook(self.listener())
        sys.audit("envstage.observer")
        if not self.is_heard:
            self.report.write("incomplete", "another audit hook refused ours")
        atexit.register(self.end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_parent=self.forked_here, after_in_child=self.forked_away)
        os._exit = leaving(self, os._exit)  # type: ignore[assignment]

    def heard(self, arguments: "Tuple[Any, ...]") -> None:
        """Our own event: the audit hook works."""
        self.is_heard = True

    def listener(self) -> "Callable[[str, Tuple[Any, ...]], None]":
        """The audit hook. It is called for every event of the interpreter: one lookup, for
        most of them. `id()` is one too, and some programs do little else (`copy.deepcopy`): a
        comparison costs them less. Nine tenths of what remains is the interpreter's own."""
        handler_of = {
            "exec": self.executed,
            "import": self.imported,
            "open": self.opened,
            "os.listdir": self.listed,
            "os.scandir": self.listed,
            "ctypes.dlopen": self.dlopened,
            "envstage.observer": self.heard,
            **Others(self, see_machine).handlers(),
        }.get

        def audit(event: str, arguments: "Tuple[Any, ...]") -> None:
            if event == "builtins.id":
                return
            handler = handler_of(event)
            if handler is not None:
                try:
                    handler(arguments)
                except Exception as error:
                    self.incomplete(error)

        return audit


def is_preparing_program() -> bool:
    """Whether a fork is the first half of starting a program with `preexec_fn`: the child
    becomes that program without a further word. The caller's caller asked for the fork."""
    frame: "Any" = sys._getframe(2)
    return bool(frame.f_code.co_name == "_execute_child")


def leaving(recorder: Recorder, leave: "Callable[[int], NoReturn]") -> "Callable[[int], NoReturn]":
    """`os._exit`, with our last lines before it. Workers made by fork leave through it, and
    nothing else is called when they do."""

    def _exit(status: int) -> "NoReturn":
        try:
            recorder.end()
        finally:
            leave(status)

    _exit.__module__ = leave.__module__
    _exit.__qualname__ = leave.__qualname__
    _exit.__doc__ = leave.__doc__
    return _exit


def start(folder: str, hook: str) -> None:
    """Record this process in the report folder; `hook` is the folder in PYTHONPATH."""
    Recorder(os.path.abspath(folder), hook).install()
