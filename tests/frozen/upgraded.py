"""`python upgraded.py CHANGE… -- ARGUMENTS`: envstage as a later release would be.

version: another version. fact: the facet of the system finds one more thing that does not count.
schema: what is written anew is of schema 2.
"""

import sys
import types
from pathlib import Path
from typing import Any


def change_version() -> None:
    import envstage

    envstage.__version__ = "99.0"


def change_schema() -> None:
    # Others take the number from here as they are loaded.
    import envstage.snapshot

    path = Path(envstage.snapshot.__file__).with_name("model.py")
    text = path.read_text(encoding="utf-8").replace("SCHEMA: Final = 1", "SCHEMA: Final = 2")
    model = types.ModuleType("envstage.snapshot.model")
    sys.modules[model.__name__] = model
    exec(compile(text, str(path), "exec"), model.__dict__)


def add_fact() -> None:
    import msgspec

    from envstage.facets import system
    from envstage.facets.contract import FactRule
    from envstage.snapshot.model import Level

    rule = FactRule("system.flavour", Level.SOFTWARE, "found by a later release", counts=False)
    collect = system.collect

    def collect_more(world: Any, request: Any) -> Any:
        found = collect(world, request)
        facts = {**found.facts, ("system", "flavour"): "vanilla"}
        return msgspec.structs.replace(found, facts=facts)

    changed: Any = system
    changed.FACTS = (*system.FACTS, rule)
    changed.collect = collect_more


CHANGES = {"schema": change_schema, "version": change_version, "fact": add_fact}

if __name__ == "__main__":
    split = sys.argv.index("--")
    for name, change in CHANGES.items():
        if name in sys.argv[1:split]:
            change()
    from envstage.cli import main

    sys.exit(main(sys.argv[split + 1 :]))
