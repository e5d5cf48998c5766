"""Rows: packages upgraded, downgraded, removed, appearing, reinstalled, replaced."""

from benchmarks.invalidation.bench import Bench
from benchmarks.invalidation.stages import (
    ARRAYS,
    FRAMES,
    GPU,
    LEARN,
    NONE,
    OPTIONAL,
    PLOT,
    REPORT,
)
from benchmarks.invalidation.table import Change, Row


def rows() -> tuple[Row, ...]:
    """Every row about packages that an index serves."""
    return (*_used(), *_unused(), *_removed(), *_appearing(), *_reinstalled(), *_builds())


def _put(*names: str, version: str = "1.0", **options: object) -> Change:
    return lambda bench: bench.put(*names, version=version, **options)


def _gone(*names: str) -> Change:
    return lambda bench: bench.venv.uninstall(*names)


def _row(group: str, name: str, change: Change, should: frozenset[str], why: str) -> Row:
    return Row(group=group, name=name, change=change, should=should, why=why)


def _used() -> tuple[Row, ...]:
    group = "used packages"
    new = "2.0"
    return (
        _row(group, "arrays upgraded", _put("arrays", version=new), ARRAYS,
             "five stages import it, most of them through another package"),
        _row(group, "arrays downgraded", _put("arrays", version="0.9"), ARRAYS, "as an upgrade"),
        _row(group, "framekit upgraded", _put("framekit", version=new), frozenset({FRAMES}),
             "one stage imports it"),
        _row(group, "learnkit upgraded", _put("learnkit", version=new), frozenset({LEARN}),
             "one stage imports it"),
        _row(group, "plotkit upgraded", _put("plotkit", version=new), frozenset({PLOT}),
             "one stage imports it"),
        _row(group, "summariser upgraded", _put("summariser", version=new), frozenset({REPORT}),
             "it brings the console script that the stage runs"),
        _row(group, "gpukit upgraded", _put("gpukit", version=new), frozenset({GPU}),
             "one stage imports it"),
        _row(group, "nspkg-core upgraded", _put("nspkg-core", version=new), frozenset({OPTIONAL}),
             "one stage imports this part of a namespace package"),
        _row(group, "sixish upgraded", _put("sixish", version=new), frozenset({FRAMES}),
             "imported by dateparse, which framekit imports"),
        _row(group, "zones downgraded", _put("zones", version="0.1"), frozenset({FRAMES}),
             "imported by dateparse, which framekit imports"),
        _row(group, "science upgraded", _put("science", version=new), frozenset({LEARN}),
             "imported by learnkit"),
        _row(group, "clickish upgraded", _put("clickish", version=new), frozenset({REPORT}),
             "imported by the console script"),
        _row(group, "joblike to a post release", _put("joblike", version="1.0.post1"),
             frozenset({LEARN}), "another release, imported by learnkit"),
        _row(group, "gpukit to a local version", _put("gpukit", version="1.0+cu121"),
             frozenset({GPU}), "another build under another local version"),
        _row(group, "arrays and webthing upgraded", _put("arrays", "webthing", version=new),
             ARRAYS, "one of the two is used"),
    )  # fmt: skip


def _unused() -> tuple[Row, ...]:
    group = "unused packages"
    unused = ("webthing", "webcore", "linterish", "tabletypes")
    return (
        _row(group, "webthing upgraded", _put("webthing", version="2.0"), NONE,
             "nobody imports it"),
        _row(group, "webthing downgraded", _put("webthing", version="0.9"), NONE,
             "nobody imports it"),
        _row(group, "webcore upgraded", _put("webcore", version="2.0"), NONE,
             "below a package that nobody imports"),
        _row(group, "tabletypes upgraded", _put("tabletypes", version="2.0"), NONE,
             "framekit requires it and never imports it"),
        _row(group, "linterish upgraded", _put("linterish", version="2.0"), NONE, "a dev tool"),
        _row(group, "all that nobody imports upgraded", _put(*unused, version="2.0"), NONE,
             "nobody imports them"),
        _row(group, "new dev tools", _put("testrunner", "notebookish"), NONE,
             "nobody looked for them"),
    )  # fmt: skip


