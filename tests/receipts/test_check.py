"""Is this file what that run made?"""

import hashlib
from pathlib import Path

import msgspec

from envstage.receipts import check
from envstage.receipts.check import Finding
from envstage.receipts.digests import artifact
from envstage.receipts.document import decode, encode
from envstage.receipts.model import Artifact
from envstage.snapshot.model import Facts
from envstage.views.document import ViewDocument
from envstage.views.document import encode as encode_view
from tests.receipts.samples import receipt, snapshot, view


def never(path: str) -> bool:
    return path == ""


def found(tmp_path: Path, name: str, *outs: Artifact) -> Finding:
    return check.check_file(receipt(outs=outs), str(tmp_path / name), name, never)


def test_files_by_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "w").write_text("weights")
    (tmp_path / "model").write_text("model")
    outs = (artifact(str(tmp_path), "m"), artifact(str(tmp_path), "model"))
    (tmp_path / "model").rename(tmp_path / "renamed")
    assert found(tmp_path, "renamed", *outs).words.startswith("was made by this run, as model")
    assert found(tmp_path, "m", *outs).result == "holds"
    assert found(tmp_path, "m/w", *outs).result == "holds"
    assert found(tmp_path, "nothing", *outs).result == "unknown"
    (tmp_path / "m" / "w").write_text("other weights")
    assert "is not what this run made" in found(tmp_path, "m/w", *outs).words
    assert found(tmp_path, "m", *outs).result == "differs"
    (tmp_path / "stranger").write_text("x")
    assert "it made m, m/w, model" in found(tmp_path, "stranger", *outs).words


def test_an_out_without_a_digest_decides_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    out = Artifact(path="big", kind="unread", why="larger than what is read for a receipt")
    assert found(tmp_path, "x", out).result == "unknown"
    assert check.check_recorded(str(tmp_path), out, never).result == "unknown"
    # Without DVC and without --outs it is nobody's word that the run did not make it.
    alone = found(tmp_path, "x")
    assert alone.result == "unknown"
    assert "--outs names it" in alone.words


def test_outs_at_their_places(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    out = artifact(str(tmp_path), "x")
    assert check.check_recorded(str(tmp_path), out, never).result == "holds"
    (tmp_path / "x").write_text("y")
    was = hashlib.sha256(b"x").hexdigest()[:12]
    assert was in check.check_recorded(str(tmp_path), out, never).words
    (tmp_path / "x").unlink()
    assert check.check_recorded(str(tmp_path), out, never).result == "unknown"


def test_views(tmp_path: Path) -> None:
    made = receipt()
    facts: Facts = {("packages", "alpha", "version"): "1.0"}
    level = snapshot().level
    same = encode_view(ViewDocument(level=level, selection="observed", facts=facts))
    other = encode_view(ViewDocument(level=level, selection="wide", facts=facts))
    assert check.check_view(made, same, "v").result == "holds"
    assert check.check_view(made, other, "v").result == "differs"
    assert check.check_view(made, None, "v").result == "unknown"


def test_a_view_that_was_exchanged_inside() -> None:
    made = receipt()
    wrong = msgspec.structs.replace(made.view, document=view(alpha="2.0").document)
    sealed = decode(encode(receipt(view=wrong)), "r.json")
    assert check.result_of(tuple(check.check_itself(sealed))) == "differs"
