"""Which stages read which views, by the pipeline's own files."""

from collections.abc import Iterable

from envstage.errors import EnvstageError
from envstage.pipelines.dvc_file import all_stages, view_deps
from envstage.pipelines.plan import Draft


def stages_of_views(root: str, view_files: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """For each view's file, the stages of dvc.yaml that depend on it, by address.

    A dvc.yaml that cannot be read names no stages: to compare two environments it is not needed.
    """
    wanted = dict.fromkeys(view_files)
    found: dict[str, list[str]] = {file: [] for file in wanted}
    try:
        stages = all_stages(Draft(root)) if wanted else ()
    except EnvstageError:
        return {}
    for stage in stages:
        for item in view_deps(stage):
            if stage.resolved(item) in found:
                found[stage.resolved(item)].append(stage.address)
    return {file: tuple(names) for file, names in found.items()}
