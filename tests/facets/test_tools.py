import hashlib
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envstage.facets import tools
from envstage.facets.catalogue import rule_of
from envstage.facets.contract import Collected
from envstage.facets.tools import plain, useful_line
from envstage.snapshot.model import ABSENT, Level, NotApplicable, Unknown, Value
from envstage.world import Completed, Machine, TimedOut
from tests.facets.requests import request

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the tools of the tests are shell scripts")


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def world(folder: Path, **environ: str) -> Machine:
    return Machine({"PATH": f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin", **environ})


def collect(folder: Path, *names: str) -> Collected:
    return tools.collect(world(folder), request(tools=names))


def version(folder: Path, script: str) -> Value:
    program(folder, "tool", "#!/bin/sh\n" + script)
    return collect(folder, "tool").facts["tools", "tool", "version"]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'samtools 1.19.2'; echo 'Using htslib 1.19.1'", "samtools 1.19.2"),
        ("echo 'openjdk 21.0.2' >&2", "openjdk 21.0.2"),
        ("printf '\\033[1mtool\\033[0m  2.1\\n\\n'", "tool 2.1"),
        ("echo Welcome; echo; echo 'v3.4'", "v3.4"),
        ("echo 'Picked up OPTIONS: 2'; echo 'java 17.0.1'", "java 17.0.1"),
        ("echo 'pip 24.0 from /usr/lib/pip (python 3.11)'", "pip 24.0 from (python 3.11)"),
        ("echo 'build 12345'", "build 12345"),
        ('[ "$1" = -version ] && echo 4.5 || exit 1', "4.5"),
        ('[ "$1" = version ] && echo 4.6 || exit 1', "4.6"),
        ('[ "$1" = -V ] && echo 4.7 || { echo unknown option 1.0; exit 1; }', "4.7"),
        ("echo 'Version: 0.7.17'; exit 1", "Version: 0.7.17"),
        ("echo unknown option; exit 2", NotApplicable("it prints no version")),
        ("true", NotApplicable("it prints no version")),
        ('echo "$LC_ALL $NO_COLOR.0 $TERM"', "C 1.0 dumb"),
        ("echo 'tool 1.0 token=hunter2'", "tool 1.0"),
        ("echo 'tool 1.0 ghp_abcdefgh12'", "tool 1.0"),
        ("echo 'tool 1.0 see https://example.org/a 1/2'", "tool 1.0 see https://example.org/a 1/2"),
        ("echo 'tool 1.0 --prefix=/home/anna/x'", "tool 1.0"),
    ],
)
def test_the_version_line(tmp_path: Path, script: str, expected: Value) -> None:
    assert version(tmp_path, script) == expected


def test_a_tool_without_a_version_is_told(tmp_path: Path) -> None:
    program(tmp_path, "bwa", "#!/bin/sh\nexit 1\n")
    assert collect(tmp_path, "bwa").anomalies == (
        "tools: bwa: it prints no version; only its digest tells builds apart",
    )


def test_a_tool_that_is_not_there_is_absent(tmp_path: Path) -> None:
    assert collect(tmp_path, "no-such-tool").facts == {("tools", "no-such-tool", "version"): ABSENT}


@pytest.mark.parametrize("name", ["/bin/sh", "./tool", "-rf", "", "a b", "$(id)", "..", "a\\b"])
def test_what_is_no_name_is_not_started(tmp_path: Path, name: str) -> None:
    class Still(Machine):
        def run(self, *args: object, **options: object) -> Completed:
            raise AssertionError("started")

    collected = tools.collect(Still(), request(tools=(name,)))
    assert collected.facts == {
        ("tools", name, "version"): Unknown("not the name of a program: no path, no option")
    }


def test_a_tool_that_hangs_or_cannot_start_is_unknown(tmp_path: Path) -> None:
    class Hangs(Machine):
        def run(self, *args: object, **options: object) -> Completed:
            raise TimedOut("no answer")

    program(tmp_path, "tool", "#!/bin/sh\n")
    hangs = tools.collect(Hangs({"PATH": str(tmp_path)}), request(tools=("tool",)))
    why = Unknown("`--version` was not answered within 10 s")
    assert hangs.facts["tools", "tool", "version"] == why

    program(tmp_path, "tool", "#!/no/such/interpreter\n")
    broken = collect(tmp_path, "tool").facts["tools", "tool", "version"]
    assert broken == Unknown("cannot be started: no such file or directory")


def test_the_digest_is_of_the_real_executable(tmp_path: Path) -> None:
    real = program(tmp_path / "opt", "tool-1.0", "#!sh\necho 1.0\n")
    (tmp_path / "tool").symlink_to(real)
    digest = collect(tmp_path, "tool").facts["tools", "tool", "sha256"]
    assert digest == "sha256:" + hashlib.sha256(real.read_bytes()).hexdigest()


def digest_of(folder: Path, text: str) -> Value:
    program(folder / "bin", "tool", text)
    return collect(folder / "bin", "tool").facts["tools", "tool", "sha256"]


def test_the_digest_does_not_tell_where_the_environment_stands(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    script = "#!{}/bin/python3\nimport sys\n"
    assert digest_of(one, script.format(one)) == digest_of(two, script.format(two))
    assert digest_of(one, script.format(one)) != digest_of(one, script.format(one) + "x = 1\n")

    long = "#!/bin/sh\n'''exec' \"{}/bin/python\" \"$0\" \"$@\"\n' '''\nimport sys\n"
    assert digest_of(one, long.format(one)) == digest_of(two, long.format(two))


def test_condas_prefix_in_a_binary_is_no_difference(tmp_path: Path) -> None:
    def binary(folder: Path, code: str) -> str:
        return "\x7fELF" + f"{folder}/share".ljust(200, "\0") + code

    one, two = tmp_path / "one", tmp_path / "longer-name"
    assert digest_of(one, binary(one, "a")) != digest_of(two, binary(two, "a"))
    for folder in (one, two):
        (folder / "conda-meta").mkdir()
    assert digest_of(one, binary(one, "a")) == digest_of(two, binary(two, "a"))
    assert digest_of(one, binary(one, "a")) != digest_of(two, binary(two, "b"))


def test_the_order_of_the_configuration_is_no_difference(tmp_path: Path) -> None:
    program(tmp_path, "a", "#!/bin/sh\necho 1.0\n")
    program(tmp_path, "b", "#!/bin/sh\necho 2.0\n")
    first, second = collect(tmp_path, "a", "b"), collect(tmp_path, "b", "a", "b")
    assert list(first.facts.items()) == list(second.facts.items())
    for address in first.facts:
        rule = rule_of(address)
        assert rule is not None
        assert rule.level is (Level.SOFTWARE if address[2] == "version" else Level.PLATFORM)


@given(st.binary(max_size=400))
def test_any_output_gives_one_printable_line(output: bytes) -> None:
    line = useful_line(output)
    assert line.isprintable() and len(line) <= 200 and not line.startswith("/")


@given(st.text(max_size=30), st.text("abcdef", min_size=1))
def test_no_absolute_path_survives(before: str, name: str) -> None:
    assert f"/home/{name}" not in plain(
        f"{before} /home/{name} =/home/{name} (/home/{name}) `/home/{name}` -L/home/{name} "
        f"a:/home/{name} file:///home/{name} </home/{name}>"
    )
