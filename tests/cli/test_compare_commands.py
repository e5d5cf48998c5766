"""diff, check, show and log as commands: what they print, their exit codes, their speed."""

import hashlib
import json
import os
import pty
import resource
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from envstage.snapshot.document import encode
from envstage.snapshot.model import Address, Level, Snapshot, Value
from tests.refs.repository import Repository, snapshot

SCHEMAS = Path(__file__).parent.parent.parent / "docs" / "schemas"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repo")
    made.commit(alpha="1.0", beta="1.0")
    made.git("tag", "v1")
    made.commit(alpha="2.0", beta="1.0")
    made.write("notes.txt", "no change of the environment\n")
    made.commit_all()
    return made


def large(count: int, step: int) -> bytes:
    facts: dict[Address, Value] = {("python", "version"): "3.11.8"}
    for index in range(count):
        name, version = f"package-{index}", f"1.{index % 11}.{step if index % 10 == 0 else 0}"
        digest = hashlib.sha256(f"{name}{version}".encode()).hexdigest()
        facts["packages", name, "version"] = version
        facts["packages", name, "build"] = f"sha256:{digest}"
        facts["packages", name, "tags"] = ("py3-none-any",)
    return encode(Snapshot(environment="main", level=Level.PLATFORM, facts=facts))


def test_diff(repository: Repository) -> None:
    text = repository.envstage("diff", "v1", "HEAD", code=1)
    assert "~ alpha  1.0 → 2.0  upgrade, major" in text
    assert "beta" not in text
    assert "\x1b" not in text
    assert "No difference" in repository.envstage("diff", "v1", "v1")
    assert "No difference" in repository.envstage("diff", "v1..HEAD", "--only", "hardware")


def test_log_of_a_package_shows_its_version_first(repository: Repository) -> None:
    repository.write("environment/environment.json", large(1, 7))
    repository.commit_all()
    [line, *_] = repository.envstage("log", "--fact", "packages.package-0").splitlines()
    assert "version: 1.0.7, build: sha256:" in line


def test_directory_before_the_command_and_after_it(repository: Repository, tmp_path: Path) -> None:
    from envstage.cli import main

    folder = str(repository.root)
    for words in (["-C", folder, "log"], ["--directory=" + folder, "log"], [f"-C{folder}", "log"]):
        assert main(words) == 0, words
    assert main(["-C", str(tmp_path / "nowhere"), "log", "-C", folder]) == 0


