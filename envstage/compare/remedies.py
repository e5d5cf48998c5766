"""What would close the gap between a machine and a snapshot: commands, and what no command can.

A command is a tuple of arguments; whoever prints it quotes it. A name or version that could be
anything else than that (an option, a path, a second line) makes no command.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from envstage.compare.changes import Change
from envstage.compare.differences import Kind
from envstage.snapshot.model import Facts, Value, written
from envstage.snapshot.words import printable, value_text

_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_URL: Final = re.compile(r"(?:git\+)?https?://[A-Za-z0-9._~:/@%+-]+")
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
_PYTORCH: Final = re.compile(r"\+(cu\d+|cpu|rocm[\d.]+|xpu)\Z")
_PYTORCH_FAMILY: Final = frozenset({"torch", "torchvision", "torchaudio", "triton"})
_FIXED: Final = {
    "hardware": "belongs to the machine: run on one of the snapshot's kind",
    "system": "belongs to the operating system: use its release, or a container of it",
    "conda": "belongs to conda",
}


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """The interpreter that packages are installed for, and with what.

    Attributes:
        uv: what starts uv; empty where it is not installed.
        pip: the words that start a pip which installs for this interpreter.
    """

    executable: str
    uv: str = ""
    pip: tuple[str, ...] = ()


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """One step. Without a command it is something that cannot be done from here.

    Attributes:
        closes: the things that it would make equal: `packages.numpy`.
    """

    command: tuple[str, ...] = ()
    advice: str = ""
    closes: tuple[str, ...] = ()


def remedies(
    found: Sequence[Change], wanted: Facts, interpreter: Interpreter
) -> tuple[Remedy, ...]:
    """The steps that would turn this machine (`new`) into what the snapshot says (`old`).

    The interpreter comes first: another one starts with no packages at all.
    """
    packages = [each for each in found if each.facet == "packages"]
    return (
        *_python(found, interpreter),
        *_packages(packages, wanted, interpreter),
        *_conda([each for each in found if each.facet == "conda"], wanted),
        *(_variable(each) for each in found if each.facet == "variables"),
        *_others(found),
    )


def _python(found: Sequence[Change], interpreter: Interpreter) -> Iterator[Remedy]:
    for change in found:
        if change.facet != "python":
            continue
        name = written(change.subject)
        if change.name == "version" and _is(change.old, _VERSION):
            command = (interpreter.uv or "uv", "venv", "--python", str(change.old))
            yield Remedy(
                command=command, advice="then install the packages into it", closes=(name,)
            )
        else:
            yield Remedy(
                advice=f"{name} has to be {value_text(change.old)}: another build of Python",
                closes=(name,),
            )


def _packages(found: list[Change], wanted: Facts, interpreter: Interpreter) -> Iterator[Remedy]:
    if found and not (interpreter.uv or interpreter.pip):
        yield Remedy(advice="neither uv nor pip is here: install uv first, docs.astral.sh/uv")
    install: list[Change] = []
    again: list[Change] = []
    gone: list[Change] = []
    for change in found:
        pin = _pin(change.name, wanted)
        if not _NAME.fullmatch(change.name):
            yield Remedy(
                advice=f"{printable(change.name)} is no name that can be installed",
                closes=(written(change.subject),),
            )
        elif change.kind is Kind.ADDED:
            gone.append(change)
        elif pin is None:
            yield _not_installable(change, wanted)
        elif change.words:
            again.append(change)
        else:
            install.append(change)
    if install:
        yield _installation((*_pip(interpreter, "install"), "--no-deps"), install, wanted)
    if again:
        option = "--force-reinstall" if interpreter.pip else "--reinstall"
        head = (*_pip(interpreter, "install"), "--no-deps", option)
        step = _installation(head, again, wanted)
        yield msgspec.structs.replace(
            step, advice="an index may serve another build of the same version"
        )
    if gone:
        confirm = ("--yes",) if interpreter.pip else ()
        names = tuple(each.name for each in gone)
        head = (*_pip(interpreter, "uninstall"), *confirm)
        yield Remedy(command=(*head, *names), closes=_subjects(gone))


def _pip(interpreter: Interpreter, verb: str) -> tuple[str, ...]:
    if interpreter.pip:
        return (*interpreter.pip, verb)
    return (interpreter.uv or "uv", "pip", verb, "--python", interpreter.executable)


def _installation(head: tuple[str, ...], found: list[Change], wanted: Facts) -> Remedy:
    pins = [pin for each in found if (pin := _pin(each.name, wanted)) is not None]
    indexes = sorted({url for each in found if (url := _index(each.name, wanted)) is not None})
    options = tuple(word for url in indexes for word in ("--extra-index-url", url))
    return Remedy(command=(*head, *options, *pins), closes=_subjects(found))


def _pin(name: str, wanted: Facts) -> str | None:
    """The requirement that gives a package back; None where no command can."""
    url, commit = wanted.get(("packages", name, "url")), wanted.get(("packages", name, "commit"))
    if ("packages", name, "editable") in wanted:
        return None
    if _is(url, _URL) and (commit is None or _is(commit, _COMMIT)):
        return f"{name} @ {url}" + (f"@{commit}" if commit else "")
    version: Any = wanted.get(("packages", name, "version"))
    return f"{name}=={version}" if _is(version, _VERSION) else None


def _index(name: str, wanted: Facts) -> str | None:
    """The PyTorch index that a build such as `2.7.1+cu128` comes from (case 7)."""
    match = _PYTORCH.search(str(wanted.get(("packages", name, "version"))))
    if match is None or name not in _PYTORCH_FAMILY:
        return None
    return f"https://download.pytorch.org/whl/{match[1]}"


def _not_installable(change: Change, wanted: Facts) -> Remedy:
    subject = written(change.subject)
    if (*change.subject, "editable") in wanted:
        return Remedy(
            advice=f"{subject} is an editable checkout: bring it to the snapshot's content",
            closes=(subject,),
        )
    return Remedy(advice=f"{printable(subject)}: its version cannot be pinned", closes=(subject,))


def _conda(found: list[Change], wanted: Facts) -> Iterator[Remedy]:
    specs, gone = [], []
    for change in found:
        version = wanted.get(("conda", change.name, "version"))
        build = wanted.get(("conda", change.name, "build"))
        if not re.fullmatch(r"[a-z0-9_][a-z0-9._-]*", change.name):
            continue
        if version is None:
            gone.append(change)
        elif _is(version, _VERSION):
            exact = f"={build}" if _is(build, _VERSION) else ""
            specs.append((change, f"{change.name}={version}{exact}"))
    if specs:
        command = ("conda", "install", "--no-deps", *(spec for _, spec in specs))
        yield Remedy(command=command, closes=_subjects([change for change, _ in specs]))
    if gone:
        names = tuple(each.name for each in gone)
        yield Remedy(command=("conda", "remove", "--force", *names), closes=_subjects(gone))


def _variable(change: Change) -> Remedy:
    subject = written(change.subject)
    if not _VARIABLE.fullmatch(change.name):
        return Remedy(advice=f"{printable(subject)} has no name to set it by", closes=(subject,))
    if change.kind is Kind.ADDED or change.old is None:
        return Remedy(command=("unset", change.name), closes=(subject,))
    if isinstance(change.old, str) and change.old.isprintable():
        return Remedy(command=("export", f"{change.name}={change.old}"), closes=(subject,))
    return Remedy(advice=f"set {subject} to {value_text(change.old)}", closes=(subject,))


def _others(found: Sequence[Change]) -> Iterator[Remedy]:
    for change in found:
        if change.facet in ("python", "packages", "variables", "conda"):
            continue
        subject = printable(written(change.subject))
        why = _FIXED.get(change.facet, "has to be brought to the snapshot's by hand")
        yield Remedy(
            advice=f"{subject} ({_wanted(change.old)}) {why}", closes=(written(change.subject),)
        )


def _wanted(value: Value) -> str:
    return "absent" if value is None else value_text(value)


def _is(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _subjects(found: Sequence[Change]) -> tuple[str, ...]:
    return tuple(written(each.subject) for each in found)
