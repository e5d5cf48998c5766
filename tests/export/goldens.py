"""The expected documents: `python -m tests.export.goldens` writes them anew; read the diff."""

from collections.abc import Iterator
from pathlib import Path

from envstage.export.artifacts import Artifacts
from envstage.export.formats import format_of
from envstage.snapshot.model import Snapshot
from tests.export.samples import ARTIFACTS, CONDA, EMPTY, GPU, IMAGE, ORDINARY

FOLDER = Path(__file__).parents[1] / "data" / "export"
CASES: tuple[tuple[str, str, Snapshot, Artifacts | None], ...] = (
    *(
        (f"ordinary-{name}", name, ORDINARY, ARTIFACTS if name == "pylock" else None)
        for name in ("requirements", "pylock", "conda", "dockerfile", "cyclonedx", "mqc-versions")
    ),
    ("ordinary-html", "html", ORDINARY, None),
    ("ordinary-hashed-requirements", "requirements", ORDINARY, ARTIFACTS),
    *(
        (f"conda-{name}", name, CONDA, None)
        for name in ("requirements", "conda", "conda-explicit", "dockerfile", "cyclonedx")
    ),
    ("gpu-requirements", "requirements", GPU, None),
    ("gpu-dockerfile", "dockerfile", GPU, None),
    ("image-dockerfile", "dockerfile", IMAGE, None),
    *(
        (f"empty-{name}", name, EMPTY, None)
        for name in ("requirements", "pylock", "conda", "dockerfile", "cyclonedx", "mqc-versions")
    ),
)


def rendered() -> Iterator[tuple[str, str]]:
    """File name and text of every case."""
    for name, form, snapshot, artifacts in CASES:
        yield f"{name}.txt", format_of(form).render(snapshot, artifacts)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file, text in rendered():
        (FOLDER / file).write_text(text, encoding="utf-8")
