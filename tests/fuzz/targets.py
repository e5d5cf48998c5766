"""Every parser of what others write, as a function of bytes that may raise an `EnvstageError`.

What is accepted goes on through what is made of it: the renderings, the exports. Used by
`test_parsers.py` (Hypothesis, a few examples) and by `python -m tests.fuzz` (atheris, for long).
"""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable
from typing import Any, Final

import msgspec
import yaml

from envstage import config_file as configuration
from envstage import indexes
from envstage.capture import context, origins
from envstage.capture.assemble import derived_files
from envstage.compare import foreign
from envstage.compare.document import builtins, diff_document
from envstage.compare.markdown import markdown
from envstage.compare.overview import Overview, overview_rows
from envstage.compare.report import Place, Report
from envstage.compare.sides import compare
from envstage.compare.styled import plain
from envstage.compare.text import report_rows
from envstage.config import Config
from envstage.errors import EnvstageError
from envstage.export.formats import format_of
from envstage.facets import conda, container, imports, os_packages, packages, system, tools
from envstage.facets.contract import Installed, ProbeAnswer, Request
from envstage.interpreter import ProbeError, Probing, finish_probe
from envstage.notebook.card import comparison_table
from envstage.observer.events import parse
from envstage.observer.observation import combine
from envstage.pipelines import dvc_usage, yaml_tree
from envstage.probe import metadata, record
from envstage.recreate.report import _cell as markdown_cell
from envstage.refs import dvc_objects
from envstage.refs.named import Named, named
from envstage.runs.used import Used
from envstage.seeds import rng_file
from envstage.snapshot.canonical import canonical, fingerprint, parsed
from envstage.snapshot.command_line import redacted
from envstage.snapshot.document import decode, encode
from envstage.snapshot.model import Level, Snapshot
from envstage.snapshot.secrets import is_secret_value, without_secrets
from envstage.views import archive
from envstage.views import document as view_document
from envstage.yaml_node import composed, refuse_bombs
from tests.facets.requests import probe
from tests.fuzz.machine import Answering, Ended

Target = Callable[[bytes], None]
ROOT: Final = "/project"
_STEERING: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_FOLDER: Final = tempfile.mkdtemp(prefix="envstage-fuzz-")


def request(answer: ProbeAnswer | None = None) -> Request:
    return Request(root=ROOT, level=Level.HARDWARE, probe=answer, tools=("samtools",))


def harmless(text: str) -> None:
    """Nothing in it steers a terminal, or is no text."""
    assert not _STEERING.search(text), repr(text)
    text.encode()


def _shown(found: Named) -> None:
    place = Place(label=found.label, level=found.level.word)
    overview = Overview(place=place, facts=found.facts, environment="main")
    harmless(plain(overview_rows(overview, 80)))
    nothing = Named(label="nothing", level=Level.HARDWARE, facts={})
    compared = compare(found.side, nothing.side)
    report = Report(
        a=place,
        b=Place(label="b", level="hardware"),
        differences=compared.differences,
        silences=compared.silences,
    )
    harmless(plain(report_rows(report, 60)))
    harmless(markdown(report))
    assert json.dumps(builtins(diff_document(report))).isascii()
    table = comparison_table("a", "b", [("x", str(each)) for each in found.facts.values()])
    assert not re.search(r"<(?!/?(?:div|table|tr|th|td|strong)\b)", table)


def _exported(snapshot: Snapshot) -> None:
    for form in ("requirements", "conda", "dockerfile", "mqc-versions"):
        harmless(format_of(form).render(snapshot, None))
    for name, content in derived_files(snapshot, Config()).items():
        assert os.path.normpath(name) == name and not name.startswith(("/", "..")), name
        harmless(content.decode())


def document(data: bytes) -> None:
    """A file of ours or of anybody's, given to `show`, `diff` or `export`."""
    for name in ("environment.json", "requirements.txt", "conda.yaml", "list"):
        try:
            found = named(data, name)
        except EnvstageError as error:
            str(error).encode("utf-8", "surrogateescape")
            continue
        _shown(found)
        if found.snapshot is not None:
            assert decode(encode(found.snapshot), name) == found.snapshot
            _exported(found.snapshot)


def _rebuilt(data: bytes) -> bytes | None:
    """A snapshot whose fingerprint is right, whatever its facts are."""
    try:
        facts = json.loads(data)
        body = {"environment": "main", "facts": facts, "level": "hardware", "schema": 1}
        return canonical(body | {"fingerprint": fingerprint("e", body)})
    except (ValueError, TypeError, RecursionError, OverflowError):
        return None


