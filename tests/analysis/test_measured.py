"""Measured demand: how names are served on both sides of a change, and who asks for them."""

import pytest

from georouter.analysis.measured import asking, serving
from georouter.analysis.traffic import GONE, Part, Served
from georouter.policy.model import Policy
from georouter.policy.steps import Nearest, Pin, Unknown
from georouter.policy.tenants import Tenancy
from georouter.wire.names import parse_name
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import policy, service, tiny_map, zone
from tests.compiler.test_pins import directory

EU, US = map(RegionName, ("eu", "us"))
WEB, APP = map(ServiceName, ("web", "app"))
TENANTS = directory(acme=Tenancy(EU), globex=Tenancy(US))


def rules(unknown: Unknown) -> Policy:
    """Two services, one with tenants beside a name of its own."""
    names = {"www": "web", "*.app": "app", "app": "app"}
    pinned = service("app", regions=("eu", "us"), chain=(Pin(TENANTS, unknown=unknown), Nearest()))
    return policy([zone("example.com", (), names)], [service("web"), pinned])


@pytest.mark.parametrize(
    ("name", "unknown", "expected"),
    [
        ("WWW.example.com", Unknown.CHAIN, Served(WEB)),
        ("nix.example.com", Unknown.CHAIN, None),
        ("app.example.com", Unknown.NXDOMAIN, Served(APP)),
        ("globex.app.example.com", Unknown.CHAIN, Served(APP, TENANTS.kinds.index(Tenancy(US)))),
        ("www.Acme.app.example.com", Unknown.CHAIN, Served(APP, TENANTS.kinds.index(Tenancy(EU)))),
        ("hooli.app.example.com", Unknown.CHAIN, Served(APP)),
        ("hooli.app.example.com", Unknown.NXDOMAIN, Served(APP, GONE)),
    ],
)
def test_how_a_name_is_served(name: str, unknown: Unknown, expected: Served | None) -> None:
    """By a service, for a kind of tenant; a name that only a tenant could have may be nobody's."""
    assert serving(rules(unknown))(parse_name(name)) == expected


def test_a_hash_gives_a_home() -> None:
    """Who is not in the directory has one of the kinds behind it."""
    served = serving(rules(Unknown.HASH))(parse_name("hooli.app.example.com"))
    assert served is not None
    assert served.kind in {len(TENANTS.kinds), len(TENANTS.kinds) + 1}


def test_who_asks() -> None:
    """All clients together, and a part for each way in which names are served."""
    geo = tiny_map()
    here, there = (4, 10 << 24), (4, 30 << 24)
    first, second = (Served(WEB), Served(WEB)), (Served(APP, 0), None)
    found = asking(geo, geo, {first: {here: 3, there: 1}, second: {here: 4}}, "a log")
    assert (found.total, found.of) == (8, "a log")
    assert sorted(found.weight.tolist()) == [1 / 8, 7 / 8]
    assert [(part.before, part.after, part.clients.total) for part in found.parts] == [
        (*first, 4),
        (*second, 4),
    ]
    with pytest.raises(ValueError, match="nothing in a log"):
        asking(geo, geo, {}, "a log")


def test_parts_are_not_compared() -> None:
    """They hold arrays: two are the same only if they are one."""
    geo = tiny_map()
    (part,) = asking(geo, geo, {(Served(WEB), None): {(4, 0): 1}}, "a log").parts
    assert part != Part(part.before, part.after, part.clients)
