"""What happens to packages and to the import path."""

import shutil
import zipfile
from pathlib import Path

from tests.trace.edits import EDITS, link, replace
from tests.trace.ground import Ground

# WHEEL and INSTALLER are left out: nobody edits them in place, and no trace asks for them.
METADATA = ("METADATA", "RECORD", "PKG-INFO", "direct_url.json", "entry_points.txt", "REQUESTED")


def _infos(it: Ground) -> list[Path]:
    return sorted(it.site.glob("*-info")) + sorted(it.site.glob("*-INFO"))


def install(it: Ground) -> str:
    wheel = it.rng.choice(it.wheels)
    (it.unpack if it.rng.random() < 0.8 else it.venv.install)(wheel)
    return wheel.name


def uninstall(it: Ground) -> None:
    it.remove(it.rng.choice(["alpha", "beta", "delta", "epsilon", "torch", "gamma"]))


def record_twice(it: Ground) -> None:
    """What an interrupted upgrade leaves."""
    info = it.rng.choice(sorted(it.site.glob("alpha-*.dist-info")))
    shutil.copytree(info, it.site / f"alpha-0.{it.rng.randrange(3)}.dist-info")


def rename_info(it: Ground) -> str:
    info = it.rng.choice(_infos(it))
    suffix = it.rng.choice([".DIST-INFO", ".dist-info", ".egg-info", ".gone"])
    info.rename(info.with_suffix(suffix))
    it.back.append(lambda: info.with_suffix(suffix).rename(info))
    return f"{info.name} {suffix}"


def add_to_info(it: Ground) -> str:
    path = it.rng.choice(_infos(it)) / it.rng.choice([*METADATA, "top_level.txt"])
    if path.exists():
        path.unlink()
    else:
        path.write_text(it.rng.choice(["", "[tools]\nmain = x:y\n", '{"url": "https://a.b/c"}']))
    return str(path.relative_to(it.site))


def rename_file_in_info(it: Ground) -> None:
    info = it.rng.choice(_infos(it))
    names = it.rng.sample(["METADATA", "PKG-INFO", "RECORD"], 2)
    (info / names[0]).rename(info / names[1])
    it.back.append(lambda: (info / names[1]).rename(info / names[0]))


def swap_for_a_copy(it: Ground) -> str:
    """The same bytes and times elsewhere on the disk, now here."""
    folder = it.rng.choice([it.rng.choice(_infos(it)), it.site, it.extra, it.root / "environment"])
    shutil.copytree(folder, it.base / "copy", symlinks=True)
    if it.rng.random() < 0.5:
        files = [path for path in (it.base / "copy").rglob("*") if path.is_file()]
        EDITS["in place, times kept"](it.rng.choice(files), it.rng)
    folder.rename(it.base / "old")
    (it.base / "copy").rename(folder)
    shutil.rmtree(it.base / "old")
    return str(folder)


def rename_folder(it: Ground) -> str:
    folder = it.rng.choice([it.venv.folder, it.extra, it.extra / "pack", it.site, it.base / "bin"])
    folder.rename(folder.with_name("away"))
    it.back.append(lambda: folder.with_name("away").rename(folder))
    return folder.name


def editable(it: Ground) -> str:
    """An editable install: the project's own code, or a checkout elsewhere, or a link to either."""
    here, elsewhere = it.root / "lib", it.base / "more"
    target = it.rng.choice([here, elsewhere])
    place = it.rng.choice([here, elsewhere, it.base / "link"])
    link(it.base / "link", target)
    info = it.rng.choice(sorted(it.site.glob("*.dist-info")))
    options = it.rng.choice(['{"editable": true}', "{}"])
    replace(
        info / "direct_url.json", f'{{"url": "file://{place}", "dir_info": {options}}}'.encode()
    )
    it.back.append((info / "direct_url.json").unlink)
    return f"{info.name} {place.name} {target.name} {options}"


def relink(it: Ground) -> str:
    """Lead a link elsewhere: a module of the import path, a folder of it, the active one."""
    targets = [it.root / "lib/helper.py", it.base / "more/helper.py", it.root / "lib", it.extra]
    path = it.rng.choice([it.extra / "helper.py", it.base / "link", it.extra / "linked"])
    target = it.rng.choice(targets)
    (it.base / "more/helper.py").write_text("helper = 3\n")
    link(path, target)
    return f"{path.name} {target.name}"


def add_module(it: Ground) -> str:
    folder = it.rng.choice([it.extra, it.site, it.root, it.extra / "pack", it.extra / "space"])
    name = it.rng.choice(
        "helper.py six.py json.py alpha.py nobody/__init__.py Helper.py x.so".split()
    )
    path = folder / name
    if path.exists():
        path.unlink()
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text("added = 1\n")
        it.back.append(path.unlink)
    return str(path.relative_to(it.base))


def path_file(it: Ground) -> str:
    lines = [str(it.extra), str(it.base / "more"), str(it.root / "lib"), str(it.base / "egg.egg")]
    lines += ["import sys; sys.path.insert(0, '/nowhere')", str(it.base / "link")]
    text = "\n".join(it.rng.sample(lines, it.rng.randrange(4)))
    (it.site / it.rng.choice(["extra.pth", "more.pth"])).write_text(text)
    return text


def start_up(it: Ground) -> str:
    lines = [
        "",
        "import sys; sys.gettotalrefcount = 1",
        "import sys; print('noise')",
        "import os; os._exit(3)",
    ]
    lines += ["import os, sys; sys.path += [os.environ.get('MY_FLAG', '/x')]"]
    text = it.rng.choice(lines)
    # Not in a sitecustomize.py: Debian's Python has one of its own, which goes first.
    (it.site / "start.pth").write_text(text + "\n")
    it.back.append((it.site / "start.pth").unlink)
    return text


def egg(it: Ground) -> str:
    """An egg on the import path, as a file or a folder, or metadata of the older kinds."""
    text = f"Name: egg\nVersion: {it.rng.randrange(3)}.0\n"
    kind = it.rng.choice(["zip", "folder", "file", "egg-info", "EGG-INFO"])
    path = it.base / "egg.egg"
    if kind in ("zip", "EGG-INFO") and path.exists():
        (path.unlink if path.is_file() else lambda: shutil.rmtree(path))()
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("EGG-INFO/PKG-INFO", text)
    elif kind == "EGG-INFO":
        (path / "EGG-INFO").mkdir(parents=True)
        (path / "EGG-INFO/PKG-INFO").write_text(text)
    elif kind == "file":
        (it.site / "old.egg-info").write_text(text.replace("egg", "old"))
    else:
        info = (it.extra if kind == "folder" else it.site) / "egg.egg-info"
        info.mkdir(exist_ok=True)
        (info / "PKG-INFO").write_text(text)
    return kind


def conda(it: Ground) -> None:
    folder = it.venv.folder / "conda-meta"
    folder.mkdir(exist_ok=True)
    number = it.rng.randrange(3)
    text = f'{{"name": "zlib", "version": "1.{number}", "build": "h_0"}}'
    (folder / f"zlib-1.{it.rng.randrange(2)}-h_0.json").write_text(text)
