"""What must never be written: secrets by name, secrets by value, credentials in URLs.

Pure functions over text. Where in doubt, a text is a secret: what is wrongly withheld can be
named in the configuration, what is written into Git cannot be taken back. What every snapshot is
made of (versions, commits, digests, build strings, paths) is never in doubt.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Final

SET: Final = "set"
"""What is recorded of a secret: that there is one. No value, and no hash to guess it from."""
REMOVED: Final = "(removed)"
"""What stands for a text, or a word of it, that could be a secret."""

_WORDS: Final = (
    "AUTH AUTHORIZATION BEARER COOKIE COOKIES CRED CREDS DSN JWT KEY KEYS OAUTH OTP PASS PAT PIN "
    "PSK PWD SAS SIG SIGNATURE TOKEN"
)
_ANYWHERE: Final = ("SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "APIKEY")
_ENDINGS: Final = ("TOKEN", "ACCESSKEY", "PRIVATEKEY", "SSHKEY", "AUTHKEY")
# `MAX_TOKENS` counts text, `API_TOKENS` are secrets.
_COUNTED: Final = frozenset({"MAX", "MIN", "NUM", "N", "NEW", "COUNT", "LIMIT", "PER", "BATCH"})
# The working directory's names, which the rule for `…_PWD` would catch.
_HARMLESS: Final = frozenset({"PWD", "OLDPWD"})

# Issuers that mark their tokens, so that scanners find them: GitHub, GitLab, Hugging Face, OpenAI,
# Stripe, AWS, Slack, Google, npm, PyPI, SendGrid, NVIDIA, Groq, Replicate, Docker, Databricks,
# DigitalOcean, Shopify, Weights & Biases, Anaconda, JFrog; JSON Web Tokens; PEM blocks.
_MARKED: Final = r"""
    -----BEGIN[ ]
  | (?<![A-Za-z0-9])(?:
        gh[opusr]_[A-Za-z0-9]{4,}
      | github_pat_[A-Za-z0-9_]{4,}
      | gl(?:pat|dt|rt|ptt|ft|soat|cbt|agent|imt)-[A-Za-z0-9_-]{8,}
      | hf_[A-Za-z0-9]{8,} | api_org_[A-Za-z0-9]{8,}
      | sk-(?=[A-Za-z0-9_-]{0,40}[0-9A-Z])[A-Za-z0-9_-]{12,}
      | [srp]k_(?:live|test)_[A-Za-z0-9]{8,}
      | (?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{12,}
      | xox[abeoprs]-[A-Za-z0-9-]{6,} | xapp-[A-Za-z0-9-]{6,}
      | eyJ[A-Za-z0-9_-]{6,1000}\.[A-Za-z0-9_-]{2,}
      | AIza[A-Za-z0-9_-]{20,} | ya29\.[A-Za-z0-9_-]{8,}
      | npm_[A-Za-z0-9]{20,} | pypi-[A-Za-z0-9_-]{30,}
      | SG\.[A-Za-z0-9_-]{10,100}\.[A-Za-z0-9_-]{10,}
      | nvapi-[A-Za-z0-9_-]{8,} | gsk_[A-Za-z0-9]{16,} | r8_[A-Za-z0-9]{16,}
      | dckr_pat_[A-Za-z0-9_-]{8,} | do[opr]_v1_[a-f0-9]{16,} | dapi[a-f0-9]{32}
      | shp(?:at|ca|pa|ss)_[a-fA-F0-9]{16,} | wandb_v1_[A-Za-z0-9_]{8,}
      | AKCp[A-Za-z0-9]{20,} | lin_api_[A-Za-z0-9]{16,} | tskey-[A-Za-z0-9-]{8,}
      | (?i:bearer|basic)[ ]+(?=[a-z+/._~-]{0,99}[0-9A-Z=])[A-Za-z0-9+/=._~-]{12,}
    )
"""
# Anchored at the beginning of a word, and bounded: linear in the length of the text.
_USERINFO: Final = r"(?<![A-Za-z0-9+.-])[A-Za-z0-9+.-]+://([^\s/?#@]*(?:@[^\s/?#@]*)*)@"
_URL_PATH: Final = r"(?<=://)[^\s/?#\"'<>]{1,253}(/[^\s?#\"'<>;,)]{16,})"
# The value is looked at, not consumed: in `a: b?token=c` it holds the next assignment.
_ASSIGNED: Final = (
    r"(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]+)[\"']?\s*(?:=|:(?!//))\s*(?=[\"']?([^\s\"'&;,]{1,100}))"
)
_DIGEST: Final = (
    r"(?i)(?:sha(?:1|224|256|384|512)|md5|blake2b)[-=:_][A-Za-z0-9+/=_-]+"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
# Base64 has slashes, and so have paths: only a secret key of AWS is known by its length, 40.
_RUN: Final = r"[A-Za-z0-9+_-]{32,}|(?<![\w/+.-])[A-Za-z0-9/+]{40}(?![\w/+.-])"
_ARCHIVE: Final = (".whl", ".zip", ".gz", ".bz2", ".xz", ".tgz", ".conda", ".egg", ".git", ".json")
_PASSES: Final = 8
_USERS_OF_SSH: Final = frozenset({"git", "hg"})


def is_secret_name(name: str) -> bool:
    """Whether a variable, option or key of this name holds a secret: `HF_TOKEN`, `db-password`."""
    if name.upper() in _HARMLESS:
        return False
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
    joined = re.sub(r"[^A-Z0-9]", "", text)
    if any(part in joined for part in _ANYWHERE):
        return True
    words = [word for word in re.split(r"[^A-Z0-9]+", text) if word]
    if "TOKENS" in words:
        return not _COUNTED.intersection(words)
    known = _WORDS.split()
    return any(word in known or word.endswith(_ENDINGS) for word in words)


def is_secret_value(text: str) -> bool:
    """Whether a text holds a secret anywhere: a token, a PEM block, `user:password@`, `token=…`.

    Commits, digests, versions, build strings, UUIDs and ordinary paths are none.
    """
    return holds_secret(text) or any(
        is_secret_name(name) and not _is_reference(value)
        for name, value in re.findall(_ASSIGNED, text)
    )


def holds_secret(text: str) -> bool:
    """The same, by what a text holds alone: whatever it calls it.

    For texts in which `token: …` is no assignment: an entry point may have any name, and an
    error may speak of a view called `auth`.
    """
    if _pattern(_MARKED).search(text) or _names_credentials(text):
        return True
    return any(_is_random(run, 32) for run in re.findall(_RUN, _plain(text)))


def without_secret_words(text: str, is_secret: Callable[[str], bool] = is_secret_value) -> str:
    """What another program said, or a person wrote, less what could be a secret in it.

    URLs are rebuilt, other words are left out one by one; all of it where that is not enough.
    """
    if not is_secret(text):
        return text
    if "-----BEGIN" not in text:
        kept = re.sub(r"\S+", lambda word: _safe_word(word[0]), text)
        if not is_secret(kept):
            return kept
    return REMOVED


def without_secrets(url: str) -> str:
    """A URL built anew from what is safe: scheme, host, port, path, `#subdirectory=` and `#egg=`.

    User and password, query, other fragments, `/t/<token>/` and path segments that look random
    are left out; the user `git` of an SSH address stays, since it does not work without. A text
    without a scheme is taken as host and path. Empty where nothing is left, or no URL is there.
    """
    safe = _rebuilt(url)
    for _ in range(_PASSES):
        # What is left out may have hidden something: of garbage, a second look sees more.
        again = _rebuilt(safe)
        if again == safe:
            return safe
        safe = again
    return ""


def _rebuilt(url: str) -> str:
    from urllib.parse import urlsplit

    text = "".join(char for char in url if char.isprintable() and not char.isspace())
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", _port(parts.netloc)
    except ValueError:
        return ""
    if not parts.scheme or not (parts.netloc or "://" in text):
        return _without_scheme(text)
    if port is None:
        # A password with a raw `/`, `?` or `#`: where it ends, only the last `@` tells.
        return _rebuilt(f"{parts.scheme}://{text.rpartition('@')[2]}") if "@" in text else ""
    if ":" in host:
        host = f"[{host}]"
    user = _user(parts.scheme, parts.username, parts.password)
    return f"{parts.scheme}://{user}{host}{port}{_path(parts.path)}{_fragment(parts.fragment)}"


def _safe_word(word: str) -> str:
    if not is_secret_value(word):
        return word
    rebuilt = without_secrets(word) if "://" in word else ""
    return rebuilt if rebuilt and not is_secret_value(rebuilt) else REMOVED


@lru_cache(maxsize=8)
def _pattern(text: str) -> "re.Pattern[str]":
    return re.compile(text, re.VERBOSE)


def _names_credentials(text: str) -> bool:
    """Whether a URL in the text carries a password, or a user or path that is a token."""
    for info in re.findall(_USERINFO, text):
        user, _, password = info.partition(":")
        if password and not _is_reference(password):
            return True
        if _looks_random(user, 16) or re.fullmatch(r"[0-9a-f]{32,}", user):
            return True
    # A token in the path (Gemfury's, a webhook's).
    return any(
        _looks_random(segment, 16)
        for path in re.findall(_URL_PATH, text)
        for segment in path.split("/")
    )


def _is_reference(value: str) -> bool:
    """Whether a value only says where the secret comes from: `${TOKEN}`, `$TOKEN`, `****`."""
    return re.fullmatch(r"\$\{?\w+\}?|\*+", value) is not None


def _plain(text: str) -> str:
    """The text without what looks random and is no secret: digests under their name, UUIDs."""
    return re.sub(_DIGEST, " ", text)


def _looks_random(text: str, least: int) -> bool:
    """Whether a path segment or a user name is random: mixed letters, or letters and digits."""
    if text.lower().endswith(_ARCHIVE):
        return False
    if _pattern(_MARKED).search(text) or _is_random(text, least):
        return True
    return any(
        len(run) >= least + 4 and _switches(run) >= 0.35 and not _is_hex(run)
        for run in re.findall(r"[A-Za-z0-9]+", text)
    )


def _is_random(text: str, least: int) -> bool:
    """Whether a run of characters mixes lower case, upper case and digits as only chance does.

    Among random characters of 62, two neighbours are of different kinds in 63 % of the cases;
    in names, even CamelCase ones with numbers, in fewer than 35 %.
    """
    run = re.sub(r"[^A-Za-z0-9]", "", text)
    return (
        len(run) >= least
        and not _is_hex(run)
        and any(char.isupper() for char in run)
        and any(char.islower() for char in run)
        and sum(char.isdigit() for char in run) >= 2
        and _switches(run) >= 0.4
    )


def _is_hex(run: str) -> bool:
    return re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", run) is not None


def _switches(run: str) -> float:
    """The share of neighbours that are of different kinds (lower case, upper case, digit)."""
    kinds = [(char.isupper(), char.isdigit()) for char in run]
    return sum(a != b for a, b in pairwise(kinds)) / max(1, len(run) - 1)


def _port(netloc: str) -> str | None:
    """`:8080`, nothing, or `None` where what stands there is not a port."""
    after = netloc.rpartition("@")[2].rpartition("]")[2]
    _, colon, port = after.partition(":")
    if not colon or not port:
        return ""
    return f":{port}" if re.fullmatch(r"[0-9]{1,5}", port) else None


def _user(scheme: str, user: str | None, password: str | None) -> str:
    is_ssh = scheme.rpartition("+")[2] == "ssh"
    return f"{user}@" if is_ssh and user in _USERS_OF_SSH and not password else ""


def _path(path: str) -> str:
    """A path without the segments that look like secrets."""
    from urllib.parse import unquote

    kept: list[str] = []
    segments = path.split("/")
    for index, segment in enumerate(segments):
        if index and segments[index - 1] == "t" and _follows_token_mark(segment):
            kept.pop()
            continue
        bare = segment.partition(";")[0]
        shown = unquote(bare)
        if shown and (_looks_random(shown, 16) or is_secret_value(shown)):
            continue
        kept.append(bare)
    return "/".join(kept)


def _follows_token_mark(segment: str) -> bool:
    """Whether what follows `/t/` is a token of conda's (`/t/<token>/`), not a name."""
    return bool(segment) and "." not in segment


def _fragment(fragment: str) -> str:
    """The parts of a fragment that say where in the source the project is, and its name."""
    kept = []
    for part in fragment.split("&"):
        name, _, value = part.partition("=")
        if name in ("subdirectory", "egg") and value:
            kept.append(f"{name}={_path(value)}")
    return "#" + "&".join(kept) if kept else ""


def _without_scheme(text: str) -> str:
    """Host and path without credentials: `git@github.com:o/p`, `host/simple`, `./wheels`."""
    bare = re.split(r"[?#]", text, maxsplit=1)[0]
    info, at, rest = bare.rpartition("@")
    if at and "/" not in info:
        user = f"{info}@" if info in _USERS_OF_SSH else ""
        return user + _path(rest)
    return _path(bare)
