"""A package came with other files than the captured one: the right ones may be elsewhere.

Two indexes can serve one version, and pip and uv do not choose alike; an index may have a wheel
of what was compiled from source where it was captured.
"""

from collections.abc import Iterator

import msgspec

from envstage.indexes import Indexes
from envstage.recreate.installer import Installer
from envstage.recreate.plan import Line
from envstage.recreate.process import Progress
from envstage.recreate.verdicts import Judged
from envstage.snapshot.secrets import without_secrets


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Another way to the same package."""

    line: Line
    installer: Installer
    options: tuple[str, ...] = ()
    words: str

    def install(self, python: str, progress: Progress) -> bool:
        """Try it; says whether something was installed."""
        reinstall = (
            ("--reinstall-package", self.line.name) if self.installer.uv else ("--force-reinstall",)
        )
        options = (*reinstall, *self.options)
        return not self.installer.install(
            python, (self.line.text,), progress, options=options
        ).returncode


def second_tries(installer: Installer, wrong: Judged, line: Line) -> Iterator[Attempt]:
    """What else to try for a package of an index, the most likely first."""
    if " @ " in line.text or wrong.wanted is None:
        return
    name = wrong.name
    is_pure = all(tag.endswith("-none-any") for tag in wrong.wanted.tags)
    if wrong.wanted.is_own_build or (is_pure and wrong.wanted.tags):
        # Compiling what was not compiled would take minutes, and give other files for certain.
        yield Attempt(
            line=line,
            installer=installer,
            options=("--no-binary", name),
            words=f"{name}: its files differ; trying its source",
        )
    indexes = installer.indexes
    alone = [Indexes(find_links=(place,), is_disabled=True) for place in indexes.find_links]
    alone += [Indexes(default=url) for url in (*indexes.extra, indexes.default) if url]
    # With no other place configured, the first try has looked at the only one.
    for only in alone if len(alone) > 1 or indexes.extra or indexes.find_links else []:
        place = without_secrets(only.default) if only.default else only.find_links[0]
        yield Attempt(
            line=line,
            installer=installer.with_indexes(only),
            words=f"{name}: its files differ; trying {place} alone",
        )
    if indexes.extra or indexes.find_links:
        yield Attempt(
            line=line,
            installer=installer.with_indexes(Indexes(default=indexes.default)),
            words=f"{name}: its files differ; trying the default index alone",
        )
