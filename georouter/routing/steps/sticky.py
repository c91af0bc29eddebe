"""`sticky`: a client network keeps its region. It ranks nothing; the choice inside a tier is made by it.

The choice is weighted rendezvous hashing (Thaler, Ravishankar 1998; weights: Schindelhauer, Schomaker
2005) of the network's prefix: a region that goes moves only its own clients, one that returns only those.
"""

from georouter.policy.steps import Sticky
from georouter.routing.scene import Scene
from georouter.routing.tiers import TierArray


def rank(step: Sticky, tiers: TierArray, scene: Scene) -> TierArray:
    """The tiers as they came."""
    del step, scene
    return tiers


def explain(step: Sticky, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """What is kept together, and that only equal regions are chosen among."""
    del before, after, scene
    return (
        f"among the regions of a tier, clients of one /{step.ipv4} (IPv4) or /{step.ipv6} (IPv6) keep theirs",
    )
