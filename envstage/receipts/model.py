"""What a receipt holds (docs/schemas/receipt.json is made from these types)."""

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

SCHEMA: Final = 1

Scalar: TypeAlias = str | int | bool | None
Digest: TypeAlias = Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a stage, of all its commands.

    Attributes:
        id: `r-` and 32 hexadecimal digits, drawn at random.
        start, end: UTC, ISO 8601 with milliseconds.
        exit_code: of the last command; as a shell reports it: 128 + the signal.
        signal: the signal that killed the last command (`SIGKILL`), if one did.
        outcome: in a word: `ended`, `failed`, `killed`; `drifted`: it ended, but the environment
            changed meanwhile.
        engine: what started it; None: a person, or something unknown.
        stage: as the engine calls it.
    """

    id: str
    start: str
    end: str
    exit_code: int
    signal: str | None = None
    outcome: Literal["ended", "failed", "killed", "drifted"]
    engine: str | None = None
    stage: str | None = None


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool of threads of BLAS or OpenMP, as threadpoolctl saw it when the process ended."""

    api: str
    version: str | None = None
    threads: int
    architecture: str | None = None
    path: str | None = None


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """A shared library that was mapped and that results depend on.

    Attributes:
        kind: `blas`, `openmp`, `libc`, `cuda`, `cudnn` and so on.
        path: as /proc/<pid>/maps had it.
        version: as its file, its file's name or its package says; None where none of them does.
        package: the installed package that brought it.
    """

    kind: str
    name: str
    path: str
    version: str | None = None
    package: str | None = None


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """Python processes of a run that were alike.

    Attributes:
        program: the name of the script or program, never its arguments.
        count: how many processes were like this.
        settings: what was in effect when they ended, by name: determinism, precision, seeds,
            threads of the frameworks that the program had loaded, and variables that it may have
            set itself.
        unseen: why this process could not be seen to its end; empty where it was.
    """

    program: str
    python: str
    count: int = 1
    settings: dict[str, Scalar] = {}
    pools: tuple[Pool, ...] = ()
    unseen: str = ""


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What a command was seen to use.

    Attributes:
        is_complete: whether nothing can have been used unseen.
        doubts: why something may have been.
        packages: the distributions used, with their versions; None: asked for, not installed.
        names: module names that were looked up and not found, and loose modules.
        files: files outside packages and the project that code was loaded from.
        code: the project's own files that ran, with their digests.
        programs: programs other than Python that were started.
        gpu: GPU libraries and devices in use.
        variables: the watched variables that the run may have read, as they were set.
        entry_points: groups of entry points that were asked for.
        unseen: what this platform does not show.
    """

    is_complete: bool
    doubts: tuple[str, ...] = ()
    packages: dict[str, str | None] = {}
    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    code: dict[str, Digest] = {}
    programs: tuple[str, ...] = ()
    gpu: tuple[str, ...] = ()
    variables: dict[str, str] = {}
    entry_points: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    libraries: tuple[Library, ...] = ()
    processes: tuple[Process, ...] = ()


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One of a stage's commands.

    Attributes:
        argv: with what may be a secret removed.
        folder: where it ran, relative to the project.
        observed: None where nobody looked; `unseen` says why.
    """

    argv: tuple[str, ...]
    folder: str
    start: str
    end: str
    exit_code: int
    signal: str | None = None
    observed: Observed | None = None
    unseen: str = ""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The view that the run stands for.

    Attributes:
        fate: what became of it after the run: `narrowed`, `kept`, `wide`, `collected`, `grew`,
            `restated`; `as it was` where the run does not speak for it.
        document: as its file has it.
    """

    name: str
    environment: str
    file: str
    fingerprint: str
    fate: str
    document: dict[str, Any]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file in a folder; the path starts from the folder."""

    path: str
    sha256: str
    md5: str
    size_bytes: int


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder that the run read or made, as it was when the run had ended.

    Attributes:
        path: relative to the project.
        md5: as dvc.lock has it; of a folder, `….dir`.
        sha256: of a file.
        dir_hash: of a folder: the digest that in-toto calls `dirHash`.
        entries: the files of a folder, where they are not too many.
        why: why there is no digest, or where it is from.
    """

    path: str
    kind: Literal["file", "folder", "missing", "unread"]
    md5: str | None = None
    sha256: str | None = None
    dir_hash: str | None = None
    size_bytes: int | None = None
    file_count: int | None = None
    entries: tuple[Entry, ...] = ()
    why: str = ""


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a stage in one file: a digest over their names and values."""

    file: str
    keys: tuple[str, ...] = ()
    digest: Digest


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence of one run.

    Attributes:
        envstage: the release that wrote it.
        remarks: what a reader must know: that the machine was not what the view said, or that the
            environment changed meanwhile, and what of it.
        snapshot: the environment as a snapshot's file has it; None where it could not be taken.
        context: what belongs to no environment: host, user, commit, kernel, memory, OS packages.
        unseen: what this receipt does not know.
        digest: sha256 over the rest of the document as canonical JSON.
    """

    document: Literal["receipt"] = "receipt"
    schema: Literal[1] = 1
    envstage: str
    run: Run
    commands: tuple[Command, ...]
    view: View
    snapshot: dict[str, Any] | None = None
    context: dict[str, Any] = {}
    parameters: tuple[Parameters, ...] = ()
    deps: tuple[Artifact, ...] = ()
    outs: tuple[Artifact, ...] = ()
    remarks: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    digest: str = ""
