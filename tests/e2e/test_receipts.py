"""Receipts in a real pipeline: they come back with the results, and what is forged is found out."""

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from tests.e2e.conftest import Once
from tests.e2e.pipeline import FOREACH_TRAIN, FOREACH_YAML, Pipeline
from tests.e2e.receipts import DVC_YAML, RECEIPT, SCHEMAS, TRAIN, check, locked, made_pipeline, read

pytestmark = pytest.mark.e2e


@pytest.fixture
def pipeline(once: Once) -> Pipeline:
    return once("receipts", made_pipeline)


def test_it_says_what_dvc_records(pipeline: Pipeline) -> None:
    receipt = read(pipeline)
    assert {each["path"]: each["md5"] for each in (*receipt["deps"], *receipt["outs"])} == {
        path: md5 for path, md5 in locked(pipeline).items() if path != RECEIPT
    }
    assert (receipt["run"]["stage"], receipt["run"]["outcome"]) == ("train", "ended")
    (command,) = receipt["commands"]
    assert command["argv"] == ["python", "train.py"]
    assert command["observed"]["packages"] == {"alpha": "1.0"}
    assert list(command["observed"]["code"]) == ["train.py"]
    assert receipt["view"]["fate"] == "narrowed"
    assert receipt["view"]["document"] == json.loads(pipeline.read("environment/views/train.json"))
    assert receipt["snapshot"] == json.loads(pipeline.read("environment/environment.json"))
    assert [each["keys"] for each in receipt["parameters"]] == [["lr"]]
    head = pipeline.run("git", "rev-parse", "HEAD~1").strip()
    assert receipt["context"]["code"]["commit"] == head
    assert receipt["context"]["facts"]["system"]["kernel"]
    assert receipt["unseen"] == []
    assert pipeline.status() == ""


def test_it_comes_back_from_the_run_cache_with_the_outs(pipeline: Pipeline) -> None:
    first = read(pipeline)
    pipeline.install("alpha", "2.0")
    assert "train" in pipeline.ran(pipeline.repro())
    pipeline.commit("alpha 2")
    second = read(pipeline)
    assert first["run"]["id"] != second["run"]["id"]
    pipeline.install("alpha", "1.0")
    assert "Stage 'train' is cached - skipping run" in pipeline.repro()
    pipeline.commit("back")
    assert read(pipeline) == first
    assert "is what the run made" in check(pipeline)

    lines = pipeline.run("envstage", "log", "--runs").splitlines()
    ids = [each["run"]["id"][:12] for each in (first, second, first)]
    assert [line.split()[4] for line in lines] == ids
    shown = [first, second, first]
    assert [line.split()[5] for line in lines] == [
        each["snapshot"]["fingerprint"][:14] for each in shown
    ]
    document = json.loads(pipeline.run("envstage", "log", "--runs", "--json"))
    jsonschema.validate(document, json.loads((SCHEMAS / "runs.json").read_text()))
    assert document["runs"][1]["outs"][0]["sha256"] == second["outs"][0]["sha256"]

    # A run is a REF: what is not in the working tree comes from DVC's cache.
    assert "alpha 2.0" in pipeline.run("envstage", "show", ids[1])
    assert "1.0 → 2.0" in pipeline.run("envstage", "diff", ids[0], ids[1], code=1)
    pipeline.run("envstage", "check", ids[0], code=0)
    assert "is not what this run made" in check(
        pipeline, "--file", "model.txt", receipt=ids[1], code=1
    )


def test_a_clone_says_what_is_not_here(pipeline: Pipeline) -> None:
    clone = pipeline.clone("clone")
    assert "dvc fetch" in clone.run("envstage", "log", "--runs")
    assert "no receipt of this run is here" in clone.run("envstage", "show", "r-0123", code=2)


