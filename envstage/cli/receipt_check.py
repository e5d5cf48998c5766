"""`envstage check --receipt R`: is this file what that run made, and the receipt as written?"""

import argparse
import hashlib
import os
from collections.abc import Iterator

import msgspec

from envstage import layout
from envstage.cli.output import print_json
from envstage.errors import DIFFERS, INCOMPLETE, OK, EnvstageError
from envstage.pipelines.dvc_patterns import ignored_by_dvc
from envstage.project import Project
from envstage.receipts import check
from envstage.receipts.check import Finding, VerificationDocument
from envstage.receipts.document import Sealed, TamperedError
from envstage.refs import project_or_folder
from envstage.refs.files import content_of
from envstage.refs.receipt import decode_held
from envstage.refs.runs import receipt_data, recorded_md5
from envstage.snapshot.words import printable
from envstage.world import Machine

_CODES = {"holds": OK, "differs": DIFFERS, "unknown": INCOMPLETE}
_MARKS = {"holds": "ok", "differs": "DIFFERS", "unknown": "unknown"}


def check_receipt(arguments: argparse.Namespace) -> int:
    """Check a receipt, and files against it."""
    if not arguments.receipt:
        raise EnvstageError(
            "--file and --key are about a receipt", where="check", fix="Name it: --receipt R"
        )
    if arguments.ref or arguments.pipeline or arguments.fix:
        raise EnvstageError(
            "a REF, --pipeline and --fix are about this machine, not about a receipt",
            where="check --receipt",
            fix="Ask one thing at a time",
        )
    project = project_or_folder(arguments.directory)
    data, where = receipt_data(Machine(), project, arguments.receipt, arguments.directory)
    sealed = decode_held(data, where).sealed
    _require_recorded(project, data, arguments.receipt, arguments.directory)
    findings = tuple(_findings(project, sealed, arguments))
    result = check.result_of(findings)
    if arguments.json:
        document = VerificationDocument(run=sealed.receipt.run.id, result=result, findings=findings)
        print_json(msgspec.to_builtins(document))
    else:
        for each in findings:
            print(f"{_MARKS[each.result]:8} {printable(each.subject)}: {printable(each.words)}")
    return _CODES[result]


def _findings(project: Project, sealed: Sealed, arguments: argparse.Namespace) -> Iterator[Finding]:
    receipt = sealed.receipt
    is_ignored = ignored_by_dvc(project.root)
    yield from check.check_itself(sealed)
    if arguments.key:
        yield check.check_signature(sealed, arguments.key)
    for path in arguments.file:
        yield check.check_file(receipt, os.path.join(arguments.directory, path), path, is_ignored)
    if not arguments.file and not arguments.view:
        for each in receipt.outs:
            yield check.check_recorded(project.root, each, is_ignored)
    if arguments.view or not arguments.file:
        where = receipt.view.file
        if arguments.view:
            view = project.config.view(arguments.view)
            where = layout.view_file(view.environment, view.name)
        yield check.check_view(receipt, content_of(project.path(where)), where)


def _require_recorded(project: Project, data: bytes, ref: str, start: str) -> None:
    """A receipt whose digest was made anew with it is still not the one that DVC recorded."""
    path = os.path.join(start, ref)
    if not os.path.isfile(path):
        return
    md5 = recorded_md5(project, path)
    if md5 is not None and md5 != hashlib.md5(data, usedforsecurity=False).hexdigest():
        raise TamperedError(
            "is not the receipt that dvc.lock recorded",
            where=ref,
            fix="`dvc checkout` brings that one back",
        )
