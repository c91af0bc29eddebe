"""Finding what a question meets."""

from georouter.analysis.find import Found, Kind, find
from georouter.compiler.plan import plan
from georouter.wire.codes import TYPE_A, TYPE_TXT
from georouter.wire.names import parse_name
from tests.compiler.build import policy, service, tiny_map, world, zone

PLAN = plan(
    policy(
        [
            zone("example.com", [("txt", "TXT", "x")], {"www": "web", "*": "other"}),
            zone("sub.example.com", (), {"www": "other"}),
        ],
        [service("web"), service("other", ["us", "eu"])],
    ),
    tiny_map(),
    world(),
)


def found(name: str, kind: int = TYPE_A) -> Found:
    """What the names above have for it."""
    return find(PLAN.directory, parse_name(name), kind)


def test_the_most_specific_zone_and_the_right_service() -> None:
    """Case does not matter; the view found belongs to the service."""
    assert (found("WWW.Example.com").service, found("www.sub.example.com").service) == ("web", "other")
    assert found("www.sub.example.com").zone == "sub.example.com"
    view = found("www.example.com").view
    assert view is not None
    assert PLAN.directory.views[view].group == PLAN.steered.group_of[service("web").name]


def test_wildcards_stand_in_for_missing_names_only() -> None:
    """An existing name without the type has no data; a missing one takes the wildcard's."""
    assert found("txt.example.com").kind is Kind.NO_DATA
    assert found("txt.example.com", TYPE_TXT).kind is Kind.RECORDS
    assert (found("a.b.example.com").owner, found("a.b.example.com").service) == ("*.example.com", "other")
    assert found("missing.sub.example.com").kind is Kind.NO_NAME


def test_outside_is_no_zone() -> None:
    """Nothing is known of other people's names."""
    assert found("example.net") == Found(Kind.OUTSIDE)
