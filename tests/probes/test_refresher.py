"""Alias targets are asked for when their TTL is over: on a virtual clock."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from georouter.facts.aliases import Addresses, Reply, Target
from georouter.facts.rules import AliasRule
from georouter.probes.refresher import GRACE_S, JITTER, Refresher
from tests.probes.virtual import START_S, VirtualLoop, replay

A, B = b"\1a\0", b"\1b\0"
OWNERS = {A: (b"\1x\0",), B: (b"\1y\0",)}
RULE = AliasRule(min_ttl_s=5, max_ttl_s=3600)
GOOD = {4: Reply((b"\xc0\0\2\1",), 60), 6: Reply(ttl_s=3600, failure="no addresses", denied=True)}
BAD = dict.fromkeys((4, 6), Reply(failure="timeout"))
KNOWN = Target({4: Addresses((b"\xc0\0\2\1",), 60), 6: Addresses((), 60)}, confirmed_at=START_S - 40)


class Network:
    """Answers after `delay_s`; knows when it was asked for what, and what was told."""

    def __init__(self, replies: Mapping[int, Reply] = GOOD, delay_s: float = 0.0) -> None:
        self.replies = replies
        self.delay_s = delay_s
        self.asked: list[tuple[float, bytes]] = []
        self.owners: Collection[bytes] = ()
        self.told: list[bytes] = []
        self.together = self.most = 0

    async def ask(self, name: bytes, owners: Collection[bytes]) -> dict[int, Reply]:
        """As a stub resolver."""
        self.asked.append((asyncio.get_running_loop().time() - START_S, name))
        self.owners = owners
        self.together += 1
        self.most = max(self.most, self.together)
        try:
            await asyncio.sleep(self.delay_s)
        finally:
            self.together -= 1
        return dict(self.replies)

    def times(self, name: bytes) -> list[float]:
        """When it was asked for it, in seconds since the beginning."""
        return [at for at, asked in self.asked if asked == name]


def refresher(loop: VirtualLoop, network: Network, *, chance: float = 0.0, limit: int = 20) -> Refresher:
    """One that asks this network, by this clock."""
    made = Refresher(
        lambda name, _: network.told.append(name), limit=limit, wall=loop.time, chance=lambda: chance
    )
    made.use(network, RULE)
    return made


def test_by_the_ttl() -> None:
    """At once, then whenever the TTL is over, and up to a tenth of it later."""
    for chance, pause_s in ((0.0, 60.0), (1.0, 60.0 * (1 + JITTER))):

        async def scenario(loop: VirtualLoop, chance: float = chance) -> list[float]:
            network = Network()
            made = refresher(loop, network, chance=chance)
            made.follow({A: OWNERS[A]}, {})
            await asyncio.sleep(200.0)
            await made.stop()
            assert network.owners == frozenset(OWNERS[A])
            return network.times(A)

        assert replay(scenario) == [0.0, pause_s, 2 * pause_s, 3 * pause_s]


def test_failures_are_tried_again_ever_later() -> None:
    """After 1 s, doubled up to a minute; once it is told, by the TTL again."""

    async def scenario(loop: VirtualLoop) -> list[float]:
        network = Network(BAD)
        made = refresher(loop, network)
        made.follow({A: OWNERS[A]}, {})
        await asyncio.sleep(190.0)
        network.replies = GOOD
        await asyncio.sleep(120.0)
        await made.stop()
        return network.times(A)

    assert replay(scenario) == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]


def test_what_is_known_keeps_its_schedule() -> None:
    """A restored belief waits for the rest of its TTL; what is new is asked for at once."""

    async def scenario(loop: VirtualLoop) -> list[float]:
        network = Network()
        made = refresher(loop, network)
        made.follow(OWNERS, {A: KNOWN})
        await asyncio.sleep(30.0)
        made.follow(OWNERS, {})
        await asyncio.sleep(10.0)
        await made.stop()
        assert network.times(B) == [0.0]
        return network.times(A)

    assert replay(scenario) == [20.0]


def test_what_is_not_followed_any_more() -> None:
    """Neither asked for again nor told, even while it is asked for."""

    async def scenario(loop: VirtualLoop) -> None:
        network = Network(delay_s=3.0)
        made = refresher(loop, network)
        made.follow(OWNERS, {})
        await asyncio.sleep(1.0)
        made.follow({B: OWNERS[B]}, {})
        await asyncio.sleep(5.0)
        assert network.told == [B]
        await made.stop()
        await asyncio.sleep(500.0)
        assert (len(network.times(A)), len(network.times(B))) == (1, 1)

    replay(scenario)


def test_a_first_round_is_bounded() -> None:
    """Back when all have reported, or when its time is over; what is known is not waited for."""

    async def scenario(loop: VirtualLoop) -> None:
        network = Network(delay_s=0.5)
        made = refresher(loop, network)
        made.follow(OWNERS, {A: KNOWN})
        await made.first_round(2.0)
        assert loop.time() - START_S == 0.5
        assert network.told == [B]
        network.delay_s = 30.0
        made.follow({**OWNERS, b"\1c\0": ()}, {})
        began = loop.time()
        await made.first_round(2.0)
        assert loop.time() - began == pytest.approx(2.0 + GRACE_S)
        await asyncio.sleep(40.0)
        assert b"\1c\0" in network.told
        await made.stop()

    replay(scenario)


def test_ahead_of_a_policy() -> None:
    """New targets are asked for once and told, those that are followed already are not."""

    async def scenario(loop: VirtualLoop) -> None:
        network = Network()
        made = refresher(loop, network)
        made.follow({A: OWNERS[A]}, {})
        await asyncio.sleep(1.0)
        await made.ahead(OWNERS, 2.0)
        assert network.told == [A, B]
        assert network.owners == {b"\1x\0", b"\1y\0"}
        network.delay_s = 30.0
        began = loop.time()
        await made.ahead({**OWNERS, b"\1c\0": ()}, 2.0)
        assert loop.time() - began == pytest.approx(2.0 + GRACE_S)
        assert network.told == [A, B, B] or b"\1c\0" not in network.told
        await made.stop()

    replay(scenario)


def test_few_at_a_time() -> None:
    """However many targets a policy has."""

    async def scenario(loop: VirtualLoop) -> int:
        network = Network(delay_s=0.1)
        made = refresher(loop, network, limit=3)
        names = [b"\1" + bytes([97 + number]) + b"\0" for number in range(10)]
        made.follow(dict.fromkeys(names, ()), {})
        await asyncio.sleep(5.0)
        await made.stop()
        assert sorted(network.told) == sorted(names)
        return network.most

    assert replay(scenario) == 3
