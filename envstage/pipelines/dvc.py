"""DVC pipelines: what the command line plans and applies."""

from envstage.pipelines.command import capture_command, interpreter_of
from envstage.pipelines.dvc_init import plan_init
from envstage.pipelines.dvc_remove import plan_remove
from envstage.pipelines.dvc_track import plan_track
from envstage.pipelines.plan import Edit, Plan, apply

__all__ = [
    "Edit",
    "Plan",
    "apply",
    "capture_command",
    "interpreter_of",
    "plan_init",
    "plan_remove",
    "plan_track",
]
