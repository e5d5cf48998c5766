"""Signatures of receipts: ed25519 through `cryptography`, or a key of cosign's through `cosign`.

Neither is needed for anything else: an optional extra (`envstage[sign]`) and a program.
"""

import base64
import binascii
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Final

from envstage.errors import EnvstageError
from envstage.receipts.document import Signature, to_be_signed

_TIMEOUT_S: Final = 120
_LIMIT_BYTES: Final = 1024 * 1024
_COSIGN_KEY: Final = (b"ENCRYPTED COSIGN PRIVATE KEY", b"ENCRYPTED SIGSTORE PRIVATE KEY")
_REMOTE_KEY: Final = ("awskms://", "azurekms://", "gcpkms://", "hashivault://", "k8s://")
_INSTALL: Final = "Install it: pip install 'envstage[sign]'"
_NO_COSIGN: Final = "Install cosign (https://docs.sigstore.dev), or use an ed25519 key"

Signer = Callable[[bytes], Signature]
"""Signs a payload."""


def signer(key: str) -> Signer:
    """What signs with a key: asked for before a run begins, not three days later.

    Args:
        key: a PEM file with an ed25519 private key, or one of cosign's; a URI of cosign's.

    Raises:
        EnvstageError: the key cannot be used here.
    """
    if key.startswith(_REMOTE_KEY):
        return _cosign_signer(key)
    data = _read(key)
    if any(mark in data for mark in _COSIGN_KEY):
        return _cosign_signer(key)
    private = _private_key(data, key)

    def sign(payload: bytes) -> Signature:
        made = private.sign(to_be_signed(payload))
        return Signature(sig=base64.b64encode(made).decode(), keyid=_keyid(private.public_key()))

    return sign


def is_signed_by(payload: bytes, signatures: Sequence[Signature], key: str) -> bool:
    """Whether one of the signatures was made with the private half of a public key.

    Args:
        key: a PEM file with an ed25519 public key, or one of cosign's (ECDSA).

    Raises:
        EnvstageError: nothing here can check it.
    """
    data = _read(key)
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        return _is_signed_for_cosign(payload, signatures, key)
    try:
        public = load_pem_public_key(data)
    except ValueError:
        raise EnvstageError(
            "is no public key in PEM", where=key, fix="Give the public half of the key"
        ) from None
    message = to_be_signed(payload)
    for each in signatures:
        try:
            _verify(public, base64.b64decode(each.sig, validate=True), message, key)
        except (InvalidSignature, binascii.Error, ValueError):
            continue
        return True
    return False


def _verify(public: Any, signature: bytes, message: bytes, key: str) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(public, Ed25519PublicKey):
        public.verify(signature, message)
    elif isinstance(public, EllipticCurvePublicKey):  # what cosign makes
        public.verify(signature, message, ECDSA(SHA256()))
    else:
        raise EnvstageError("is neither ed25519 nor a key of cosign's", where=key)


def _private_key(data: bytes, key: str) -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise EnvstageError(
            "signing needs the package cryptography, which is not installed beside envstage",
            where=f"--sign {key}",
            fix=f"{_INSTALL}; or use a key of cosign's, with cosign installed",
        ) from None
    load = serialization.load_pem_private_key
    if b"OPENSSH PRIVATE KEY" in data:
        load = serialization.load_ssh_private_key
    try:
        private = load(data, None)
    except TypeError:
        raise EnvstageError(
            "is locked by a passphrase, and nobody is there to give it",
            where=key,
            fix="Give a key without one, or one of cosign's with COSIGN_PASSWORD",
        ) from None
    except ValueError:
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise EnvstageError(
            "is no ed25519 private key",
            where=key,
            fix="Make one: openssl genpkey -algorithm ed25519 -out key.pem",
        )
    return private


def _keyid(public: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(data).hexdigest()


def _cosign_signer(key: str) -> Signer:
    program = _cosign(f"--sign {key}")

    def sign(payload: bytes) -> Signature:
        argv = ["sign-blob", "--yes", "--tlog-upload=false", *_plain(program), "--key", key]
        with tempfile.TemporaryDirectory() as folder:
            message = _written(folder, "message", to_be_signed(payload))
            done = _run([program, *argv, message], key)
        return Signature(sig=done.strip())

    return sign


def _is_signed_for_cosign(payload: bytes, signatures: Sequence[Signature], key: str) -> bool:
    program = shutil.which("cosign")
    if program is None:
        raise EnvstageError(
            "a signature can be checked with the package cryptography or with cosign, and "
            "neither is installed",
            where=f"--key {key}",
            fix=_INSTALL,
        )
    argv = [program, "verify-blob", "--insecure-ignore-tlog=true", "--key", key, "--signature"]
    with tempfile.TemporaryDirectory() as folder:
        message = _written(folder, "message", to_be_signed(payload))
        for each in signatures:
            signature = _written(folder, "signature", each.sig.encode())
            done = subprocess.run(
                [*argv, signature, message], capture_output=True, timeout=_TIMEOUT_S, check=False
            )
            if done.returncode == 0:
                return True
    return False


def _plain(program: str) -> tuple[str, ...]:
    """The options by which a cosign from 3.0 on prints the signature as earlier ones do."""
    found = re.search(r"GitVersion:\s*v(\d+)", _run([program, "version"], program))
    is_old = found is not None and int(found[1]) < 3
    return () if is_old else ("--new-bundle-format=false", "--use-signing-config=false")


def _cosign(where: str) -> str:
    program = shutil.which("cosign")
    if program is None:
        raise EnvstageError("the program cosign is not installed", where=where, fix=_NO_COSIGN)
    return program


def _run(argv: Sequence[str], where: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvstageError(f"cosign gave no answer ({error})", where=where) from None
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise EnvstageError(f"cosign failed: {lines[-1]}", where=where)
    return done.stdout.decode("ascii", "replace")


def _written(folder: str, name: str, data: bytes) -> str:
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LIMIT_BYTES)
    except OSError as error:
        raise EnvstageError(
            f"the key cannot be read: {error.strerror}", where=path, fix="Give a PEM file"
        ) from None
