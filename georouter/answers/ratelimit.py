"""Response rate limiting: nobody's address can be used to have us flood them.

A bucket stands for a client network and what it is told: one name's answers, one zone's "no such
name", or errors. It holds one second's worth of responses. Responses beyond that are dropped, but
every `slip`-th one says "truncated" instead (or "bad cookie" to who sent one): real clients come back
over TCP, or with a cookie, and are not limited there.

Rule 1: the table has a fixed size. Two buckets that want one place take it from each other, which
forgives, never limits: a flood of random sources costs one look at the table per packet.
Rule 2: a bucket is one number, the time at which it is full again. Who asks on while limited pushes
it ahead, up to `window_s`, and is limited for as long.
Rule 3: a time that no bucket could hold (the clock was set back) is a full bucket.
"""

from array import array
from dataclasses import dataclass

from georouter.answers.networks import NOBODY, Networks

PLACES = 1 << 18
"""Of the table: 4.5 MB. Two busy networks share a place with a chance of one in so many."""


ANSWER, SLIP, DROP = 0, 1, 2
"""Verdicts: what becomes of a response."""

ANSWERS, MISSING, ERRORS = 0, 1, 2
"""Kinds of responses; the low bits of `what`, above them the node or the zone."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`ipv4` and `ipv6` are the prefix lengths of what counts as one client network; `slip` 0 drops all.

    Addresses in `exempt` are never limited, and what they are told does not count against others.
    """

    responses_per_second: float
    slip: int = 2
    window_s: float = 15.0
    ipv4: int = 24
    ipv6: int = 56
    exempt: Networks = NOBODY


class Buckets:
    """The table. Workers may share one: each access is a single step under the interpreter's lock, and
    what two of them write at once is at most one response off.
    """

    __slots__ = ("due", "secret", "slips", "tags")

    def __init__(self, secret: int, places: int = PLACES) -> None:
        """`secret` keeps places from being foreseen; `places` is a power of two."""
        self.secret = secret
        self.tags = array("q", bytes(8 * places))
        self.due = array("d", bytes(8 * places))
        self.slips = array("B", bytes(places))


class RateLimiter:
    """One worker's view of the buckets. `slipped` and `dropped` count what it limited.

    `cost_s`, `burst_s` and `longest_s` are the times that a response takes from a bucket, that a bucket
    holds, and that it may be behind.
    """

    __slots__ = (
        "_due",
        "_exempt",
        "_mask",
        "_secret",
        "_shift4",
        "_shift6",
        "_slip",
        "_slips",
        "_tags",
        "buckets",
        "burst_s",
        "cost_s",
        "dropped",
        "longest_s",
        "rate",
        "slipped",
    )

    def __init__(self, rate: Rate, buckets: Buckets) -> None:
        self.buckets = buckets
        self._secret = buckets.secret
        self._tags, self._due, self._slips = buckets.tags, buckets.due, buckets.slips
        self._mask = len(buckets.tags) - 1
        self.slipped = 0
        self.dropped = 0
        self.adopt(rate)

    def adopt(self, rate: Rate) -> None:
        """Go by another rate from now on. A response that is judged meanwhile may see parts of both."""
        self.rate = rate
        self.cost_s = 1.0 / rate.responses_per_second
        self.burst_s = 1.0 + self.cost_s / 2  # half a response for what sums of floats lose
        self.longest_s = 1.0 + rate.window_s
        self._slip = rate.slip
        self._exempt = rate.exempt or None
        self._shift4, self._shift6 = 32 - rate.ipv4, 128 - rate.ipv6

    def judge(self, source: int, family: int, what: int, now: float) -> int:
        """A verdict on one response. `source`, `family` and `now` are as in `respond`."""
        if self._exempt is not None and (source, family) in self._exempt:
            return ANSWER
        network = source >> self._shift4 if family == 4 else ~(source >> self._shift6)
        key = hash((self._secret, network, what))
        place = key & self._mask
        if self._tags[place] != key:
            self._tags[place] = key
            self._due[place] = now + self.cost_s
            self._slips[place] = 0
            return ANSWER
        full = self._due[place]
        if not now <= full <= now + self.longest_s:
            full = now
        full += self.cost_s
        if full <= now + self.burst_s:
            self._due[place] = full
            return ANSWER
        self._due[place] = min(full, now + self.longest_s)
        if self._slip:
            turn = (self._slips[place] + 1) % self._slip
            self._slips[place] = turn
            if turn == 0:
                self.slipped += 1
                return SLIP
        self.dropped += 1
        return DROP