@pytest.mark.parametrize("form", ["", "--attest"])
def test_whatever_is_tampered_with_is_found_out(pipeline: Pipeline, form: str) -> None:
    if form:
        text = pipeline.read("dvc.yaml").replace("--receipt", f"{form} --receipt")
        pipeline.write("dvc.yaml", text)
        pipeline.repro()
    assert "ok       plots: was made by this run" in check(
        pipeline, "--file", "model.txt", "--file", "plots", "--file", "plots/a.txt"
    )
    model = pipeline.root / "model.txt"
    model.unlink()
    model.write_text("alpha 1.O\n")
    assert "DIFFERS  model.txt: is not what this run made" in check(
        pipeline, "--file", "model.txt", code=1
    )
    output = check(pipeline, "--view", "train")  # asks for that alone
    assert "ok       environment/views/train.json" in output and "model.txt" not in output
    (pipeline.root / "plots" / "b.txt").write_text("b")
    assert "DIFFERS  plots" in check(pipeline, "--file", "plots", code=1)
    pipeline.write("environment/views/train.json", pipeline.read(
        "environment/views/train.json").replace('"1.0"', '"1.1"'))  # fmt: skip
    assert "DIFFERS  environment/views/train.json" in check(
        pipeline, "--view", "train", "--file", "plots/a.txt", code=1
    )
    path = pipeline.root / RECEIPT
    text = path.read_text()
    path.unlink()
    path.write_text(text.replace('"exit_code": 0', '"exit_code": 1', 1))
    output = check(pipeline, code=1)
    assert "the receipt was edited or damaged" in output and output.count("\n") == 1
    # One that was made anew, digest and all, is still not the one that DVC recorded.
    pipeline.run("envstage", "capture")
    pipeline.run(*"envstage run --view train --receipt other.json --outs model.txt --"
                 " python -c 1".split())  # fmt: skip
    path.write_text(pipeline.read("other.json"))
    assert "is not the receipt that dvc.lock recorded" in check(pipeline, code=1)


def test_signed_in_a_pipeline(pipeline: Pipeline) -> None:
    pytest.importorskip("cryptography")
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the key")
    key = str(pipeline.base / "key.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"], capture_output=True)
    pipeline.write("key.pub", public.stdout.decode())
    text = pipeline.read("dvc.yaml").replace("--receipt", f"--sign {key} --receipt")
    pipeline.write("dvc.yaml", text)
    pipeline.repro()
    output = check(pipeline, "--key", "key.pub", "--file", "model.txt")
    assert "signature: was made with the key" in output
    assert json.loads(pipeline.read(RECEIPT))["payloadType"] == "application/vnd.in-toto+json"
    assert "signed" in pipeline.run("envstage", "show", RECEIPT).splitlines()[0]
    # A key that is not there stops the stage before it begins.
    shutil.move(key, f"{key}.gone")
    pipeline.write("train.py", pipeline.read("train.py") + "pathlib.Path('started').touch()\n")
    assert "the key cannot be read" in pipeline.repro(code=255)
    assert not (pipeline.root / "started").exists()


def test_a_list_of_commands_leaves_one_receipt(pipeline: Pipeline) -> None:
    command = "envstage run --view train"
    text = pipeline.read("dvc.yaml").replace(
        f"    cmd: {command} --receipt {RECEIPT} -- python train.py\n",
        f"    cmd:\n    - {command} --part 1/2 --receipt {RECEIPT} -- python -c 'import beta'\n"
        f"    - {command} --part 2/2 --receipt {RECEIPT} -- python train.py\n",
    )
    pipeline.write("dvc.yaml", text)
    pipeline.repro()
    receipt = read(pipeline)
    used = [set(each["observed"]["packages"]) for each in receipt["commands"]]
    assert used == [{"beta"}, {"alpha"}]
    assert receipt["run"]["start"] == receipt["commands"][0]["start"]
    assert {"alpha", "beta"} == receipt["view"]["document"]["facts"]["packages"].keys()
    assert "model.txt" in {each["path"] for each in receipt["outs"]}