def facts(data: bytes) -> None:
    """A snapshot that somebody else made, with whatever facts, and a fingerprint that is right."""
    content = _rebuilt(data)
    if content is not None:
        document(content)
        document(content.replace(b'"fingerprint"', b'"selection": "wide", "x"'))


def view(data: bytes) -> None:
    """A view; an entry of the archive; a receipt that holds them."""
    try:
        found = view_document.decode(data, "views/train.json")
        assert view_document.decode(view_document.encode(found), "x") == found
    except EnvstageError:
        pass
    path = _file("1.json", data)
    archive._read(path)
    held = b'{"document": "receipt", "receipt": 1, "view": %s}' % (data or b"null")
    document(held)


def other_documents(data: bytes) -> None:
    """Documents that other programs write, by the names that tell them."""
    names = ("wandb-metadata.json", "python_env.yaml", "conda.yaml", "MLmodel", "pip.json", "x.txt")
    beside = dict.fromkeys(foreign.COMPANIONS, data)
    for name in names:
        try:
            found = foreign.read(name, data, beside, name)
        except EnvstageError:
            continue
        _shown(Named(label=name, level=Level.HARDWARE, facts=found.facts, coverage=found.coverage))


def probe_answer(data: bytes) -> None:
    """What an interpreter answered, through to the facts."""
    cookie = "envstage-0123"
    framed = cookie.encode() + data + cookie[::-1].encode()
    for output in (framed, data):
        try:
            answer = finish_probe(Probing(("python",), Ended(output), cookie), 1)
        except ProbeError as error:
            harmless(f"{error.what} {error.fix}")
            continue
        world = Answering({})
        _facts(packages.collect(world, request(answer)).facts)
        names = imports.Names(world, ROOT, answer)
        names.entry_points("*"), names.providers("*"), names.meaning("numpy")
        origins.origins(world, ROOT, answer)


def _facts(found: Any) -> None:
    """Facts can be written, and read again, with whatever text is in them."""
    snapshot = Snapshot(environment="main", level=Level.HARDWARE, facts=found)
    read = decode(encode(snapshot), "environment.json")
    assert read == snapshot
    _shown(Named(label="environment.json", level=read.level, facts=read.facts, snapshot=read))


def installed(data: bytes) -> None:
    """direct_url.json, entry_points.txt, RECORD and METADATA of an installed distribution."""
    text = data.decode("utf-8", "replace")
    info = "/venv/lib/python3.11/site-packages/x-1.dist-info"
    world = Answering(
        {f"{info}/RECORD": data, "/venv/lib/python3.11/site-packages/x.pth": data},
        output=data,
    )
    dist = Installed(
        name="x",
        version="1",
        location=os.path.dirname(info),
        metadata_path=info,
        direct_url=text,
        entry_points=text,
    )
    answer = _answer(dist)
    _facts(packages.collect(world, request(answer)).facts)
    origins.origins(world, ROOT, answer)
    list(imports._entries(text))


def _answer(*distributions: Installed) -> ProbeAnswer:
    path = ("/venv/lib/python3.11/site-packages",)
    return probe("/venv/bin/python", "/venv", distributions, path)


def distribution(data: bytes) -> None:
    """What the probe reads of a distribution."""
    text = data.decode("utf-8", "replace")
    fields = metadata._fields(text)
    metadata._requirements(fields.get("requires-dist", ""))
    anomalies: list[str] = []
    name, version = metadata._name_and_version(fields, text[:50], text[:50], anomalies)
    for shown in (name or "", version or "", *anomalies):
        harmless(shown)
    raw = data.decode("utf-8", "surrogateescape")
    list(record._acting(raw, "x-1.dist-info", True))
    folder = _file(os.path.join("x-1.dist-info", "RECORD"), data)
    record.build_of(os.path.dirname(folder), "x-1.dist-info", is_own_build=False)
    record.matching_share(os.path.dirname(folder))


def conda_record(data: bytes) -> None:
    """A file of conda-meta."""
    world = Answering({"/venv/conda-meta/x-1-0.json": data})
    _facts(conda.collect(world, request(_answer())).facts)


