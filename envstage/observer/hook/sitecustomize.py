"""Start the recorder, then run the user's own `sitecustomize` as if this one did not exist.

This folder stands at the front of PYTHONPATH. It leaves `sys.path` at once; PYTHONPATH itself
stays in `os.environ`, because children are started with copies of that mapping. The syntax is
that of every Python ever likely to be started below a guard: one too old to be observed says so
in the report and goes on.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any  # noqa: F401  # in a type comment


def _leave(folder):
    # type: (str) -> None
    import sys

    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path_importer_cache.pop(folder, None)


def _start(folder):
    # type: (str) -> None
    import os
    import sys

    report = os.environ.get("ENVSTAGE_OBSERVE")
    if not report:
        return
    if sys.version_info < (3, 8) or not hasattr(sys, "addaudithook"):
        name = "%d-%s.events" % (os.getpid(), "unsupported")
        with open(os.path.join(report, name), "a") as file:
            file.write("unsupported\t%d.%d\n" % tuple(sys.version_info[:2]))
        return
    importer = sys.modules["_frozen_importlib_external"]
    path = os.path.join(os.path.dirname(folder), "recorder.py")
    name = "_envstage_observer"
    space = {"__name__": name, "__file__": path}  # type: dict[str, Any]
    # Through the loader for its cached bytecode; not through `import`, which would show it to
    # the program in `sys.modules`.
    exec(importer.SourceFileLoader(name, path).get_code(name), space)
    space["start"](report, folder)


def _begin():
    # type: () -> None
    import os
    import sys

    folder = os.path.dirname(os.path.abspath(__file__))
    _leave(folder)
    try:  # noqa: SIM105  # a bare interpreter has no `contextlib` loaded
        _start(folder)
    except Exception:
        pass  # the program comes first; a process without a report widens the view
    # Out of the way, so that the name now means the user's module, or nothing. The import
    # system takes what stands in `sys.modules` afterwards.
    sys.modules.pop("sitecustomize", None)


_begin()
# Its errors, also that there is none, are the user's.
import sitecustomize  # type: ignore[import-not-found]  # noqa: E402,F401
