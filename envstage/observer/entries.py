"""Metadata of distributions: which were asked for, which entry-point groups were queried.

Runs inside the observed program (see `recorder`), loaded when metadata is first touched. A query
for a group opens `entry_points.txt` of every distribution, though only the group's content
matters: so the group is read from the caller's frame, and the opened files do not count.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

LIBRARIES = ("importlib.metadata", "importlib_metadata", "pkg_resources")
QUERIES = ("entry_points", "iter_entry_points")
WHOLE = "*"
FRAMES_AT_MOST = 60
ENDINGS = (".dist-info", ".egg-info", "EGG-INFO")


def query_frame() -> "Any":
    """The frame of a query for entry points that is being answered now, or None."""
    frame: "Any" = sys._getframe(1)
    for _ in range(FRAMES_AT_MOST):
        if frame is None:
            return None
        module = frame.f_globals.get("__name__")
        if module in LIBRARIES and frame.f_code.co_name in QUERIES and is_function(frame):
            return frame
        frame = frame.f_back
    return None


def is_function(frame: "Any") -> bool:
    """Whether it is the query itself and not the property of one distribution, also named
    `entry_points`."""
    return "self" not in frame.f_code.co_varnames[:1] or "group" in frame.f_code.co_varnames


def metadata_opened(report: "Any", path: str) -> None:
    """A file whose path looks like metadata is about to be opened."""
    folder = metadata_folder(path)
    if not folder:
        return
    if path.endswith("entry_points.txt"):
        frame = query_frame()
        if frame is not None:
            query_seen(report, frame)
            return
    report.once("metadata", os.path.abspath(folder))


def metadata_folder(path: str) -> str:
    """The `.dist-info` or `.egg-info` that a file lies in, or is; empty if neither."""
    if path.endswith(".egg-info"):
        return path
    folder = os.path.dirname(path)
    return folder if folder.endswith(ENDINGS) else ""


def query_seen(report: "Any", frame: "Any") -> None:
    """Record the group that a query asks for. One without a group is asked for it later, by
    `select` on what it gives."""
    values = frame.f_locals
    parameters = values.get("params", values)
    group = parameters.get("group")
    if isinstance(group, str):
        report.once("entry_points", group)
        return
    module = sys.modules.get(frame.f_globals["__name__"])
    if parameters or not hasattr(module, "EntryPoints"):
        report.once("entry_points", WHOLE)
        return
    watch_selection(report, module)


def distributions_asked(report: "Any", context: "Any") -> None:
    """`importlib.metadata` looks for one distribution by name, or for all of them."""
    name = getattr(context, "name", None)
    if name is not None:
        report.once("distribution", str(name))
        return
    frame = query_frame()
    if frame is not None:
        query_seen(report, frame)
        return
    report.once("enumeration", enumerating())


def enumerating() -> str:
    """Which function of the library enumerates the distributions."""
    frame: "Any" = sys._getframe(2)
    name = "distributions"
    for _ in range(FRAMES_AT_MOST):
        if frame is None:
            break
        if frame.f_globals.get("__name__") in LIBRARIES and frame.f_code.co_name[:1] not in "_<":
            name = frame.f_code.co_name
        frame = frame.f_back
    return name


def watch_selection(report: "Any", module: "Any") -> None:
    """Hear which groups are taken from entry points that were queried without a group."""
    for name in ("EntryPoints", "SelectableGroups"):
        kind = getattr(module, name, None)
        if kind is None or "_envstage_is_watched" in vars(kind):
            continue
        kind._envstage_is_watched = True
        if name == "EntryPoints":
            watch_method(kind, "select", lambda own, words: selected(report, words))
            watch_method(kind, "__iter__", lambda own, words: iterated(report, module, own))
        else:
            watch_groups(report, kind, module)


def watch_groups(report: "Any", kind: "Any", module: "Any") -> None:
    """The dictionary by group that Python 3.10 and 3.11 give."""

    def taken(own: "Any", words: "Any") -> None:
        if is_called_inside(module):
            return
        key = words.get("group", words.get(0))
        if isinstance(key, str):
            report.once("entry_points", key)

    def walked(own: "Any", words: "Any") -> None:
        if not is_called_inside(module):
            report.once("entry_points", WHOLE)

    for method in ("select", "get", "__getitem__", "__contains__"):
        watch_method(kind, method, taken)
    for method in ("__iter__", "keys", "values", "items"):
        watch_method(kind, method, walked)


def watch_method(kind: "Any", name: str, note: "Callable[[Any, Any], None]") -> None:
    """Call `note` with the object and the arguments before a method."""
    method = getattr(kind, name)

    def watched(self: "Any", *arguments: "Any", **named: "Any") -> "Any":
        words: "Any" = dict(enumerate(arguments))
        words.update(named)
        note(self, words)
        return method(self, *arguments, **named)

    watched.__name__ = name
    watched.__qualname__ = getattr(method, "__qualname__", name)
    watched.__doc__ = method.__doc__
    setattr(kind, name, watched)


def is_called_inside(module: "Any") -> bool:
    """Whether the watched method was called by its own module."""
    frame: "Any" = sys._getframe(3)
    return frame.f_globals is vars(module)


def selected(report: "Any", words: "Any") -> None:
    """`select(group=…)`; without a group, the iteration inside tells that all are looked at."""
    group = words.get("group")
    if isinstance(group, str):
        report.once("entry_points", group)


def iterated(report: "Any", module: "Any", points: "Any") -> None:
    """Entry points are walked through: all of them, unless they are those of one group or of
    one distribution, or `select` walks to take a group."""
    frame: "Any" = sys._getframe(3)  # past the note and the watched method
    words = frame.f_locals.get("params", {})
    if frame.f_globals is vars(module) and ("group" in words or not words):
        return
    if is_mixed(points):
        report.once("entry_points", WHOLE)


def is_mixed(points: "Any") -> bool:
    """Whether entry points are of several groups and several distributions."""
    listed = [points_at(points, position) for position in range(len(points))]
    groups = {point.group for point in listed}
    owners = {id(getattr(point, "dist", None)) for point in listed}
    return len(groups) > 1 and len(owners) > 1


def points_at(points: "Any", position: int) -> "Any":
    """One entry point, past the class's own idea of indexing."""
    base = tuple if isinstance(points, tuple) else list
    return base.__getitem__(points, position)


