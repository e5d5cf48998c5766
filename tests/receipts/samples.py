"""Receipts to read: of runs that nobody made."""

from typing import Any

import msgspec

from envstage.receipts.model import (
    Artifact,
    Command,
    Entry,
    Library,
    Observed,
    Parameters,
    Pool,
    Process,
    Receipt,
    Run,
    View,
)
from envstage.snapshot.canonical import parsed
from envstage.snapshot.document import encode as encode_snapshot
from envstage.snapshot.model import Facts, Level, Snapshot
from envstage.views.document import ViewDocument, as_json, view_fingerprint

RUN = "r-0123456789abcdef0123456789abcdef"
SHA = "a" * 64


def snapshot(**packages: str) -> Snapshot:
    facts: dict[Any, Any] = {("packages", name, "version"): v for name, v in packages.items()}
    facts["python", "version"] = "3.11.7"
    return Snapshot(environment="main", level=Level.PLATFORM, facts=facts)


def view(**packages: str) -> View:
    facts: Facts = {("packages", name, "version"): v for name, v in packages.items()}
    document = ViewDocument(level=Level.PLATFORM, selection="observed", facts=facts)
    return View(
        name="train",
        environment="main",
        file="environment/views/train.json",
        fingerprint=view_fingerprint(document),
        fate="narrowed",
        document=as_json(document),
    )


def observed() -> Observed:
    return Observed(
        is_complete=True,
        packages={"alpha": "1.0", "gamma": None},
        names=("bottleneck",),
        code={"train.py": f"sha256:{SHA}"},
        libraries=(
            Library(kind="openmp", name="libgomp", path="/usr/lib/libgomp.so.1", version="1.0.0"),
        ),
        processes=(
            Process(
                program="train.py",
                python="3.11.7",
                settings={"torch.initial_seed": 42, "torch.cudnn.benchmark": False, "x": None},
                pools=(Pool(api="openmp", threads=2),),
            ),
        ),
    )


def receipt(**changes: Any) -> Receipt:
    start, end = "2026-01-02T03:04:05.678Z", "2026-01-02T04:04:05.678Z"
    made = Receipt(
        envstage="0.1.0",
        run=Run(
            id=RUN, start=start, end=end, exit_code=0, outcome="ended", engine="DVC", stage="train"
        ),
        commands=(
            Command(
                argv=("python", "train.py"),
                folder=".",
                start=start,
                end=end,
                exit_code=0,
                observed=observed(),
            ),
        ),
        view=view(alpha="1.0"),
        snapshot=parsed(encode_snapshot(snapshot(alpha="1.0"))),
        context={"host": "node7", "user": "ada", "code": {"commit": "c" * 40, "branch": "main",
                                                          "dirty": True, "diff": "sha256:1"}},
        parameters=(Parameters(file="params.yaml", keys=("lr",), digest=f"sha256:{SHA}"),),
        deps=(Artifact(path="train.py", kind="file", md5="0" * 32, sha256=SHA, size_bytes=3),),
        outs=(
            Artifact(path="model.pkl", kind="file", md5="1" * 32, sha256="b" * 64, size_bytes=4),
            Artifact(
                path="plots",
                kind="folder",
                md5="2" * 32 + ".dir",
                dir_hash="c" * 64,
                size_bytes=5,
                file_count=1,
                entries=(Entry(path="a.png", sha256="d" * 64, md5="3" * 32, size_bytes=5),),
            ),
        ),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)
