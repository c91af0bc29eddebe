"""A snapshot with every construct: the zones of the differential test, and names steered by place."""

from functools import cache
from pathlib import Path

from georouter.answers.tables import Snapshot
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.policy.load import PolicyFile, load
from georouter.policy.model import Policy
from tests.compiler.build import tiny_map
from tests.live.differential.zones import zone_texts

HERE = Path(__file__).parent
ZONES = HERE.parent / "live" / "differential" / "world.yaml"
STEERED = HERE / "steered.yaml"
TENANTS = HERE / "tenants.csv"
DOWN = "sg"


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
    """On the tiny map, with one region down."""
    facts = {
        name: RegionFacts(State.DOWN, Effective.DOWN) if name == DOWN else RegionFacts(State.UP, Effective.UP)
        for name in policy().regions
    }
    world = World(regions=facts)
    return publish(plan(policy(), tiny_map(), world), world, 1).snapshot
