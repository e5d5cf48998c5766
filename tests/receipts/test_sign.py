"""Signatures: of one key for one statement."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from envstage.errors import EnvstageError
from envstage.receipts import sign
from envstage.receipts.check import check_signature
from envstage.receipts.document import decode, encode, encode_envelope, encode_statement
from tests.receipts.samples import receipt

COSIGN = """\
#!{python}
# Signs as cosign does with a key of its own: ECDSA over P-256, base64 on standard output.
import base64, sys
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if sys.argv[1] == "version":
    print("GitVersion:    v{version}")
    sys.exit()
assert sys.argv[1:4] == ["sign-blob", "--yes", "--tlog-upload=false"], sys.argv
assert ("--new-bundle-format=false" in sys.argv) == ("{version}"[0] == "3"), sys.argv
key = open({key!r}, "rb").read()
data = open(sys.argv[-1], "rb").read()
print(base64.b64encode(load_pem_private_key(key, None).sign(data, ECDSA(SHA256()))).decode())
"""


def written(folder: Path, private: object, name: str = "key", password: bytes = b"") -> Path:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    path = folder / f"{name}.pem"
    path.write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)  # type: ignore[attr-defined]
    )
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    (folder / f"{name}.pub").write_bytes(public)
    return path


def signed(key: str) -> bytes:
    payload = encode_statement(receipt())
    return encode_envelope(payload, (sign.signer(key)(payload),))


def test_one_key_for_one_statement(tmp_path: Path) -> None:
    key = written(tmp_path, ed25519.Ed25519PrivateKey.generate())
    written(tmp_path, ed25519.Ed25519PrivateKey.generate(), "other")
    data = signed(str(key))
    assert check_signature(decode(data, "r"), str(tmp_path / "key.pub")).result == "holds"
    assert check_signature(decode(data, "r"), str(tmp_path / "other.pub")).result == "differs"
    # Another receipt under the same signature: its own digest is right, the signature is not.
    payload = encode_statement(receipt(remarks=("nothing happened",)))
    moved = encode_envelope(payload, decode(data, "r").signatures)
    assert check_signature(decode(moved, "r"), str(tmp_path / "key.pub")).result == "differs"
    plain = decode(encode(receipt()), "r")
    assert check_signature(plain, str(tmp_path / "key.pub")).words == "the receipt is not signed"


def test_keys_that_cannot_be_used(tmp_path: Path) -> None:
    locked = written(tmp_path, ed25519.Ed25519PrivateKey.generate(), "locked", b"secret")
    strange = written(tmp_path, rsa.generate_private_key(65537, 2048), "rsa")
    for key, says in (
        (locked, "passphrase"),
        (strange, "no ed25519 private key"),
        (tmp_path / "locked.pub", "no ed25519 private key"),
        (tmp_path / "nothing.pem", "cannot be read"),
    ):
        with pytest.raises(EnvstageError, match=says):
            sign.signer(str(key))
    good = written(tmp_path, ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(EnvstageError, match="no public key"):
        check_signature(decode(signed(str(good)), "r"), str(good))
    with pytest.raises(EnvstageError, match="neither ed25519"):
        check_signature(decode(signed(str(good)), "r"), str(tmp_path / "rsa.pub"))


def test_without_cryptography_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = written(tmp_path, ed25519.Ed25519PrivateKey.generate())
    data = signed(str(key))
    for name in [each for each in sys.modules if each.startswith("cryptography")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvstageError, match=r"pip install 'envstage\[sign\]'"):
        sign.signer(str(key))
    with pytest.raises(EnvstageError, match="neither is installed"):
        check_signature(decode(data, "r"), str(tmp_path / "key.pub"))


@pytest.mark.skipif(os.name == "nt", reason="a script stands for cosign")
@pytest.mark.parametrize("version", ["2.4.1", "3.0.2"])
def test_a_key_of_cosigns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    private = written(tmp_path, ec.generate_private_key(ec.SECP256R1()), "inner")
    key = tmp_path / "cosign.key"
    key.write_text("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvstageError, match="cosign is not installed"):
        sign.signer(str(key))
    program = tmp_path / "cosign"
    program.write_text(COSIGN.format(python=sys.executable, key=str(private), version=version))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    data = signed(str(key))
    assert json.loads(data)["signatures"][0]["keyid"] == ""
    assert check_signature(decode(data, "r"), str(tmp_path / "inner.pub")).result == "holds"
