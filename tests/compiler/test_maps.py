"""How large range maps are, and who shares one."""

from georouter.compiler.maps import map_sizes
from georouter.compiler.steering import steer
from georouter.policy.steps import Match, Nearest, Residency, Weighted
from georouter.words.ids import RegionName
from tests.compiler.build import policy, service, tiny_map, world

FENCE = Residency(Match(groups=("EU",)), frozenset({RegionName("eu"), RegionName("eu2")}))


def test_services_with_equal_chains_and_regions_share_a_map() -> None:
    """Also where weights and TTLs differ; another set of regions has its own."""
    plain, slower = service("plain", chain=[Nearest()]), service("slower", chain=[Nearest()], ttl_s=300)
    weighted = service("weighted", chain=[Nearest(), Weighted({RegionName("eu"): 2})])
    alone = service("alone", regions=["us"], chain=[Nearest()])
    steered = steer(policy([], [plain, weighted, slower, alone]), tiny_map(), world())
    shared, small = map_sizes(steered)
    table = steered.tables[steered.steerings[steered.group_of[plain.name]].table]
    assert (shared.service, shared.services, shared.rankings) == ("plain", 3, len(table.rankings))
    assert (shared.ranges_ipv4, shared.ranges_ipv6) == (len(table.map.v4.starts), len(table.map.v6.starts))
    assert shared.size_bytes == 8 * shared.ranges_ipv4 + 12 * shared.ranges_ipv6
    assert (small.service, small.services, small.size_bytes) == ("alone", 1, 8 + 12)


def test_fences_count_with_their_map() -> None:
    """They are looked up by address, too."""
    plain, fenced = service("plain", chain=[Nearest()]), service("fenced", chain=[FENCE, Nearest()])
    sizes = [map_sizes(steer(policy([], [one]), tiny_map(), world()))[0] for one in (plain, fenced)]
    assert sizes[0].ranges_ipv4 == sizes[1].ranges_ipv4
    assert sizes[1].size_bytes > sizes[0].size_bytes
