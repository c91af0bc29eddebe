"""Pin: the home first, the others as seen from there, nothing outside the tenant's residency."""

from georouter.policy.steps import Latency, Match, Nearest, Pin, Residency
from georouter.policy.tenants import EMPTY, Tenancy, Tenant, TenantState
from georouter.routing.decide import decide
from georouter.routing.steps.pin import is_missing, kind_of, kinds, tenant_of
from georouter.wire.names import parse_name
from georouter.words.ids import RegionName
from tests.routing.scenes import (
    BERLIN,
    FRESNO,
    LONDON,
    SINGAPORE,
    World,
    names,
    order,
    places_of,
    policy_of,
    service_of,
)

ALL = ["us-east", "us-west", "eu-west", "eu-central", "ap-south"]
EU_WEST = RegionName("eu-west")
EUROPE = frozenset(names("eu-west", "eu-central"))


def test_the_ranking_is_the_homes_for_every_client() -> None:
    """Whatever stands behind the pin sees a client at the home."""
    service = service_of(Nearest(), Pin(EMPTY), regions=ALL)
    tenant = Tenant("acme", Tenancy(EU_WEST))
    for spot in (LONDON, BERLIN, FRESNO, SINGAPORE):
        decision = decide(policy_of(service), service, places_of(spot), World(), tenant=tenant)
        assert [trace.step for trace in decision.steps] == ["pin", "nearest"]
        assert decision.tiers == order("eu-west", "eu-central", "us-east", "us-west", "ap-south")


def test_nothing_outside_the_residency() -> None:
    """And clients' fences cut what is left."""
    fence = Residency(Match(countries=("US",)), frozenset(names("us-east", "eu-central")))
    service = service_of(fence, Pin(EMPTY), Latency(), regions=ALL)
    tenant = Tenant("acme", Tenancy(EU_WEST, EUROPE, TenantState.MOVING, RegionName("eu-central")))
    decision = decide(policy_of(service), service, places_of(LONDON), World(), tenant=tenant)
    assert decision.tiers == order("eu-west", "eu-central")
    first, second, third = decision.steps[0].reasons
    assert first.startswith(
        'tenant "acme": home eu-west, state moving to eu-central, answered by the old home'
    )
    assert second == "the other regions as for a client at eu-west"
    assert third == "the tenant's residency allows only eu-west, eu-central"
    fenced = decide(policy_of(service), service, places_of(FRESNO), World(), tenant=tenant)
    assert [trace.step for trace in fenced.steps] == ["pin", "latency", "residency"]
    assert fenced.tiers == order("eu-central")


def test_names_without_a_tenant() -> None:
    """The rest of the chain decides, at the client's place."""
    service = service_of(Pin(EMPTY), Nearest(), regions=ALL)
    for tenant in (None, Tenant("ghost", None)):
        decision = decide(policy_of(service), service, places_of(SINGAPORE), World(), tenant=tenant)
        assert decision.tiers[0] == ("ap-south",)
    wildcard = parse_name("*.app.example.com")
    assert tenant_of(service, wildcard, wildcard) is None
    ghost = tenant_of(service, wildcard, parse_name("ghost.app.example.com"))
    assert ghost == Tenant("ghost", None)
    assert kind_of(service, ghost) == -1
    assert not is_missing(service, ghost)
    assert kinds(service, Pin(EMPTY)) == ()
