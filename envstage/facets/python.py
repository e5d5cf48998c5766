"""The interpreter: implementation, version, ABI."""

from typing import Final

from envstage.facets.contract import Collected, FactRule, Request
from envstage.snapshot.model import Address, Level, Value
from envstage.world import World

NAME: Final = "python"
FACTS: Final = (
    FactRule("python.implementation", Level.SOFTWARE, "`cpython`, `pypy`"),
    FactRule("python.version", Level.SOFTWARE, "the full version, PEP 440"),
    FactRule("python.free_threading", Level.SOFTWARE, "built without the global interpreter lock"),
    FactRule("python.debug", Level.SOFTWARE, "a debug build"),
    FactRule("python.abi", Level.PLATFORM, "the tag of compiled modules"),
    FactRule("python.compiler", None, "build date and compiler of the interpreter"),
    FactRule("python.executable", None, "the interpreter's path on this machine"),
    FactRule("python.prefix", None, "the environment's folder on this machine"),
)


def collect(world: World, request: Request) -> Collected:
    """What the probe said of its interpreter."""
    del world
    probe = request.probe
    if probe is None:
        return Collected(facts={})
    facts: dict[Address, Value] = {
        ("python", "implementation"): probe.implementation,
        ("python", "version"): probe.version,
        ("python", "free_threading"): probe.is_free_threaded,
        ("python", "debug"): probe.is_debug,
        ("python", "abi"): probe.abi,
        ("python", "compiler"): probe.compiler,
        ("python", "executable"): probe.executable,
        ("python", "prefix"): probe.prefix,
    }
    return Collected(facts=facts)
