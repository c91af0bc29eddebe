"""Response rate limiting: buckets against an injected clock."""

import random
import tracemalloc
from collections import Counter
from ipaddress import ip_address, ip_network

import pytest

from georouter.answers.networks import of
from georouter.answers.ratelimit import ANSWER, ANSWERS, DROP, ERRORS, SLIP, Buckets, Rate, RateLimiter

T0 = 1_760_000_000.0


def limiter(slip: int = 2, window_s: float = 15.0, rate: float = 10.0) -> RateLimiter:
    """One with a small table."""
    return RateLimiter(Rate(rate, slip=slip, window_s=window_s), Buckets(12345, 1 << 10))


def ask(
    limits: RateLimiter, now: float, *, times: int = 1, address: str = "192.0.2.1", what: int = 0
) -> Counter[int]:
    """Verdicts for some responses at once."""
    source = ip_address(address)
    return Counter(limits.judge(int(source), source.version, what, now) for _ in range(times))


def test_a_second_of_responses_then_nothing() -> None:
    """Ten at once, then every second one slips; a tenth of a second later there is one more."""
    limits = limiter(window_s=0.1)
    assert ask(limits, T0, times=10) == {ANSWER: 10}
    assert ask(limits, T0, times=10) == {SLIP: 5, DROP: 5}
    assert (limits.slipped, limits.dropped) == (5, 5)
    assert ask(limits, T0 + 0.21, times=5)[ANSWER] == 1
    assert ask(limits, T0 + 3.0, times=12)[ANSWER] == 10


@pytest.mark.parametrize(("slip", "expected"), [(0, {DROP: 12}), (1, {SLIP: 12}), (3, {SLIP: 4, DROP: 8})])
def test_slip(slip: int, expected: dict[int, int]) -> None:
    """None, all, every third."""
    limits = limiter(slip=slip)
    ask(limits, T0, times=10)
    assert ask(limits, T0, times=12) == expected


def test_the_steady_rate_is_never_limited() -> None:
    """Ten a second for a minute, however they fall."""
    limits = limiter()
    assert sum((ask(limits, T0 + turn / 10) for turn in range(600)), Counter()) == {ANSWER: 600}


def test_whoever_asks_on_stays_limited() -> None:
    """For the window, not for ever."""
    limits = limiter(window_s=5.0)
    ask(limits, T0, times=10_000)
    assert ANSWER not in ask(limits, T0 + 4.9)
    assert ask(limits, T0 + 5.3) == {ANSWER: 1}


def test_networks_and_kinds_are_apart() -> None:
    """/24 and /56 count as one; names, kinds and families do not."""
    limits = limiter()
    ask(limits, T0, times=100)
    ask(limits, T0, times=100, address="2001:db8:0:1::1")
    for same in ("192.0.2.255", "2001:db8:0:ff::"):
        assert ANSWER not in ask(limits, T0, address=same)
    for other in ("192.0.3.0", "2001:db8:0:100::"):
        assert ask(limits, T0, address=other) == {ANSWER: 1}
    assert ask(limits, T0, what=7 << 2 | ANSWERS) == {ANSWER: 1}
    assert ask(limits, T0, what=ERRORS) == {ANSWER: 1}


def test_clocks_that_jump() -> None:
    """Back or forth by years: a full bucket."""
    for jump in (-1e9, 1e9):
        limits = limiter()
        ask(limits, T0, times=1000)
        assert ask(limits, T0 + jump, times=10) == {ANSWER: 10}


def test_a_flood_of_random_sources() -> None:
    """Nobody is limited for it, a bucket at most loses its memory, and memory stays as it is."""
    limits = limiter()
    chance = random.Random(1)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(50_000):
            assert limits.judge(chance.getrandbits(32), 4, 0, T0) == ANSWER or limits.slipped < 100
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000
    assert limits.slipped + limits.dropped < 100


def test_exempt_networks() -> None:
    """Never limited, of either family, and their neighbours do not pay for what they ask."""
    exempt = of([ip_network("192.0.2.1"), ip_network("2001:db8::/64")])
    limits = RateLimiter(Rate(10, exempt=exempt), Buckets(1, 1 << 10))
    for address in ("192.0.2.1", "2001:db8::5"):
        assert ask(limits, T0, times=1000, address=address) == {ANSWER: 1000}
    assert (limits.slipped, limits.dropped) == (0, 0)
    for address in ("192.0.2.2", "2001:db8:0:1::"):
        assert ask(limits, T0, times=20, address=address)[ANSWER] == 10


def test_workers_share_buckets_but_not_counts() -> None:
    """A client spread over two workers gets no more."""
    buckets = Buckets(1, 1 << 10)
    one, other = RateLimiter(Rate(10), buckets), RateLimiter(Rate(10), buckets)
    ask(one, T0, times=5)
    ask(other, T0, times=5)
    assert ANSWER not in ask(one, T0, times=2)
    assert (one.slipped, one.dropped) == (1, 1)
    assert (other.slipped, other.dropped) == (0, 0)
