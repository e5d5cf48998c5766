"""Which names are looked up at the top level and in namespace packages, and what they are.

Runs inside the observed program (see `recorder`). One finder in front of `sys.meta_path` follows
the finders behind it. It also answers `find_distributions` with nothing, and thereby hears each
query for metadata.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable

    from envstage.observer.recorder import Recorder

# Modules whose functions are wrapped once they are there (see `hosts`).
HOSTS = ("pkg_resources", "stevedore", "importlib_metadata")


class Finder:
    """In front of `sys.meta_path`: notes what is looked up, and finds nothing itself."""

    def __init__(self, recorder: "Recorder") -> None:
        self.recorder = recorder

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """What the finders behind this one find, for a name at the top level or in a
        namespace package; for others nothing, and the import system asks them itself."""
        if name == "importlib.metadata":
            return self.metadata(path, target)
        if name in self.recorder.names:
            return None
        if path is not None and type(path) is list and len(path) < 2:
            return None
        spec = self.follow(name, path, target)
        try:
            self.note(name, spec)
        except Exception as error:
            self.recorder.incomplete(error)
        return spec

    def metadata(self, path: "Any", target: "Any") -> "Any":
        """The library that answers who provides a module: such questions are heard."""
        spec = self.follow("importlib.metadata", path, target)
        try:
            if spec is not None:
                self.recorder.part("hosts")["watch"](self.recorder, "importlib.metadata", spec)
        except Exception as error:
            self.recorder.incomplete(error)
        return spec

    def follow(self, name: str, path: "Any", target: "Any") -> "Any":
        """Ask the finders behind this one, as the import system does."""
        finders = list(sys.meta_path)
        behind = finders[finders.index(self) + 1 :] if self in finders else []
        for finder in behind:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                return spec
        return None

    def note(self, name: str, spec: "Any") -> None:
        """Record a name that was found, or was not."""
        recorder = self.recorder
        path = asker()
        if path.endswith("sitecustomize.py") and recorder.is_standard(path):
            return  # the interpreter's own (Debian's wants apport): every start asks for it
        recorder.report.once("asker", name, path)
        if spec is None:
            recorder.report.once("missing", name)
            return
        recorder.names.add(name)
        origin = getattr(spec, "origin", None)
        if name in HOSTS:
            recorder.part("hosts")["watch"](recorder, name, spec)
        if origin in ("built-in", "frozen") or recorder.is_standard(origin or ""):
            return
        recorder.report.write("found", name, origin or "")

    def find_distributions(self, context: "Any" = None) -> "Iterable[Any]":
        """Nothing; but `importlib.metadata` and its backport say here what they look for."""
        try:
            self.recorder.part("entries")["distributions_asked"](self.recorder.report, context)
        except Exception as error:
            self.recorder.incomplete(error)
        return iter(())  # Python 3.8 calls `next` on it


def asker() -> str:
    """The file whose code asks for the name that is being looked up; empty if nobody's."""
    frame: "Any" = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        # The import system, and functions such as `importlib.import_module`, ask for others.
        if path != __file__ and "importlib" not in path:
            return str(path)
        frame = frame.f_back
    return ""


def watch_preloaded(recorder: "Recorder") -> None:
    """Modules that `.pth` files loaded before us are used only if the program imports them.

    An import of a loaded module asks no finder, but it asks the module's spec whether it is
    still initializing. The few specs concerned get a subclass that hears this, once.
    """
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        spec = getattr(module, "__spec__", None)
        if name in ("__main__", "sitecustomize") or not path or recorder.is_standard(path):
            continue
        recorder.report.write("preloaded", name, path)
        if spec is not None:
            watch_spec(recorder, spec, path)


def watch_spec(recorder: "Recorder", spec: "Any", path: str) -> None:
    """Record the file when the module of this spec is imported again."""
    plain = type(spec)

    class ModuleSpec(plain):  # type: ignore[misc,valid-type]
        __slots__ = ()

        @property
        def _initializing(self) -> bool:
            initializing = bool(self.__dict__.get("_initializing", False))
            self.__class__ = plain
            recorder.used(path)
            return initializing

        @_initializing.setter
        def _initializing(self, value: bool) -> None:
            self.__dict__["_initializing"] = value

    try:
        spec.__class__ = ModuleSpec
    except TypeError:  # a spec of the module's own making: doubt in favour of use
        recorder.used(path)
