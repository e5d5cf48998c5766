"""The repository's past, through Git's plumbing: objects, revisions, the commits of a path.

A repository's own configuration may name programs (`core.fsmonitor`, `diff.*.textconv`,
`diff.external`, `gpg.program`, a promisor remote's transport). Nothing here starts them: blobs
are read by `cat-file`, which applies no filter, the index is never looked at, signatures are not
shown, and objects that are not here are not fetched.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from envstage.errors import EnvstageError
from envstage.world import TimedOut, World

_TIMEOUT_S: Final = 60
_SETTINGS: Final = (
    # Case 20: a container's Git does not trust a checkout of another user's.
    "safe.directory=*",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "log.showSignature=false",
    "log.mailmap=false",
    "log.follow=false",
    "protocol.allow=never",
)
_ENVIRON: Final = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # `git replace` would show another file under a commit's name.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
# A Git hook's surroundings name its own repository and index; here the folder says which is meant.
_DROPPED: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_EXTERNAL_DIFF")
_COMMIT_FORMAT: Final = "%H%x00%P%x00%aI%x00%an%x00%s"


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit. Author and subject are anybody's text."""

    id: str
    parent: str
    time: str
    author: str
    subject: str


class Git:
    """The repository around a folder. Paths are relative to that folder, with `/`."""

    def __init__(self, world: World, folder: str) -> None:
        self._world = world
        self._folder = folder
        self._program = world.which("git")
        self._prefix: str | None = None

    def commit_of(self, revision: str) -> str | None:
        """The commit that a revision names; None where it names none."""
        if not is_plain(revision):
            return None
        found = self._line("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return found or None

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit from which two have parted."""
        return self._line("merge-base", one, other) or None

    def blob(self, commit: str, path: str) -> bytes | None:
        """A file as a commit has it."""
        return next(iter(self.blobs([self.name_of(commit, path)])))

    def blobs(self, names: Sequence[str]) -> Iterator[bytes | None]:
        """The contents of objects, in the order of their names; None for one that is not there."""
        data = self._run("cat-file", "--batch", given="\n".join([*names, ""]).encode())
        place = 0
        for _ in names:
            end = data.find(b"\n", place)
            head = data[place:end].split(b" ") if end >= 0 else []
            if len(head) != 3 or head[1] != b"blob":
                # `NAME missing`, or a tree, whose content is not ours to read.
                size = int(head[2]) + 1 if len(head) == 3 and head[2].isdigit() else 0
                place = end + 1 + size if end >= 0 else place
                yield None
                continue
            size = int(head[2])
            yield data[end + 1 : end + 1 + size]
            place = end + 2 + size

    def objects(self, names: Sequence[str]) -> list[str | None]:
        """The ids of the blobs that names stand for."""
        data = self._run("cat-file", "--batch-check", given="\n".join([*names, ""]).encode())
        lines = [line.split(" ") for line in data.decode("utf-8", "replace").splitlines()]
        return [line[0] if len(line) == 3 and line[1] == "blob" else None for line in lines]

    def name_of(self, commit: str, path: str) -> str:
        """How Git calls a file of a commit."""
        if self._prefix is None:
            self._prefix = self._line("rev-parse", "--show-prefix")
        return f"{commit}:{self._prefix}{path}"

    def history(
        self, paths: Sequence[str], *, start: Sequence[str] = ("HEAD",), most: int = 0
    ) -> list[Commit]:
        """The commits that changed a path, the newest first.

        Args:
            start: revisions, or `--all`.
            most: no more than so many; 0 for all.
        """
        argv = ["log", f"--format={_COMMIT_FORMAT}", "--no-color", "--no-show-signature", "-z"]
        argv += [f"--max-count={most}"] if most else []
        # With -z, records end with NUL as their fields do: there are five of them.
        fields = self._run(*argv, *start, "--", *paths).decode("utf-8", "replace").split("\0")
        return [
            Commit(
                id=fields[index],
                parent=fields[index + 1].partition(" ")[0],
                time=fields[index + 2],
                author=fields[index + 3],
                subject=fields[index + 4],
            )
            for index in range(0, len(fields) - 4, 5)
        ]

    def written(self, path: str) -> list[tuple[str, str, str]]:
        """Every blob that any branch's history has below a path: (commit, blob, file)."""
        argv = ("--all", "-m", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff")
        tokens = self._run("log", *argv, "--format=%x01%H", "--", path).decode("utf-8", "replace")
        commit, blob, found = "", "", []
        for token in tokens.split("\0"):
            word = token.lstrip("\n")
            if word.startswith("\x01"):
                commit = word[1:]
            elif word.startswith(":"):
                blob = word.split(" ")[3]
            elif blob.strip("0"):
                found.append((commit, blob, word))
                blob = ""
        return found

    def changes(
        self, paths: Sequence[str], *, start: Sequence[str] = ("HEAD",), most: int = 0
    ) -> Iterator[tuple[Commit, str, str, str]]:
        """What commits changed at paths, the newest commit first; merges are left out.

        Args:
            paths: Git's pathspecs, relative to the folder.
            start, most: as for `history`.

        Yields:
            The commit, the file, and the blobs that it was before and after (zeros: none).
        """
        argv = ["log", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--relative"]
        argv += [f"--format=%x01{_COMMIT_FORMAT}", "--no-color", "--no-show-signature"]
        argv += [f"--max-count={most}"] if most else []
        data = self._run(*argv, *start, "--", *paths).decode("utf-8", "replace")
        for record in data.split("\x01")[1:]:
            fields = record.split("\0")
            commit = Commit(
                id=fields[0],
                parent=fields[1].partition(" ")[0],
                time=fields[2],
                author=fields[3],
                subject=fields[4],
            )
            marks = [field.lstrip("\n") for field in fields[5:]]
            for mark, file in pairwise(marks):
                if mark.startswith(":"):
                    _, _, old, new, _ = mark.split(" ")
                    yield commit, file, old, new

    def with_prefix(self, digits: str) -> list[str]:
        """The commits whose ids begin with these digits."""
        names = self._run("rev-parse", f"--disambiguate={digits}").decode().split()
        data = self._run("cat-file", "--batch-check", given="\n".join([*names, ""]).encode())
        lines = [line.split(" ") for line in data.decode("utf-8", "replace").splitlines()]
        return [line[0] for line in lines if line[1:2] == ["commit"]]

    def references(self, *patterns: str) -> list[tuple[str, str]]:
        """The references that patterns name, with the ids of what they point to."""
        data = self._run("for-each-ref", "--format=%(refname)%00%(objectname)", *patterns)
        lines = data.decode("utf-8", "surrogateescape").splitlines()
        return [(name, commit) for name, _, commit in (line.partition("\0") for line in lines)]

    def _line(self, *argv: str) -> str:
        return self._run(*argv).decode("utf-8", "surrogateescape").split("\n")[0]

    def _run(self, *argv: str, given: bytes = b"") -> bytes:
        """What a plumbing command prints; nothing where it fails."""
        if self._program is None:
            return b""
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        command = (self._program, "--no-pager", "-C", self._folder, *settings, *argv)
        outer = {name: value for name, value in self._world.environ.items() if name not in _DROPPED}
        try:
            done = self._world.run(
                command, timeout_s=_TIMEOUT_S, environ=outer | _ENVIRON, given=given
            )
        except TimedOut:
            raise EnvstageError(
                f"`git {argv[0]}` gave no answer within {_TIMEOUT_S} s",
                where=self._folder,
                fix="Is the repository on a network file system, or locked",
            ) from None
        except OSError:
            return b""
        return done.stdout if done.returncode == 0 else b""


def is_plain(revision: str) -> bool:
    """Whether a text can be handed to Git as a revision: no option, no second line."""
    return bool(revision) and revision.isprintable() and not revision.startswith("-")


def unique(names: Iterable[str | None]) -> list[str]:
    """Names without repetition and gaps, in their order."""
    return list(dict.fromkeys(name for name in names if name is not None))
