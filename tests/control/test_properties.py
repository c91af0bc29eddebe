"""Whatever happens, no publication empties a pool or a zone that the policy did not empty.

any sequence of (check results, overrides, their ends, reloads good and bad, a clock that is set)
└─► after each: every name of the policy is there, every pool has an address, and one of its own
"""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.control.events import BuildDone, Event, OverrideCleared, OverrideSet, Probed, Tick
from georouter.control.orders import Failed
from georouter.facts.endpoints import EndpointKey
from georouter.facts.overrides import Override, OverrideKind
from georouter.facts.world import State
from georouter.policy.model import AllDown, Check, CheckType, Policy
from georouter.policy.steps import Failover, Latency, Limit, Nearest, Weighted
from georouter.words.ids import CheckName, RegionName
from tests.compiler.build import REGIONS, Asker, answers, client, policy, service, zone
from tests.control.loops import World0

EU, EU2, US, AP = (region.name for region in REGIONS)
CHECK = Check(CheckName("web"), CheckType.HTTP, 80)
SERVICES = (
    service("all", chain=[Nearest()]),
    service("known", ["eu", "us"], [Latency()], AllDown.LAST_KNOWN),
    service("back", ["eu", "eu2"], [Failover(((EU,), (EU2,)))], AllDown.FALLBACK, ["ap"]),
    service("shares", chain=[Weighted({EU: 1, EU2: 2, US: 0, AP: 5})]),
    service("many", chain=[Nearest(), Limit(3, 2)]),
    service("one", ["us"]),
)
POOLS = {item.name: {*item.regions, *item.fallback} for item in SERVICES}
STATIC = ("mail.example.com", "www.example.org")
STEPS = 30
PLACES = (0, 1, 3)
FAMILIES = {"A": 0, "AAAA": 1}
"""The endpoint that each region has of it."""


def made(*, extra: bool = False) -> Policy:
    """Every region checked; with or without one more name."""
    regions = [
        replace(region, endpoints=tuple(replace(item, check=CHECK.name) for item in region.endpoints))
        for region in REGIONS
    ]
    records = [("mail", "A", "192.0.2.60"), *([("new", "A", "192.0.2.61")] if extra else [])]
    zones = [
        zone("example.com", records, {str(name): str(name) for name in POOLS}),
        zone("example.org", [("www", "AAAA", "2001:db8::80")]),
    ]
    return replace(policy(zones, SERVICES, regions), checks={CHECK.name: CHECK})


PLAIN, LARGER = made(), made(extra=True)
KEYS = [EndpointKey(region.name, item.address, CHECK.name) for region in REGIONS for item in region.endpoints]
ADDRESSES = {
    name: {item.address for region in REGIONS if region.name in pool for item in region.endpoints}
    for name, pool in POOLS.items()
}

names = st.sampled_from([region.name for region in REGIONS])
probes = st.builds(
    lambda key, ok, rtt: Probed(key, ok, "" if ok else "refused", 0.01, rtt if ok else None),
    st.sampled_from(KEYS),
    st.booleans(),
    st.one_of(st.none(), st.floats(0.001, 1.0)),
)
crashes = st.builds(
    lambda gone: [Probed(key, False, "refused", 0.01, None) for key in KEYS if key.region in gone] * 3,
    st.sets(names),
)
forces = st.tuples(names, st.sampled_from(list(OverrideKind)), st.one_of(st.none(), st.floats(1.0, 1e6)))
acts = st.one_of(
    st.tuples(st.just("probe"), probes),
    st.tuples(st.just("crash"), crashes),
    st.tuples(st.just("force"), forces),
    st.tuples(st.just("clear"), names),
    st.tuples(st.just("pass"), st.floats(0.0, 1e5)),
    st.tuples(st.just("set"), st.floats(-2e9, 2e9)),
    st.tuples(st.just("reload"), st.sampled_from(["same", "larger", "broken", "gone"])),
)


def act(world: World0, what: str, how: object) -> None:
    """Let one thing happen, and publish what comes of it."""
    posted: list[Event] = []
    match what, how:
        case "probe", Probed() as probed:
            posted = [probed]
        case "crash", list(results):
            posted = results
        case "force", (region, kind, for_s):
            now = world.now + world.set_by_s
            end = None if for_s is None else now + for_s
            posted = [OverrideSet(Override(kind, region, "a test", "ada", now, end))]
        case "clear", str(region):
            posted = [OverrideCleared(RegionName(region), "ada", "over")]
        case "pass", float(seconds):
            world.now += seconds
            posted = [Tick()]
        case "set", float(seconds):
            world.set_by_s = seconds
            posted = [Tick()]
        case "reload", "same":
            posted = [BuildDone("test", world.built(PLAIN, "one"), {})]
        case "reload", "larger":
            posted = [BuildDone("test", world.built(LARGER, "two"), {})]
        case "reload", _:
            posted = [BuildDone("test", Failed("not a policy"), {})]
    for event in posted:
        world.controller.post(event)
    world.controller.publish_now()


def assert_nothing_is_empty(world: World0) -> None:
    """Every pool and zone of the policy in use, from everywhere."""
    asker = Asker(world.shown[-1])
    facts = world.controller.world.regions
    for name, pool in ADDRESSES.items():
        for place in PLACES:
            found: dict[str, set[str]] = {}
            for kind in FAMILIES:
                response = asker.ask(f"{name}.example.com", kind, source=client(place), now=world.now)
                assert response.rcode() == 0
                found[kind] = {line.split()[2] for line in answers(response)}
                assert found[kind] <= pool
            assert found["A"] or found["AAAA"], (name, place)
            for kind, index in FAMILIES.items():  # one family is left out where that is what is down
                if not found[kind]:
                    assert any(index in facts[region].endpoints_down for region in POOLS[name])
    for name in STATIC:
        assert answers(asker.ask(name, "AAAA" if name.endswith("org") else "A"))
    for apex in ("example.com", "example.org"):
        assert answers(asker.ask(apex, "SOA"))
    if world.controller.policy is LARGER:
        assert answers(asker.ask("new.example.com"))


@settings(max_examples=30, deadline=None)
@given(st.lists(acts, max_size=STEPS))
def test_nothing_is_ever_emptied(happenings: list[tuple[str, object]]) -> None:
    """From the first publication, of which nothing is known, on."""
    world = World0(PLAIN)
    world.controller.start(world.built())
    world.controller.publish_now()
    assert_nothing_is_empty(world)
    shown = len(world.shown)
    for what, how in happenings:
        act(world, what, how)
        if len(world.shown) > shown:
            shown = len(world.shown)
            assert_nothing_is_empty(world)


@settings(max_examples=30, deadline=None)
@given(st.lists(acts, max_size=STEPS))
def test_a_region_that_is_down_is_the_last_resort(happenings: list[tuple[str, object]]) -> None:
    """While one of a pool's own regions is up, the pool is answered from those that are."""
    world = World0(PLAIN)
    world.controller.start(world.built())
    world.controller.publish_now()
    for what, how in happenings:
        act(world, what, how)
    facts = world.controller.world.regions
    asker = Asker(world.shown[-1])
    down = {name for name, fact in facts.items() if fact.effective.value == State.DOWN.value}
    for item in SERVICES:
        alive = [name for name in item.regions if facts[name].effective.value == "up"]
        if not alive or item.name == "shares":  # where a weight of 0 may be all that is left
            continue
        bad = {each.address for region in REGIONS if region.name in down for each in region.endpoints}
        for place in PLACES:
            response = asker.ask(f"{item.name}.example.com", source=client(place), now=world.now)
            assert not {line.split()[2] for line in answers(response)} & bad