def watch_pkg_resources(report: "Any", spec: "Any") -> None:
    """`pkg_resources` answers from memory, so its queries are heard where they are made: the
    functions are wrapped when the module has been executed."""
    loader = spec.loader
    execute = getattr(loader, "exec_module", None)
    if execute is None:
        return

    def exec_module(module: "Any") -> None:
        del loader.exec_module
        execute(module)
        try:
            wrap_pkg_resources(report, module)
        except Exception as error:
            report.once("incomplete", "pkg_resources: %s" % type(error).__name__)

    loader.exec_module = exec_module


def wrap_pkg_resources(report: "Any", module: "Any") -> None:
    """Hear which distributions are required or found, and which groups are queried."""

    def found(own: "Any", words: "Any") -> None:
        key = getattr(words.get(0), "key", None)
        if key is not None:
            report.once("distribution", str(key))

    def resolved(own: "Any", words: "Any") -> None:
        requirements = list(words.get(0, ()))
        for requirement in requirements:
            report.once("distribution", str(requirement.key))

    def queried(own: "Any", words: "Any") -> None:
        report.once("entry_points", str(words.get("group", words.get(0, WHOLE))))

    kind = module.WorkingSet
    watch_method(kind, "find", found)
    watch_method(kind, "iter_entry_points", queried)
    watch_method(kind, "resolve", resolved)
    module.iter_entry_points = module.working_set.iter_entry_points
