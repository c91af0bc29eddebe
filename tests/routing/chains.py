"""Random services, places and worlds for properties."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from georouter.facts.failover import FailoverRule
from georouter.facts.world import Effective, RegionFacts, Standing, State, World
from georouter.policy.model import AllDown, Service
from georouter.policy.steps import (
    Failover,
    Geo,
    GeoRule,
    Latency,
    Limit,
    Match,
    Nearest,
    Residency,
    Step,
    Unplaced,
    Weighted,
)
from georouter.words.ids import RegionName, ServiceName
from tests.routing.scenes import Spot, names

NAMES = names("a", "b", "c", "d", "e", "f")
FACES = (
    RegionFacts(State.UP, Effective.UP),
    RegionFacts(State.UP, Effective.UP, health=0.5),
    RegionFacts(State.UNKNOWN, Effective.UNKNOWN),
    RegionFacts(State.DOWN, Effective.DOWN),
    RegionFacts(State.UP, Effective.DRAINED, forced=Effective.DRAINED),
    RegionFacts(State.UP, Effective.DOWN, forced=Effective.DOWN),
    RegionFacts(State.DOWN, Effective.UP, forced=Effective.UP),
)
COUNTRIES = ("", "DE", "FR", "US", "SG")
MEMBERS = {"EU": ("DE", "FR")}
"""Which of the countries are in a group, by hand."""

matches = st.one_of(
    st.builds(
        lambda codes: Match(countries=tuple(codes)), st.sets(st.sampled_from(COUNTRIES[1:]), min_size=1)
    ),
    st.just(Match(groups=("EU",))),
    st.just(Match(continents=("NA", "AS"))),
)
region_sets = st.frozensets(st.sampled_from(NAMES))
orders = st.permutations(NAMES).flatmap(
    lambda names: st.tuples(st.integers(1, 3), st.integers(0, 3)).map(
        lambda cuts: tuple(
            tier for tier in (tuple(names[: cuts[0]]), tuple(names[cuts[0] : sum(cuts)])) if tier
        )
    )
)
fences = st.builds(Residency, matches, region_sets, st.sampled_from(Unplaced))
ranking_steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Geo, st.lists(st.builds(GeoRule, st.none() | matches, orders), max_size=3).map(tuple)),
    st.builds(
        Nearest,
        st.sampled_from((0.0, 300.0, 5000.0)),
        st.dictionaries(st.sampled_from(NAMES), st.integers(-99, 99).map(float), max_size=2),
    ),
    st.builds(Latency, st.sampled_from((0.0, 5.0, 60.0))),
    st.builds(Failover, orders),
)
other_steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Weighted, st.dictionaries(st.sampled_from(NAMES), st.sampled_from((0.0, 1.0, 3.0)))),
    st.builds(Limit, st.integers(1, 3)),
)
managed_orders = st.permutations(NAMES)
"""Of a `failover` step that keeps a state."""
chains = st.lists(st.one_of(fences, ranking_steps, other_steps), max_size=4).map(tuple)
services = st.builds(
    Service,
    st.just(ServiceName("web")),
    st.sets(st.sampled_from(NAMES), min_size=1).map(lambda chosen: tuple(sorted(chosen))),
    chains,
    when_all_down=st.sampled_from(AllDown),
    fallback=st.sets(st.sampled_from(NAMES), max_size=2).map(lambda chosen: tuple(sorted(chosen))),
)
degrees = st.integers(-60, 60).map(float)
sites = st.fixed_dictionaries({str(name): st.tuples(degrees, degrees) for name in NAMES})
spots = st.one_of(
    st.builds(Spot, st.sampled_from(COUNTRIES), degrees, degrees, st.sampled_from(("", "EU", "NA", "AS"))),
    st.just(Spot()),
)
worlds = st.builds(
    World,
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(FACES)),
    st.dictionaries(st.sampled_from(NAMES), st.integers(1, 200).map(float)),
    st.dictionaries(st.just(ServiceName("web")), st.dictionaries(region_sets, region_sets, max_size=3)),
)


def managed(service: Service, order: Sequence[RegionName]) -> Service:
    """The service with a `failover` step that keeps a state instead of those it has."""
    names = tuple(name for name in order if name in service.regions)
    step = Failover(tuple((name,) for name in names), FailoverRule(names))
    rest = tuple(step for step in service.chain if not isinstance(step, Failover))
    return replace(service, chain=(*rest, step))


def standing(service: Service, active: int, *, held: bool) -> Standing:
    """One of the service's regions active, the others standing by."""
    chosen = service.regions[active % len(service.regions)]
    return Standing(chosen, tuple(name for name in service.regions if name != chosen), held)


def fence_of(service: Service, spot: Spot) -> frozenset[RegionName]:
    """The regions a client may get, worked out independently of the code under test."""
    everywhere = frozenset((*service.regions, *service.fallback))
    fences = [step for step in service.chain if isinstance(step, Residency)]
    common = everywhere.intersection(*(fence.regions for fence in fences))
    allowed = everywhere
    for fence in fences:
        clients = fence.clients
        inside = (
            spot.country in clients.countries
            or spot.continent in clients.continents
            or any(spot.country in MEMBERS[group] for group in clients.groups)
        )
        if inside:
            allowed &= fence.regions
        elif spot.country == "" and fence.unplaced is Unplaced.RESTRICT:
            allowed &= common
        elif spot.country == "" and fence.unplaced is Unplaced.DENY:
            allowed = frozenset()
    return allowed
