"""From the policy to what is asked."""

import pytest

from georouter.facts.endpoints import EndpointKey
from georouter.facts.rules import HealthRule
from georouter.policy.model import Check, CheckType, Endpoint, Location, Policy, Region
from georouter.probes.target import Target, targets
from georouter.words.ids import CheckName, RegionName

WEB, EU, US = CheckName("web"), RegionName("eu"), RegionName("us")
CHECK = Check(WEB, CheckType.HTTPS, 443)


def policy(check: Check, *endpoints: Endpoint) -> Policy:
    """One region with these endpoints."""
    region = Region(EU, Location(0, 0), endpoints)
    return Policy(checks={WEB: check}, regions={EU: region})


def only(check: Check, address: str = "192.0.2.1", family: int = 4) -> Target:
    """The target of a single endpoint."""
    (found,) = targets(policy(check, Endpoint(address, family, check=WEB)))
    return found


def test_everything_of_the_check_is_in_the_target() -> None:
    """A target needs no policy any more."""
    rule = HealthRule(interval_s=9)
    check = Check(
        WEB,
        CheckType.HTTP,
        8080,
        path="/up",
        host="www.example.com",
        address="127.0.0.9",
        statuses=frozenset({204}),
        body="fine",
        verify=False,
        ca_file="/ca.pem",
        rule=rule,
    )
    assert only(check) == Target(
        key=EndpointKey(EU, "192.0.2.1", WEB),
        type=CheckType.HTTP,
        address="127.0.0.9",
        port=8080,
        path="/up",
        host="www.example.com",
        server_name="www.example.com",
        statuses=frozenset({204}),
        body="fine",
        verify=False,
        ca_file="/ca.pem",
        rule=rule,
    )


@pytest.mark.parametrize(
    ("check", "address", "header", "server_name"),
    [
        ((CheckType.HTTPS, 443, None), "192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ((CheckType.HTTP, 80, None), "192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ((CheckType.HTTP, 8080, None), "192.0.2.1", "192.0.2.1:8080", "192.0.2.1"),
        ((CheckType.HTTPS, 8443, None), "2001:db8::1", "[2001:db8::1]:8443", "2001:db8::1"),
        ((CheckType.HTTPS, 443, None), "lb.example.net", "lb.example.net", "lb.example.net"),
        ((CheckType.HTTPS, 8443, "a.example.com"), "192.0.2.1", "a.example.com", "a.example.com"),
        ((CheckType.HTTPS, 443, "a.example.com:8443"), "192.0.2.1", "a.example.com:8443", "a.example.com"),
        ((CheckType.HTTPS, 443, "[2001:db8::2]:8443"), "192.0.2.1", "[2001:db8::2]:8443", "2001:db8::2"),
    ],
)
def test_host_header_and_server_name(
    check: tuple[CheckType, int, str | None], address: str, header: str, server_name: str
) -> None:
    """The operator's host word for word, else the endpoint's own name; TLS gets it without port."""
    kind, port, host = check
    found = only(Check(WEB, kind, port, host=host), address)
    assert (found.host, found.server_name, found.address) == (header, server_name, address)


def test_unchecked_endpoints_are_no_targets() -> None:
    """In policy order, those with a check."""
    found = targets(
        policy(
            CHECK,
            Endpoint("192.0.2.3", 4, check=WEB),
            Endpoint("192.0.2.2", 4),
            Endpoint("192.0.2.1", 4, check=WEB),
        )
    )
    assert [target.key.address for target in found] == ["192.0.2.3", "192.0.2.1"]


def test_endpoints_with_one_key_are_asked_once() -> None:
    """The same address twice in a region (with other weights, say) is one thing to check."""
    twice = policy(CHECK, Endpoint("192.0.2.1", 4, check=WEB), Endpoint("192.0.2.1", 4, 2.0, check=WEB))
    assert len(targets(twice)) == 1


def test_one_address_in_two_regions_is_two_targets() -> None:
    """Each region has its own health."""
    endpoints = (Endpoint("192.0.2.1", 4, check=WEB),)
    both = {name: Region(name, Location(0, 0), endpoints) for name in (EU, US)}
    assert [target.key.region for target in targets(Policy(checks={WEB: CHECK}, regions=both))] == [EU, US]
