"""The facet of the machine: processor, threads, GPUs and driver, CUDA."""

from typing import Final

from envstage.facets import cpu, cuda, gpu, threads
from envstage.facets.contract import Collected, Request
from envstage.world import World

NAME: Final = "hardware"
FACTS: Final = cpu.FACTS + threads.FACTS + gpu.FACTS + cuda.FACTS


def collect(world: World, request: Request) -> Collected:
    """The facts of the machine that the request wants, and those that cost nothing."""
    seen = gpu.collect(world, request)
    libraries = cuda.collect(world, request)
    facts = {
        **cpu.collect(world, request),
        **threads.collect(world, request),
        **seen.facts,
        **libraries.facts,
    }
    return Collected(facts=facts, anomalies=seen.anomalies + libraries.anomalies)
