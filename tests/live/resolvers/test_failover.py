"""A region goes: resolvers give its address until the TTL is over, and no longer."""

import time
from collections.abc import Callable
from types import ModuleType

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import EU_WEST, US_EAST
from benchmarks.harness.wait import until
from tests.live.resolvers.running import RESOLVERS, Resolver

pytestmark = pytest.mark.live
NAME = "quick.example.com"
TTL_S, SLACK_S = 2, 1.5
"""Of that name; resolvers count whole seconds, and the machine may be busy."""


def test_caches_obey_the_ttl(daemons: Daemon, start: Callable[[ModuleType, bool], Resolver]) -> None:
    """The old answer counts down, then the new one is there, in every resolver."""
    resolvers = [start(make, True) for make in RESOLVERS]
    began = time.monotonic()
    for resolver in resolvers:
        reply = resolver.ask(NAME)
        assert reply.addresses == (EU_WEST,)
        assert reply.ttl_s is not None
        assert reply.ttl_s <= TTL_S
    assert daemons.post("/v1/drain", {"region": "eu-west", "reason": "a test"})[0] == 200
    try:
        until(
            lambda: daemons.ask(NAME, client="81.2.69.0/24").addresses == (US_EAST,), "the daemon to follow"
        )
        drained = time.monotonic()
        still = [resolver.ask(NAME).addresses == (EU_WEST,) for resolver in resolvers]
        if time.monotonic() - began < TTL_S - 1:
            assert all(still)
        for resolver in resolvers:
            end = drained + TTL_S + SLACK_S - time.monotonic()
            until(
                lambda ask=resolver.ask: ask(NAME).addresses == (US_EAST,), f"{resolver.name} to follow", end
            )
    finally:
        assert daemons.post("/v1/undrain", {"region": "eu-west", "reason": "a test"})[0] == 200
