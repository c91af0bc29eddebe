"""The questions of a proof are those that the packet path would get, with its own rankings."""

import numpy as np
import pytest

from georouter.analysis.fencing import expected
from georouter.analysis.questions import How, make_questions
from georouter.answers.client import NO_SUBNET
from georouter.answers.ranges import locate
from georouter.answers.steer import fenced
from georouter.answers.tables import LOCAL
from georouter.compiler.steering import Table, make_table
from georouter.facts.world import World
from georouter.geo.map import GeoMap
from georouter.policy.model import Policy, Service
from georouter.policy.steps import Match, Nearest, Residency, WithoutEcs
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import policy, service, tiny_map, zone

EU, EU2, AP = (RegionName(name) for name in ("eu", "eu2", "ap"))


def made(without_ecs: WithoutEcs = WithoutEcs.RESOLVER) -> tuple[Policy, Service]:
    """Two fences that overlap in France."""
    chain = (
        Residency(Match(groups=("EU",)), frozenset({EU, EU2}), without_ecs=without_ecs),
        Residency(Match(countries=("FR", "SG")), frozenset({EU2, AP})),
        Nearest(),
    )
    rules = policy([zone("example.com", (), {"www": "web"})], [service("web", chain=chain)])
    return rules, rules.services[ServiceName("web")]


def scattered() -> GeoMap:
    """Many small ranges of all six places."""
    dice = np.random.default_rng(4)
    starts = np.unique(np.append(dice.integers(1, 1 << 32, 3000), 0))
    return tiny_map(starts.tolist(), dice.integers(0, 6, len(starts)).tolist())


def served(table: Table, version: int, address: int, length: int, how: How) -> int:
    """The ranking that the packet path finds."""
    ranges = table.map.v4 if version == 4 else table.map.v6
    ranking = ranges.values[locate(ranges, address)]
    source = NO_SUBNET if how is How.RESOLVER else length
    assert table.fences is not None
    return fenced(table.fences, ranking & (LOCAL - 1), address, version, source)


@pytest.mark.parametrize("without_ecs", list(WithoutEcs))
@pytest.mark.parametrize("geo", [tiny_map(), scattered()], ids=["few ranges", "many ranges"])
def test_rankings_are_those_of_the_packet_path(geo: GeoMap, without_ecs: WithoutEcs) -> None:
    """Every question's ranking is found again by `steer.fenced` for the client that stands for it."""
    rules, web = made(without_ecs)
    table = make_table(rules, web, geo, World())
    questions = make_questions(table, geo, expected(rules, web, (), geo.places), subnets=True)
    assert questions.ranges >= len(table.map.v4.starts) + len(table.map.v6.starts)
    assert questions.blocks > 10
    for index, ranking in enumerate(questions.ranking.tolist()):
        version, address, length = (
            int(column[index]) for column in (questions.family, questions.address, questions.length)
        )
        assert served(table, version, address, length, How(int(questions.how[index]))) == ranking
        assert questions.client(index).version == version


def test_every_block_across_a_border_is_asked() -> None:
    """All blocks of a small map that hold addresses of two fences, but those that begin at nobody's."""
    rules, web = made()
    geo = tiny_map()
    table = make_table(rules, web, geo, World())
    questions = make_questions(table, geo, expected(rules, web, (), geo.places), subnets=True)
    across = 0
    for starts, bits in ((geo.starts4.tolist(), 32), (geo.starts6.tolist(), 64)):
        for length in range(1, bits):
            bases = {start >> bits - length for start in starts if start % (1 << bits - length)}
            across += len(bases - {0})
    assert questions.blocks == across


def test_without_subnets_only_resolvers_ask() -> None:
    """`ecs: false` leaves nothing else."""
    rules, web = made()
    geo = tiny_map()
    table = make_table(rules, web, geo, World())
    questions = make_questions(table, geo, expected(rules, web, (), geo.places), subnets=False)
    assert set(questions.how.tolist()) == {How.RESOLVER}
    assert questions.blocks == 0
