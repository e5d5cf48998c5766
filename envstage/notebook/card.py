"""The card of an environment, and a table of differences, as HTML: values in, text out.

Everything that comes from the machine is escaped: a package's version is whatever its author
wrote. No script, no style sheet, nothing loaded: notebooks strip these, and the colours are the
page's own, light or dark.
"""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final

from envstage.snapshot.words import printable

_KEY_PACKAGES: Final = tuple(
    "torch tensorflow jax numpy scipy pandas scikit-learn transformers xgboost lightgbm".split()
)
_BOX: Final = (
    "font:13px/1.5 system-ui,sans-serif;border:1px solid #8886;border-radius:8px;"
    "padding:12px 16px;max-width:46em;overflow-wrap:anywhere"
)
_TERM: Final = "text-align:left;font-weight:600;padding:1px 16px 1px 0;vertical-align:top"
_CELL: Final = "text-align:left;padding:1px 0"
_NOTE: Final = "border-left:3px solid #d97706;padding-left:8px;margin:6px 0"
_CODE: Final = "font-family:ui-monospace,monospace;opacity:.75"


def card(fingerprint: str, level: str, info: Mapping[str, Any]) -> str:
    """The card: fingerprint, interpreter, machine, key packages; the others behind a fold."""
    notes = "".join(f'<div style="{_NOTE}">{_text(note)}</div>' for note in _notes(info))
    packages: Mapping[str, str] = info["packages"]
    listed = "".join(_row(name, version) for name, version in sorted(packages.items()))
    count = f"{len(packages)} packages"
    return (
        f'<div style="{_BOX}"><div><strong>Environment</strong> '
        f'<span style="{_CODE}" title="{_text(fingerprint)}">{_text(fingerprint[:14])}</span> '
        f'<span style="opacity:.75">level {_text(level)}</span></div>{notes}'
        f'<table style="border-collapse:collapse;margin:8px 0">'
        f"{''.join(_row(*row) for row in _rows(info))}</table>"
        f'<details><summary style="cursor:pointer">{count}</summary>'
        f'<table style="border-collapse:collapse;margin:4px 0">{listed}</table></details></div>'
    )


def comparison_table(old: str, new: str, rows: Iterable[tuple[str, str]]) -> str:
    """What differs, one row a thing."""
    body = "".join(_row(*row) for row in rows)
    title = f"{_text(old)} → {_text(new)}"
    if not body:
        return f'<div style="{_BOX}">No difference: {title}</div>'
    return (
        f'<div style="{_BOX}"><strong>{title}</strong>'
        f'<table style="border-collapse:collapse;margin:8px 0">{body}</table></div>'
    )


def _rows(info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Python", str(info["python_version_short"])
    yield "Platform", str(info["platform"])
    count = info["gpu_count"]
    yield "GPU", f"{count} × {info['gpu_name']}" if count else "none visible"  # noqa: RUF001
    if info["cuda_available"]:
        yield "CUDA, cuDNN", f"{info['cuda_version']}, {info['cudnn_version'] or 'unknown'}"
    for name in _KEY_PACKAGES:
        if name in info["packages"]:
            version = info["torch_version"] if name == "torch" else info["packages"][name]
            yield name, str(version)


def _notes(info: Mapping[str, Any]) -> list[str]:
    own = info.get("envstage", {})
    return [str(note) for note in own.get("notes", ())]


def _row(term: str, value: str) -> str:
    return (
        f'<tr style="background:none"><th style="{_TERM}">{_text(term)}</th>'
        f'<td style="{_CELL}">{_text(value)}</td></tr>'
    )


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
