"""Errors that people read: one line that says what, where and what to do."""

OK = 0
DIFFERS = 1
MISUSE = 2
INCOMPLETE = 3
REFUSED = 125


class EnvstageError(Exception):
    """A problem that a user can cause and mend.

    Args:
        what: what is wrong, as a sentence without its full stop.
        where: a file (with a line or key), a stage or an address; empty if there is none.
        fix: what to do about it, in the imperative or as a question; empty if nothing can be done.
    """

    exit_code = MISUSE

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        """The error in one line: where, what, what to do."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        fix = self.fix if not self.fix or self.fix.endswith("?") else f"{self.fix}."
        return " ".join(f"{text}. {fix}".split())


class CaptureError(EnvstageError):
    """A fact that a view needs could not be captured: nothing was written."""

    exit_code = INCOMPLETE


class DiffersError(EnvstageError):
    """This machine is not what the snapshot describes."""

    exit_code = DIFFERS


class NewerSchemaError(EnvstageError):
    """A document that a newer release wrote: it is not damaged, and not ours to replace."""


class RefusedError(EnvstageError):
    """The guard does not start the command."""

    exit_code = REFUSED
