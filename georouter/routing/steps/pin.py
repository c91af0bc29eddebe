"""`pin`: a tenant lives where the directory says. Its home comes first, for every client.

The steps behind it rank the other regions as for a client that stands at the home, where the data is: so a
failover is the same for everybody. Regions outside the tenant's residency are never answered.
"""

from array import array

import numpy as np

from georouter.answers.choice import MAX_SCALE, UNIT_SCALE, region_key, settle
from georouter.answers.tables import Homes
from georouter.answers.tenants import label_of
from georouter.policy.model import Service
from georouter.policy.steps import Pin, Unknown, Weighted
from georouter.policy.tenants import Tenancy, Tenant, TenantState
from georouter.routing.scene import Scene
from georouter.routing.text import joined
from georouter.routing.tiers import OUTSIDE, TierArray, split
from georouter.words.ids import RegionName

_STAR = b"\x01*"


def rank(step: Pin, tiers: TierArray, scene: Scene) -> TierArray:
    """The home before all others, and nothing outside the tenant's residency."""
    del step
    tenancy = scene.tenancy
    if tenancy is None:
        return tiers
    if tenancy.residency is not None:
        inside = np.array([name in tenancy.residency for name in scene.regions])
        tiers = np.where(inside[None, :], tiers, np.int16(OUTSIDE))
    others = np.array([name != tenancy.home for name in scene.regions], dtype=np.int32)
    return split(tiers, others[None, :])


def explain(step: Pin, before: TierArray, after: TierArray, scene: Scene) -> tuple[str, ...]:
    """Whose name it is, the home, and what follows from it."""
    del before, after
    tenant, tenancy = scene.tenant, scene.tenancy
    if tenant is None:
        return ("the name is no tenant's: the rest of the chain decides",)
    if tenancy is None:
        return (f'"{tenant.label}" is not in {step.directory.name}: the rest of the chain decides',)
    if tenant.hashed:
        first = f'"{tenant.label}" is not in {step.directory.name}: by its hash the home is {tenancy.home}'
    else:
        first = f'tenant "{tenant.label}": home {tenancy.home}, state {_state(tenancy)}'
    reasons = [first, f"the other regions as for a client at {tenancy.home}"]
    if tenancy.residency is not None:
        allowed = joined(name for name in scene.regions if name in tenancy.residency)
        reasons.append(f"the tenant's residency allows only {allowed}")
    return tuple(reasons)


def _state(tenancy: Tenancy) -> str:
    if tenancy.state is TenantState.ACTIVE:
        return "active"
    return f"moving to {tenancy.moving_to}, answered by the old home until the directory says active"


def tenant_of(service: Service, owner: bytes, name: bytes) -> Tenant | None:
    """Whose name `name` is, where it is answered through the wildcard `owner` (lower-case wire names).

    None without a pin, at names that stand in the zone themselves, and at names with too few labels.
    """
    step = pin_of(service)
    if step is None or owner == name or not owner.startswith(_STAR):
        return None
    label = label_of(name, len(owner) - len(_STAR), step.label)
    if not label:
        return None
    kind = step.directory.kind_of(label)
    text = label.decode("ascii", "backslashreplace")
    if kind >= 0:
        return Tenant(text, step.directory.kinds[kind])
    if step.unknown is not Unknown.HASH:
        return Tenant(text, None)
    return Tenant(text, kinds(service, step)[settle(homes(service, step), label)], hashed=True)


def is_missing(service: Service, tenant: Tenant | None) -> bool:
    """Whether a name that a wildcard would stand for is not answered, because no tenant has it."""
    step = pin_of(service)
    return step is not None and step.unknown is Unknown.NXDOMAIN and (tenant is None or not tenant.tenancy)


def pin_of(service: Service) -> Pin | None:
    """The pin of a chain; there is at most one."""
    return next((step for step in service.chain if isinstance(step, Pin)), None)


def kinds(service: Service, step: Pin) -> tuple[Tenancy, ...]:
    """Every kind of tenant of a service: the directory's, then one for each home that a hash may find."""
    hashed = service.regions if step.unknown is Unknown.HASH else ()
    return (*step.directory.kinds, *map(Tenancy, hashed))


def kind_of(service: Service, tenant: Tenant) -> int:
    """The position in `kinds` of how a tenant lives; -1 for one that has no home."""
    step = pin_of(service)
    if step is None or tenant.tenancy is None:
        return -1
    return kinds(service, step).index(tenant.tenancy, len(step.directory.kinds) if tenant.hashed else 0)


def homes(service: Service, step: Pin) -> Homes:
    """Where a hash may put tenants: the regions that the policy gives a share, by their weights."""
    weights = _settled(service) if step.unknown is Unknown.HASH else {}
    heaviest = max(weights.values(), default=1.0)
    first = len(step.directory.kinds)
    return Homes(
        key=array("Q", map(region_key, weights)),
        scale=array("Q", (min(round(UNIT_SCALE * heaviest / part), MAX_SCALE) for part in weights.values())),
        kind=array("I", (first + service.regions.index(name) for name in weights)),
    )


def _settled(service: Service) -> dict[RegionName, float]:
    weights = dict.fromkeys(service.regions, 1.0)
    for step in service.chain:
        if isinstance(step, Weighted):
            weights.update({name: weight for name, weight in step.weights.items() if name in weights})
    return {name: weight for name, weight in weights.items() if weight > 0} or dict.fromkeys(weights, 1.0)
