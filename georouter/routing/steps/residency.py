"""`residency`: a hard fence. Clients of some places only ever get some regions, whatever happens.

Three kinds of places: those that meet `clients` keep only `regions`; those of which the database
does not say enough to tell (`match.undecided`: no country, or a country without the subdivision that
the fence names) are treated as `unplaced` says; all others are left alone. `restrict` keeps the
regions inside every fence of the service, `deny` none. Fallback regions are fenced too.
"""

import numpy as np

from georouter.policy.model import Service
from georouter.policy.steps import Residency, Unplaced, WithoutEcs
from georouter.routing.match import meets, undecided, why
from georouter.routing.scene import Scene, restricted
from georouter.routing.tiers import OUTSIDE, TierArray
from georouter.words.ids import RegionName


def rank(step: Residency, tiers: TierArray, scene: Scene) -> TierArray:
    """Put every region outside its fence to `OUTSIDE`."""
    inside = np.array([name in step.regions for name in scene.regions])
    dropped = meets(step.clients, scene.places)[:, None] & ~inside
    if step.unplaced is not Unplaced.ALLOW:
        kept = scene.restricted if step.unplaced is Unplaced.RESTRICT else frozenset[int]()
        common = np.array([column in kept for column in range(len(scene.regions))])
        dropped |= undecided(step.clients, scene.places)[:, None] & ~common
    return np.where(dropped, np.int16(OUTSIDE), tiers)


def explain(step: Residency, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """Why the one place of `scene` is or is not fenced, and which regions it lost."""
    if meets(step.clients, scene.places)[0]:
        named = ", ".join(name for name in scene.regions if name in step.regions) or "none of this service"
        reason = f"the client is fenced by {why(step.clients, scene.places)}: only {named}"
    elif not undecided(step.clients, scene.places)[0]:
        return ("the client does not meet this fence: all regions stay",)
    elif step.unplaced is Unplaced.ALLOW:
        return ("where the client is is not known well enough; unplaced: allow keeps all regions",)
    elif step.unplaced is Unplaced.RESTRICT:
        named = ", ".join(scene.regions[column] for column in sorted(scene.restricted)) or "none"
        reason = (
            "where the client is is not known well enough; "
            f"unplaced: restrict keeps what every fence allows: {named}"
        )
    else:
        reason = "where the client is is not known well enough; unplaced: deny keeps no region"
    lost = [
        name
        for column, name in enumerate(scene.regions)
        if before[0, column] != OUTSIDE and after[0, column] == OUTSIDE
    ]
    return (reason, f"dropped {', '.join(lost)}" if lost else "no region had to be dropped")


def without_ecs_allowed(service: Service, universe: tuple[RegionName, ...]) -> frozenset[int] | None:
    """Which regions (columns of `universe`) a query without client subnet may get.

    None: the resolver's address is judged like a client's. With several fences the strictest wins:
    one `deny` allows nothing, one `restrict` the regions inside every fence.
    """
    ways = {step.without_ecs for step in service.chain if isinstance(step, Residency)}
    if WithoutEcs.DENY in ways:
        return frozenset()
    if WithoutEcs.RESTRICT in ways:
        return frozenset(column for column in restricted(service) if column < len(universe))
    return None
