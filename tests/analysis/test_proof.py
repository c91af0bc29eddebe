"""Proofs of residency: what holds is proved, what is broken is refuted with a client to whom it happens."""

from array import array
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import HealthCheck, given, settings

from georouter.analysis import proof as proof_module
from georouter.analysis.counter import Crossing
from georouter.analysis.fencing import Claim, residencies
from georouter.analysis.proof import Verdict, gray, prove
from georouter.analysis.questions import How
from georouter.answers.tables import Fences
from georouter.compiler import plan as plan_module
from georouter.compiler import steering
from georouter.policy.model import AllDown, Endpoint, Location, Policy, Region, Service
from georouter.policy.steps import (
    Failover,
    Geo,
    GeoRule,
    Latency,
    Limit,
    Match,
    Nearest,
    Pin,
    Residency,
    Step,
    Sticky,
    Unknown,
    Unplaced,
    Weighted,
    WithoutEcs,
)
from georouter.policy.tenants import Tenancy, Tenant
from georouter.routing.rank import Ranked
from georouter.routing.scene import Scene
from georouter.routing.select import Selector
from georouter.routing.tiers import TierArray
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import REGIONS, binding, policy, region, service, tiny_map, with_records, zone
from tests.compiler.test_pins import directory
from tests.routing.chains import services, sites
from tests.routing.scenes import policy_of

EU, EU2, US, AP = (RegionName(name) for name in ("eu", "eu2", "us", "ap"))
GROUP = Match(groups=("EU",))
FENCE = Residency(GROUP, frozenset({EU, EU2}))
WEB = ServiceName("web")
STAY = GeoRule(GROUP, ((EU,), (EU2,)))
CLAIM = Claim("EU=eu,eu2", GROUP, frozenset({EU, EU2}))


def rules(*chain: Step, parts: tuple[Region, ...] = REGIONS, **more: object) -> Policy:
    """One steered name; the service is changed by `more`."""
    web = replace(service("web", chain=chain), **more)  # type: ignore[arg-type]
    return policy([zone("example.com", (), {"www": "web"})], [web], parts)


def proved(rules: Policy, *claims: Claim) -> Verdict:
    """The verdict on the service."""
    ((verdict,),) = prove(rules, tiny_map(), {WEB: claims})
    return verdict


def crossing(rules: Policy, *claims: Claim) -> Crossing:
    """The counter-example there has to be."""
    found = proved(rules, *claims).crossing
    assert found is not None
    return found


@pytest.mark.parametrize("when_all_down", list(AllDown))
@pytest.mark.parametrize(
    "chain",
    [
        (FENCE,),
        (FENCE, Nearest(2000.0), Limit(2)),
        (Latency(10.0), FENCE, Weighted({EU: 0.0}), Sticky()),
        (FENCE, Residency(Match(countries=("FR", "SG")), frozenset({EU2, AP}), unplaced=Unplaced.DENY)),
        (replace(FENCE, without_ecs=WithoutEcs.DENY), Geo((GeoRule(GROUP, ((US,), (EU,))),))),
        (replace(FENCE, without_ecs=WithoutEcs.RESTRICT, unplaced=Unplaced.ALLOW), Failover(((US,), (EU,)))),
    ],
)
def test_what_the_compiler_makes_of_fences_is_proved(chain: tuple[Step, ...], when_all_down: AllDown) -> None:
    """Any chain, whatever happens when all is down, with a fallback outside."""
    parts = (*REGIONS, region("au", "198.51.100.5"))
    verdict = proved(rules(*chain, parts=parts, when_all_down=when_all_down, fallback=(RegionName("au"),)))
    assert verdict.proved
    assert verdict.walked.combinations == 2**5
    assert verdict.walked.exhaustive
    assert verdict.walked.answers > 2**5 * len(REGIONS)
    assert verdict.notes == ()


def test_a_service_without_a_fence_has_nothing_to_prove() -> None:
    """It is named as such, and not proved."""
    verdict = proved(rules(Nearest()))
    assert (verdict.fences, verdict.proved, verdict.crossing) == ((), False, None)


def test_a_forgotten_fence_is_refuted_by_the_claim() -> None:
    """Without a residency step Europeans get the nearest, until that is down; no more is down than needed."""
    found = crossing(rules(Nearest()), CLAIM)
    assert found.fence == 'claim "EU=eu,eu2"'
    assert (str(found.client), found.how, found.place) == ("10.0.0.0/32", How.SUBNET, "DE")
    assert found.down == ("eu", "eu2")
    assert (found.type, found.answer, found.regions) == ("A", ("192.0.2.3",), ("us",))
    assert found.allowed == ("eu", "eu2")


