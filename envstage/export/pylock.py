"""pylock.toml (PEP 751): every package with the files that it can be installed from.

https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from collections.abc import Iterator
from typing import Final

from envstage.export.artifacts import Artifact, Artifacts, captured
from envstage.export.packages import Package, packages_of, python_version
from envstage.export.pins import is_valid_version, remarks, requirement, why_not
from envstage.export.toml_text import Plain, toml_lines
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Snapshot

ID: Final = "pylock"
NEEDS_ARTIFACTS: Final = True


def render(snapshot: Snapshot, artifacts: Artifacts | None = None) -> str:
    """The lock file; what it cannot hold is a comment at its beginning."""
    version = python_version(snapshot)
    left_out: list[str] = []
    tables: list[str] = []
    for package in packages_of(snapshot):
        body = _body(package, artifacts or {})
        if body is None:
            left_out.append(f"# {package.name}: {_why(package)}")
            continue
        tables += ["", "[[packages]]", *(f"# {each}" for each in remarks(package))]
        tables += toml_lines(body)
    head: dict[str, Plain] = {"lock-version": "1.0"}
    if is_valid_version(version):
        head["requires-python"] = f"=={version}"
    head["created-by"] = "envstage"
    lines = [f"# {snapshot_fingerprint(snapshot)}", *left_out, *toml_lines(head)]
    if not tables:
        tables = ["packages = []"]
    return "\n".join([*lines, *tables]) + "\n"


def _why(package: Package) -> str:
    if requirement(package) is None:
        return why_not(package)
    if package.remote is not None:
        return "where it came from is known, its digest or commit is not"
    return f"{package.version}, no index that is known here serves it"


def _body(package: Package, artifacts: Artifacts) -> dict[str, Plain] | None:
    body: dict[str, Plain] = {"name": package.name}
    if is_valid_version(package.version):
        body["version"] = str(package.version)
    origin = dict(_origin(package, artifacts))
    return body | origin if origin else None


def _origin(package: Package, artifacts: Artifacts) -> Iterator[tuple[str, Plain]]:
    if package.folder is not None:
        directory: dict[str, Plain] = {"path": package.folder}
        yield "directory", directory | ({"editable": True} if package.is_own_code else {})
    elif package.editable is not None:
        return
    elif package.remote is not None:
        yield from _remote(package, package.remote)
    elif requirement(package) is not None:
        yield from _files(captured(package, artifacts.get(package.name, ())))


def _remote(package: Package, url: str) -> Iterator[tuple[str, Plain]]:
    inner: dict[str, Plain] = {"subdirectory": package.subdirectory} if package.subdirectory else {}
    if package.is_repository and package.commit:
        kind, _, plain = url.partition("+")
        yield "vcs", {"type": kind, "url": plain, "commit-id": package.commit, **inner}
    elif package.sha256 and not package.is_repository:
        yield "archive", {"url": url, "hashes": {"sha256": package.sha256}, **inner}


def _files(files: tuple[Artifact, ...]) -> Iterator[tuple[str, Plain]]:
    sources = [each for each in files if not each.is_wheel]
    wheels = sorted((each for each in files if each.is_wheel), key=lambda each: each.filename)
    if sources:
        yield "sdist", _file(sources[0])
    if wheels:
        yield "wheels", [_file(each) for each in wheels]


def _file(artifact: Artifact) -> dict[str, Plain]:
    where = "url" if "://" in artifact.url else "path"
    body: dict[str, Plain] = {"name": artifact.filename, where: artifact.url}
    if artifact.size_bytes is not None:
        body["size"] = artifact.size_bytes
    return body | {"hashes": {"sha256": artifact.sha256}}
