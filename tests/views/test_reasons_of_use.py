"""Why facts that stand for a use are in a view."""

from envstage.config import View
from envstage.snapshot.model import Address, Level, Value
from envstage.views.document import OBSERVED, ViewDocument
from envstage.views.reasons import reasons


def test_every_use_has_words() -> None:
    facts: dict[Address, Value] = {
        ("uses", "gpu"): True,
        ("uses", "programs"): True,
        ("hardware", "gpu", "driver"): "550.54.15",
        ("tools", "samtools", "version"): "1.0",
        ("variables", "KERAS_BACKEND"): "jax",
        ("system", "os"): "linux",
    }
    document = ViewDocument(level=Level.HARDWARE, selection=OBSERVED, facts=facts)
    found = {each.subject: each.reason for each in reasons(document, View(name="v"), "", {})}
    programs = "the run started programs other than Python, which nobody can look into"
    gpu = "the run used the GPU, or programs that may have"
    assert found == {
        "uses.gpu": gpu,
        "uses.programs": programs,
        "hardware.gpu.driver": gpu,
        "tools.samtools": programs,
        "variables.KERAS_BACKEND": "the run may have read it",
        "system.os": "level platform",
    }