def test_directory_that_is_not_there(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    # Looking upward from it would find the project around it, without a word.
    from envstage.cli import main

    assert main(["-C", str(repository.root / "nowhere"), "log"]) == 2
    assert "nowhere: there is no such folder. Correct `-C`." in capsys.readouterr().err


def test_diff_as_json_and_markdown(repository: Repository) -> None:
    document = json.loads(repository.envstage("diff", "v1..HEAD", "--json", code=1))
    jsonschema.validate(document, json.loads((SCHEMAS / "diff.json").read_text()))
    assert [each["address"] for each in document["changes"]] == ["packages.alpha"]
    assert document["a"]["commit"] == repository.git("rev-parse", "v1")
    text = repository.envstage("diff", "v1..HEAD", "--md", code=1)
    assert "| ~ | `packages` | `alpha` | `1.0` | `2.0` | upgrade, major |" in text


def test_diff_tells_views_and_stages(repository: Repository) -> None:
    repository.write("envstage.yaml", "views: {train: {}, score: {exclude: [packages.alpha]}}\n")
    repository.write(
        "dvc.yaml",
        "stages:\n  fit:\n    cmd: python fit.py\n    deps: [environment/views/train.json]\n"
        "  score:\n    cmd: python score.py\n    deps: [environment/views/score.json]\n",
    )
    text = repository.envstage("diff", "v1", "HEAD", code=1)
    assert "View that sees this: train. Would run again: fit." in text
    assert "No difference" in repository.envstage("diff", "v1", "HEAD", "--view", "score")
    assert "alpha" in repository.envstage("diff", "v1", "HEAD", "--view", "train", code=1)


@pytest.mark.parametrize("tolerance", ["major", "exact"])
def test_tolerated_steps_touch_no_view(repository: Repository, tolerance: str) -> None:
    repository.write(
        "envstage.yaml", f"views: {{train: {{tolerance: {{packages.alpha: {tolerance}}}}}}}\n"
    )
    repository.commit(alpha="2.1", beta="1.0")
    document = json.loads(repository.envstage("diff", "HEAD~1", "HEAD", "--json", code=1))
    assert [each["name"] for each in document["views"]] == (
        ["train"] if tolerance == "exact" else []
    )


def test_log(repository: Repository) -> None:
    lines = repository.envstage("log").splitlines()
    assert len(lines) == 2
    assert "alpha 1.0 → 2.0" in lines[0]
    assert "first snapshot: 2 packages" in lines[1]
    lines = repository.envstage("log", "--fact", "packages.alpha.version").splitlines()
    assert [line.split()[-1] for line in lines] == ["2.0", "1.0"]
    assert len(repository.envstage("log", "-n", "1").splitlines()) == 1
    assert len(repository.envstage("log", "v1..HEAD").splitlines()) == 1
    document = json.loads(repository.envstage("log", "--json"))
    jsonschema.validate(document, json.loads((SCHEMAS / "log.json").read_text()))
    assert document["commits"][0]["differences"][0]["address"] == "packages.alpha.version"


def test_log_of_a_merged_branch(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "side", "v1")
    repository.commit(alpha="1.0", beta="3.0")
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-commit", "-s", "ours", "side")
    repository.commit(alpha="2.0", beta="3.0")
    lines = repository.envstage("log").splitlines()
    # Each is told against its own first parent: nobody changed alpha back.
    assert "beta 1.0 → 3.0" in lines[0] and "alpha" not in lines[0]
    assert sum("alpha" in line for line in lines) == 1


def test_log_of_a_damaged_and_a_removed_snapshot(repository: Repository) -> None:
    repository.write("environment/environment.json", "{")
    repository.commit_all()
    repository.git("rm", "-q", "environment/environment.json")
    repository.commit_all()
    lines = repository.envstage("log").splitlines()
    assert "removed" in lines[0] and "is not JSON" in lines[1]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("log nothing", "is no Git revision"),
        ("log --output=x", "unrecognized arguments"),
        ("log -n -1", "less than nothing"),
        ("diff nothing", "names neither"),
        ("diff v1 HEAD --view nothing", "no view `nothing`"),
        ("show --fact packages.zeta", "no fact"),
        ("show -e nothing HEAD", "there is no environment/nothing/environment.json"),
    ],
)
def test_misuse_is_one_line(repository: Repository, command: str, says: str) -> None:
    output = repository.envstage(*command.split(), code=2)
    assert says in output
    assert "Traceback" not in output


def test_log_without_commits(tmp_path: Path) -> None:
    made = Repository(tmp_path / "repo")
    assert "there is no commit yet" in made.envstage("log", code=2)
    made.commit_all()
    assert "no commit has a snapshot yet" in made.envstage("log")


def test_show(repository: Repository) -> None:
    text = repository.envstage("show", "v1")
    assert text.startswith("environment main  e-")
    assert "interpreter   python 3.11.8" in text and "alpha  1.0" in text
    assert repository.envstage("show", "--fact", "packages.alpha.version") == "2.0\n"
    assert json.loads(repository.envstage("show", "--fact", "packages.alpha", "--json")) == {
        "packages": {"alpha": {"version": "2.0"}}
    }


def test_show_prints_whole_digests_for_scripts(repository: Repository) -> None:
    repository.write("environment/environment.json", large(1, 0))
    text = repository.envstage("show", "--fact", "packages.package-0.build")
    assert len(text.strip()) == len("sha256:") + 64


def test_check_a_list(repository: Repository) -> None:
    repository.write("requirements.txt", "no-such-package-here==1.0\n")
    text = repository.envstage("check", "requirements.txt", "--fix", code=1)
    assert "no-such-package-here==1.0" in text.splitlines()[-2] + text.splitlines()[-1]
    assert "Not compared" in text
    document = json.loads(repository.envstage("check", "requirements.txt", "--json", code=1))
    jsonschema.validate(document, json.loads((SCHEMAS / "check.json").read_text()))
    assert document["result"] == "differs"


