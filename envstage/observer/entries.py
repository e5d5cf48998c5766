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
MAPPING = "packages_distributions"
# Others that answer a query for one group by walking through all distributions themselves; the
# group is a local name of these functions.
HOSTS = {
    "entrypoints": ("get_group_all", "get_group_named", "get_single"),
    "stevedore._cache": ("get_group_all", "get_group_named", "get_single"),
    "pluggy._manager": ("load_setuptools_entrypoints",),
    "pluggy.manager": ("load_setuptools_entrypoints",),
}
# Between a query and the file that it opens there are only these and the standard library.
HELPERS = ("importlib_metadata", "importlib", "zipp", "pkg_resources", "entrypoints", "stevedore")
STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
INSTALLED = (STANDARD + "site-packages" + os.sep, STANDARD + "dist-packages" + os.sep)
SITES = (os.sep + "site-packages", os.sep + "dist-packages")
WHOLE = "*"
FRAMES_AT_MOST = 60
ENDINGS = (".dist-info", ".egg-info", "EGG-INFO")


def query_frame() -> "Any":
    """The frame of a query for entry points that is being answered now, or None.

    The search ends at the first frame that is nobody's helper: a plugin that a host is loading
    asks for itself.
    """
    frame: "Any" = sys._getframe(1)
    for _ in range(FRAMES_AT_MOST):
        if frame is None:
            return None
        if is_query(frame):
            return frame
        if not is_helper(frame):
            return None
        frame = frame.f_back
    return None


def is_query(frame: "Any") -> bool:
    """Whether a frame is that of a function that answers a query."""
    module = frame.f_globals.get("__name__")
    name = frame.f_code.co_name
    if name in HOSTS.get(module, ()):
        return True
    return module in LIBRARIES and (name == MAPPING or (name in QUERIES and is_function(frame)))


def is_helper(frame: "Any") -> bool:
    """Whether a frame is of the standard library, of ours or of a library of metadata."""
    name = str(frame.f_globals.get("__name__", ""))
    if name.startswith("_envstage_observer") or name.partition(".")[0] in HELPERS:
        return True
    path = frame.f_code.co_filename
    return path.startswith(("<frozen ", STANDARD)) and not path.startswith(INSTALLED)


def is_function(frame: "Any") -> bool:
    """Whether it is the query itself and not the property of one distribution, also named
    `entry_points`."""
    return "self" not in frame.f_code.co_varnames[:1] or "group" in frame.f_code.co_varnames


def metadata_opened(report: "Any", path: str) -> None:
    """A file whose path looks like metadata is about to be opened."""
    folder = metadata_folder(path)
    if not folder:
        return
    frame = query_frame()
    if frame is not None and (path.endswith("entry_points.txt") or frame.f_code.co_name == MAPPING):
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
    `select` on what it gives; a mapping of modules, by its keys (see `providers`)."""
    values = frame.f_locals
    if frame.f_code.co_name == MAPPING:
        if not is_heard_later(frame):
            report.once("provider", WHOLE)
        return
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


def is_heard_later(frame: "Any") -> bool:
    """Whether `packages_distributions` was called through the function in its place."""
    caller = frame.f_back
    return caller is not None and caller.f_globals.get("__name__") == "_envstage_observer_providers"


def folder_listed(report: "Any", path: str) -> None:
    """A folder of installed packages is listed for a query, or by somebody who looks at
    everything that is there; or one of a namespace package, to find plugins in it."""
    path = os.path.abspath(path)
    if not path.endswith(SITES):
        if any(site + os.sep in path for site in SITES) and not os.path.exists(
            path + os.sep + "__init__.py"
        ):
            report.once("listing", path)
        return
    frame: "Any" = sys._getframe(1)
    for _ in range(FRAMES_AT_MOST):
        if frame is None or not is_helper(frame):
            break
        module = str(frame.f_globals.get("__name__", ""))
        if module in LIBRARIES or module.startswith(("importlib.", "_frozen_importlib")):
            return  # it has said what it looks for
        if is_query(frame):
            query_seen(report, frame)
            return
        frame = frame.f_back
    report.once("enumeration", "a listing of " + os.path.basename(path))


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
        if frame is None or not is_helper(frame):
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
            watch_property(report, kind, "groups", module)
            watch_method(kind, "select", lambda own, words: selected(report, words))
            watch_method(kind, "__iter__", lambda own, words: iterated(report, module, own))
        else:
            watch_groups(report, kind, module)


def watch_groups(report: "Any", kind: "Any", module: "Any") -> None:
    """The dictionary by group that Python 3.10 and 3.11 give."""

    def taken(own: "Any", words: "Any") -> None:
        if is_called_inside(module) or asker() in HOSTS:
            return
        key = words.get("group", words.get(0))
        if isinstance(key, str):
            report.once("entry_points", key)

    def walked(own: "Any", words: "Any") -> None:
        if not is_called_inside(module):
            report.once("entry_points", WHOLE)

    watch_property(report, kind, "groups", module)
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


def watch_property(report: "Any", kind: "Any", name: str, module: "Any") -> None:
    """Hear who reads a property that tells of all entry points."""
    plain = getattr(kind, name, None)
    if not isinstance(plain, property):
        return

    def watched(self: "Any") -> "Any":
        is_inside = sys._getframe(1).f_globals is vars(module)
        if not is_inside and asker() not in HOSTS and is_mixed(self):
            report.once("entry_points", WHOLE)
        return plain.__get__(self)

    setattr(kind, name, property(watched, doc=plain.__doc__))


def asker() -> str:
    """The module that asks a library of metadata something, through whatever of its functions."""
    frame: "Any" = sys._getframe(1)
    for _ in range(FRAMES_AT_MOST):
        if frame is None:
            break
        name = str(frame.f_globals.get("__name__", ""))
        if name not in LIBRARIES and not name.startswith("_envstage_observer"):
            return name
        frame = frame.f_back
    return ""


def is_called_inside(module: "Any") -> bool:
    """Whether the watched method was called by its own module."""
    frame: "Any" = sys._getframe(3)
    return frame.f_globals is vars(module)


def selected(report: "Any", words: "Any") -> None:
    """`select(group=…)`; without a group, the iteration inside tells that all are looked at."""
    group = words.get("group")
    if isinstance(group, str) and asker() not in HOSTS:
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
    if isinstance(points, dict):  # by group, of Python 3.10 and 3.11
        return True
    listed = [points_at(points, position) for position in range(len(points))]
    groups = {point.group for point in listed}
    owners = {id(getattr(point, "dist", None)) for point in listed}
    return len(groups) > 1 and len(owners) > 1


def points_at(points: "Any", position: int) -> "Any":
    """One entry point, past the class's own idea of indexing."""
    base = tuple if isinstance(points, tuple) else list
    return base.__getitem__(points, position)
