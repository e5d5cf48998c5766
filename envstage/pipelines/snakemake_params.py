"""Snakemake loads pandas, 1 s, to look whether a rule's param is a DataFrame.

The provided rule has params, and a workflow whose rules have none would pay for that at every
call. Where nobody has imported pandas, no value can be of its types: Snakemake's other
serialisation, which it takes where pandas is not installed, writes the same text.
"""

import functools
import sys
from typing import Any, Final

_SEEN_AS: Final = "_envstage"


def spare_pandas() -> None:
    """Have Snakemake leave pandas alone where the workflow does."""
    from snakemake.persistence import PersistenceBase

    known = getattr(PersistenceBase, "_serialize_param_pandas", None)
    plain = getattr(PersistenceBase, "_serialize_param_builtin", None)
    if known is None or plain is None or hasattr(known, _SEEN_AS):
        return  # another Snakemake than is known: it takes its time

    @functools.wraps(known)
    def serialize(persistence: Any, value: Any) -> Any:
        return (known if "pandas" in sys.modules else plain)(persistence, value)

    setattr(serialize, _SEEN_AS, True)
    PersistenceBase._serialize_param_pandas = serialize
