"""What is only known at the end of a process: libraries mapped, a GPU in use.

Runs inside the observed program (see `recorder`), loaded when it ends, or ends another.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List

GPU_LIBRARIES = (b"libcuda.so", b"libnvidia-ml.so", b"libamdhip64.so", b"libhsa-runtime64.so")
GPU_DEVICES = ("/dev/nvidia", "/dev/kfd")
READ_AT_ONCE_BYTES = 1 << 16
DESCRIPTORS_AT_MOST = 4096


def see_machine(report: "Any", process: str) -> "List[bytes]":
    """The shared libraries that a process has mapped, and whether it holds a GPU; the paths."""
    try:
        maps = read_whole("/proc/%s/maps" % process)
    except OSError:
        report.once("unseen", "libraries")
        return []
    paths = {line[line.find(b"/") :] for line in maps.split(b"\n") if b"/" in line}
    lines = []
    for path in sorted(paths):
        if b".so" in path:
            lines.append(("library", os.fsdecode(path)))
        name = path[path.rfind(b"/") + 1 :]
        if name.startswith(GPU_LIBRARIES):
            lines.append(("gpu", os.fsdecode(name)))
    lines += [("gpu", path) for path in devices_open(process)]
    if lines:
        report.write_lines(lines)
    return sorted(paths)


def read_whole(path: str) -> bytes:
    """A file of /proc: its size is unknown before it is read."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    parts: "List[bytes]" = []
    try:
        while True:
            part = os.read(descriptor, READ_AT_ONCE_BYTES)
            if not part:
                return b"".join(parts)
            parts.append(part)
    finally:
        os.close(descriptor)


def devices_open(process: str) -> "List[str]":
    """GPU devices among the open files of a process."""
    folder = "/proc/%s/fd" % process
    found = set()
    try:
        for name in os.listdir(folder)[:DESCRIPTORS_AT_MOST]:
            try:
                path = os.readlink(folder + "/" + name)
            except OSError:
                continue
            if path.startswith(GPU_DEVICES):
                found.add(path)
    except OSError:
        pass
    return sorted(found)
