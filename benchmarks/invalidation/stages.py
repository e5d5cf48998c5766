"""The pipeline of the truth table: ten stages with different needs, and its two rivals.

The rivals are the same stages in a second dvc.yaml, on the same code, data and environment:
behind the well-known `pip freeze` in an `always_changed` stage, and by DVC alone.
"""

from typing import Final

FRAMES, LEARN, PLOT, REPORT = "frames", "learn", "plot", "report"
OPTIONAL, LAB, ALIGN, SHELL = "optional", "lab", "align", "shell"
GPU, CPU = "gpu", "cpu"
STAGES: Final = (FRAMES, LEARN, PLOT, REPORT, OPTIONAL, LAB, ALIGN, SHELL, GPU, CPU)
ALL: Final = frozenset(STAGES)
NONE: Final = frozenset[str]()
PYTHON: Final = ALL - {SHELL}
ARRAYS: Final = frozenset({FRAMES, LEARN, PLOT, GPU, CPU})
HARDWARE: Final = frozenset({GPU, CPU})

_WRITE: Final = "\npathlib.Path(sys.argv[1]).write_text('\\n'.join(map(str, found)) + '\\n')\n"
_START: Final = "import pathlib\nimport sys\n"
SCRIPTS: Final = {
    FRAMES: "import framekit\nfound = [framekit.version, framekit.bottle]",
    LEARN: "import learnkit\nfound = [learnkit.version, learnkit.science.version]",
    PLOT: "import plotkit\nfound = [plotkit.version, plotkit.backends]",
    # The library that would be faster is not installed; nor is a part of the namespace.
    OPTIONAL: "try:\n    import jsonfast as json\nexcept ImportError:\n    import json\n"
    # Of the standard library, and nothing that DVC needs, which starts with the same PYTHONPATH.
    "import wave\nimport nspkg.core\ntry:\n    import nspkg.extra\nexcept ImportError:\n    pass\n"
    "found = [json.__name__, nspkg.core.version]",
    # Two editable installs: one of another repository, one of this one.
    LAB: "import labtools\nimport owncode\nfound = [labtools.answer(), owncode.answer]",
    # A program that the configuration declares under `tools:`.
    ALIGN: "import subprocess\nfound = [subprocess.run(['aligner', '--version'],"
    " capture_output=True, text=True).stdout]",
    GPU: "import arrays\nimport gpukit\nfound = [arrays.version, gpukit.start()]",
    CPU: "import arrays\nfound = [arrays.version]",
}


def script(stage: str, more: str = "") -> str:
    """The code of a stage; `more` goes before the rest."""
    return f"{_START}{more}{SCRIPTS[stage]}{_WRITE}"


def command(stage: str, out: str) -> str:
    """What a stage runs."""
    if stage == REPORT:
        return f"summarise {out}"
    if stage == SHELL:
        return f"sort data.csv > {out}"
    return f"python code/{stage}.py {out}"


def deps(stage: str) -> tuple[str, ...]:
    """What a stage depends on, without an environment."""
    if stage in (REPORT, SHELL):
        return ("data.csv",)
    own = ("own/src/owncode/__init__.py",) if stage == LAB else ()
    return (f"code/{stage}.py", "data.csv", *own)


def dvc_yaml() -> str:
    """The pipeline, before envstage."""
    lines = ["stages:"]
    for stage in STAGES:
        out = f"out/{stage}.txt"
        lines += _stage(stage, command(stage, out), deps(stage), out)
    return "\n".join(lines) + "\n"


def rivals_yaml() -> str:
    """`pip freeze` in an always_changed stage, and DVC alone. A stage without Python does not
    depend on the packages: nobody would write that."""
    lines = ["stages:", "  freeze:", "    cmd: frozen-packages > requirements.txt"]
    lines += ["    always_changed: true", "    outs:", "    - requirements.txt: {cache: false}"]
    for stage in STAGES:
        for rival in ("freeze", "alone"):
            out = f"rivals/out/{stage}-{rival}.txt"
            more = ("rivals/requirements.txt",) if rival == "freeze" and stage != SHELL else ()
            name = f"{stage}-{rival}"
            lines += _stage(name, command(stage, out), (*deps(stage), *more), out, wdir="..")
    return "\n".join(lines) + "\n"


def _stage(
    name: str, cmd: str, needs: tuple[str, ...], out: str, *, wdir: str = ""
) -> tuple[str, ...]:
    return (
        f"  {name}:",
        f"    cmd: {cmd}",
        *((f"    wdir: {wdir}",) if wdir else ()),
        "    deps:",
        *(f"    - {each}" for each in needs),
        "    outs:",
        f"    - {out}",
    )


# Views have the level that `track` would give on a machine without a GPU, but for two stages. A
# stage's user says that `sort` is no business of the declared tool: nobody can see what a shell
# starts.
CONFIGURATION: Final = """\
environments:
  main: {python: auto, level: hardware}
variables: {watch: [MY_FLAG, MY_TOKEN]}
tools: [aligner]
views:
  shell: {level: platform, exclude: [tools.*]}
""" + "".join(
    f"  {stage}: {{level: {'hardware' if stage in HARDWARE else 'platform'}}}\n"
    for stage in STAGES
    if stage != SHELL
)
