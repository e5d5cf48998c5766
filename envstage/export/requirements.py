"""requirements.txt: exact pins for pip and uv, and comments where a pin cannot say it all."""

from collections.abc import Iterator
from typing import Final

from envstage.export.artifacts import Artifacts, captured
from envstage.export.packages import Package, packages_of, python_version, unnamed
from envstage.export.pins import extra_indexes, remarks, requirement, why_not
from envstage.snapshot.model import Snapshot

ID: Final = "requirements"
NEEDS_ARTIFACTS: Final = False


def render(snapshot: Snapshot, artifacts: Artifacts | None = None) -> str:
    """The packages of a snapshot, one a line, in the order of their names.

    Install them with `--no-deps`: the list is complete, and resolving again could only change it.

    Args:
        artifacts: the files of the packages; with them, every line has its hashes, and what
            cannot have any is a comment (pip: all or none).
    """
    packages = packages_of(snapshot)
    head = [f"# Python {python_version(snapshot) or 'unknown'}, written by envstage."]
    head[0] += " Install with: --no-deps" + (" --require-hashes" if artifacts is not None else "")
    head += [f"--extra-index-url {url}" for url in extra_indexes(packages)]
    count = unnamed(snapshot)
    if count:
        head.append(f"# {count} left out: no index could have their names")
    body = [line for package in packages for line in _lines(package, artifacts)]
    return "\n".join([*head, *body]) + "\n"


def requirements(snapshot: Snapshot) -> str:
    """The document that every capture writes: without hashes, which only an index knows."""
    return render(snapshot)


def _lines(package: Package, artifacts: Artifacts | None) -> Iterator[str]:
    line = requirement(package)
    if line is None:
        yield f"# {package.name}: {why_not(package)}"
        return
    for remark in remarks(package):
        yield f"# {package.name}: {remark}"
    if artifacts is None:
        yield line
    else:
        yield _hashed(package, line, artifacts)


def _hashed(package: Package, line: str, artifacts: Artifacts) -> str:
    if package.remote is not None and not package.is_repository:
        return line if package.sha256 else f"# {line} (no hash of it was recorded)"
    if package.remote is not None:
        return f"# {line} (a repository has no hash: install it afterwards)"
    files = captured(package, artifacts.get(package.name, ()))
    if not files:
        return f"# {line} (no index that is known here serves it)"
    hashes = [f"--hash=sha256:{each}" for each in sorted({file.sha256 for file in files})]
    return " \\\n    ".join([line, *hashes])