def test_a_fence_that_allows_the_wrong_region_is_refuted() -> None:
    """The policy keeps its own word, but not the claim."""
    broken = rules(replace(FENCE, regions=frozenset({EU, US})), Failover(((EU,), (US,))))
    assert proved(broken).proved
    found = crossing(broken, CLAIM)
    assert (found.down, found.regions, found.fence) == (("eu",), ("us",), 'claim "EU=eu,eu2"')
    assert proved(rules(FENCE), CLAIM).proved


def test_groups_of_services_are_proved_together() -> None:
    """Services that are answered alike share the walk, and each has its verdict; claims are of one."""
    services = [service(name, chain=(FENCE, Nearest())) for name in ("web", "api")] + [service("open")]
    made = policy([zone("example.com", (), {"www": "web", "api": "api", "open": "open"})], services)
    (alike, alone) = prove(made, tiny_map())
    assert [verdict.service for verdict in alike] == ["web", "api"]
    assert all(verdict.proved for verdict in alike)
    assert [verdict.fences for verdict in alone] == [()]
    apart = list(prove(made, tiny_map(), {ServiceName("open"): (CLAIM,)}))
    assert [verdict.proved for verdicts in apart for verdict in verdicts] == [True, True, False]
    (only,) = prove(made, tiny_map(), services=[ServiceName("api")])
    assert [verdict.service for verdict in only] == ["api"]


def test_a_name_of_each_service_is_in_its_counter_example() -> None:
    """Two services with equal tables: both are refuted."""
    made = policy([zone("example.com", (), {"www": "web", "api": "api"})], [service("web"), service("api")])
    ((web, api),) = prove(made, tiny_map(), {WEB: (CLAIM,), ServiceName("api"): (CLAIM,)})
    assert web.crossing is not None
    assert api.crossing is not None
    assert (web.crossing.name, api.crossing.name) == ("www.example.com", "api.example.com")


def test_hints_are_answers_too() -> None:
    """An HTTPS record whose hints somebody wrote by hand leads out of the fence, and only it does."""
    written = with_records(service("web", chain=(FENCE,)), binding("1 . ipv4hint=192.0.2.3", hints=False))
    made = policy([zone("example.com", (), {"www": "web"})], [written])
    found = crossing(made)
    assert (found.type, found.answer, found.down) == ("HTTPS", ("192.0.2.3",), ())
    good = with_records(service("web", chain=(FENCE,)), binding("1 . alpn=h2"))
    assert proved(policy([zone("example.com", (), {"www": "web"})], [good])).proved


def test_an_address_of_two_regions_counts_as_inside_and_is_said() -> None:
    """The client cannot tell; who proves should."""
    parts = (region("eu", "192.0.2.1"), region("eu2", "192.0.2.2"), region("us", "192.0.2.1"), REGIONS[3])
    verdict = proved(rules(FENCE, parts=parts))
    assert verdict.proved
    assert verdict.notes == ("192.0.2.1 is shared by eu, us, which fences tell apart: it counts as inside",)


def test_where_hostnames_lead_is_not_proved() -> None:
    """A region outside is still refuted by its name; and an address that is known to be outside by itself."""
    parts = (
        REGIONS[0],
        region("eu2", Endpoint("eu2.example.net", 0)),
        region("us", "us.example.net"),
        REGIONS[3],
    )
    verdict = proved(rules(FENCE, parts=parts))
    assert verdict.proved
    assert [note.partition(":")[0] for note in verdict.notes] == [
        "eu2 is answered as eu2.example.net",
        "us is answered as us.example.net",
    ]
    found = crossing(rules(parts=parts), CLAIM)
    assert (found.answer, found.regions) == (("us.example.net",), ("us",))
    known = policy(
        [zone("example.com", (), {"www": "web"}), zone("example.net", [("eu2", "A", "192.0.2.4")])],
        [service("web", chain=(FENCE,))],
        parts,
    )
    found = crossing(known)
    assert (found.answer, found.outside, found.regions) == (
        ("192.0.2.4", "eu2.example.net"),
        ("192.0.2.4",),
        ("ap",),
    )


def test_addresses_of_no_region_are_said() -> None:
    """Nothing can be said of a hint that belongs to nobody."""
    written = with_records(service("web", chain=(FENCE,)), binding("1 . ipv4hint=203.0.113.9", hints=False))
    made = policy([zone("example.com", (), {"www": "web"})], [written])
    assert proved(made).notes == ("203.0.113.9 stands in answers and is no region's: nothing is said of it",)


def test_a_service_without_names_answers_nobody() -> None:
    """That is proved, and said."""
    verdict = proved(policy([zone("example.com")], [service("web", chain=(FENCE,))]))
    assert verdict.proved
    assert verdict.notes == ("no name is answered by this service",)


# What a broken compiler would do. Each of these is found, by the question that it gives away.


