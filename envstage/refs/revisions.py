"""A Git revision as a REF: a commit, branch or tag, `REVISION:FILE`, or a DVC experiment.

DVC keeps an experiment as a commit under refs/exps/<2 digits>/<38 digits of its baseline>/<name>:
Git alone finds it, and DVC, which takes a quarter of a second to import, is not needed.
"""

import re
from typing import Final

import msgspec

from envstage import layout
from envstage.errors import EnvstageError
from envstage.refs.git import Git, is_plain
from envstage.refs.named import Named, named

_EXPERIMENT: Final = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/(.+)")
_DIGITS: Final = re.compile(r"[0-9a-f]{4,39}")
_SHORT: Final = 7
# Where Git looks for a name, and how to write it so that only this place is meant.
_PLACES: Final = ("refs/tags/", "refs/heads/", "refs/remotes/")


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One commit that a REF may mean, and the file in it if the REF names one."""

    spelling: str
    commit: str
    file: str = ""


def meanings(git: Git, ref: str) -> list[Revision]:
    """The commits that a text may mean: none, one, or several different ones."""
    revision, colon, file = ref.partition(":")
    if not is_plain(ref) or ref.startswith(":"):
        return []
    if colon:
        commit = git.commit_of(revision)
        return [Revision(spelling=ref, commit=commit, file=file)] if commit else []
    found = [*_references(git, ref), *_experiments(git, ref)]
    if not found and (commit := git.commit_of(ref)) is not None:
        found = [Revision(spelling=ref, commit=commit)]
    if not found and _DIGITS.fullmatch(ref):
        found = [Revision(spelling=commit[:12], commit=commit) for commit in git.with_prefix(ref)]
    return found


def require(git: Git, ref: str) -> str:
    """The one commit that a text means; an `EnvstageError` where there is none."""
    commit = git.commit_of(ref)
    if commit is None:
        raise EnvstageError("is no Git revision", where=ref, fix="Give a commit, branch or tag")
    return commit


def load(git: Git, revision: Revision, environment: str) -> Named:
    """The snapshot of a commit, or the file that the REF names."""
    file = revision.file or layout.file_of(environment, layout.SNAPSHOT)
    label = label_of(revision)
    data = git.blob(revision.commit, file.removeprefix("./"))
    if data is None:
        raise EnvstageError(
            f"there is no {file} in this revision",
            where=label,
            fix="`envstage log` lists the commits that have one",
        )
    found = named(data, f"{label}:{file}")
    return msgspec.structs.replace(found, label=label, commit=revision.commit)


def label_of(revision: Revision) -> str:
    """How to call a revision: as it was written, with its commit where that does not show."""
    short = revision.commit[:_SHORT]
    if revision.commit.startswith(revision.spelling.partition(":")[0]):
        return f"{short}:{revision.file}" if revision.file else short
    return f"{revision.spelling} ({short})"


def names(git: Git) -> list[str]:
    """The branches, tags and experiments, by the names that people use."""
    found = []
    for reference, _ in git.references("refs/heads/", "refs/tags/", "refs/exps/"):
        match = _EXPERIMENT.fullmatch(reference)
        if match is not None:
            found.append(match[3])
        elif not reference.startswith("refs/exps/"):
            found.append(reference.split("/", 2)[2])
    return found


def _references(git: Git, ref: str) -> list[Revision]:
    """Branches and tags of that name; where it is both, each with its full name."""
    found = {}
    for name, _ in git.references(*(f"{place}{ref}" for place in _PLACES)):
        if name in {f"{place}{ref}" for place in _PLACES}:
            commit = git.commit_of(name)
            if commit is not None:
                found[name] = commit
    if len(set(found.values())) > 1:
        return [Revision(spelling=name, commit=commit) for name, commit in found.items()]
    return [Revision(spelling=ref, commit=commit) for commit in list(found.values())[:1]]


def _experiments(git: Git, ref: str) -> list[Revision]:
    if not re.fullmatch(r"[^\s*?\[\\^~:]+", ref) or "/" in ref:
        return []
    found = []
    for name, commit in git.references(f"refs/exps/*/*/{ref}"):
        match = _EXPERIMENT.fullmatch(name)
        if match is not None and match[3] == ref:
            found.append((name, commit))
    if len(found) > 1:
        return [Revision(spelling=name, commit=commit) for name, commit in found]
    return [Revision(spelling=ref, commit=commit) for _, commit in found]
