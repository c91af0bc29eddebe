"""A snapshot with every construct: the zones of the differential test, and names steered by place."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from georouter.answers.tables import Snapshot
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.facts.world import Effective, Ramping, RegionFacts, State, World
from georouter.geo.map import GeoMap
from georouter.policy.load import PolicyFile, load
from georouter.policy.model import Policy
from georouter.words.ids import ServiceName
from tests.compiler.build import tiny_map
from tests.live.differential.zones import zone_texts

HERE = Path(__file__).parent
ZONES = HERE.parent / "live" / "differential" / "world.yaml"
STEERED = HERE / "steered.yaml"
TENANTS = HERE / "tenants.csv"
DOWN = "sg"
RAMPED = ("ramped", "moving")
SUFFIX = b"\7steered\4test\0"
"""Of the names whose answers depend on who asks."""


@cache
def policy() -> Policy:
    """Both files."""
    texts = {**zone_texts(), TENANTS.name: TENANTS.read_text()}
    files = [PolicyFile(f"/{name}", text, zone=True) for name, text in texts.items()]
    return load(
        [*(PolicyFile(f"/{path.name}", path.read_text()) for path in (ZONES, STEERED)), *files]
    ).policy


@cache
def snapshot() -> Snapshot:
    """On a map with networks of every size, with one region down and two ramps on their way."""
    facts = {
        name: RegionFacts(State.DOWN, Effective.DOWN) if name == DOWN else RegionFacts(State.UP, Effective.UP)
        for name in policy().regions
    }
    ramps = {ServiceName(name): Ramping(0.4, moves=True) for name in RAMPED}
    world = World(regions=facts, ramps=ramps)
    return publish(plan(policy(), patchwork(), world), world, 1).snapshot


def patchwork() -> GeoMap:
    """The tiny map, where 11.0.0.0/8, 2101::/16 and their like are divided among all places: blocks of it
    hold as many more as they are larger.
    """
    coarse = tiny_map()
    count = len(coarse.places)
    starts4, place4 = _divided(coarse.starts4.tolist(), range(1, 24), 24, count)
    starts6, place6 = _divided(coarse.starts6.tolist(), range(4, 48), 48, count)
    return replace(
        tiny_map(starts4, place4),
        starts6=np.array(starts6, dtype=np.uint64),
        place6=np.array(place6, dtype=np.uint32),
    )


def _divided(starts: list[int], bits: range, block: int, places: int) -> tuple[list[int], list[int]]:
    """Ranges of a family; the second block of so many bits in each gets ranges of every size in `bits`."""
    found = []
    for place, start in enumerate(starts):
        inside = start + (1 << block)
        found.append((start, place))
        found += [(inside + (1 << width), (place + width) % places) for width in bits]
        found.append((inside + (1 << block), place))
    return [start for start, _ in found], [place for _, place in found]