def _no_meet(fences: Fences) -> Fences:
    """Blocks get what their first address gets."""
    count = fences.count
    return replace(fences, meet=array("I", [one for one in range(count) for _ in range(count)]))


def _all_meet_at_the_widest(fences: Fences) -> Fences:
    """A lattice, but a wrong one: the widest fence is taken for the bottom."""
    count = fences.count
    table = [min(one, other) for one in range(count) for other in range(count)]
    return replace(fences, meet=array("I", table), bottom=0)


def _no_restriction(fences: Fences) -> Fences:
    """Nothing is ever removed."""
    every = range(len(fences.restrict) // fences.count)
    return replace(fences, restrict=array("I", [one for one in every for _ in range(fences.count)]))


def _resolver(fences: Fences) -> Fences:
    """`without_ecs` is forgotten."""
    return replace(fences, without_ecs=-1)


@pytest.mark.parametrize(
    ("damage", "how"),
    [(_no_restriction, How.BLOCK), (_all_meet_at_the_widest, How.BLOCK), (_resolver, How.RESOLVER)],
)
def test_broken_tables_of_fences_are_refuted(
    damage: Callable[[Fences], Fences], how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain clients are served rightly; blocks across fences or clients behind their resolvers are not."""
    whole = steering.fence

    def broken(*args: object) -> object:
        made = whole(*args)  # type: ignore[arg-type]
        return replace(made, fences=damage(made.fences))

    monkeypatch.setattr(steering, "fence", broken)
    fence = Residency(Match(countries=("FR",)), frozenset({EU2}), Unplaced.ALLOW, WithoutEcs.RESTRICT)
    found = crossing(rules(fence, Failover(((US,),))))
    assert (found.how, found.regions, found.allowed) == (how, ("us",), ("eu2",))
    assert found.fence == ("residency step 1 (country FR)" if how is How.BLOCK else "without_ecs")


def test_fences_that_do_not_meet_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table in which the order matters proves nothing."""
    whole = steering.fence

    def broken(*args: object) -> object:
        made = whole(*args)  # type: ignore[arg-type]
        return replace(made, fences=_no_meet(made.fences))

    monkeypatch.setattr(steering, "fence", broken)
    with pytest.raises(ValueError, match="no meet"):
        proved(rules(FENCE))


def test_a_ranking_without_its_fence_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranking forgets the step: the proof does not ask it."""
    whole = steering.rank

    def broken(policy: Policy, web: Service, scene: Scene) -> TierArray:
        return whole(policy, replace(web, chain=web.chain[1:]), scene)

    monkeypatch.setattr(steering, "rank", broken)
    found = crossing(rules(FENCE, Failover(((US,),))))
    assert (found.how, found.down, found.regions) == (How.SUBNET, (), ("us",))


def test_a_last_resort_that_leaves_the_fence_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen only while every region inside is down."""
    whole = Selector._fallback

    def broken(self: Selector, ranked: object) -> tuple[int, ...]:
        return self._rule.fallback or whole(self, ranked)  # type: ignore[arg-type]

    monkeypatch.setattr(Selector, "_fallback", broken)
    made = rules(FENCE, when_all_down=AllDown.FALLBACK, fallback=(US,))
    found = crossing(made)
    assert (found.down, found.regions) == (("eu", "eu2"), ("us",))


def test_names_that_lead_to_other_tables_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view of the service in a group that is not its own."""
    whole = plan_module.plan

    def broken(*args: object) -> object:
        made = whole(*args)  # type: ignore[arg-type]
        views = tuple(replace(view, group=view.group + 1) for view in made.directory.views)
        return replace(made, directory=replace(made.directory, views=views))

    monkeypatch.setattr(proof_module, "plan", broken)
    with pytest.raises(ValueError, match="another service"):
        proved(rules(FENCE))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(services, sites)
def test_random_policies_never_cross_their_fences(
    random: Service, at: dict[str, tuple[float, float]]
) -> None:
    """Any chain, fallback and last resort: everywhere, every combination of regions down, every block."""
    www = zone("example.com", (), {"www": "web"})
    made = replace(policy_of(random, at), zones={www.name: www})
    ((verdict,),) = prove(made, tiny_map())
    assert verdict.crossing is None
    assert verdict.proved == bool(residencies(random))


TENANTS = directory(
    acme=Tenancy(EU, frozenset({EU, EU2})),
    globex=Tenancy(US),
    initech=Tenancy(AP, frozenset({AP})),
    hooli=Tenancy(US, frozenset({US, AP})),
)


def tenants(*chain: Step, **more: object) -> Policy:
    """As `rules`, at a wildcard."""
    whole = rules(*chain, **more)  # type: ignore[arg-type]
    app = zone("example.com", (), {"*.app": "web"})
    return replace(whole, zones={app.name: app})


@pytest.mark.parametrize("unknown", list(Unknown))
@pytest.mark.parametrize(
    "behind",
    [
        (Nearest(),),
        (FENCE, Nearest()),
        (Residency(GROUP, frozenset({EU, EU2}), Unplaced.DENY, WithoutEcs.RESTRICT), Sticky(), Limit(2)),
    ],
)
def test_kinds_of_tenants_are_walked(unknown: Unknown, behind: tuple[Step, ...]) -> None:
    """Their residencies are fences, with and without those of clients."""
    verdict = proved(tenants(Pin(TENANTS, unknown=unknown), *behind))
    assert verdict.proved
    assert verdict.fences[-1] == "residencies of tenants (t.csv)"
    assert verdict.walked.kinds == 4 + 4 * (unknown is Unknown.HASH)
    assert verdict.notes == ()


def test_claims_count_for_tenants() -> None:
    """Who claims that clients of the EU stay there has forgotten a tenant that lives elsewhere."""
    found = crossing(
        tenants(Pin(directory(globex=Tenancy(US)), unknown=Unknown.NXDOMAIN), Geo((STAY,))), CLAIM
    )
    assert (found.name, found.regions) == ("globex.app.example.com", ("us",))
    assert found.fence == 'claim "EU=eu,eu2"'


def test_a_home_outside_its_residency_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the step forget the residency: the tenant is named, wherever the client is."""
    whole = steering.rank_tenant

    def broken(policy: Policy, web: Service, scene: Scene) -> Ranked:
        assert scene.tenancy is not None
        return whole(policy, web, replace(scene, tenant=Tenant("", Tenancy(scene.tenancy.home))))

    monkeypatch.setattr(steering, "rank_tenant", broken)
    found = crossing(tenants(Pin(directory(initech=Tenancy(US, frozenset({AP})))), Nearest()))
    assert (found.name, found.down, found.regions) == ("initech.app.example.com", (), ("us",))
    assert (found.fence, found.allowed) == ('residency of tenant "initech"', ("ap",))
    assert found.inside


def test_tenants_who_ignore_the_fences_of_clients_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients by place are served rightly; only names of tenants lead outside."""
    whole = steering.make_table

    def broken(*args: object) -> object:
        made = whole(*args)  # type: ignore[arg-type]
        fences = made.fences
        assert fences is not None
        assert made.pinned is not None
        count = fences.count
        restrict = array("I", fences.restrict)
        for ranking in made.pinned.rankings:
            restrict[ranking * count : (ranking + 1) * count] = array("I", [ranking] * count)
        return replace(made, fences=replace(fences, restrict=restrict))

    monkeypatch.setattr(steering, "make_table", broken)
    found = crossing(tenants(Pin(directory(globex=Tenancy(US))), FENCE))
    assert (found.name, found.regions) == ("globex.app.example.com", ("us",))
    assert (found.fence, found.allowed) == ("residency step 1 (group EU)", ("eu", "eu2"))


def test_a_pin_without_wildcard_has_no_tenants() -> None:
    """That is said; what is decided by place is proved all the same."""
    verdict = proved(rules(FENCE, Pin(directory(acme=Tenancy(EU)))))
    assert verdict.proved
    assert verdict.notes == ("no name can be a tenant's: the service answers no wildcard",)


def test_gray_walks_every_combination_once() -> None:
    """One region changes at a time."""
    walked = list(gray([EU, EU2, US]))
    assert {frozenset(some) for count in range(4) for some in combinations((EU, EU2, US), count)} == set(
        walked
    )
    assert len(walked) == 8
    assert all(len(one ^ other) == 1 for one, other in pairwise(walked))


def test_more_than_twelve_regions() -> None:
    """Every single and double loss, everything inside a fence, everything; said to be not all."""
    parts = tuple(
        Region(RegionName(f"r{number}"), Location(number, number * 9.0), (Endpoint(f"192.0.2.{number}", 4),))
        for number in range(1, 15)
    )
    names = tuple(part.name for part in parts)
    web = Service(
        WEB, names, (Residency(GROUP, frozenset(names[:3])), Nearest()), when_all_down=AllDown.SERVE_ALL
    )
    made = policy([zone("example.com", (), {"www": "web"})], [web], parts)
    verdict = proved(made)
    assert verdict.proved
    assert not verdict.walked.exhaustive
    assert verdict.walked.combinations == 1 + 14 + 14 * 13 // 2 + 2
    found = crossing(
        replace(made, services={WEB: replace(web, chain=(Failover((names[:3], names[3:])),))}),
        Claim("EU=r1,r2,r3", GROUP, frozenset(names[:3])),
    )
    assert found.down == names[:3]
