"""Requests and probe answers for the tests of facets."""

from typing import Any

from envstage.facets.contract import Installed, ProbeAnswer, Request
from envstage.snapshot.model import Level


def request(**changes: Any) -> Request:
    values: dict[str, Any] = {"root": "/project", "level": Level.PLATFORM}
    return Request(**(values | changes))


def probe(
    executable: str = "/usr/bin/python3",
    prefix: str = "/usr",
    distributions: tuple[Installed, ...] = (),
    path: tuple[str, ...] = (),
) -> ProbeAnswer:
    return ProbeAnswer(
        payload=1,
        executable=executable,
        prefix=prefix,
        base_prefix=prefix,
        implementation="cpython",
        version="3.11.2",
        abi="cp311",
        is_free_threaded=False,
        is_debug=False,
        compiler="GCC",
        path=path,
        distributions=distributions,
    )
