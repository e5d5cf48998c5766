"""What conda installed: the records in `conda-meta` of the stage's environment.

Python packages among them stand in the facet `packages` too, as they import; here they stand as
conda has them. Name, version and build are the identity (`MatchSpec`'s three words); channel and
digest serve to rebuild.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from envstage.facets.contract import Collected, FactRule, Installed, ProbeAnswer, Request
from envstage.snapshot.model import Address, Level, NotApplicable, Unknown, Value
from envstage.snapshot.secrets import without_secrets
from envstage.world import World

NAME: Final = "conda"

# They install, and are not run by a stage; certificates change with the calendar.
_NOT_COUNTING: Final = (
    "ca-certificates",
    "conda",
    "envstage",
    "mamba",
    "pip",
    "setuptools",
    "uv",
    "wheel",
)
FACTS: Final = (
    *(
        FactRule(f"conda.{name}.{word}", level, "recorded, not part of an identity", counts=False)
        for name in _NOT_COUNTING
        for word, level in (("version", Level.SOFTWARE), ("build", Level.PLATFORM))
    ),
    FactRule("conda.*.version", Level.SOFTWARE, "the version of a package from conda"),
    FactRule("conda.*.build", Level.PLATFORM, "its build: py311h64a7726_0"),
    FactRule(
        "conda.*.channel", Level.PLATFORM, "where it comes from, without credentials", counts=False
    ),
    FactRule(
        "conda.*.archive",
        Level.PLATFORM,
        "the archive within the channel: linux-64/zlib-1.3.1-hb9d3cd8_2.conda",
        counts=False,
    ),
    FactRule("conda.*.md5", Level.PLATFORM, "the digest of its archive", counts=False),
    FactRule(
        "packages.*.conda",
        Level.SOFTWARE,
        "the package of conda's that a distribution belongs to",
        counts=False,
    ),
    FactRule("conda", Level.SOFTWARE, "why conda's records could not be read"),
)

# Records list every file that they own; those of toolkits grow to tens of megabytes.
RECORD_LIMIT_BYTES: Final = 128 * 1024 * 1024

_WORD: Final = re.compile(r"[A-Za-z0-9_.!+~*-]{1,200}")
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_ARCHIVE: Final = re.compile(
    r"/((?:noarch|(?:linux|osx|win)-[a-z0-9]+)/[A-Za-z0-9_.!+~-]+(?:\.conda|\.tar\.bz2))\Z"
)
_METADATA: Final = re.compile(r"site-packages/([^/]+\.(?:dist-info|egg-info))(?:/|$)")


class CondaPackage(msgspec.Struct, frozen=True, kw_only=True):
    """One package as conda recorded it. `metadata`: its `*.dist-info` and `*.egg-info` names."""

    name: str
    version: str
    build: str
    channel: str = ""
    md5: str = ""
    archive: str = ""
    metadata: tuple[str, ...] = ()


class _Record(msgspec.Struct):
    """The fields of a record that are of interest; the others are skipped over."""

    name: str
    version: str
    build: str = ""
    build_string: str = ""
    channel: str = ""
    url: str = ""
    md5: str | None = None
    files: list[str] = []


def collect(world: World, request: Request) -> Collected:
    """The packages of the environment's `conda-meta`; nothing at all where there is none."""
    if request.probe is None:
        return Collected(facts={})
    packages, broken = _read(world, request.probe.prefix)
    facts: dict[Address, Value] = {}
    anomalies = [f"conda: {why}" for _, why in broken]
    for name, why in broken:
        facts[("conda", name, "version") if name else ("conda",)] = Unknown(why)
    for name in sorted(packages):
        facts.update(_facts(packages[name]))
    anomalies += _conflicts(packages.values(), request.probe.distributions, request.probe.prefix)
    facts.update(_owners(packages.values(), request.probe))
    return Collected(facts=facts, anomalies=tuple(anomalies))


def conda_of(world: World, prefix: str) -> Mapping[str, CondaPackage]:
    """The packages that conda installed into `prefix`, by conda's name; broken ones left out."""
    return _read(world, prefix)[0]


def _facts(package: CondaPackage) -> Iterable[tuple[Address, Value]]:
    address = ("conda", package.name)
    yield (*address, "version"), package.version
    yield (*address, "build"), package.build or NotApplicable("the record names no build")
    if package.channel:
        yield (*address, "channel"), package.channel
    if package.md5:
        yield (*address, "md5"), package.md5
    if package.archive:
        yield (*address, "archive"), package.archive


