"""What keeps files from Git and DVC: the ignore files, their lines, and who must not be in them."""

import os
import subprocess
from typing import Final

from envstage import layout
from envstage.errors import EnvstageError
from envstage.pipelines.plan import Draft, read_text

GIT_IGNORE: Final = ".gitignore"
DVC_IGNORE: Final = ".dvcignore"
STATE_LINE: Final = f"/{layout.STATE_FOLDER}/"
OWN: Final = f"{layout.FOLDER}/{layout.IGNORE}"
OWN_HEADER: Final = (
    "# DVC's cache holds the facets; the context of one capture is nobody else's (envstage)"
)
_TIMEOUT_S: Final = 30
_OF_HOOKS: Final = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})

# In Git, whatever else is ignored. The facets are ignored on purpose: DVC has them.
_COMMITTED: Final = (
    layout.SNAPSHOT,
    layout.SUMMARY,
    layout.REQUIREMENTS,
    layout.REPRODUCE,
    f"{layout.VIEWS}/train.json",
)


def require_visible(root: str) -> None:
    """Refuse where the files that have to be committed, or seen by DVC, are ignored.

    Raises:
        EnvstageError: with the file, line and pattern that ignores one.
    """
    paths = [f"{layout.FOLDER}/{name}" for name in _COMMITTED]
    found = _ignored(root, ["git", "-C", root], paths)
    if found:
        raise _refusal(found, root, "Git")
    for folder in _folders_up(root):
        rules = os.path.join(folder, DVC_IGNORE)
        git_dir = _git_dir(root)
        if git_dir and os.path.isfile(rules):
            # DVC's patterns are Git's: Git reads them as its user's excludes.
            command = ["git", "-C", folder, f"--git-dir={git_dir}", f"--work-tree={folder}"]
            below = os.path.relpath(root, folder).replace(os.sep, "/")
            inside = [path if below == "." else f"{below}/{path}" for path in paths]
            inside.append(inside[0].rpartition("/")[0] + f"/{layout.FACETS}/packages.json")
            found = _ignored(folder, [*command, "-c", f"core.excludesFile={rules}"], inside, rules)
            if found:
                raise _refusal(found, root, "DVC")


def with_line(text: str | None, line: str) -> str:
    """An ignore file with one more line, unless it has it."""
    text = text or ""
    if any(_same(each, line) for each in text.splitlines()):
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    # No line break at the end before, none after: taking the line out restores every byte.
    return f"{text}{newline}{line}" if text and text[-1] != "\n" else f"{text}{line}{newline}"


def without_line(text: str, line: str) -> str | None:
    """An ignore file without a line; nothing if that was all."""
    kept = "".join(each for each in text.splitlines(keepends=True) if each.strip() != line)
    if kept != text and text[-1:] != "\n":
        kept = kept.removesuffix("\n").removesuffix("\r")
    return kept or None


def own_ignores() -> str:
    """The ignore file in the environment's folder, committed so that DVC never has to write it."""
    return "".join(f"{line}\n" for line in (OWN_HEADER, *layout.IGNORED))


def add_ignores(draft: Draft, environments: tuple[str, ...]) -> None:
    """Ignore what is nobody else's: the state folder, facets and contexts."""
    draft.write(GIT_IGNORE, with_line(draft.read(GIT_IGNORE), STATE_LINE))
    for environment in environments:
        path = layout.file_of(environment, layout.IGNORE)
        text = draft.read(path)
        if not text:
            draft.write(path, own_ignores())
            continue
        for line in layout.IGNORED:
            text = with_line(text, line)
        draft.write(path, text)


def remove_ignores(draft: Draft, environments: tuple[str, ...], written: str = "") -> None:
    """Take the lines out again; those of the environments go if nothing else is there."""
    text = draft.read(GIT_IGNORE)
    if text is not None:
        draft.write(GIT_IGNORE, without_line(text, STATE_LINE))
    own = {layout.file_of(environment, layout.IGNORE) for environment in environments}
    if _files_below(draft.root, layout.FOLDER) <= own:
        for path in sorted(own):
            if draft.read(path) == (written or own_ignores()):
                draft.write(path, None)


def _files_below(root: str, folder: str) -> set[str]:
    return {
        os.path.relpath(os.path.join(above, name), root).replace(os.sep, "/")
        for above, _, names in os.walk(os.path.join(root, folder))
        for name in names
    }


def ignores_bytecode(root: str) -> bool:
    """Whether a .dvcignore at or above the project mentions `__pycache__`."""
    return any("__pycache__" in (read_text(each, DVC_IGNORE) or "") for each in _folders_up(root))


def _same(written: str, line: str) -> bool:
    return written.strip().strip("/") == line.strip("/")


def _folders_up(root: str) -> list[str]:
    """The project and the folders above it, up to the one that holds `.dvc`."""
    folder = os.path.realpath(root)
    folders = [folder]
    while not os.path.isdir(os.path.join(folder, ".dvc")) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        folders.append(folder)
    return folders


def _git_dir(root: str) -> str:
    return _git(["git", "-C", root, "rev-parse", "--absolute-git-dir"]).strip()


def _ignored(root: str, git: list[str], paths: list[str], source: str = "") -> str:
    """`file:line: pattern` of the first rule that ignores one of the paths."""
    asked = "".join(f"{path}\0" for path in paths)
    answer = _git([*git, "check-ignore", "--no-index", "-v", "-z", "--stdin"], asked)
    fields = answer.split("\0")
    for index in range(0, len(fields) - 3, 4):
        rules, line, pattern, path = fields[index : index + 4]
        where = os.path.join(root, rules)
        if not pattern.startswith("!") and (not source or where == source):
            return f"{os.path.relpath(where, root)}:{line}\0{pattern}\0{path}"
    return ""


def _git(command: list[str], asked: str = "") -> str:
    try:
        done = subprocess.run(
            command,
            input=asked.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
            # A hook's GIT_DIR would point past the folder that is asked about.
            env={key: value for key, value in os.environ.items() if key not in _OF_HOOKS},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # no Git, nothing that Git ignores
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else ""


def _refusal(found: str, root: str, who: str) -> EnvstageError:
    where, pattern, path = found.split("\0")
    return EnvstageError(
        f"the pattern `{pattern}` hides {path} from {who}; the pipeline needs it",
        where=where,
        fix=f"Remove the pattern, or add the line `!/{layout.FOLDER}/**` below it"
        if pattern.startswith("*")
        else "Remove the pattern, or narrow it",
    )
