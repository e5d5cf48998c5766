"""The sets that `benchmarks/recreate.py` brings back, written as people write them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.recreate.projects import committed, source_tree
from tests.wheels import build_wheel


@dataclass(frozen=True, kw_only=True)
class Set:
    """What is installed, one call a line; `prepared` makes local sources and gives more lines."""

    name: str
    lines: tuple[str, ...] = ()
    installer: str = "uv"
    prepared: Callable[[Path], tuple[str, ...]] | None = None
    options: Callable[[Path], tuple[str, ...]] | None = None


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


def _project_folder(folder: Path) -> tuple[str, ...]:
    source_tree(folder / "project" / "vendored", "vendored")
    return (str(folder / "project" / "vendored"), f"-e {_own(folder)}")


def _own(folder: Path) -> Path:
    return source_tree(folder / "project" / "package", "mine")


def _private(folder: Path) -> tuple[str, ...]:
    (folder / "private").mkdir()
    files = {"tabulate.py": "__version__ = '0.9.0'\nprivate = True\n"}
    build_wheel(folder / "private", "tabulate", "0.9.0", files=files)
    return (f"--no-index --find-links {folder / 'private'} tabulate==0.9.0",)


def _private_links(folder: Path) -> tuple[str, ...]:
    return ("--find-links", str(folder / "private"))


SETS = (
    Set(name="scikit-learn stack", lines=("scikit-learn pandas",)),
    Set(name="scikit-learn stack, pip", lines=("scikit-learn pandas",), installer="pip"),
    Set(name="plotting", lines=("matplotlib seaborn",)),
    Set(name="Jupyter, without the server", lines=("ipykernel nbclient jupytext",)),
    Set(name="FastAPI service", lines=("fastapi uvicorn[standard] pydantic-settings httpx",)),
    Set(
        name="an old pinned set",
        lines=("numpy==1.23.5 pandas==1.5.3 scipy==1.9.3 requests==2.28.0 setuptools==65.5.0",),
    ),
    Set(name="extras", lines=("httpx[http2,brotli,cli] requests[socks] coverage[toml]",)),
    Set(name="geospatial", lines=("geopandas rasterio",)),
    Set(name="NLP, without models", lines=("nltk tokenizers sentencepiece",)),
    Set(name="databases", lines=("sqlalchemy alembic psycopg[binary] duckdb",), installer="pip"),
    Set(name="cloud client", lines=("boto3 s3fs",)),
    Set(name="PyTorch, CPU", lines=("torch",), installer="pip"),
    Set(name="boosting", lines=("lightgbm optuna",)),
    Set(
        name="without dependencies",
        lines=("--no-deps flask==2.0.1 werkzeug==3.0.0 jinja2==3.1.2",),
    ),
    Set(
        name="compiled here from source",
        lines=("--no-binary markupsafe,wrapt markupsafe wrapt", "docopt crcmod"),
    ),
    Set(
        name="tooling of another time",
        lines=("pip==22.3.1 setuptools==59.8.0 wheel==0.37.1 six==1.16.0",),
    ),
    Set(name="a commit of a repository", lines=("six",), prepared=_repository),
    Set(name="a folder of a repository, pip", prepared=_subdirectory, installer="pip"),
    Set(name="a wheel compiled here", lines=("rich",), prepared=_local_wheel),
    Set(name="an editable checkout", lines=("click",), prepared=_editable),
    Set(name="code of the project", lines=("attrs",), prepared=_project_folder),
    Set(name="a private namesake", prepared=_private, options=_private_links),
)
