"""Secrets of twelve kinds, made when a test runs, and the forms in which they could come out."""

import base64
import string
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import msgspec
from hypothesis import strategies as st

_MIXED = string.ascii_letters + string.digits


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as it stands in texts, and what must be found nowhere.

    Attributes:
        text: how it stands in a line that somebody wrote.
        needle: the part that is secret.
        is_token: whether its issuer marks it, so that it is known anywhere, also in a path.
    """

    kind: str
    text: str
    needle: str
    is_token: bool = True

    def forms(self) -> tuple[bytes, ...]:
        """The bytes to look for: as it is, percent-encoded, base64, hexadecimal."""
        raw = self.needle.encode()
        lines = [line for line in self.needle.split("\n") if len(line) > 12]
        encoded = [
            *(quote(self.needle, safe=""), quote_plus(self.needle), raw.hex()),
            *(code(raw).decode().rstrip("=") for code in _CODES),
            *lines,
        ]
        return (raw, *(each.encode() for each in encoded))

    def is_name(self) -> bool:
        """Whether a file or a branch can be called so."""
        return self.is_token and all(char in _MIXED + "_-." for char in self.needle)


_CODES: tuple[Callable[[bytes], bytes], ...] = (base64.b64encode, base64.urlsafe_b64encode)


def _token(kind: str, head: str) -> Callable[[str], Secret]:
    return lambda text: Secret(kind=kind, text=head + text, needle=head + text)


def _jwt(text: str) -> Secret:
    parts = (b'{"alg":"HS256"}', b'{"sub":"' + text[:12].encode() + b'"}', text.encode())
    token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    return Secret(kind="JSON Web Token", text=token, needle=token)


def _pem(text: str) -> Secret:
    mark = "RSA PRIVATE " + "KEY-----"
    block = f"-----BEGIN {mark}\nMIIE{text}\n{text[::-1]}\n-----END {mark}"
    return Secret(kind="PEM block", text=block, needle=block, is_token=False)


def _within(kind: str, template: str) -> Callable[[str], Secret]:
    """A password that is one by where it stands."""

    def made(text: str) -> Secret:
        return Secret(
            kind=kind, text=template.replace("*", text[:20]), needle=text[:20], is_token=False
        )

    return made


KINDS: dict[str, Callable[[str], Secret]] = {
    "AWS": lambda text: _token("AWS", "AKIA")(text.upper()[:16]),
    "GitHub": _token("GitHub", "ghp" + "_"),
    "GitHub, fine-grained": _token("GitHub, fine-grained", "github" + "_pat_"),
    "Hugging Face": _token("Hugging Face", "hf" + "_"),
    "Slack": _token("Slack", "xoxb" + "-12345-"),
    "Stripe": _token("Stripe", "sk" + "_live_"),
    "OpenAI": _token("OpenAI", "sk" + "-proj-"),
    "JSON Web Token": _jwt,
    "PEM block": _pem,
    "database": _within("database", "postgres://user:*@db.example.org/train"),
    "basic authentication": _within("basic authentication", "https://user:*@index.example.org/x"),
    "assignment": _within("assignment", "--db-password=*"),
    "path token": _within("path token", "https://pypi.fury.io/*/me/simple"),
}


def random_text() -> st.SearchStrategy[str]:
    """36 characters as a random generator gives them: letters of both cases and digits."""
    return st.randoms(use_true_random=False).map(
        lambda random: "".join(
            random.choice(kind)
            for _ in range(12)
            for kind in (string.ascii_lowercase, string.digits, string.ascii_uppercase)
        )
    )
