"""Counter-examples in words."""

import pytest

from georouter.analysis.counter import Told, describe
from georouter.analysis.fencing import expected
from georouter.analysis.questions import How, make_questions
from georouter.compiler.steering import make_table
from georouter.facts.world import World
from georouter.policy.steps import Match, Nearest, Residency, Unplaced, WithoutEcs
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import policy, service, tiny_map, zone

EU, EU2 = RegionName("eu"), RegionName("eu2")
FENCE = Residency(Match(countries=("FR",)), frozenset({EU, EU2}), Unplaced.ALLOW, WithoutEcs.DENY)


@pytest.mark.parametrize(
    ("how", "client", "inside", "place", "fence"),
    [
        (How.SUBNET, "20.0.0.0/32", "20.0.0.0", "FR", "residency step 1 (country FR)"),
        (How.BLOCK, "16.0.0.0/5", "20.0.0.0", "FR", "residency step 1 (country FR)"),
        (How.RESOLVER, "0.0.0.0/32", "0.0.0.0", "no known place", "without_ecs"),
    ],
)
def test_who_asks_and_which_fence_it_is(how: How, client: str, inside: str, place: str, fence: str) -> None:
    """The client, an address of it that the fence is for, where that is, and what would have been allowed."""
    rules = policy([zone("example.com", (), {"www": "web"})], [service("web", chain=(FENCE, Nearest()))])
    web, geo = rules.services[ServiceName("web")], tiny_map()
    expectation = expected(rules, web, (), geo.places)
    questions = make_questions(make_table(rules, web, geo, World()), geo, expectation, subnets=True)
    found = next(
        index
        for index in range(len(questions.how))
        if questions.how[index] == how and not expectation.masks[questions.mask[index]] & 4
    )
    told = Told("A", ("192.0.2.3",), ("192.0.2.3",), 4)
    made = describe(rules, geo, expectation, questions, found, web.name, frozenset({EU}), told)
    assert (made.name, made.type, made.down, made.regions) == ("www.example.com", "A", ("eu",), ("us",))
    assert (str(made.client), made.inside, made.place, made.fence) == (client, inside, place, fence)
    assert made.allowed == (() if how is How.RESOLVER else ("eu", "eu2"))