def configurations(data: bytes) -> None:
    """envstage.yaml, and the section of params.yaml."""
    try:
        node = composed(data, "envstage.yaml")
        if node is not None:
            refuse_bombs(node.node, "envstage.yaml")
            configuration._config(node)
    except EnvstageError as error:
        str(error).encode("utf-8", "surrogateescape")


def pipelines(data: bytes) -> None:
    """dvc.yaml and dvc.lock: as nodes that are edited, and as objects that are looked up."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(EnvstageError):
        yaml_tree.parse(text, name="dvc.yaml")
    found = dvc_usage.mapping_of(data)
    usage = dvc_usage.Usage(address="train", file="dvc.yaml", dep="x", is_repeated=True)
    list(dvc_usage.locked_in(found, usage))
    dvc_objects.receipts_in(data + b" # --receipt")
    stages = found.get("stages")
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        if isinstance(stage, dict):
            list(dvc_usage._usages("dvc.yaml", str(name), stage))


def index_settings(data: bytes) -> None:
    """pip.conf, uv.toml, pyproject.toml, and the variables of both."""
    text = "".join(char for char in data.decode("utf-8", "replace") if char != "\0")
    files = ("pip.conf", "uv.toml")
    world = Answering(
        {
            **{f"/home/.config/{each.split('.')[0]}/{each}": data for each in files},
            f"{ROOT}/pyproject.toml": b"[tool.uv]\n" + data,
        },
        HOME="/home",
        PIP_INDEX_URL=text,
        UV_INDEX=text,
    )
    canonical(msgspec.to_builtins(indexes.configured(world, ROOT).scrubbed()))


def reports(data: bytes) -> None:
    """What an observed process reported."""
    text = data.decode("utf-8", "surrogateescape")
    head = "start\t1\tid\t12\t1\texec\t\t/bin/python\t/usr\t3.11\tx.py\n"
    combine((parse("a.events", text), parse("b.events", head + text)))


def states(data: bytes) -> None:
    """What commands keep in `.envstage/` and in the cache, and states of generators."""
    for kind in (Used, origins.Origins):
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            msgspec.json.decode(data, type=kind)
    with contextlib.suppress(EnvstageError):
        rng_file._decoded(data, "states.json")


def machine_files(data: bytes) -> None:
    """Files and programs that tell of the system: os-release, the databases, cgroups, tools."""
    paths = ("/etc/os-release", "/var/lib/dpkg/status", "/lib/apk/db/installed", "/proc/1/cgroup")
    more = ("/proc/self/mountinfo", "/run/.containerenv", "/run/systemd/container")
    world = Answering(dict.fromkeys((*paths, *more), data), output=data)
    for facet in (system, os_packages, tools):
        try:
            found = facet.collect(world, request()).facts
        except (AttributeError, TypeError):
            if facet is not os_packages:
                raise
            continue
        _facts(found)
    container.parsed(data.decode("utf-8", "replace"))
    harmless(tools.useful_line(data))


def git_folder(data: bytes) -> None:
    """HEAD, packed-refs, a worktree's `.git` file, a repository's config."""
    folder = os.path.join(_FOLDER, "repository")
    for name in ("HEAD", "packed-refs", "commondir", "config"):
        _file(os.path.join("repository", ".git", name), data)
    state = context.code_state(context.CodeState(root=folder, diff=None))
    canonical(state)
    commit = state.get("commit")
    assert commit is None or re.fullmatch(r"[0-9a-f]{40,64}", commit), commit
    link = os.path.dirname(_file(os.path.join("worktree", ".git"), data))
    context.code_state(context.CodeState(root=link, diff=None))


def texts(data: bytes) -> None:
    """Texts that may hold secrets, and texts that are shown."""
    text = data.decode("utf-8", "replace")
    once = without_secrets(text)
    assert without_secrets(once) == once
    is_secret_value(text)
    redacted(text.split())
    harmless(markdown_cell(text))


def _file(name: str, data: bytes) -> str:
    path = os.path.join(_FOLDER, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def json_values(data: bytes) -> None:
    """JSON as it is read everywhere: accepted or a `ValueError`."""
    with contextlib.suppress(ValueError):
        parsed(data)


assert yaml  # PyYAML's C code is what is behind two of them

TARGETS: Final[dict[str, Target]] = {
    each.__name__: each
    for each in (
        *(document, facts, view, other_documents, probe_answer, installed, distribution),
        *(conda_record, configurations, pipelines, index_settings, reports, states),
        *(machine_files, git_folder, texts, json_values),
    )
}
