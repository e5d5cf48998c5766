"""Fuzz the parsers, guided by coverage: `python -m tests.fuzz [SECONDS [MARKDOWN]]`.

Every parser for so many seconds (60), each in a process of its own; the table of inputs and
crashes is printed, and written to a file of documentation (`make fuzz`, docs/fuzzing.md).
"""

import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TARGETS = (
    "document facts view other_documents probe_answer installed distribution conda_record "
    "configurations pipelines index_settings reports states machine_files git_folder texts"
).split()
_LIMIT_BYTES = 8192
_SLOW_S = 10
_MEMORY_MB = 2048


def fuzz(name: str, folder: str, seconds: int) -> None:
    """Fuzz in this process: it ends with an exit code that is not 0 at the first crash."""
    import atheris

    with atheris.instrument_imports(include=["envstage"]):
        from tests.fuzz.corpus import NASTY, SEEDS
        from tests.fuzz.targets import TARGETS as functions

    for index, data in enumerate((*SEEDS, *NASTY.values())):
        Path(folder, f"seed-{index}").write_bytes(data[:_LIMIT_BYTES])
    options = [f"-max_total_time={seconds}", f"-max_len={_LIMIT_BYTES}", f"-timeout={_SLOW_S}"]
    options += [f"-rss_limit_mb={_MEMORY_MB}", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup(
        [sys.argv[0], folder, f"-artifact_prefix={folder}/crash-", *options], functions[name]
    )
    atheris.Fuzz()


def all_parsers(seconds: int) -> tuple[str, int]:
    """Fuzz every parser; the table, and how many crashed."""
    lines = ["| parser | inputs | crashes |", "| --- | ---: | ---: |"]
    total = crashed = 0
    for name in TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "tests.fuzz", "--one", name, str(seconds), folder],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            found = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
            inputs = int(found[1]) if found else 0
            inputs_found = [each.read_bytes() for each in Path(folder).glob("crash-*")]
            crashes = len(inputs_found)
            crashes += done.returncode != 0 and not crashes
        total += inputs
        crashed += crashes
        lines.append(f"| `{name}` | {inputs:,} | {crashes} |")
        print(lines[-1], flush=True)
        if crashes:
            print(done.stdout[-3000:], done.stderr[-1000:], inputs_found, file=sys.stderr)
    lines.append(f"| all | {total:,} | {crashed} |")
    print(lines[-1], flush=True)
    return "\n".join(lines), crashed


def document(table: str, seconds: int) -> str:
    """The page of documentation."""
    version = importlib.metadata.version("atheris")
    python = ".".join(map(str, sys.version_info[:3]))
    return f"""# Fuzzing: the last figures

Written by `make fuzz SECONDS={seconds}` with atheris {version} on Python {python}:
{seconds} seconds for each parser. A crash is an exception other than the one line for people, an
output with something in it that steers a terminal or is markup, more than {_SLOW_S} seconds for
an input, or more than {_MEMORY_MB // 1024} GiB. What each parser is: `tests/fuzz/targets.py`.

{table}
"""


def main(words: list[str]) -> int:
    """The command line."""
    if words[:1] == ["--one"]:
        fuzz(words[1], words[3], int(words[2]))
        return 0
    seconds = int(words[0]) if words else 60
    table, crashed = all_parsers(seconds)
    if len(words) > 1:
        Path(words[1]).write_text(document(table, seconds), encoding="utf-8")
    return min(crashed, 1)


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[2])
    sys.exit(main(sys.argv[1:]))