def test_instances_have_receipts_of_their_own(tmp_path: Path) -> None:
    made = Pipeline(tmp_path).create(FOREACH_YAML, **{"train.py": FOREACH_TRAIN})
    for name in ("alpha", "beta", "gamma"):
        made.install(name, "1.0")
    made.track("train", options="--receipt")
    made.repro()
    made.commit("first run")
    for name in ("alpha", "beta"):
        receipt = read(made, f"environment/receipts/train-{name}.json")
        assert receipt["run"]["stage"] == f"train@{name}"
        assert [each["path"] for each in receipt["outs"]] == [f"{name}.txt"]
        assert receipt["commands"][0]["observed"]["packages"] == {name: "1.0"}
    path = "environment/receipts/train-alpha.json"
    check(made, receipt=path)
    made.run("envstage", "track", "--update", "train")
    assert made.ran(made.repro()) == {"environment"}
    made.commit("narrowed")
    assert "was narrowed since" in check(made, receipt=path, code=3)
    check(made, "--file", "alpha.txt", receipt=path)
    assert len(made.run("envstage", "log", "--runs").splitlines()) == 2


def test_in_an_experiment(pipeline: Pipeline) -> None:
    before = read(pipeline)
    pipeline.run("git", "config", "user.name", "Ada")
    pipeline.run("git", "config", "user.email", "ada@example.org")
    pipeline.run("dvc", "exp", "run", "--temp", "-n", "lower", "-S", "lr=0.01")
    pipeline.run("dvc", "exp", "apply", "lower")
    assert "is what the run made" in check(pipeline)
    assert read(pipeline)["parameters"] != before["parameters"]


def test_receipts_in_git_are_listed(pipeline: Pipeline) -> None:
    pipeline.run(*"envstage run --view train --receipt out/receipts/a.json --outs model.txt --"
                 " python -c 1".split())  # fmt: skip
    pipeline.run("git", "add", "-f", "out/receipts/a.json")
    pipeline.run("git", "commit", "-q", "-m", "by hand")
    newest = pipeline.run("envstage", "log", "--runs").splitlines()[0]
    assert "out/receipts/a.json" in newest and "model.txt" in newest


def test_options_that_leave_no_receipt(pipeline: Pipeline) -> None:
    for option in ("--no-guard", "--accept", "--update"):
        output = pipeline.run("envstage", "track", "train", "--receipt", option, "--yes", code=2)
        assert f"with {option} nothing" in output
    before = pipeline.status()
    assert "nothing to do" in pipeline.run("envstage", "track", "train", "--receipt", "--dry-run")
    assert pipeline.status() == before


def test_a_stage_with_a_working_directory(tmp_path: Path) -> None:
    text = DVC_YAML.replace("python train.py", "python ../train.py\n    wdir: work")
    text = text.replace("- train.py", "- ../train.py").replace("- lr", "- ../params.yaml:")
    made = Pipeline(tmp_path).create(
        text, **{"train.py": TRAIN, "params.yaml": "lr: 0.1\n", "work/.keep": ""}
    )
    made.install("alpha", "1.0")
    made.track("train", options="--receipt")
    made.repro()
    made.commit("first run")
    receipt = read(made)
    assert receipt["commands"][0]["folder"] == "work"
    assert [each["path"] for each in receipt["outs"]] == ["work/model.txt", "work/plots"]
    assert [each["file"] for each in receipt["parameters"]] == ["params.yaml"]
    assert receipt["unseen"] == []
    assert made.run("envstage", "log", "--runs").split()[-1] == RECEIPT
    check(made)
    path = made.root / RECEIPT
    made.run(*"envstage run --view train --receipt other.json -- true".split())
    path.unlink()
    path.write_text(made.read("other.json"))
    assert "is not the receipt that dvc.lock recorded" in check(made, code=1)
