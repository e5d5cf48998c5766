"""The executables that the configuration declares: what version they say, which bytes they are."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Final

from envstage.facets.contract import Collected, FactRule, Request
from envstage.snapshot.model import ABSENT, Address, Level, NotApplicable, Unknown, Value
from envstage.snapshot.secrets import is_secret_value
from envstage.world import TimedOut, World

NAME: Final = "tools"

FACTS: Final = (
    FactRule("tools.*.version", Level.SOFTWARE, "the line in which a tool says its version"),
    FactRule("tools.*.sha256", Level.PLATFORM, "the digest of the tool's executable"),
)

QUESTIONS: Final = ("--version", "-version", "version", "-V")
TIMEOUT_S: Final = 10.0
LINE_LIMIT: Final = 200
EXECUTABLE_LIMIT_BYTES: Final = 1024 * 1024 * 1024

# The same answer whoever asks: no translation, no colours, no pager.
_CALM: Final[Mapping[str, str]] = {
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "PAGER": "cat",
}
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]"
)
_KEY_BLOCK: Final = re.compile(r"(?s)-----BEGIN .*?(?:-----END[^\n]*|\Z)")
_NUMBERED: Final = re.compile(r"\d+\.\d+")
# A word that holds an absolute path: not `a/b`, not `https://host`.
_PATH: Final = re.compile(r"(?:^|[^\w./:])~?/|:/(?!/)|^-[A-Za-z]/|(?:^|\W)[A-Za-z]:\\|\\\\|file:/")
_WRAPPED: Final = re.compile(rb"#!/bin/sh\n'''exec' [^\n]*\n' '''\n")


def collect(world: World, request: Request) -> Collected:
    """Version and digest of every declared tool."""
    facts: dict[Address, Value] = {}
    anomalies: list[str] = []
    for name in sorted(set(request.tools)):
        facts.update(_facts(world, name))
        version = facts["tools", name, "version"]
        if isinstance(version, NotApplicable):
            anomalies.append(f"tools: {name}: {version.why}; only its digest tells builds apart")
    return Collected(facts=facts, anomalies=tuple(anomalies))


def _facts(world: World, name: str) -> Iterator[tuple[Address, Value]]:
    if not _NAME.fullmatch(name):
        yield ("tools", name, "version"), Unknown("not the name of a program: no path, no option")
        return
    path = world.which(name)
    if path is None:
        yield ("tools", name, "version"), ABSENT
        return
    yield ("tools", name, "version"), version(world, path)
    yield ("tools", name, "sha256"), sha256(world, path)


def version(world: World, path: str) -> Value:
    """The line in which the program says its version, asked in four ways.

    An answer counts when the program ends well. One that fails at every question, and yet
    prints something with a version in it, is taken at its word; one that says nothing has none.
    """
    environ = {**world.environ, **_CALM}
    second_choice = ""
    for question in QUESTIONS:
        try:
            done = world.run((path, question), timeout_s=TIMEOUT_S, environ=environ)
        except TimedOut:
            return Unknown(f"`{question}` was not answered within {TIMEOUT_S:g} s")
        except OSError as error:
            return Unknown(f"cannot be started: {(error.strerror or 'unusable').lower()}")
        line = useful_line(done.stdout) or useful_line(done.stderr)
        if done.returncode == 0 and line:
            return line
        if "version" in line.lower() and _NUMBERED.search(line):
            second_choice = second_choice or line
    return second_choice or NotApplicable("it prints no version")


def useful_line(output: bytes) -> str:
    """The first line with a number like 1.2, else the first with a digit; "" without.

    Terminal escapes, control characters, absolute paths and secrets are left out.
    """
    text = _KEY_BLOCK.sub("", output[: 64 * 1024].decode("utf-8", "replace"))
    lines = [plain(line) for line in text.splitlines()]
    for pattern in (_NUMBERED, re.compile(r"\d")):
        for line in lines:
            if pattern.search(line):
                return line
    return ""


def plain(line: str) -> str:
    """A line as it may be stored: at most 200 printable characters, no path, no secret."""
    text = _ESCAPES.sub("", line)
    text = "".join(char if char.isprintable() else " " for char in text)
    words = [word for word in text.split() if not _PATH.search(word) and not is_secret_value(word)]
    text = " ".join(words)[:LINE_LIMIT].rstrip()
    return "" if is_secret_value(text) else text


def sha256(world: World, path: str) -> Value:
    """The digest of the executable, the same wherever its environment's folder stands."""
    import hashlib

    try:
        real = world.real_path(path)
        if world.size_bytes(real) > EXECUTABLE_LIMIT_BYTES:
            return Unknown("larger than 1 GiB")
        content = world.read(real, EXECUTABLE_LIMIT_BYTES)
    except OSError as error:
        return Unknown(f"cannot be read: {(error.strerror or 'unreadable').lower()}")
    return f"sha256:{hashlib.sha256(_placeless(world, real, content)).hexdigest()}"


def _placeless(world: World, path: str, content: bytes) -> bytes:
    """The content without the place where it was installed.

    pip writes the interpreter's path into the first line of a script (in long paths: the first
    three). conda writes the environment's path into texts and, padded with zeros, into binaries.
    """
    if content.startswith(b"#!"):
        content = _WRAPPED.sub(b"", content, count=1)
        content = re.sub(rb"\A#![ \t]*[^\s]*?([^/\\\s]*)(?=\s|\Z)", rb"#!\1", content, count=1)
    prefix = os.path.dirname(os.path.dirname(path))
    if len(prefix) > 1 and world.exists(f"{prefix}/conda-meta"):
        mark = re.escape(prefix.encode("utf-8", "surrogateescape"))
        if b"\0" in content:
            content = re.sub(mark + rb"([^\0]*)\0+", rb"\1" + b"\0", content)
        else:
            content = re.sub(mark + rb"(?![\w.-])", b"", content)
    return content
