"""The thread pools that are loaded: another number of threads adds in another order.

https://github.com/joblib/threadpoolctl
"""

import os
from typing import Any, Final

import msgspec

_SIDE_EFFECT: Final = "KMP_DUPLICATE_LIB_OK"


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """One runtime: `openblas`, `mkl`, `openmp`.

    Attributes:
        architecture: the processor that OpenBLAS chose its kernels for (`SkylakeX`).
    """

    name: str
    version: str | None
    threads: int
    architecture: str | None = None


def pools() -> tuple[Pool, ...]:
    """The pools of BLAS and OpenMP in this process; none where threadpoolctl is not installed."""
    was_set = _SIDE_EFFECT in os.environ
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return ()
    found: list[dict[str, Any]] = threadpool_info()
    if not was_set:
        # Importing it sets this for good; looking must not change what is looked at.
        os.environ.pop(_SIDE_EFFECT, None)
    return tuple(
        Pool(
            name=str(each["internal_api"]),
            version=each.get("version"),
            threads=int(each["num_threads"]),
            architecture=each.get("architecture"),
        )
        for each in found
    )
