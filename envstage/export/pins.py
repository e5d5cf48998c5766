"""One package as pip and uv write it: a pin, a direct reference, or why there is none."""

import re
from typing import Final

from envstage.export.packages import Package
from envstage.snapshot.words import printable

_PYTORCH: Final = re.compile(r"\+(cu\d+|cpu|rocm[\d.]+|xpu)\Z")
_PYTORCH_FAMILY: Final = frozenset({"torch", "torchvision", "torchaudio", "triton", "torchtext"})


def extra_indexes(packages: tuple[Package, ...]) -> tuple[str, ...]:
    """The PyTorch indexes that builds such as `2.7.1+cu128` come from (case 7)."""
    found = set()
    for package in packages:
        match = _PYTORCH.search(package.version or "")
        if match and package.name in _PYTORCH_FAMILY and package.remote is None:
            found.add(f"https://download.pytorch.org/whl/{match[1]}")
    return tuple(sorted(found))


def requirement(package: Package) -> str | None:
    """The line that installs exactly this package; None where a line cannot (see `why_not`)."""
    if package.editable is not None or package.folder is not None:
        return None
    if package.remote is not None:
        return _reference(package)
    if is_local(package) or not is_valid_version(package.version):
        return None
    return f"{package.name}=={package.version}"


def is_local(package: Package) -> bool:
    """Whether it came from a file, folder or repository that only one machine has.

    A name and a version say nothing of such a package: an index may well have another one of
    the same name and version (case 30).
    """
    return package.remote is None and package.is_direct and not is_from_conda(package)


def is_from_conda(package: Package) -> bool:
    """Whether conda brought it (`file:///…conda-bld`, case 4)."""
    return package.conda is not None


def is_valid_version(version: str | None) -> bool:
    """Whether pip accepts it in a pin (PEP 440)."""
    from packaging.version import InvalidVersion, Version  # 10 ms, and only where it is rendered

    try:
        return version is not None and bool(Version(version))
    except InvalidVersion:
        return False


def why_not(package: Package) -> str:
    """Why no line can install it, and what can; one printable line without its name."""
    if package.is_own_code:
        return f"the project itself, editable: pip install --no-deps -e {package.editable or '.'}"
    if package.folder is not None:
        return f"built from a folder of the project: pip install --no-deps {package.folder}"
    version = package.version or "(unknown version)"
    if package.editable is not None:
        return f"{version}, {_checkout(package)}"
    if is_local(package):
        commit = f" at commit {package.commit}" if package.commit else ""
        note = printable(package.note or "installed from a local place")
        return f"{version}, {note}{commit}: cannot be rebuilt from elsewhere"
    return f"{version}: no installer accepts this as a version"


def remarks(package: Package) -> tuple[str, ...]:
    """What a line cannot say of its package; printable lines without its name."""
    found = []
    if is_from_conda(package):
        found.append(f"conda's build of {printable(package.conda or '')}; an index has another")
    if package.note and package.remote is not None:
        found.append(printable(package.note))
    if package.is_own_build:
        found.append("compiled on the machine that was captured; any index has another build")
    return tuple(found)


def _reference(package: Package) -> str:
    commit = f"@{package.commit}" if package.commit and package.is_repository else ""
    fragments = []
    if not package.is_repository and package.sha256:
        fragments.append(f"sha256={package.sha256}")
    if package.subdirectory:
        fragments.append(f"subdirectory={package.subdirectory}")
    tail = "#" + "&".join(fragments) if fragments else ""
    return f"{package.name} @ {package.remote}{commit}{tail}"


def _checkout(package: Package) -> str:
    words = f"an editable checkout {printable(package.editable or '')}"
    if package.remote is None or package.commit is None:
        return f"{words}: cannot be rebuilt from elsewhere"
    subdirectory = f"#subdirectory={package.subdirectory}" if package.subdirectory else ""
    edited = ", with edits that are in no commit" if package.is_edited else ""
    return f"{words} of {package.remote}@{package.commit}{subdirectory}{edited}"
