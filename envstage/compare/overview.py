"""An environment on one screen: what people ask first, in the order in which they ask."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from envstage.compare.differences import rank
from envstage.compare.report import Place
from envstage.compare.styled import Row, Style, cells, folded, padded
from envstage.snapshot.model import Facts, NotApplicable, Unknown, Value, written
from envstage.snapshot.words import printable, value_text

_ALL_AT_MOST: Final = 12
_LABEL: Final = 14


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be shown."""

    place: Place
    facts: Facts
    environment: str = ""
    selection: str = ""
    anomalies: Sequence[str] = ()


def overview_rows(overview: Overview, width: int) -> tuple[Row, ...]:
    """The overview, at most `width` columns wide."""
    facts = overview.facts
    rows: list[Row] = [((line, Style.TITLE),) for line in folded(_title(overview), width)]
    sections: list[tuple[str, list[str]]] = [
        ("", [_origin(overview)]),
        ("interpreter", list(_interpreter(facts))),
        ("packages", list(_packages(facts))),
        ("GPU", list(_gpu(facts))),
        ("CUDA", list(_cuda(facts))),
        ("processor", list(_processor(facts))),
        ("system", list(_system(facts))),
        ("variables", list(_named(facts, "variables", "="))),
        ("tools", list(_tools(facts))),
        ("looked up", list(_lookups(facts))),
        ("anomalies", [printable(each) for each in overview.anomalies]),
        ("unknown", list(_unknown(facts))),
    ]
    for label, lines in sections:
        rows += _section(label, lines, width)
    return tuple(rows)


def _section(label: str, lines: list[str], width: int) -> Iterator[Row]:
    style = Style.UNKNOWN if label in ("anomalies", "unknown") else Style.STRONG
    for number, line in enumerate(lines):
        for part, text in enumerate(folded(line, width - _LABEL)):
            head = label if number == 0 and part == 0 else ""
            yield ((padded(head, _LABEL), style), (text, None))


def _title(overview: Overview) -> str:
    place = overview.place
    if place.format == "view":
        head = f"view, {overview.selection}"
    elif overview.environment:
        head = f"environment {printable(overview.environment)}"
    else:
        head = place.format
    return f"{head}  {place.fingerprint[:14]}" if place.fingerprint else head


def _origin(overview: Overview) -> str:
    place = overview.place
    level = f"level {place.level}, " if place.fingerprint else ""
    return f"{level}{printable(place.label)}"


def _interpreter(facts: Facts) -> Iterator[str]:
    version = facts.get(("python", "version"))
    if version is None:
        return
    words = [value_text(facts.get(("python", "implementation"), "python")), value_text(version)]
    if abi := facts.get(("python", "abi")):
        words.append(f"({value_text(abi)})")
    words += [
        text
        for name, text in (("free_threading", "free-threaded"), ("debug", "debug build"))
        if facts.get(("python", name)) is True
    ]
    yield " ".join(words)


def _packages(facts: Facts) -> Iterator[str]:
    versions = {facet: _versions(facts, facet) for facet in ("packages", "conda")}
    for facet, found in versions.items():
        if not found:
            continue
        key = [name for name in found if rank((facet, name, "version"))[1] == 0]
        shown = list(found) if len(found) <= _ALL_AT_MOST else key
        if len(shown) < len(found):
            word = f"{len(found)}" if facet == "packages" else f"{len(found)} from conda"
            yield f"{word}; `--all` lists them" if not shown else f"{word}, of which"
        elif facet == "conda":
            yield "from conda"
        widest = max((cells(name) for name in shown), default=0)
        for name in shown:
            yield f"{padded(name, widest)}  {found[name]}"


def _versions(facts: Facts, facet: str) -> dict[str, str]:
    found = {}
    for address, value in sorted(facts.items()):
        if address[0] != facet or len(address) < 2:
            continue
        if address[2:] == ("version",) or len(address) == 2:
            found[printable(address[1])] = "absent" if value is None else value_text(value)
    return found


def _gpu(facts: Facts) -> Iterator[str]:
    gpu = _below(facts, "hardware", "gpu")
    if not gpu:
        return
    models = gpu.get("visible") or gpu.get("models")
    if models is None:
        yield "none visible"
    elif not isinstance(models, Unknown | NotApplicable):
        yield value_text(models)
    else:
        yield value_text(models)
        return
    if isinstance(driver := gpu.get("driver"), str):
        newest = gpu.get("cuda_driver")
        upto = f", CUDA up to {value_text(newest)}" if isinstance(newest, str) else ""
        yield f"driver {value_text(driver)}{upto}"


def _cuda(facts: Facts) -> Iterator[str]:
    groups = (
        ("compiled", "compiled for"),
        ("cudnn_compiled", "cuDNN compiled for"),
        ("shipped", "shipped"),
        ("system", "on the system"),
    )
    for group, words in groups:
        found = _below(facts, "hardware", "cuda", group)
        listed = ", ".join(
            f"{printable(name)} {value_text(value)}"
            for name, value in found.items()
            if value is not None
        )
        if listed:
            yield f"{words}: {listed}"


def _processor(facts: Facts) -> Iterator[str]:
    cpu = _below(facts, "hardware", "cpu")
    if cpu:
        yield ", ".join(value_text(value) for value in cpu.values())
    threads = _below(facts, "hardware", "threads")
    if threads:
        listed = ", ".join(f"{name} {value_text(value)}" for name, value in threads.items())
        yield f"threads: {listed}"


def _system(facts: Facts) -> Iterator[str]:
    found = _below(facts, "system")
    # The release says the family as well.
    family = () if isinstance(found.get("distribution"), str) else ("os",)
    order = ("distribution", *family, "architecture", "libc", "kernel")
    first = [value_text(found[name]) for name in order if found.get(name) is not None]
    if first:
        yield ", ".join(first)
    for name, value in found.items():
        if name == "os" or name in order or name.startswith("packages."):
            continue
        if value is not None and not isinstance(value, NotApplicable):
            yield f"{printable(name)} {value_text(value)}"


def _tools(facts: Facts) -> Iterator[str]:
    for name, value in _below(facts, "tools").items():
        if name.endswith(".version") or value is None:
            yield f"{printable(name.removesuffix('.version'))}: {value_text(value)}"


def _lookups(facts: Facts) -> Iterator[str]:
    """What an observed view asks of names: the files and modules that its run looked up."""
    for group in ("modules", "entry_points", "files"):
        found = _below(facts, group)
        if found:
            listed = ", ".join(
                f"{printable(name)} ({'absent' if value is None else value_text(value)})"
                for name, value in found.items()
            )
            yield f"{group.replace('_', ' ')}: {listed}"


def _named(facts: Facts, facet: str, sign: str) -> Iterator[str]:
    for name, value in _below(facts, facet).items():
        yield f"{printable(name)}{sign}{value_text(value)}"


def _unknown(facts: Facts) -> Iterator[str]:
    for address, value in sorted(facts.items()):
        if isinstance(value, Unknown):
            yield f"{printable(written(address))}: {printable(value.why)}"


def _below(facts: Facts, *prefix: str) -> Mapping[str, Value]:
    length = len(prefix)
    return {
        written(address[length:]): value
        for address, value in sorted(facts.items())
        if address[:length] == prefix and len(address) > length
    }
