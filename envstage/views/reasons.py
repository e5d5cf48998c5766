"""Why a fact is in a view, and what was left out: for people."""

from collections.abc import Iterable, Mapping

import msgspec

from envstage.config import View
from envstage.facets import catalogue
from envstage.snapshot.model import Address, Facts, Value, covered
from envstage.snapshot.words import value_text
from envstage.views import archive
from envstage.views.document import OBSERVED, ViewDocument
from envstage.views.selection import GPU, USES_GPU, USES_PROGRAMS, selection_of


class Reasoned(msgspec.Struct, frozen=True, kw_only=True):
    """One fact or package of a view, its value in words, and why it is there."""

    subject: str
    value: str
    reason: str


def reasons(
    document: ViewDocument, view: View, source: str, known: Mapping[str, str]
) -> tuple[Reasoned, ...]:
    """Every fact with the reason that it is there; the facts of one package are one entry.

    Args:
        source: the configuration's file, for what `include` names.
        known: what the run was seen to do, by written address (`packages.numpy`).
    """
    found: dict[str, Reasoned] = {}
    for address, value in sorted(document.facts.items()):
        subject = _subject(address)
        if subject in found and address[-1] != "version":
            continue
        found[subject] = Reasoned(
            subject=subject,
            value=value_text(value),
            reason=known.get(subject) or _reason(address, value, document, view, source),
        )
    return tuple(found.values())


def known_reasons(
    state: str, environment: str, name: str, document: ViewDocument
) -> Mapping[str, str]:
    """What was seen in the run that finalised a view; nothing where its record is gone."""
    for each in archive.read(state, environment, name):
        if each.view == document or selection_of(each.view) == selection_of(document):
            return each.reasons
    return {}


def left_out(document: ViewDocument, snapshot_facts: Facts) -> int:
    """How many installed packages the view does not depend on."""
    return len(_packages(snapshot_facts) - _packages(document.facts))


def _reason(address: Address, value: Value, document: ViewDocument, view: View, source: str) -> str:
    if covered(view.include, address):
        return f"included by {source or 'the configuration'}"
    facet = address[0]
    if facet == "packages":
        return _package_reason(address, value, document)
    if facet == "modules":
        return "looked up and not found" if value is None else "looked up; this is what it means"
    if facet == "entry_points":
        return "the run asked who is in this group"
    if facet == "providers":
        return "the run asked which package provides this module"
    if facet == "files":
        return "loaded from outside the environment and the repository"
    if document.selection == OBSERVED and (used := _use_reason(address)):
        return used
    level = catalogue.level_of(address)
    return f"level {level.word}" if level is not None else "selected"


def _use_reason(address: Address) -> str:
    """Why an observed view has a fact of no package; empty where its level alone is the reason."""
    if address == USES_GPU or address[:2] in GPU:
        return "the run used the GPU, or programs that may have"
    if address == USES_PROGRAMS or address[0] == "tools":
        return "the run started programs other than Python, which nobody can look into"
    return "the run may have read it" if address[0] == "variables" else ""


def _package_reason(address: Address, value: Value, document: ViewDocument) -> str:
    if document.selection != OBSERVED:
        return "a wide view takes every package"
    if len(address) == 2 or value is None:
        return "asked for, and not installed"
    if (*address[:2], "metadata") in document.facts:
        return "used, and its metadata was read"
    return "used by the last run"


def _subject(address: Address) -> str:
    grouped = address[0] in ("packages", "conda", "tools") and len(address) > 2
    return ".".join(address[:2] if grouped else address)


def _packages(addresses: Iterable[Address]) -> set[str]:
    return {each[1] for each in addresses if each[0] == "packages"}
