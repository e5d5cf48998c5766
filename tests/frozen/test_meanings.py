"""What a fact means is frozen as well: the same files have the same digests under schema 1."""

import json
from pathlib import Path

import msgspec

from envstage.facets import search_paths
from envstage.facets.contract import Installed
from envstage.facets.imports import Names
from envstage.probe.distributions import installed
from envstage.snapshot.model import Value
from envstage.snapshot.tree import tree_digest
from envstage.world import Machine
from tests.facets.requests import probe
from tests.repository import place

MEANINGS = Path(__file__).parents[1] / "data" / "schema-1" / "meanings.json"

# A wheel as pip installs it: code, data, a script, bytecode, metadata, a name with a comma.
RECORD = """\
lib/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0
lib/core.cpython-311-x86_64-linux-gnu.so,sha256=AAAA,10
"lib/a, b.csv",sha256=BBBB,3
lib/__pycache__/__init__.cpython-311.pyc,,
../../../bin/lib,sha256=CCCC,200
../../../include/lib.h,sha256=DDDD,20
../../../share/lib/data.bin,sha256=EEEE,40
lib-1.0.dist-info/METADATA,sha256=FFFF,100
lib-1.0.dist-info/WHEEL,sha256=GGGG,90
lib-1.0.dist-info/entry_points.txt,sha256=HHHH,50
lib-1.0.dist-info/INSTALLER,sha256=IIII,4
lib-1.0.dist-info/RECORD,,
"""
ENTRY_POINTS = (
    "[console_scripts]\nlib = lib:main\n\n[lib.plugins]\nfirst=lib.one\n second = lib.two\n"
)


def site_of(base: Path) -> Path:
    site = base / "site-packages"
    for name, tag in (("lib", "py3-none-any"), ("own", "cp311-cp311-linux_x86_64")):
        info = site / f"{name}-1.0.dist-info"
        place(info, "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        place(info, "WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        place(info, "RECORD", RECORD.replace("lib-1.0", f"{name}-1.0").replace("lib/", f"{name}/"))
        place(info, "entry_points.txt", ENTRY_POINTS)
    return site


def loose_of(base: Path) -> Path:
    folder = base / "loose"
    place(folder, "single.py", "x = 1\n")
    place(folder, "package/__init__.py", "y = 2\n")
    place(folder, "package/inner.py", "")
    place(folder, "package/data/file.txt", "no module, but a namespace\n")
    place(folder, "package/README.md", "words\n")
    place(folder, "space/module.py", "")
    place(folder, "json.py", "shadow = True\n")
    return folder


def checkout_of(base: Path) -> Path:
    folder = base / "checkout"
    place(folder, "pkg/__init__.py", "z = 3\n")
    place(folder, "pkg/settings.yaml", "a: 1\n")
    place(folder, "pkg/fast.so.1", "native")
    place(folder, "README.md", "words\n")
    place(folder, "tests/test_pkg.py", "")
    place(folder, "pkg.egg-info/PKG-INFO", "Name: pkg\n")
    return folder


def meanings(base: Path) -> dict[str, Value]:
    """Digests of fixed files, by what they are of."""
    world, root = Machine({}), base / "project"
    root.mkdir()
    site, loose, checkout = site_of(base), loose_of(base), checkout_of(base)
    found = msgspec.convert(installed([str(site)], "", []), list[Installed])
    path = (str(loose), str(site))
    answer = probe("/nowhere/bin/python", "/nowhere", tuple(found), path)
    names = Names(world, str(root), answer)
    libraries = place(base, "native/libodd.so.1", "12345").parent
    return {
        **{f"packages.{each.name}.build": each.build for each in found},
        **{f"packages.{each.name}.metadata": each.metadata_digest for each in found},
        **{
            f"modules.{name}": names.meaning(name)
            for name in ("single", "package", "package.inner", "package.absent", "space", "absent")
        },
        "modules.lib": names.meaning("lib"),
        "entry_points.lib.plugins": names.entry_points("lib.plugins"),
        "entry_points.*": names.entry_points("*"),
        "providers.lib": names.providers("lib"),
        "providers.*": names.providers("*"),
        "files": names.file(str(loose / "single.py")),
        "source of a checkout": tree_digest(str(checkout), without=frozenset({"tests"})),
        "variables.PYTHONPATH": search_paths.modules(world, str(root), str(loose)),
        "variables.LD_LIBRARY_PATH": search_paths.libraries(world, str(root), str(libraries)),
    }


def test_the_same_files_have_the_same_digests(tmp_path: Path) -> None:
    frozen = json.loads(MEANINGS.read_text(encoding="utf-8"))
    found = json.loads(msgspec.json.encode(meanings(tmp_path)))
    assert found == frozen, "schema 1 is frozen: tests/data/schema-1/README.md"