def test_colour_on_terminals_only(repository: Repository) -> None:
    def on_terminal(**environ: str) -> str:
        parent, child = pty.openpty()
        argv = [sys.executable, "-m", "envstage", "diff", "v1", "HEAD"]
        variables = {"TERM": "xterm", **{k: v for k, v in os.environ.items() if k != "NO_COLOR"}}
        with subprocess.Popen(argv, cwd=repository.root, stdout=child, stderr=child,
                              env=variables | environ) as process:  # fmt: skip
            os.close(child)
            text = b""
            while True:
                try:
                    data = os.read(parent, 65536)
                except OSError:  # the other end was closed
                    break
                if not data:
                    break
                text += data
            process.wait()
        os.close(parent)
        return text.decode()

    assert "\x1b[" in on_terminal(TERM="xterm")
    assert "\x1b[" not in on_terminal(TERM="xterm", NO_COLOR="1")
    assert "\x1b[" not in on_terminal(TERM="dumb")


def least_cpu_s(argv: list[str], folder: Path, code: int) -> float:
    """Seconds of processor time, children included: a busy machine makes them no more."""
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == code
    return min(times)


def test_a_thousand_packages_take_less_than_200_ms(repository: Repository) -> None:
    repository.write("a.json", large(1000, 0))
    repository.write("b.json", large(1000, 1))
    argv = [sys.executable, "-m", "envstage", "diff", "a.json", "b.json"]
    assert least_cpu_s(argv, repository.root, 1) < 0.2


def test_a_thousand_commits_take_less_than_3_s(tmp_path: Path) -> None:
    made = Repository(tmp_path / "repo")
    stream = []
    for number in range(1000):
        stream.append(
            f"commit refs/heads/main\ncommitter Ada <a@b> {1700000000 + number} +0000\n"
            f"data 1\nc\nM 100644 inline notes.txt\ndata 4\n{number:04d}\n".encode()
        )
        if number % 20 == 0:
            data = large(300, number)
            head = f"M 100644 inline environment/environment.json\ndata {len(data)}\n"
            stream.append(head.encode() + data + b"\n")
    argv = ["git", "-C", str(made.root), "fast-import", "--quiet"]
    subprocess.run(argv, input=b"".join(stream), check=True)
    made.git("reset", "-q", "--hard")
    assert len(made.envstage("log").splitlines()) == 50
    assert least_cpu_s([sys.executable, "-m", "envstage", "log"], made.root, 0) < 3


def test_snapshot_of_another_environment(repository: Repository) -> None:
    repository.write("environment/gpu/environment.json", snapshot({"alpha": "9.0"}, "gpu"))
    repository.commit_all()
    assert "alpha  9.0" in repository.envstage("show", "HEAD", "-e", "gpu")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_locale_has_characters_for_it(repository: Repository, encoding: str) -> None:
    # A cluster's C locale, a cron job's: a capture that has an upgrade to tell must not fail there.
    arrow = "→" if encoding == "utf-8" else "->"
    output = repository.envstage("diff", "v1", "HEAD", code=1, PYTHONIOENCODING=encoding)
    assert f"~ alpha  1.0 {arrow} 2.0" in output
    repository.write("π/environment/environment.json", snapshot({"alpha": "1.0"}))
    name = "π" if encoding == "utf-8" else "\\u03c0"
    shown = repository.envstage("show", "π", PYTHONIOENCODING=encoding)
    assert f"{name}/environment/environment.json" in shown


@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("{} >&-", 0, ""),
        ("{} 2>&-", 0, None),
        ("{} --json >&- 2>&-", 0, ""),
        ("{} >/dev/full", 2, "envstage: No space left on device; the output is not whole.\n"),
    ],
)
def test_output_that_goes_nowhere(
    repository: Repository, shell: str, code: int, said: str | None
) -> None:
    done = subprocess.run(
        ["sh", "-c", shell.format(f"{sys.executable} -m envstage show")],
        cwd=repository.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert done.stdout + done.stderr == said or said is None
