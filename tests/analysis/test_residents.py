"""Kinds of tenants, and a name of each."""

from dataclasses import replace

from georouter.analysis.residents import residents
from georouter.policy.model import Policy
from georouter.policy.steps import Nearest, Pin, Unknown
from georouter.policy.tenants import Tenancy
from georouter.routing.steps.pin import tenant_of
from georouter.wire.names import lower, parse_name
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import policy, service, zone
from tests.compiler.test_pins import directory

EU, US = RegionName("eu"), RegionName("us")
WEB = ServiceName("web")
LIVING = directory(acme=Tenancy(EU, frozenset({EU})), globex=Tenancy(US), initech=Tenancy(US))


def made(pin: Pin, names: tuple[str, ...] = ("*.app",)) -> Policy:
    """A service that pins, at these names."""
    web = service("web", chain=(pin, Nearest()))
    return policy([zone("example.com", (), dict.fromkeys(names, "web"))], [web])


def test_every_kind_has_a_name_that_is_such_a_tenants() -> None:
    """Those of the directory and those that a hash finds, also where the label is not the first."""
    for label in (1, 2):
        rules = made(Pin(LIVING, label, Unknown.HASH))
        web = rules.services[WEB]
        found = residents(rules, web)
        assert found is not None
        assert len(found.kinds) == 2 + len(web.regions)
        for kind, tenancy in enumerate(found.kinds):
            name = lower(parse_name(found.name(kind)))
            tenant = tenant_of(web, b"\x01*" + found.below[0], name)
            assert tenant is not None
            assert (tenant.tenancy, tenant.hashed) == (tenancy, kind >= 2)


def test_where_names_are() -> None:
    """Without a wildcard nobody can ask for one; beside other names tenants are not everything."""
    assert residents(made(Pin(LIVING), ("www",)), made(Pin(LIVING)).services[WEB]) is None
    both, alone = (
        residents(rules, rules.services[WEB])
        for rules in (made(Pin(LIVING), ("*.app", "app")), made(Pin(LIVING)))
    )
    assert both is not None
    assert alone is not None
    assert (both.everywhere, alone.everywhere) == (False, True)
    rules = made(Pin(LIVING))
    assert residents(rules, replace(rules.services[WEB], chain=())) is None


def test_strangers() -> None:
    """Only `chain` lets the place decide for names of nobody."""
    found = [
        residents(rules, rules.services[WEB]) for rules in (made(Pin(LIVING, 1, how)) for how in Unknown)
    ]
    assert [item.strangers for item in found if item is not None] == [how is Unknown.CHAIN for how in Unknown]
