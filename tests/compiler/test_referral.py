"""Referrals: which glue is given, and what goes first where space is short."""

import dns.flags

from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.policy.model import Zone
from tests.compiler.build import Asker, answers, policy, section, service, tiny_map, world, zone


def asker(*zones: Zone) -> Asker:
    """These zones, compiled, with one service."""
    made = plan(policy(list(zones), [service("web")]), tiny_map(), world())
    return Asker(publish(made, world(), 1).snapshot)


def test_glue_that_may_be_left_out() -> None:
    """RFC 9471 3.2: where space is short, addresses of names outside the delegated zone go first; those
    of names inside it do not go, the answer is truncated (3.1).
    """
    rows = [("sub", "NS", "ns.sub"), ("ns.sub", "A", "192.0.2.53")]
    for number in range(12):
        rows += [("sub", "NS", f"host{number}"), (f"host{number}", "AAAA", f"2001:db8::{number + 1}")]
    crowd = [("crowd", "NS", f"h{number}.crowd") for number in range(12)]
    crowd += [(f"h{number}.crowd", "AAAA", f"2001:db8::{number + 1}") for number in range(12)]
    asked = asker(zone("example.com", rows + crowd))
    least = asked.ask("q.sub.example.com.", udp=512)
    assert len(least.authority[0]) == 13
    assert section(least.additional) == ["ns.sub.example.com. A 192.0.2.53"]
    assert not least.flags & dns.flags.TC
    assert len(asked.ask("q.sub.example.com.", udp=1232).additional) == 13
    assert asked.ask("q.crowd.example.com.", udp=512).flags & dns.flags.TC
    assert len(asked.ask("q.crowd.example.com.", udp=1232).additional) == 12


def test_glue_comes_from_wildcards_too() -> None:
    """What a wildcard gives is as available as anything else (RFC 1034 4.3.2 step 3b), below cuts too."""
    asked = asker(
        zone(
            "example.com",
            [
                ("sub", "NS", "ns.sub"),
                ("*.sub", "A", "192.0.2.1"),
                ("other", "NS", "ns.hosts"),
                ("*.hosts", "A", "192.0.2.2"),
                ("covered", "NS", "ns.deep.covered"),
                ("x.deep.covered", "A", "192.0.2.3"),
                ("*.covered", "A", "192.0.2.4"),
            ],
        )
    )
    assert section(asked.ask("q.sub.example.com.").additional) == ["ns.sub.example.com. A 192.0.2.1"]
    assert section(asked.ask("other.example.com.").additional) == ["ns.hosts.example.com. A 192.0.2.2"]
    # deep.covered exists, if only between names, so the wildcard does not reach below it
    assert not asked.ask("covered.example.com.").additional


def test_glue_is_the_own_zones() -> None:
    """What another zone of ours holds below a delegation of its own is glue there, and nowhere else."""
    mine = zone("example.com", [("sub", "NS", "ns.cut.example.org."), ("sub", "NS", "ns.example.org.")])
    other = zone(
        "example.org",
        [("cut", "NS", "ns.cut"), ("ns.cut", "A", "192.0.2.1"), ("ns", "A", "192.0.2.2")],
    )
    asked = asker(mine, other)
    assert len(asked.ask("sub.example.com.").authority[0]) == 2
    assert not asked.ask("sub.example.com.").additional
    assert section(asked.ask("cut.example.org.").additional) == ["ns.cut.example.org. A 192.0.2.1"]


def test_steered_addresses_are_no_glue() -> None:
    """They depend on who asks, and a referral is the same for everybody."""
    asked = asker(zone("example.com", [("sub", "NS", "www")], {"www": "web"}))
    assert section(asked.ask("sub.example.com.").authority) == ["sub.example.com. NS www.example.com."]
    assert not asked.ask("sub.example.com.").additional


def test_a_chain_to_a_cut_is_authoritative_for_the_chain() -> None:
    """RFC 1035 4.1.1: AA is about the first owner name. Short of space, the chain and its referral stay."""
    rows = [("alias", "CNAME", "sub"), ("sub", "NS", "ns.sub"), ("ns.sub", "A", "192.0.2.53")]
    for number in range(15):
        rows += [("sub", "NS", f"host{number}"), (f"host{number}", "AAAA", f"2001:db8::{number + 1}")]
    asked = asker(zone("example.com", rows))
    for size, glue in ((512, 1), (1232, 16)):
        response = asked.ask("alias.example.com.", udp=size)
        assert response.flags & dns.flags.AA
        assert not response.flags & dns.flags.TC
        assert answers(response) == ["alias.example.com. CNAME sub.example.com."]
        assert len(response.authority[0]) == 16
        assert len(response.additional) == glue
