"""Nothing secret comes out: planted everywhere, looked for in every output, in every form."""

import json
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envstage.snapshot.document import decode, encode
from envstage.snapshot.model import Value
from envstage.snapshot.withheld import WITHHELD
from tests.trust.places import COMMANDS, Place, plant
from tests.trust.planting import KINDS, Secret, random_text

pytestmark = pytest.mark.e2e

FIXED = "q7Z3xM8vK1pL9wR2tY5sN4dH6bJ0gF7cV1aE"
TOKEN = KINDS["GitHub"](FIXED)
PASSWORD = KINDS["basic authentication"](FIXED)


def found(
    place: Place, secret: Secret, before: dict[str, bytes], said: dict[str, str]
) -> list[str]:
    """Where a form of the secret came out: in a file that was written, in what was said."""
    after = {name: data for name, data in place.contents().items() if before.get(name) != data}
    outputs = after | {f"`{name}`": text.encode() for name, text in said.items()}
    return [
        f"{name}: {data[max(0, data.find(form) - 60) : data.find(form) + 20]!r}"
        for name, data in outputs.items()
        for form in secret.forms()
        if form in data
    ]


def said_by(place: Place, *commands: str, argv: tuple[str, ...] = ()) -> dict[str, str]:
    return {command: place.said(*command.split(), argv=argv)[1] for command in commands}


