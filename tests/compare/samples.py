"""Two environments that differ in every way that a comparison has words for."""

from envstage.compare.differences import Difference
from envstage.compare.report import Place, Report, TouchedView
from envstage.compare.sides import Coverage, Side, compare
from envstage.snapshot.model import Address, Level, NotApplicable, Unknown, Value

OLD: dict[Address, Value] = {
    ("python", "version"): "3.11.8",
    ("packages", "torch", "version"): "2.1.0+cu118",
    ("packages", "torch", "build"): "sha256:" + "1" * 64,
    ("packages", "numpy", "version"): "1.26.3",
    ("packages", "numpy", "build"): "sha256:" + "2" * 64,
    ("packages", "numpy", "tags"): ("cp311-cp311-manylinux_2_17_x86_64",),
    ("packages", "pandas", "version"): "2.2.0",
    ("packages", "scipy", "version"): "1.11.4",
    ("packages", "scipy", "build"): "sha256:" + "3" * 64,
    ("packages", "apex", "version"): "0.1",
    ("packages", "own", "version"): "1.0",
    ("packages", "own", "commit"): "a" * 40,
    ("packages", "own", "source"): "commit:" + "a" * 40,
    ("packages", "click", "version"): "8.1.0",
    ("packages", "click", "build"): "sha256:" + "5" * 64,
    ("packages", "pip", "version"): "23.0",
    ("packages", "same", "version"): "1.0",
    ("variables", "OMP_NUM_THREADS"): "8",
    ("system", "libc"): "glibc 2.36",
    ("system", "distribution"): "debian 12",
    ("hardware", "gpu", "models"): ("NVIDIA A100-SXM4-40GB",),
    ("hardware", "gpu", "driver"): "535.104.05",
    ("tools", "samtools", "version"): "samtools 1.19",
    ("tools", "samtools", "sha256"): "7" * 64,
}
_CHANGED: dict[Address, Value] = {
    ("python", "version"): "3.12.1",
    ("packages", "torch", "version"): "2.1.0+cu121",
    ("packages", "torch", "build"): "sha256:" + "6" * 64,
    ("packages", "numpy", "version"): "2.0.0",
    ("packages", "numpy", "build"): "sha256:" + "7" * 64,
    ("packages", "pandas", "version"): "2.1.4",
    ("packages", "scipy", "build"): "sha256:" + "8" * 64,
    ("packages", "xformers", "version"): "0.0.24",
    ("packages", "own", "commit"): "b" * 40,
    ("packages", "own", "source"): "commit:" + "b" * 40,
    ("packages", "click", "url"): "https://example.org/click-8.1.0-py3-none-any.whl",
    ("packages", "pip", "version"): "24.0",
    ("variables", "OMP_NUM_THREADS"): "16",
    ("system", "libc"): "glibc 2.39",
    ("hardware", "gpu", "models"): Unknown("NVML gave no answer"),
    ("hardware", "gpu", "driver"): "550.54.14",
    ("tools", "samtools", "sha256"): "8" * 64,
    ("system", "container", "image"): NotApplicable("no container"),
}
NEW: dict[Address, Value] = {
    address: value for address, value in (OLD | _CHANGED).items() if address[1] != "apex"
}


def side(facts: dict[Address, Value], label: str = "a", level: Level = Level.HARDWARE) -> Side:
    return Side(label=label, level=level, facts=facts)


def freeze(facts: dict[Address, Value], label: str = "requirements.txt") -> Side:
    """What pip freeze would tell of an environment."""
    return Side(
        label=label,
        level=Level.HARDWARE,
        facts={address: value for address, value in facts.items() if address[2:] == ("version",)
               and address[0] == "packages" and address[1] != "pip"},
        coverage=Coverage(complete=frozenset({"packages"}), unlisted=frozenset({"pip"})),
    )  # fmt: skip


def report(old: Side, new: Side) -> Report:
    """The comparison of two sides, with one view that sees numpy."""
    found = compare(old, new)
    seen = frozenset(each.address for each in found.differences if "numpy" in each.address)
    view = TouchedView(name="train", environment="main", addresses=seen, stages=("train", "tune"))
    return Report(
        a=Place(label=old.label, level=old.level.word),
        b=Place(label=new.label, level=new.level.word),
        differences=found.differences,
        silences=found.silences,
        views=(view,) if seen else (),
    )


def mirrored(found: tuple[Difference, ...]) -> set[tuple[Address, str, object, object]]:
    swap = {"added": "removed", "removed": "added"}
    return {
        (each.address, swap.get(each.kind.value, each.kind.value), each.new, each.old)
        for each in found
    }
