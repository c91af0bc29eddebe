"""Who asks for alias targets, and who is not asked because it is us."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from benchmarks.harness.outside import Outside
from georouter.daemon.aliases import Aliases
from georouter.facts.aliases import Reply
from georouter.policy.model import Policy, Resolver, Server
from georouter.wire.names import parse_name

TARGET = parse_name("lb.vendor.test")
OUTSIDE = {TARGET: (parse_name("example.com"),)}


async def first_replies(listen: tuple[str, int], resolver: Resolver) -> Mapping[int, Reply]:
    """What comes of a first round."""
    found: dict[bytes, Mapping[int, Reply]] = {}
    running = Server(listen=(listen,))
    policy = Policy(server=replace(running, resolver=resolver))
    made = Aliases(found.__setitem__, running)
    made.follow(policy, OUTSIDE, {})
    await made.first_round(policy)
    await made.stop()
    return found[TARGET]


@pytest.mark.parametrize("listen", [("127.0.0.1", 5399), ("0.0.0.0", 5399)])
def test_we_are_not_asked(listen: tuple[str, int]) -> None:
    """Neither at an address of ours, nor at one of this machine where we listen on all."""
    resolver = Resolver(addresses=(("127.0.0.1", 5399),))
    replies = asyncio.run(first_replies(listen, resolver))
    assert "the name servers are this server" in replies[4].failure


def test_others_are_asked() -> None:
    """On this machine too, where we listen on another port."""
    with Outside("lb.vendor.test. 60 A 192.0.2.1") as outside:
        host, _, port = outside.address.rpartition(":")
        resolver = Resolver(addresses=((host, int(port)),))
        replies = asyncio.run(first_replies(("0.0.0.0", 5399), resolver))
    assert replies[4].addresses == (bytes((192, 0, 2, 1)),)


def test_a_reload_may_name_other_servers() -> None:
    """From the next round on; what a new policy adds is asked for before it is used."""

    async def scenario(first: Outside, second: Outside) -> list[bytes]:
        asked: list[bytes] = []
        running = Server()
        made = Aliases(lambda name, _: asked.append(name), running)
        for outside in (first, second):
            host, _, port = outside.address.rpartition(":")
            resolver = Resolver(addresses=((host, int(port)),))
            await made.ahead(Policy(server=replace(running, resolver=resolver)), OUTSIDE)
        await made.stop()
        return asked

    with Outside("lb.vendor.test. 60 A 192.0.2.1") as first, Outside() as second:
        assert asyncio.run(scenario(first, second)) == [TARGET, TARGET]
        assert len(first.asked) == len(second.asked) == 2
