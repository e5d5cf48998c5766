"""What happens to the project: its configuration, what captures wrote, what Git does."""

import shutil
import subprocess

from tests.trace.edits import flipped, replace
from tests.trace.ground import CONFIGURATIONS, SELECTIONS, Ground

GIT = (
    *("commit -qam more", "checkout -q -- environment", "stash -q", "stash pop -q", "gc -q"),
    *("add -A", "checkout -q HEAD~1", "checkout -q main", "checkout -qb b", "pack-refs --all"),
    *("reset -q --hard HEAD~1", "commit -q --allow-empty -m none"),
)


def configuration(it: Ground) -> str:
    text = it.rng.choice(CONFIGURATIONS)
    replace(it.root / "envstage.yaml", text.encode())
    return text


def another_place_of_configuration(it: Ground) -> str:
    name = it.rng.choice(
        "params.yaml .envstage/workflow.json ../envstage.yaml ../params.yaml".split()
    )
    path = it.root / name
    path.write_text(it.rng.choice(["lr: 1\n", "envstage: {views: {train: {}}}\n"]))
    it.back.append(path.unlink)
    return name


def without_configuration(it: Ground) -> None:
    path = it.root / "envstage.yaml"
    path.rename(it.base / "kept.yaml")
    it.back.append(lambda: (it.base / "kept.yaml").rename(path))


def run(it: Ground) -> str:
    """A stage ran: its view is finalised."""
    selection = it.rng.choice(SELECTIONS)
    it.project.finalise(selection, it.rng.sample(["train.py", "lib/helper.py", "none"], 2))
    return str(selection)


def git(it: Ground) -> str:
    words = it.rng.choice(GIT)
    try:
        it.project.git(*words.split())
    except subprocess.CalledProcessError as error:
        raise LookupError(words) from error
    return words


def forget(it: Ground) -> str:
    """Delete what may be deleted at any time."""
    names = ["cache", "cache/traces", "project/.envstage", "project/.envstage/archive"]
    name = it.rng.choice(names)
    shutil.rmtree(it.base / name)
    return name


def spoil(it: Ground) -> str:
    """Tear a file of a cache, or flip a bit of a trace: the others are JSON."""
    traces = it.existing("cache/traces/*")
    others = it.existing("cache/digests*", "project/.envstage/*.json")
    path = it.rng.choice(traces + others)
    content = path.read_bytes()
    if path in traces and it.rng.random() < 0.5:
        path.write_bytes(flipped(content, it.rng))
    else:
        path.write_bytes(content[: it.rng.randrange(len(content) + 1)])
    return path.name


def output_folder(it: Ground) -> str:
    """The views or facets are a link: within the project, or out of it."""
    name = it.rng.choice(["views", "facets"])
    path = it.root / "environment" / name
    target = it.rng.choice([it.root / f"moved-{name}", it.base / f"moved-{name}"])
    path.rename(target)
    path.symlink_to(target)

    def back() -> None:
        path.unlink()
        target.rename(path)

    it.back.append(back)
    return str(target)


def stray(it: Ground) -> str:
    names = "environment/views/lost.json environment/facets/lost.json environment/x.json.7.tmp"
    path = it.root / it.rng.choice(names.split())
    path.write_text("{}\n")
    it.back.append(lambda: path.unlink(missing_ok=True))
    return path.name
