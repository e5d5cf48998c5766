"""What came of a rebuild, for people and for programs."""

import os
import shlex
from collections.abc import Iterator, Sequence
from typing import Any, Final

from envstage.recreate.rebuild import Rebuilt
from envstage.recreate.verdicts import Judged, Verdict, settable
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Snapshot, written
from envstage.snapshot.words import printable, value_text

_SHOWN: Final = 20


def summary(rebuilt: Rebuilt, snapshot: Snapshot) -> list[str]:
    """What matches, what does not, what cannot come back from here, and what to do."""
    lines = [_headline(rebuilt)]
    if not rebuilt.is_exact_interpreter:
        wanted = value_text(snapshot.facts.get(("python", "version")))
        lines.append(f"  python: {rebuilt.interpreter.version} instead of {wanted}")
    lines += [f"  {text}" for text in _wrong(rebuilt)]
    others = [each for each in rebuilt.elsewhere if each.address[0] not in ("variables", "conda")]
    if others:
        lines.append("not the environment's, but this machine's:")
    for other in others:
        lines.append(
            f"  {printable(written(other.address))}: {value_text(other.found)} here, "
            f"{value_text(other.wanted)} there: {other.advice}"
        )
    return lines


def way_back(
    rebuilt: Rebuilt, snapshot: Snapshot, revision: str | None, *, uses_dvc: bool
) -> list[str]:
    """The rest of the way to that commit's run, as commands."""
    lines = [_activation(rebuilt)]
    variables = settable(snapshot.facts, rebuilt.capture.facts)
    lines += [f"export {name}={shlex.quote(text)}" for name, text in variables.items()]
    if revision is not None:
        lines.append(f"git checkout {shlex.quote(revision)}")
    if uses_dvc:
        # envstage, and what only envstage needs, is in no snapshot.
        lines.append("envstage --version || pip install envstage")
        lines += ["dvc pull --run-cache", "dvc repro"]
    return lines


def as_json(rebuilt: Rebuilt, snapshot: Snapshot) -> dict[str, Any]:
    """The outcome as a document."""
    return {
        "fingerprint": snapshot_fingerprint(snapshot),
        "folder": rebuilt.folder if rebuilt.is_kept else None,
        "is_exact_interpreter": rebuilt.is_exact_interpreter,
        "machine": [
            {
                "address": written(each.address),
                "advice": each.advice,
                "here": value_text(each.found),
                "there": value_text(each.wanted),
            }
            for each in rebuilt.elsewhere
        ],
        "packages": [
            {"name": each.name, "reason": reason(rebuilt, each), "verdict": each.verdict.value}
            for each in rebuilt.judged
        ],
        "python": rebuilt.interpreter.version,
        "reproduced": rebuilt.is_good,
    }


def counts(judged: Sequence[Judged]) -> str:
    """`12 packages as they were (1 of them: same source, own build), 1 not`."""
    good = [each for each in judged if each.verdict.is_good]
    text = f"{len(good)} of {len(judged)} packages as they were"
    special = [
        f"{sum(each.verdict is verdict for each in good)} {verdict.value}"
        for verdict in (Verdict.OWN_BUILD, Verdict.SAME_VERSION, Verdict.OTHER_INSTALLER)
        if any(each.verdict is verdict for each in good)
    ]
    return text + (f" ({', '.join(special)})" if special else "")


def reason(rebuilt: Rebuilt, judged: Judged) -> str:
    """Why a package is not as it was; empty where it is."""
    why = {each.name: each.why for each in rebuilt.plan.refused}
    if judged.verdict is Verdict.MISSING:
        return printable(why.get(judged.name, judged.words))
    return printable(judged.words)


def _activation(rebuilt: Rebuilt) -> str:
    if rebuilt.conda is not None:
        program = os.path.basename(rebuilt.conda)
        return f"{shlex.quote(program)} activate {shlex.quote(rebuilt.folder)}"
    return f". {shlex.quote(os.path.join(rebuilt.folder, 'bin', 'activate'))}"


def _headline(rebuilt: Rebuilt) -> str:
    text = counts(rebuilt.judged)
    if rebuilt.is_good:
        return f"recreated in {rebuilt.folder}: {text}"
    kept = f"kept in {rebuilt.folder}" if rebuilt.is_kept else "not kept (--keep keeps it)"
    return f"not recreated: {text}; {kept}"


def _wrong(rebuilt: Rebuilt) -> Iterator[str]:
    wrong = [each for each in rebuilt.judged if not each.verdict.is_good]
    for each in wrong[:_SHOWN]:
        yield f"{each.name}: {reason(rebuilt, each)}"
    if len(wrong) > _SHOWN:
        yield f"and {len(wrong) - _SHOWN} more"
    for other in (each for each in rebuilt.elsewhere if each.address[0] == "conda"):
        yield (
            f"{printable(written(other.address))}: {value_text(other.found)} instead of "
            f"{value_text(other.wanted)}"
        )
