"""What only this machine can say of where packages came from: for the context, never counted.

Folders, files and repositories of this machine, and the indexes that pip and uv are configured
to use (case 31). `envstage recreate` uses both where they are still there.
"""

import os
from collections.abc import Iterator
from typing import Any

import msgspec

from envstage.facets.contract import Installed, ProbeAnswer
from envstage.facets.origin import local_path
from envstage.indexes import configured
from envstage.snapshot.canonical import parsed
from envstage.snapshot.secrets import without_secrets
from envstage.world import World


class Origins(msgspec.Struct, frozen=True, kw_only=True):
    """The section `origins` of a context.

    Attributes:
        local: the path that a package was installed from, by the package's name.
    """

    default_index: str | None = None
    extra_indexes: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    local: dict[str, str] = {}


def origins(world: World, root: str, answer: ProbeAnswer | None) -> dict[str, Any]:
    """The section as the document has it; empty where there is nothing to say."""
    indexes = configured(world, root).scrubbed()
    section = {
        "default_index": indexes.default,
        "extra_indexes": list(indexes.extra),
        "find_links": list(indexes.find_links),
        "local": dict(_local(world, answer)) if answer is not None else {},
    }
    return {key: value for key, value in section.items() if value}


def _local(world: World, answer: ProbeAnswer) -> Iterator[tuple[str, str]]:
    for installed in answer.distributions:
        path = _path(world, installed)
        # conda's build folder (case 4) was another machine's, and leads nowhere here. A folder of
        # this machine may be called like a token, too.
        if path is not None and world.exists(path) and without_secrets(path) == path:
            yield installed.name, path


def _path(world: World, installed: Installed) -> str | None:
    if installed.direct_url is None:
        is_checkout = installed.metadata_path.endswith(".egg-info") and world.exists(
            os.path.join(installed.location, "setup.py")
        )
        return installed.location if is_checkout else None
    try:
        document = parsed(installed.direct_url.encode("utf-8", "replace"))
    except ValueError:
        return None
    url = document.get("url") if isinstance(document, dict) else None
    return local_path(url) if isinstance(url, str) else None
