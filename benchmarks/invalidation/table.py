"""What the table is made of: rows, what happened to them, and the counts."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from benchmarks.invalidation.bench import Bench
from benchmarks.invalidation.stages import ALL, NONE

ENVSTAGE: Final = "envstage"
FREEZE: Final = "freeze"
ALONE: Final = "alone"
SUBJECTS: Final = (ENVSTAGE, FREEZE, ALONE)

BESIDE: Final = "beside"
REAL: Final = "real"
VIEWS: Final = "views"
SNAKEMAKE: Final = "snakemake"

Change = Callable[[Bench], object]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an environment, decided by hand.

    Attributes:
        name: what is changed.
        why: the reason for what should rerun.
        change: does it, for real.
        should: the stages that should rerun.
        first: changes made, and reproduced, before the one that is judged.
        back: the stages that should rerun when the change is taken back: none, since the results
            are in the run cache.
    """

    group: str
    name: str
    why: str
    change: Change
    should: frozenset[str] = NONE
    first: tuple[Change, ...] = ()
    back: frozenset[str] = NONE


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a row did.

    Attributes:
        did: by subject, the stages that reran.
        back: those that envstage reran when the change was taken back.
        kind: with the rivals beside, on real packages, on views, or under Snakemake.
        stages: those of its pipeline.
        planned: under Snakemake, the rules that a dry-run had named.
        unexplained: how many of those had no reason that names a view and facts.
    """

    row: Row
    did: Mapping[str, frozenset[str]]
    back: frozenset[str] = NONE
    kind: str = BESIDE
    stages: frozenset[str] = ALL
    planned: frozenset[str] | None = None
    unexplained: int = 0
    seconds: float = 0.0
    output: str = ""

    @property
    def missed(self) -> frozenset[str]:
        """Stages that envstage should have rerun."""
        return (self.row.should - self.did[ENVSTAGE]) | (self.row.back - self.back)

    @property
    def needless(self) -> frozenset[str]:
        """Stages that envstage should not have rerun, on the way there or back."""
        return (self.did[ENVSTAGE] - self.row.should) | (self.back - self.row.back)

    @property
    def is_right(self) -> bool:
        """Whether envstage did what should be done."""
        is_as_planned = self.planned is None or self.planned == self.did[ENVSTAGE]
        return not (self.missed or self.needless or self.unexplained) and is_as_planned


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The confusion counts of one subject, over pairs of a change and a stage."""

    rerun: int = 0
    kept: int = 0
    missed: int = 0
    needless: int = 0


def counts(results: Iterable[Result], subject: str) -> Counts:
    """Count what a subject did right and wrong on the way there."""
    rerun = kept = missed = needless = 0
    for result in results:
        if subject not in result.did:
            continue
        did, should = result.did[subject], result.row.should
        rerun += len(did & should)
        missed += len(should - did)
        needless += len(did - should)
        kept += len(result.stages - did - should)
    return Counts(rerun=rerun, kept=kept, missed=missed, needless=needless)
