"""Sets that a list of names and versions does not bring back; some cannot come back at all."""

from pathlib import Path

from benchmarks.recreate_set import Set
from tests.recreate.projects import committed, git, source_tree
from tests.wheels import build_wheel


def _repository(folder: Path) -> tuple[str, ...]:
    source_tree(folder / "upstream", "tool")
    commit = committed(folder / "upstream")
    return (f"tool@git+file://{folder / 'upstream'}@{commit}",)


def _subdirectory(folder: Path) -> tuple[str, ...]:
    source_tree(folder / "mono" / "lang" / "python", "tool")
    commit = committed(folder / "mono")
    return (f"tool@git+file://{folder / 'mono'}@{commit}#subdirectory=lang/python",)


def _local_wheel(folder: Path) -> tuple[str, ...]:
    wheel = build_wheel(
        folder,
        "localthing",
        "1.0",
        files={"localthing/__init__.py": "x = 1\n", "localthing/_core.so": b"\x7fELF compiled"},
        tag="cp311-cp311-linux_x86_64",
    )
    return (str(wheel),)


def _editable(folder: Path) -> tuple[str, ...]:
    source_tree(folder / "checkout", "lib")
    committed(folder / "checkout")
    return (f"-e {folder / 'checkout'}",)


def _edited(folder: Path) -> tuple[str, ...]:
    """A clone with a remote, and an edit that is in no commit."""
    source_tree(folder / "upstream", "lib")
    committed(folder / "upstream")
    git(folder, "clone", "-q", str(folder / "upstream"), str(folder / "checkout"))
    _edit(folder, 2)
    return (f"-e {folder / 'checkout'}",)


def _edit(folder: Path, value: int = 3) -> None:
    (folder / "checkout" / "src" / "lib" / "__init__.py").write_text(f"value = {value}\n")


def _project_folder(folder: Path) -> tuple[str, ...]:
    source_tree(folder / "project" / "vendored", "vendored")
    own = source_tree(folder / "project" / "package", "mine")
    return (str(folder / "project" / "vendored"), f"-e {own}")


def _private(folder: Path) -> tuple[str, ...]:
    """A package of the company's that has the name and version of a public one."""
    (folder / "private").mkdir()
    files = {"tabulate.py": "__version__ = '0.9.0'\nprivate = True\n"}
    build_wheel(folder / "private", "tabulate", "0.9.0", files=files)
    return (f"--no-index --find-links {folder / 'private'} tabulate==0.9.0",)


def _unpublished(folder: Path) -> tuple[str, ...]:
    (folder / "private").mkdir()
    build_wheel(folder / "private", "envstage-bench-unpublished", "1.0")
    place = folder / "private"
    return (f"--no-index --find-links {place} envstage-bench-unpublished==1.0",)


def _local_version(folder: Path) -> tuple[str, ...]:
    (folder / "private").mkdir()
    build_wheel(folder / "private", "tabulate", "0.9.0+ours1")
    return (f"--no-index --find-links {folder / 'private'} tabulate==0.9.0+ours1",)


def _private_links(folder: Path) -> tuple[str, ...]:
    return ("--find-links", str(folder / "private"))


HARD = (
    Set(
        name="without dependencies",
        lines=("--no-deps flask==2.0.1 werkzeug==3.0.0 jinja2==3.1.2",),
    ),
    Set(
        name="requirements that contradict each other",
        lines=("--no-deps requests==2.31.0 urllib3==1.20 idna==3.7 chardet==3.0.4 certifi",),
    ),
    Set(name="yanked", lines=("attrs==21.1.0",)),
    Set(name="only there as source", lines=("docopt==0.6.2",)),
    Set(
        name="compiled here from source",
        lines=("--no-binary markupsafe,wrapt markupsafe wrapt", "crcmod"),
    ),
    Set(
        name="tooling of another time",
        lines=("pip==22.3.1 setuptools==59.8.0 wheel==0.37.1 six==1.16.0",),
    ),
    Set(name="a commit of a repository", lines=("six",), prepared=_repository),
    Set(name="a folder of a repository, pip", prepared=_subdirectory, installer="pip"),
    Set(name="a wheel compiled here", lines=("rich",), prepared=_local_wheel),
    Set(name="an editable checkout", lines=("click",), prepared=_editable),
    Set(name="an edited checkout with a remote", lines=("six",), prepared=_edited),
    Set(
        name="a checkout edited after the capture",
        prepared=_edited,
        afterwards=_edit,
        lost=frozenset({"lib"}),
    ),
    Set(name="code of the project", lines=("attrs",), prepared=_project_folder),
    Set(name="a local version", prepared=_local_version, options=_private_links),
    Set(name="a private namesake", prepared=_private, options=_private_links),
    Set(
        name="a private namesake, its place not named",
        prepared=_private,
        lost=frozenset({"tabulate"}),
    ),
    Set(
        name="a package of a place that is not named",
        prepared=_unpublished,
        lost=frozenset({"envstage-bench-unpublished"}),
    ),
)
