"""`shapes`: as much of the policy as beliefs about regions need (`facts` knows no policy)."""

from georouter.facts.endpoints import EndpointKey, RegionShape
from georouter.policy.model import Endpoint, Policy
from georouter.words.ids import RegionName


def shapes(policy: Policy) -> tuple[RegionShape, ...]:
    """Every region with its endpoints in policy order."""
    return tuple(
        RegionShape(
            region.name,
            tuple(endpoint_key(region.name, endpoint) for endpoint in region.endpoints),
            region.min_healthy,
        )
        for region in policy.regions.values()
    )


def endpoint_key(region: RegionName, endpoint: Endpoint) -> EndpointKey | None:
    """What the endpoint's health is filed under; None while nobody checks it."""
    return None if endpoint.check is None else EndpointKey(region, endpoint.address, endpoint.check)
