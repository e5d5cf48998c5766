"""Edits of YAML text by splicing: every byte that an edit is not about stays.

A round trip through a YAML library re-indents, drops quotes and reflows flow lists. Here the
parser only says where things stand; the text is cut and joined at those offsets. Then the text is
read again: it must differ in exactly what was asked, or the edit is refused and the user gets the
lines to write.

A file of many stages gets many edits, so they are made together: one reading to place them, one
to see what came of it.
"""

from envstage.errors import EnvstageError
from envstage.pipelines.yaml_batch import Batch
from envstage.pipelines.yaml_steps import AddEntry, AppendItem, Remove, ReplaceScalar, Step
from envstage.pipelines.yaml_tree import Path
from envstage.pipelines.yaml_values import Data

BOM = "\ufeff"


class Edits:
    """Edits of one text. An edit is made after those before it, by what the text then holds.

    An edit that is refused may be so at once, or when the text is asked for.
    """

    def __init__(self, text: str, *, name: str = "the file") -> None:
        self._bom = BOM if text.startswith(BOM) else ""
        self._text = text.removeprefix(BOM)
        self._name = name
        self._steps: list[Step] = []
        self._batch: Batch | None = None

    def add_entry(self, path: Path, key: str, value: Data) -> None:
        """Put an entry at the end of the mapping at `path`; missing mappings are added.

        An entry that is there and says the same is left alone.

        Raises:
            EnvstageError: the key is there with another value, or the text cannot be edited safely.
        """
        self._take(AddEntry(path=(*path, key), value=value))

    def append_item(self, path: Path, item: Data) -> None:
        """Put an item at the end of the sequence at `path`; a missing sequence is added.

        An equal item that is there already is enough.

        Raises:
            EnvstageError: something else than a sequence is there, or it cannot be edited safely.
        """
        self._take(AppendItem(path=path, item=item))

    def replace_scalar(self, path: Path, value: str) -> None:
        """Put another text at `path`, in the style of the old one where that can hold it.

        Where one of the two contains the other, only what differs is inserted or cut out.

        Raises:
            EnvstageError: no scalar is there, or it cannot be edited safely.
        """
        self._take(ReplaceScalar(path=path, value=value))

    def remove(self, path: Path) -> None:
        """Take the entry or item at `path` out; what is not there needs no removing.

        It goes with its lines and the comment behind it. A block collection that would be left
        empty goes too; a flow one stays as `[]`. Of several items of a list, the last goes first.
        """
        self._take(Remove(path=path))

    def has(self, path: Path) -> bool:
        """Whether something is at `path` by now."""
        if not self._planned().is_as_read(path):
            self._settle()
        return self._planned().at(path) is not None

    def text(self) -> str:
        """The text with all edits made."""
        self._settle()
        return self._bom + self._text

    def _take(self, step: Step) -> None:
        if self._steps and not _goes_with(self._planned(), step):
            self._settle()
        if not self._steps:
            step.plan(self._planned())
        self._steps.append(step)

    def _planned(self) -> Batch:
        if self._batch is None:
            self._batch = Batch(self._text, self._name)
        return self._batch

    def _settle(self) -> None:
        if not self._steps:
            return
        steps, self._steps = self._steps, []
        after, self._batch = self._planned().result(), None
        while after is None:
            # Some do not go together, or one of them cannot be made at all.
            self._text, steps = _begun(self._text, self._name, steps)
            after = _made(self._text, self._name, steps)
        self._text = after


def _goes_with(batch: Batch, step: Step) -> bool:
    try:
        return step.plan(batch)
    except EnvstageError:
        return False  # to be said only if those before it can be made


def _made(text: str, name: str, steps: list[Step]) -> str | None:
    """The text with all steps made together; nothing if they do not go together."""
    batch = Batch(text, name)
    return batch.result() if all(_goes_with(batch, step) for step in steps) else None


def _begun(text: str, name: str, steps: list[Step]) -> tuple[str, list[Step]]:
    """The text with as many of the first steps as go together, and the steps that are left.

    The steps as a whole do not. By halves, so that a file of many stages is read a few times.
    """
    least, most, after = 0, len(steps), text
    while most - least > 1:
        middle = (least + most) // 2
        made = _made(text, name, steps[:middle])
        if made is None:
            most = middle
        else:
            least, after = middle, made
    if least == 0:
        return _alone(text, name, steps[0]), steps[1:]
    return after, steps[least:]


def _alone(text: str, name: str, step: Step) -> str:
    """The text with one step made, in the first way that says what is asked.

    Raises:
        EnvstageError: there is none.
    """
    batch = Batch(text, name)
    step.plan(Batch(text, name))
    for way in step.ways(batch):
        after = _made(text, name, [way])
        if after is not None:
            return after
    raise step.refusal(batch)


# -- one edit ------------------------------------------------------------------------------------


def add_entry(text: str, path: Path, key: str, value: Data, *, name: str = "the file") -> str:
    """The text with an entry at the end of a mapping: see `Edits.add_entry`."""
    edits = Edits(text, name=name)
    edits.add_entry(path, key, value)
    return edits.text()


def append_item(text: str, path: Path, item: Data, *, name: str = "the file") -> str:
    """The text with an item at the end of a sequence: see `Edits.append_item`."""
    edits = Edits(text, name=name)
    edits.append_item(path, item)
    return edits.text()


def replace_scalar(text: str, path: Path, value: str, *, name: str = "the file") -> str:
    """The text with another text at a path: see `Edits.replace_scalar`."""
    edits = Edits(text, name=name)
    edits.replace_scalar(path, value)
    return edits.text()


def remove(text: str, path: Path, *, name: str = "the file") -> str:
    """The text without the entry or item at a path: see `Edits.remove`."""
    edits = Edits(text, name=name)
    edits.remove(path)
    return edits.text()
