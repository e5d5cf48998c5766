"""A receipt, and lists of them, as people read them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from envstage.compare.styled import Row, Style, cells, folded, padded
from envstage.receipts.check import outcome_words, short
from envstage.receipts.document import Sealed
from envstage.receipts.model import Artifact, Command, Observed, Process, Receipt
from envstage.snapshot.words import printable

_LABEL: Final = 14
_ID: Final = 12
_FINGERPRINT: Final = 14
_LISTED_AT_MOST: Final = 12


def receipt_rows(sealed: Sealed, width: int) -> tuple[Row, ...]:
    """One receipt, at most `width` columns wide."""
    receipt = sealed.receipt
    rows: list[Row] = [((_title(receipt, sealed), Style.TITLE),)]
    sections: list[tuple[str, Sequence[str]]] = [
        ("", [_when(receipt)]),
        ("command", [_command(each) for each in receipt.commands]),
        ("view", [_view(receipt)]),
        ("environment", list(_environment(receipt))),
        ("made", [_artifact(each) for each in receipt.outs]),
        ("read", [_artifact(each) for each in receipt.deps]),
        ("parameters", [_parameters(each.file, each.keys) for each in receipt.parameters]),
        *(section for each in receipt.commands for section in _observed(each.observed)),
        ("where", list(_where(receipt.context))),
        ("remarks", list(receipt.remarks)),
        ("not seen", list(_unseen(receipt))),
    ]
    for label, lines in sections:
        rows += _section(label, lines, width)
    return tuple(rows)


def outs_words(receipt: Receipt) -> str:
    """What a run made, in one line."""
    made = [each for each in receipt.outs if each.kind in ("file", "folder")]
    words = [f"{each.path} {(each.sha256 or each.dir_hash or '')[:8]}" for each in made[:2]]
    return ", ".join([*words, *([f"and {len(made) - 2} more"] if len(made) > 2 else [])])


def environment_of(receipt: Receipt) -> str:
    """The fingerprint of the whole environment; empty where the receipt has none."""
    snapshot = receipt.snapshot or {}
    return str(snapshot.get("fingerprint") or "")


def _section(label: str, lines: Sequence[str], width: int) -> Iterator[Row]:
    style = Style.UNKNOWN if label in ("remarks", "not seen") else Style.STRONG
    for number, line in enumerate(lines):
        for part, text in enumerate(folded(printable(line), max(width - _LABEL, 20))):
            head = label if number == 0 and part == 0 else ""
            yield ((padded(head, _LABEL), style), (text, None))


def _title(receipt: Receipt, sealed: Sealed) -> str:
    stage = f" of {receipt.run.stage}" if receipt.run.stage else ""
    words = {"receipt": "", "statement": ", attested", "envelope": ", signed"}
    form = words[sealed.form]
    return printable(
        f"run {receipt.run.id[:_ID]}{stage}, {outcome_words(receipt).removeprefix('which ')}{form}"
    )


def _when(receipt: Receipt) -> str:
    engine = f", started by {receipt.run.engine}" if receipt.run.engine else ""
    return f"{receipt.run.start} to {receipt.run.end}{engine}"


def _command(each: Command) -> str:
    end = f"  (killed by {each.signal})" if each.signal else f"  (exit code {each.exit_code})"
    folder = "" if each.folder == "." else f"  in {each.folder}"
    return " ".join(each.argv) + folder + (end if each.exit_code else "")


def _view(receipt: Receipt) -> str:
    view = receipt.view
    return f"{view.name}  {view.fingerprint[:_FINGERPRINT]}  ({view.fate}; {view.file})"


def _environment(receipt: Receipt) -> Iterator[str]:
    snapshot = receipt.snapshot
    if snapshot is None:
        return
    facts = snapshot.get("facts") or {}
    packages = facts.get("packages") or {}
    python = (facts.get("python") or {}).get("version")
    yield (
        f"{snapshot.get('environment')}  {environment_of(receipt)[:_FINGERPRINT]}  "
        f"(Python {python}, {_plural(len(packages), 'package')}, level {snapshot.get('level')})"
    )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _artifact(each: Artifact) -> str:
    digest = each.sha256 or each.dir_hash
    if digest is None:
        return f"{each.path}: {each.why}"
    count = f", {_plural(each.file_count, 'file')}" if each.file_count is not None else ""
    return f"{each.path}  {short(digest)}  ({each.size_bytes} bytes{count})"


def _parameters(file: str, keys: Sequence[str]) -> str:
    more = f" and {len(keys) - 6} more" if len(keys) > 6 else ""
    return f"{file}: {', '.join(keys[:6])}{more}"


def _observed(observed: Observed | None) -> Iterator[tuple[str, Sequence[str]]]:
    if observed is None:
        return
    yield "packages", [_packages(observed)]
    yield "not found", [", ".join(observed.names)] if observed.names else []
    yield "variables", [f"{name}={value}" for name, value in observed.variables.items()]
    yield "programs", [", ".join(observed.programs)] if observed.programs else []
    yield "GPU", [", ".join(observed.gpu)] if observed.gpu else []
    yield (
        "libraries",
        [
            f"{each.kind}: {each.name} {each.version or '(version not known)'}"
            + (f"  ({each.package})" if each.package else "")
            for each in observed.libraries
        ],
    )
    yield "processes", [line for each in observed.processes for line in _process(each)]


def _packages(observed: Observed) -> str:
    words = [f"{name} {version or '(absent)'}" for name, version in observed.packages.items()]
    return ", ".join(words) or "none"


def _process(each: Process) -> Iterator[str]:
    times = f" ({each.count} times)" if each.count > 1 else ""
    yield f"{each.program}{times}, Python {each.python}" + (
        f": {each.unseen}" if each.unseen else ""
    )
    for pool in each.pools:
        yield f"  {pool.api} {pool.version or ''}: {pool.threads} threads".replace(" :", ":")
    words = [f"{name}={_plain(value)}" for name, value in each.settings.items()]
    if words:
        yield "  " + ", ".join(words)


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _where(context: dict[str, Any]) -> Iterator[str]:
    host, user = context.get("host"), context.get("user")
    yield f"host {host or '(not known)'}, user {user or '(not known)'}"
    code = context.get("code") or {}
    if code.get("commit"):
        dirty = {True: ", with uncommitted changes", False: "", None: ", changes not known"}
        yield f"commit {code['commit'][:12]} on {code.get('branch')}{dirty[code.get('dirty')]}"
    facts = context.get("facts") or {}
    system, hardware = facts.get("system") or {}, facts.get("hardware") or {}
    packages = system.get("packages") or {}
    memory = hardware.get("memory_bytes")
    words = [
        f"kernel {system['kernel']}" if system.get("kernel") else "",
        f"{memory / 2**30:.1f} GiB of memory" if isinstance(memory, int) else "",
        f"{len(packages)} OS packages" if isinstance(packages, dict) and packages else "",
    ]
    yield ", ".join(word for word in words if word)


def _unseen(receipt: Receipt) -> Iterator[str]:
    yield from receipt.unseen
    for each in receipt.commands:
        if each.observed is not None:
            yield from each.observed.doubts
            yield from each.observed.unseen


def table_rows(lines: Sequence[Sequence[str]], styles: Sequence[Style | None]) -> tuple[Row, ...]:
    """Columns as wide as their widest cell."""
    safe = [[printable(cell) for cell in line] for line in lines]
    widths = [
        max((cells(cell) for cell in column), default=0) for column in zip(*safe, strict=True)
    ]
    return tuple(
        tuple(
            (padded(cell, width + 2), style)
            for cell, width, style in zip(line, widths, styles, strict=True)
        )
        for line in safe
    )
