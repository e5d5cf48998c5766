"""What `envstage run` does for a receipt: its options, and when it is written.

Nothing of it is imported where no receipt is asked for: the command waits for every import.
"""

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from envstage.cli.output import note
from envstage.errors import EnvstageError
from envstage.project import Project
from envstage.runs.guard import Guarded, Runner
from envstage.world import World

if TYPE_CHECKING:
    from envstage.runs.witness import Witness


def add_receipt_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group("receipt")
    group.add_argument("--receipt", metavar="PATH", help="write the evidence of this run there")
    group.add_argument(
        "--attest", action="store_true", help="as an in-toto statement about what the run made"
    )
    group.add_argument(
        "--sign", metavar="KEY", help="signed: an ed25519 private key (PEM), or one of cosign's"
    )
    for option, help_text in (
        ("--deps", "files that it reads, beside those that dvc.yaml names"),
        ("--outs", "files that it makes, likewise"),
    ):
        group.add_argument(option, metavar="PATH", nargs="+", action="extend", help=help_text)


AS_IT_WAS: Final = "as it was"
"""The fate of a view for which a run does not speak."""
RESTATED: Final = "restated"
"""That of one that says what this machine is, without having been observed."""


class Evidence:
    """The receipt of one run of `envstage run`, if one was asked for."""

    def __init__(
        self,
        world: World,
        project: Project,
        arguments: argparse.Namespace,
        argv: Sequence[str],
        part: tuple[int, int],
    ) -> None:
        self._arguments = arguments
        self._argv = argv
        self._witness = _witness(world, project, arguments, part)

    def runner(self, run: Runner) -> Runner:
        """What runs the command: as given, or with a witness who looks on."""
        return run if self._witness is None else self._witness.watching(run)

    def write(
        self,
        guarded: Guarded,
        *,
        fate: str = AS_IT_WAS,
        doubts: Sequence[str] = (),
        drift: str = "",
    ) -> None:
        """Write the receipt, if one was asked for.

        Args:
            fate: what became of the view.
            drift: what changed while the command ran, in words.
        """
        if self._witness is None or self._witness.seen is None:
            return
        from envstage.runs.evidence import Outcome, receipt_of, stage_files
        from envstage.snapshot.files import write

        witness = self._witness
        outcome = Outcome(
            fate=fate,
            has_drifted=bool(drift),
            doubts=tuple(doubts),
            remarks=tuple(text for text in (guarded.mismatch, drift) if text),
        )
        deps, outs = self._arguments.deps or (), self._arguments.outs or ()
        files = stage_files(witness.world, witness.project, deps, outs)
        content = receipt_of(witness, guarded, self._argv, files, outcome)
        try:
            write(witness.wanted.path, content)
        except EnvstageError as error:
            if guarded.returncode == 0:
                raise
            note(f"no receipt: {error}")  # that the command failed is the error that counts


def _witness(
    world: World, project: Project, arguments: argparse.Namespace, part: tuple[int, int]
) -> "Witness | None":
    if arguments.receipt:
        from envstage.runs.witness import Wanted, Witness

        wanted = Wanted(
            path=os.path.abspath(arguments.receipt),
            is_attested=arguments.attest,
            sign=arguments.sign or "",
            part=part[0],
            parts=part[1],
        )
        return Witness(world, project, wanted, is_observed=not arguments.no_observe)
    if arguments.attest or arguments.sign or arguments.deps or arguments.outs:
        raise EnvstageError(
            "--attest, --sign, --deps and --outs are about a receipt",
            where="envstage run",
            fix="Say where it goes: --receipt PATH",
        )
    return None