def _removed() -> tuple[Row, ...]:
    group = "removed packages"
    return (
        _row(group, "framekit removed", _gone("framekit"), frozenset({FRAMES}),
             "the stage fails without it, and must"),
        _row(group, "zones removed", _gone("zones"), frozenset({FRAMES}),
             "below framekit: the stage fails"),
        _row(group, "threadctl removed", _gone("threadctl"), frozenset({LEARN}),
             "learnkit imports it: the stage fails"),
        _row(group, "webthing removed", _gone("webthing"), NONE, "nobody imports it"),
        _row(group, "linterish and tabletypes removed", _gone("linterish", "tabletypes"), NONE,
             "nobody imports them, though framekit requires one"),
    )  # fmt: skip


def _appearing() -> tuple[Row, ...]:
    group = "new packages"
    return (
        _row(group, "bottle appears", _put("bottle"), frozenset({FRAMES}),
             "framekit looked for it in vain, and uses it now"),
        _row(group, "bottle appears in bottle-fork", _put("bottle-fork"), frozenset({FRAMES}),
             "the module counts, not the distribution's name"),
        _row(group, "jsonfast appears", _put("jsonfast"), frozenset({OPTIONAL}),
             "the stage looked for it in vain, and uses it now"),
        _row(group, "nspkg-extra appears", _put("nspkg-extra"), frozenset({OPTIONAL}),
             "a part of a namespace package that was looked up in vain"),
        _row(group, "a plugin in a queried group", _put("backend-new"), frozenset({PLOT}),
             "plotkit lists the group's entries"),
        _row(group, "a plugin in an unqueried group", _put("webplugin"), NONE,
             "nobody asks for webthing.plugins"),
        _row(group, "a plugin of a queried group upgraded", _put("backend-agg", version="2.0"),
             NONE, "its entry is as it was, and its code was not loaded"),
        _row(group, "a plugin of a queried group removed", _gone("backend-agg"),
             frozenset({PLOT}), "plotkit lists the group's entries"),
        Row(group=group, name="bottle upgraded after it appeared", first=(_put("bottle"),),
            change=_put("bottle", version="2.0"), should=frozenset({FRAMES}),
            why="it is used since it appeared"),
    )  # fmt: skip


def _reinstalled() -> tuple[Row, ...]:
    group = "reinstalled"
    same = "the same files under the same names"

    def by_pip(bench: Bench) -> None:
        bench.venv.pip_install(bench.wheel("arrays"))

    def all_by_pip(bench: Bench) -> None:
        bench.rebuild(pip=True)

    def from_a_file(bench: Bench) -> None:
        bench.venv.install_direct(bench.wheel("arrays"))

    return (
        _row(group, "arrays reinstalled by pip", by_pip, NONE, same),
        _row(group, "arrays reinstalled by uv", _put("arrays"), NONE, same),
        _row(group, "arrays from a file", from_a_file, NONE, same + "; origin is for rebuilding"),
        _row(group, "everything rebuilt by pip", all_by_pip, NONE, same),
        _row(group, "everything rebuilt by uv", lambda bench: bench.rebuild(), NONE, same),
        _row(group, "everything rebuilt elsewhere", lambda bench: bench.rebuild("elsewhere/venv"),
             NONE, same + ", at another path"),
    )  # fmt: skip


def _builds() -> tuple[Row, ...]:
    group = "another build of the same version"
    words = "a longer description"

    def compiled_again(bench: Bench) -> None:
        bench.put("threadctl", extra={"threadctl/_native.so": "compiled again, elsewhere"})

    return (
        _row(group, "arrays with other code", _put("arrays", code="fast = True\n"), ARRAYS,
             "the version is not the identity, the files are"),
        _row(group, "arrays with other data", _put("arrays", extra={"arrays/table.json": "{1}"}),
             ARRAYS, "data in a package acts like code"),
        _row(group, "arrays with another README", _put("arrays", description=words), NONE,
             "nobody reads its metadata"),
        _row(group, "arrays with another build tag", _put("arrays", build="2"), NONE,
             "the same files"),
        _row(group, "summariser with another README", _put("summariser", description=words),
             frozenset({REPORT}), "the run read this distribution's METADATA: it may print it"),
        _row(group, "webthing with other code", _put("webthing", code="fast = True\n"), NONE,
             "nobody imports it"),
        _row(group, "threadctl compiled again here", compiled_again, NONE,
             "one source compiled twice gives other bytes (a wheel of no index's platform tag)"),
        _row(group, "threadctl compiled from other code", _put("threadctl", code="fast = True\n"),
             frozenset({LEARN}), "other source"),
    )  # fmt: skip
