"""Hosts of plugins that answer from memory: their queries are heard where they are made.

Runs inside the observed program (see `recorder`), loaded when one of these modules is imported:
its functions are wrapped when it has been executed.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

WHOLE = "*"


def after_execution(recorder: "Any", spec: "Any", wrap: "Callable[[Any], None]") -> None:
    """Call `wrap` with the module when the loader of this spec has executed it."""
    loader = spec.loader
    execute = getattr(loader, "exec_module", None)
    if execute is None:
        return

    def exec_module(module: "Any") -> None:
        del loader.exec_module
        execute(module)
        try:
            wrap(module)
        except Exception as error:
            recorder.incomplete(error)

    loader.exec_module = exec_module


def watch(recorder: "Any", name: str, spec: "Any") -> None:
    """Hear the queries of a module of this name, about to be loaded."""
    after_execution(recorder, spec, lambda module: WATCHED[name](recorder, module))


def wrap_pkg_resources(recorder: "Any", module: "Any") -> None:
    """Hear which distributions are required or found, which groups are queried, and whether
    all distributions are gone through."""
    report = recorder.report
    watch_method = recorder.part("entries")["watch_method"]

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

    def walked(own: "Any", words: "Any") -> None:
        if sys._getframe(2).f_globals is not vars(module):
            report.once("enumeration", "pkg_resources")

    kind = module.WorkingSet
    watch_method(kind, "__iter__", walked)
    watch_method(kind, "find", found)
    watch_method(kind, "iter_entry_points", queried)
    watch_method(kind, "resolve", resolved)
    module.iter_entry_points = module.working_set.iter_entry_points


def wrap_stevedore(recorder: "Any", module: "Any") -> None:
    """Hear which groups are taken from its cache, which may be a file."""
    cache = sys.modules.get("stevedore._cache")
    if cache is None:
        return

    def taken(own: "Any", words: "Any") -> None:
        recorder.report.once("entry_points", str(words.get("group", words.get(0, WHOLE))))

    recorder.part("entries")["watch_method"](cache.Cache, "get_group_all", taken)


def wrap_metadata(recorder: "Any", module: "Any") -> None:
    """Hear which names are looked up in the mapping from modules to distributions."""
    recorder.part("providers")["watch_mapping"](recorder.report, module)


WATCHED = {
    "pkg_resources": wrap_pkg_resources,
    "stevedore": wrap_stevedore,
    "importlib.metadata": wrap_metadata,
    "importlib_metadata": wrap_metadata,
}