def leaks(place: Place, secret: Secret, commands: tuple[str, ...]) -> list[str]:
    argv = plant(place, secret)
    before = place.contents()
    said = said_by(place, *commands, argv=argv)
    assert said["capture"].startswith("environment main: e-"), said
    context = json.loads(place.read("environment/context.json"))
    # What is seen is seen: the secret was there to be written.
    assert context["facts"]["secrets"]["DB_PASSWORD"] == "set"
    assert context["facts"]["secrets"]["KERAS_BACKEND"] == "set"
    assert sum(secret.needle.encode() in data for data in before.values()) >= 2
    return found(place, secret, before, said)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("planted"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_in_every_place(kind: str, tmp_path: Path) -> None:
    assert leaks(Place(tmp_path), KINDS[kind](FIXED), COMMANDS) == []


@pytest.mark.parametrize("kind", ["Stripe", "path token", "JSON Web Token"])
def test_what_is_kept_of_files_that_have_settled(kind: str, tmp_path: Path) -> None:
    place, secret = Place(tmp_path), KINDS[kind](FIXED)
    argv = plant(place, secret)
    before = place.contents()
    time.sleep(2.1)  # caches keep nothing of a file that could still change unseen
    said = said_by(place, "capture", "capture", "capture --json", "show", argv=argv)
    assert any(name.startswith("cache/envstage/digests") for name in place.contents())
    assert found(place, secret, before, said) == []


@settings(max_examples=15)
@given(kind=st.sampled_from(sorted(KINDS)), text=random_text())
def test_any_secret_of_any_kind(place: Place, kind: str, text: str) -> None:
    commands = ("capture", "show --all", "export requirements")
    assert leaks(place, KINDS[kind](text), commands) == []


def test_a_view_that_needs_such_a_fact_is_refused_and_the_fact_is_named(place: Place) -> None:
    plant(place, TOKEN)
    place.write("envstage.yaml", "views: {train: {}}\n")
    before = place.contents()
    code, text = place.said("capture")
    assert code == 3
    assert "packages.version.version" in text and "looks like a secret" in text
    assert found(place, TOKEN, before, {"capture": text}) == []
    assert not (place.root / "environment/views/train.json").exists()


def test_what_a_broken_interpreter_says(tmp_path: Path) -> None:
    for secret in (TOKEN, PASSWORD, KINDS["database"](FIXED), KINDS["assignment"](FIXED)):
        place = Place(tmp_path / secret.kind)
        place.tool("python", f"echo 'cannot reach {secret.text}' >&2; exit 1")
        place.environ["PATH"] = f"{place.tools}:/usr/bin:/bin"
        before = place.contents()
        said = said_by(place, "capture", "show now", "diff now now", "capture --json")
        for command, text in said.items():
            assert "it could answer: cannot reach" in text, f"{command}: {text}"
        assert found(place, secret, before, said) == []


@pytest.mark.parametrize(
    "secret", [TOKEN, PASSWORD, KINDS["assignment"](FIXED)], ids=lambda secret: secret.kind
)
def test_the_guarded_command(secret: Secret, tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("envstage.yaml", "views: {train: {}}\n")
    place.environ |= {"ENVSTAGE_SNAKEMAKE": "{}", "TRAIN_TOKEN": secret.needle}
    before = place.contents()
    said = {
        "capture": place.said("capture")[1],
        "argv": place.said("run", "--view", "train", "--", "python", "-c", "1", secret.text)[1],
        "shell": place.said("run", "--view", "train", "--shell", f"true '{secret.text}'")[1],
        "none": place.said("run", "--view", "train", "--", f"./{secret.needle}")[1],
        "receipt": place.said(
            *("run", "--view", "train", "--receipt", f"{place.root}/receipt.json"),
            *("--", "python", "-c", "1", secret.text, f"--password={secret.needle}"),
        )[1],
        "failing": place.said("run", "--view", "train", "--", "false", secret.text)[1],
        "view": place.said("run", "--view", secret.text, "--", "true")[1],
    }
    kept = place.root / ".envstage/observed/main/train"
    assert len(list(kept.iterdir())) == 3, "those that ended well are kept, by their command"
    assert "(removed)" in place.read("receipt.json") or "index.example.org" in place.read(
        "receipt.json"
    )
    # The names of a program and of a view are what the person typed, in answer to it.
    if not secret.is_token:
        del said["none"]
    assert found(place, secret, before, said) == []


@pytest.mark.parametrize("url", ["https://me:S@h/p", "https://h/p.whl?token=S"])
def test_what_the_guard_remembers(url: str, tmp_path: Path) -> None:
    place, secret = Place(tmp_path), PASSWORD
    direct = {"url": url.replace("S", secret.needle), "archive_info": {}}
    place.distribution("archive", "1.0", direct_url__json=json.dumps(direct))
    place.write("envstage.yaml", "views: {train: {}}\n")
    before = place.contents()
    said = said_by(place, "capture")
    time.sleep(2.1)  # nothing is remembered of files that could still change unseen
    for _ in range(2):
        said |= said_by(place, "capture", "run --view train -- true")
    assert found(place, secret, before, said) == []
    for each in (tmp_path / "venv").rglob("direct_url.json"):
        each.unlink()
    time.sleep(2.1)
    said_by(place, "capture", "run --view train -- true")
    kept = [name for name, data in place.contents().items() if b"archive" in data]
    assert any(name.startswith("cache/envstage") for name in kept), "it does remember"


def hostile(place: Place, url: str) -> dict[str, Value]:
    """A committed snapshot that another program, or an older release, wrote."""
    path = place.root / "environment/environment.json"
    snapshot = decode(path.read_bytes(), "x")
    changes: dict[tuple[str, ...], Value] = {
        ("packages", "plain", "url"): f"git+{url}",
        ("packages", "plain", "commit"): "a" * 40,
        ("packages", "plain", "source"): url,
        ("packages", "other", "version"): url,
        ("variables", "XLA_FLAGS"): url,
        ("system", "container", "image"): url,
    }
    made = msgspec.structs.replace(snapshot, facts={**snapshot.facts, **changes}, anomalies=(url,))
    path.write_bytes(encode(made))
    return {".".join(address): value for address, value in changes.items()}


@pytest.mark.parametrize("kind", ["GitHub", "basic authentication"])
def test_documents_of_others(kind: str, tmp_path: Path) -> None:
    secret = KINDS[kind](FIXED)
    place = Place(tmp_path)
    place.said("capture")
    url = f"https://me:{secret.needle}@host.example.org/o/p"
    hostile(place, url)
    place.write("freeze.txt", f"alpha==1.0\nbeta @ git+{url}@{'b' * 40}\n--index-url {url}\n")
    place.write("wandb-metadata.json", json.dumps({"os": "Linux", "args": [secret.text]}))
    place.write("flat.json", json.dumps({"packages": {"alpha": f"1.0+{secret.text}"}}))
    place.git("add", "-A", "-f")
    place.git("commit", "-q", "-m", f"use {secret.text}")
    before = place.contents()
    refs = ("freeze.txt", "wandb-metadata.json", "flat.json", "HEAD")
    said = said_by(place, *(command for command in COMMANDS if "capture" not in command), "log")
    for ref in (str(place.root / name) if "." in name else name for name in refs):
        said |= said_by(place, f"show {ref} --all", f"diff {ref} now", f"diff {ref} now --json")
        said |= said_by(place, f"diff {ref} now --format markdown", f"check {ref} --fix")
    place.environ["ENVSTAGE_MODE"] = "hold"
    (place.root / "environment/requirements.txt").unlink()
    (place.root / "environment/REPRODUCE.md").unlink()
    said["held"] = place.said("capture")[1]
    assert "requirements.txt" in str(place.contents().keys())
    # A commit's subject is the repository's own.
    assert found(place, secret, before, said) == []
    assert f"packages.other.version: unknown: {WITHHELD.why}" in said["show --all"]