def _read(world: World, prefix: str) -> tuple[dict[str, CondaPackage], list[tuple[str, str]]]:
    """Packages by name, and (name, why) of what cannot be read; no name: the folder itself."""
    folder = prefix.rstrip("/\\") + "/conda-meta"
    try:
        names = world.list_dir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return {}, []
    except OSError as error:
        return {}, [("", f"cannot read conda-meta: {_words(error)}")]
    packages: dict[str, CondaPackage] = {}
    broken: list[tuple[str, str]] = []
    decoder = msgspec.json.Decoder(_Record)
    for file in names:
        if not file.endswith(".json") or file.startswith("."):
            continue
        found = _package(world, f"{folder}/{file}", decoder)
        if isinstance(found, CondaPackage):
            packages[found.name] = found
        else:
            broken.append((_named_by(file), f"{_shown(file)}: {found}"))
    return packages, [(name, why) for name, why in broken if name not in packages]


def _package(
    world: World, path: str, decoder: "msgspec.json.Decoder[_Record]"
) -> CondaPackage | str:
    """The package of a record, or what is wrong with it."""
    try:
        record = decoder.decode(world.read(path, RECORD_LIMIT_BYTES))
    except OSError as error:
        return f"cannot be read: {_words(error)}"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "not a record of conda's, or cut off"
    build = record.build or record.build_string
    words = (record.name, record.version, *([build] if build else []))
    if not all(_WORD.fullmatch(word) for word in words):
        return "name, version or build is malformed"
    md5 = record.md5 or ""
    return CondaPackage(
        name=record.name,
        version=record.version,
        build=build,
        channel=channel(record.channel or record.url),
        md5=md5 if _MD5.fullmatch(md5) else "",
        archive=_archive(record.url),
        metadata=_metadata(record.files),
    )


def _archive(url: str) -> str:
    match = _ARCHIVE.search(url)
    return match[1] if match else ""


def _metadata(files: Iterable[str]) -> tuple[str, ...]:
    found = (_METADATA.search(file.replace("\\", "/")) for file in files if "-info" in file)
    return tuple(sorted({match[1] for match in found if match}))


def channel(text: str) -> str:
    """A channel without credentials, archive and platform: `https://conda.anaconda.org/bioconda`.

    One in a folder of this machine is `local`: its path means nothing elsewhere.
    """
    if text.startswith(("file:", "/", "\\", "~")) or re.match(r"[A-Za-z]:[\\/]", text):
        return "local"
    safe = without_secrets(text).rstrip("/")
    safe = re.sub(r"/[^/]+(?:\.conda|\.tar\.bz2)$", "", safe)
    return re.sub(r"/(?:noarch|(?:linux|osx|win|freebsd|zos|emscripten|wasi)-[a-z0-9]+)$", "", safe)


def _named_by(file: str) -> str:
    """The package's name by the name of its record, `<name>-<version>-<build>.json`."""
    name = file[: -len(".json")].rsplit("-", 2)[0]
    return name if _WORD.fullmatch(name) else "unnamed"


def _shown(file: str) -> str:
    return "".join(char for char in file if char.isprintable())[:200]


def _words(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _owners(
    packages: Iterable[CondaPackage], probe: ProbeAnswer
) -> Iterable[tuple[Address, Value]]:
    """Which distributions are as conda installed them: `torch` belongs to `pytorch`."""
    owners = {
        (_normal(folder.rpartition(".")[0].partition("-")[0]), folder): package.name
        for package in packages
        for folder in package.metadata
    }
    for dist in probe.distributions:
        owner = owners.get((_normal(dist.name), re.split(r"[/\\]", dist.metadata_path)[-1]))
        if owner is not None:
            yield ("packages", dist.name, "conda"), owner


def _conflicts(
    packages: Iterable[CondaPackage], installed: Iterable[Installed], prefix: str
) -> list[str]:
    """Where pip has replaced what conda installed: the version that imports is another one."""
    recorded: dict[str, tuple[str, str]] = {}
    for package in packages:
        for folder in package.metadata:
            name, _, version = folder.rpartition(".")[0].partition("-")
            recorded[_normal(name)] = (version.split("-py")[0], package.name)
    found = []
    inside = prefix.rstrip("/\\")
    for dist in installed:
        version, owner = recorded.get(_normal(dist.name), ("", ""))
        is_here = dist.location.startswith((inside + "/", inside + "\\"))
        if is_here and version and dist.version and not _is_same(dist.version, version):
            found.append(
                f"conda: {_normal(dist.name)} {dist.version} imports, "
                f"but conda's {owner} installed {version}: pip over conda"
            )
    return sorted(found)


def _is_same(version: str, other: str) -> bool:
    """Whether two spellings mean one version: `2024.01.0` and `2024.1.0`."""
    if version == other:
        return True
    from packaging.version import InvalidVersion, Version  # 10 ms, and hardly ever needed

    try:
        return Version(version) == Version(other)
    except InvalidVersion:
        return version.replace("-", "_") == other


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
