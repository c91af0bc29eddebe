"""Hostnames: fresh, stale, gone, and resolvers that hang."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable

import pytest

from georouter.policy.model import CheckType
from georouter.probes import resolve
from georouter.probes.resolve import Resolver
from tests.probes.servers import OK, TIMEOUT_S, probe, says

PASSING = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
GONE = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
HOST = "lb.example.net"


class Zone:
    """A stand-in for the system's resolver; `answer` is what it says, `gate` lets it say it."""

    def __init__(self) -> None:
        self.answer: tuple[str, ...] | Exception = ("127.0.0.1",)
        self.gate = threading.Event()
        self.gate.set()
        self.lookups = 0

    def __call__(self, host: str) -> tuple[str, ...]:
        """One lookup."""
        self.lookups += 1
        self.gate.wait(10)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def zone() -> Zone:
    """A zone that answers at once."""
    return Zone()


def outdated(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every known address is past its time, and nobody has much patience."""
    monkeypatch.setattr(resolve, "FRESH_S", -1.0)
    monkeypatch.setattr(resolve, "PATIENCE_S", 0.05)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario on a loop of its own."""

    async def main() -> None:
        await scenario()

    asyncio.run(main())


def test_addresses_are_themselves(zone: Zone) -> None:
    """Nothing is looked up for them."""

    async def scenario() -> None:
        for address in ("192.0.2.1", "2001:db8::1"):
            assert await Resolver(zone).addresses(address) == (address,)

    run(scenario)
    assert zone.lookups == 0


def test_the_system_knows_localhost() -> None:
    """The default looks where the system looks, its hosts file included."""

    async def scenario() -> None:
        assert {"127.0.0.1", "::1"} & set(await Resolver().addresses("localhost"))

    run(scenario)


def test_one_lookup_serves_all_who_wait(zone: Zone) -> None:
    """And those who come while its answer is fresh."""

    async def scenario() -> None:
        resolver = Resolver(zone)
        zone.gate.clear()
        waiting = [asyncio.create_task(resolver.addresses(HOST)) for _ in range(20)]
        await asyncio.sleep(0)
        zone.gate.set()
        assert await asyncio.gather(*waiting) == [("127.0.0.1",)] * 20
        assert await resolver.addresses(HOST) == ("127.0.0.1",)

    run(scenario)
    assert zone.lookups == 1


def test_a_resolver_in_trouble_does_not_take_endpoints_down(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failing for a passing reason or hanging, the last addresses serve on."""

    async def scenario() -> None:
        resolver = Resolver(zone)
        await resolver.addresses(HOST)
        outdated(monkeypatch)
        zone.answer = PASSING
        assert await resolver.addresses(HOST) == ("127.0.0.1",)
        zone.gate.clear()
        assert await resolver.addresses(HOST) == ("127.0.0.1",)
        zone.answer = ("127.0.0.2",)
        zone.gate.set()
        assert await resolver.addresses(HOST) == ("127.0.0.2",)

    run(scenario)


def test_a_name_that_is_gone_has_no_addresses(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is an answer, not trouble: what was known is forgotten."""

    async def scenario() -> None:
        resolver = Resolver(zone)
        await resolver.addresses(HOST)
        outdated(monkeypatch)
        zone.answer = GONE
        for _ in range(2):
            with pytest.raises(socket.gaierror, match="not known"):
                await resolver.addresses(HOST)
        zone.answer = PASSING
        with pytest.raises(socket.gaierror, match="Temporary"):
            await resolver.addresses(HOST)

    run(scenario)


def test_addresses_do_not_serve_for_ever(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an hour of trouble there is nothing left to believe."""

    async def scenario() -> None:
        resolver = Resolver(zone)
        await resolver.addresses(HOST)
        outdated(monkeypatch)
        monkeypatch.setattr(resolve, "STALE_S", -1.0)
        zone.answer = PASSING
        with pytest.raises(socket.gaierror, match="Temporary"):
            await resolver.addresses(HOST)

    run(scenario)


def test_what_is_no_hostname_fails_like_an_unknown_one() -> None:
    """The system's own complaint about a label of 70 letters is no crash."""

    async def scenario() -> None:
        with pytest.raises(socket.gaierror):
            await Resolver().addresses("x" * 70 + ".example")

    run(scenario)


def test_a_probe_does_not_wait_for_a_hung_resolver(zone: Zone) -> None:
    """Its timeout holds, and its thread does not hold up the end of the loop."""
    zone.gate.clear()
    result = probe(says(OK), resolver=Resolver(zone), address=HOST, timeout_s=TIMEOUT_S)
    zone.gate.set()
    assert result.reason == f"timeout after {TIMEOUT_S:g} s while resolving the name"


def test_an_unknown_name_is_a_failure(zone: Zone) -> None:
    """With the resolver's words."""
    zone.answer = GONE
    result = probe(says(OK), resolver=Resolver(zone), address=HOST)
    assert result.reason == "name not resolved: Name or service not known"


def test_every_address_of_a_name_gets_a_chance(zone: Zone) -> None:
    """A connection to any of them is good; with none, the last failure is told."""
    zone.answer = ("127.0.0.2", "127.0.0.3", "127.0.0.1")
    assert probe(says(OK), CheckType.TCP, resolver=Resolver(zone), address=HOST).ok
    zone.answer = ("127.0.0.2", "127.0.0.3")
    refused = probe(says(OK), CheckType.TCP, resolver=Resolver(zone), address=HOST)
    assert refused.reason == "connection refused"
