"""Which mapped libraries results depend on, and of which version they are."""

import mmap
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from envstage.receipts.model import Library, Scalar

Owner = Callable[[str], tuple[str, str] | None]
"""The distribution that installed a file, with its version."""

# Kind → the file's name, the first that matches.
_KINDS: Final = (
    ("blas", r"lib(?:scipy_)?(?:openblas|blis|flexiblas|atlas|cblas|blas|lapack)[^/]*\.so"),
    ("blas", r"libmkl_(?:core|rt|intel|gnu|sequential|tbb|avx|def|mc|vml)[^/]*\.so"),
    ("openmp", r"lib(?:gomp|iomp5|omp5?)[-.][^/]*"),
    ("libc", r"(?:libc\.so\.6|libc-2\.[0-9]+\.so|ld-musl-[^/]*|libc\.musl-[^/]*)"),
    ("c++", r"libstdc\+\+[^/]*\.so[^/]*"),
    ("tbb", r"libtbb\.so[^/]*"),
    ("onednn", r"libdnnl\.so[^/]*"),
    ("cudnn", r"libcudnn[^/]*\.so[^/]*"),
    ("nccl", r"lib(?:nccl|rccl)\.so[^/]*"),
    ("cuda", r"lib(?:cudart|cublas(?:Lt)?|cufft|curand|cusolver|cusparse|nvrtc|nvJitLink)\b[^/]*"),
    ("rocm", r"lib(?:amdhip64|rocblas|hipblaslt|MIOpen)\b[^/]*"),
    ("driver", r"lib(?:cuda|nvidia-ml|hsa-runtime64)\.so[^/]*"),
    ("torch", r"libtorch_(?:cpu|cuda|hip)\.so"),
    ("tensorflow", r"libtensorflow_(?:cc|framework)\.so[^/]*"),
)
# What the files themselves say of their version.
_SAYINGS: Final = {
    "blas": rb"OpenBLAS (\d+\.\d+[\w.]*)|"
    rb"oneAPI Math Kernel Library Version ([\d.]+)|AOCL-BLIS ([\d.]+)",
    "openmp": rb"LLVM OMP version: ([\d.]+)|Intel\(R\) OpenMP\* library version: ([\d.]+)|"
    rb"GCC: \([^)\x00]{0,80}\) (\d+\.\d+[\d.]*)|\x00(GOMP_\d+\.\d+[\d.]*)\x00",
    "libc": rb"GNU C Library [^\n\x00]{0,80} version (\d+\.\d+[\d.]*)",
    "c++": rb"GCC: \([^)\x00]{0,80}\) (\d+\.\d+[\d.]*)",
}
# Kinds that a wheel brings with little else: it has the library's version.
_ALONE: Final = ("cuda", "cudnn", "nccl", "torch", "tensorflow", "tbb")
_OPENMP_GCC: Final = "libgomp"
_NUMBER: Final = re.compile(r"\.so\.(\d+(?:\.\d+)+)$")


def libraries(paths: Iterable[str], owner: Owner) -> tuple[Library, ...]:
    """Of the files that processes had mapped, those that results depend on, sorted by kind."""
    found = {path: kind for path in paths for kind in _kind(path)}
    made = [_library(path, kind, owner) for path, kind in found.items()]
    return tuple(sorted(made, key=lambda each: (each.kind, each.name, each.path)))


def _kind(path: str) -> Iterator[str]:
    name = os.path.basename(path)
    for kind, pattern in _KINDS:
        if re.fullmatch(pattern, name) or re.match(pattern + r"(?:$|[.\d])", name):
            yield kind
            return


def _library(path: str, kind: str, owner: Owner) -> Library:
    found = owner(path)
    package, of_package = found if found is not None else (None, None)
    version = _said(path, kind) or _in_name(path)
    if version is None and (kind in _ALONE or (package or "").startswith(("mkl", "intel-openmp"))):
        version = of_package
    return Library(
        kind=kind,
        name=os.path.basename(path).partition(".so")[0],
        path=path,
        version=version,
        package=package,
    )


def _said(path: str, kind: str) -> str | None:
    """The version that stands in a library's own text."""
    pattern = _SAYINGS.get(kind)
    if pattern is None:
        return None
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            said = {each for match in re.finditer(pattern, data) for each in match.groups() if each}
    except (OSError, ValueError):  # deleted meanwhile, or empty
        return None
    texts = sorted((each.decode("ascii", "replace").rstrip(".") for each in said), key=_by_number)
    if not texts:
        return None
    # GCC's libraries have no version but the compiler's, or that of their interface.
    is_gcc = kind == "c++" or os.path.basename(path).startswith(_OPENMP_GCC)
    if is_gcc:
        compilers = [each for each in texts if not each.startswith("GOMP_")]
        return f"GCC {compilers[-1]}" if compilers else texts[-1].replace("_", " ")
    return texts[-1]


def _by_number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def inside_torch(
    found: Sequence[Library], settings: Iterable[Mapping[str, Scalar]]
) -> tuple[Library, ...]:
    """The BLAS that PyTorch has inside of its own library, where no other of its own is mapped."""
    torch = next((each for each in found if each.name == "libtorch_cpu"), None)
    said = next((each for each in settings if each.get("torch.blas")), None)
    if torch is None or said is None:
        return ()
    if any(each.kind == "blas" and each.package == torch.package for each in found):
        return ()
    name, version = str(said["torch.blas"]), said.get("torch.mkl")
    return (
        Library(
            kind="blas",
            name=f"{name} (inside {torch.name})",
            path=torch.path,
            version=str(version) if name == "mkl" and version else None,
            package=torch.package,
        ),
    )


def _in_name(path: str) -> str | None:
    """`libcudnn.so.9.1.0`: the file that the name in use leads to may say more than that name."""
    for name in (path, os.path.realpath(path)):
        match = _NUMBER.search(name)
        if match:
            return match[1]
    return None
