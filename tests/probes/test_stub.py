"""What a recursive server says of a name, as a value: on loopback."""

import asyncio
import os
from collections.abc import Collection, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dns.rcode
import pytest

from benchmarks.harness.outside import Outside
from benchmarks.harness.wait import free_port
from georouter.facts.aliases import Reply
from georouter.policy.model import Resolver
from georouter.probes.stub import DENIED_TTL_S, Stub, is_local
from georouter.wire.names import lower, parse_name

NAME = "lb.vendor.test"
OWNERS = (parse_name("www.example.com"), parse_name("*.app.example.com"))


@pytest.fixture
def outside() -> Iterator[Outside]:
    """It knows an address of each family."""
    with Outside(f"{NAME}. 60 A 192.0.2.1", f"{NAME}. 90 AAAA 2001:db8::1") as running:
        yield running


def address(outside: Outside) -> tuple[str, int]:
    """Where it listens."""
    host, port = outside.address.split(":")
    return host, int(port)


def ask(
    *servers: tuple[str, int], owners: Collection[bytes] = (), name: str = NAME, **settings: Any
) -> dict[int, Reply]:
    """What these servers say."""
    stub = Stub(Resolver(addresses=servers, timeout_s=0.2), settings.pop("own", lambda _: False), **settings)
    return asyncio.run(stub.ask(lower(parse_name(name)), owners))


def packed(text: str) -> bytes:
    """As a reply holds it."""
    return ip_address(text).packed


def test_both_families(outside: Outside) -> None:
    """Each with its TTL."""
    found = ask(address(outside), owners=OWNERS)
    assert found == {4: Reply((packed("192.0.2.1"),), 60), 6: Reply((packed("2001:db8::1"),), 90)}


def test_chains(outside: Outside) -> None:
    """The least TTL of the chain counts."""
    outside.records = (
        f"{NAME}. 300 CNAME edge.vendor.test.",
        "edge.vendor.test. 20 CNAME pool.vendor.test.",
        "pool.vendor.test. 60 A 192.0.2.7",
    )
    found = ask(address(outside))
    assert found[4] == Reply((packed("192.0.2.7"),), 20)
    assert (found[6].addresses, found[6].denied, found[6].failure) == ((), True, "no addresses")


@pytest.mark.parametrize(
    ("trouble", "failure", "denied"),
    [
        ({"records": ("other.test. 60 A 192.0.2.1",)}, "no such name", True),
        ({"rcode": dns.rcode.SERVFAIL}, "SERVFAIL from 127.0.0.1 port ", False),
        ({"rcode": dns.rcode.REFUSED}, "REFUSED from 127.0.0.1 port ", False),
        ({"silent": True}, "timeout after 0.4 s", False),
    ],
    ids=["nxdomain", "servfail", "refused", "silence"],
)
def test_failures_are_values(outside: Outside, trouble: dict[str, Any], failure: str, denied: bool) -> None:
    """In a few words, told apart from a name that has nothing."""
    for key, value in trouble.items():
        setattr(outside, key, value)
    for reply in ask(address(outside)).values():
        assert reply.addresses == ()
        assert failure in reply.failure
        assert reply.denied is denied
        assert reply.ttl_s == (DENIED_TTL_S if denied else 0)


def test_the_next_server_is_asked(outside: Outside) -> None:
    """Where the first one fails, or nobody is there."""
    with Outside() as broken:
        broken.rcode = dns.rcode.SERVFAIL
        for first in (address(broken), ("127.0.0.1", free_port())):
            assert ask(first, address(outside))[4].addresses == (packed("192.0.2.1"),)


@pytest.mark.parametrize("end", ["WWW.example.com", "any.app.example.com", "a.b.app.example.com"])
def test_a_way_back_to_us_is_noticed(outside: Outside, end: str) -> None:
    """A target that leads to an alias of ours would keep its addresses for ever, whatever happens to it."""
    outside.records = (f"{NAME}. 60 CNAME {end}.", f"{end}. 60 A 192.0.2.1")
    reply = ask(address(outside), owners=OWNERS)[4]
    assert reply.addresses == ()
    assert reply.failure == f"leads back to {end.lower()}, an alias of this server"
    assert not reply.denied


def test_our_own_address_is_not_asked(outside: Outside) -> None:
    """Others are; with none left it says why, and asks nobody."""
    own = address(outside)
    reply = ask(own, own=lambda found: found == own)[4]
    assert reply.failure == f"the name servers are this server: {own[0]} port {own[1]}"
    assert outside.asked == []


def test_the_system_s_servers(tmp_path: Path, outside: Outside) -> None:
    """Are read from the file, again when it changes; without it there is a reason."""
    file = tmp_path / "resolv.conf"
    stub = Stub(Resolver(timeout_s=0.2), lambda found: found[0] == "127.0.0.9", file)

    def failure() -> str:
        return asyncio.run(stub.ask(parse_name(NAME), ()))[4].failure

    assert "no name servers" in failure()
    file.write_text("nameserver 127.0.0.9\n")
    assert failure() == "the name servers are this server: 127.0.0.9 port 53"
    file.write_text("nameserver 127.0.0.9\nnameserver 127.0.0.9\n")
    os.utime(file, ns=(1, 1))
    assert failure().endswith("127.0.0.9 port 53, 127.0.0.9 port 53")


def test_what_is_local() -> None:
    """Only addresses that a socket of this machine can have."""
    assert is_local("127.0.0.1")
    assert not is_local("192.0.2.1")
    assert not is_local("2001:db8::1")


def test_whatever_breaks_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but cancelling ends a round: the target would never be asked for again."""

    async def broken(*_: object, **__: object) -> None:
        raise KeyError("odd")

    monkeypatch.setattr("dns.asyncresolver.Resolver.resolve", broken)
    assert {reply.failure for reply in ask(("127.0.0.1", 53)).values()} == {"KeyError: 'odd'"}
    file = tmp_path / "resolv.conf"
    for content in (b"nameserver not-an-address\n", b"\xff\xfe\n", b"options ndots:x\nnameserver\n"):
        file.write_bytes(content)
        replies = asyncio.run(Stub(Resolver(), lambda _: False, file).ask(parse_name(NAME)))
        assert all(reply.failure for reply in replies.values()), content
