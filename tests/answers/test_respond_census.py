"""The census counts who was answered, once, whichever way the answer came about."""

from array import array
from dataclasses import replace

import pytest

from georouter.answers.conduct import Conduct
from georouter.answers.layout import SLOTS, Proto
from georouter.answers.limits import Limits
from georouter.answers.ratelimit import Buckets, Rate, RateLimiter
from georouter.answers.respond import Responder
from georouter.answers.tables import SLOT_A, Snapshot
from georouter.server.source import source_of
from tests.answers.ask import NOW, RESOLVER, query
from tests.answers.build import V4_RANGES, V6_RANGES, Builder, address_answer, one_each
from tests.answers.twin import Native

SLOT = 5
"""Where the clients of the first ranking are counted."""


def counted() -> Snapshot:
    """Two names of a service with a census: one whose answers fit, and one with 40 addresses."""
    made = Builder(services=[("web", ("us", "eu", "ap"))])
    zone = made.zone("example.com")
    group = made.group(V4_RANGES, V6_RANGES, {SLOT_A: one_each(3)})
    long = [address_answer(*(f"192.0.{region}.{host}" for host in range(40))) for region in range(3)]
    short = [address_answer(f"192.0.{region}.1") for region in range(3)]
    made.steered("long.example.com", zone, group, "web", {"A": long})
    made.steered("short.example.com", zone, group, "web", {"A": short})
    found = made.snapshot()
    layout = replace(found.directory.layout, census=("web",))
    views = tuple(replace(view, census=layout.census_base("web")) for view in found.directory.views)
    return replace(
        found,
        directory=replace(found.directory, layout=layout, views=views),
        groups=tuple(replace(one, slots=array("H", range(SLOT, SLOT + 3))) for one in found.groups),
    )


def ask(message: bytes, *, times: int = 1, rate: Rate | None = None) -> list[int]:
    """The census after asking both responders; all that they count is the same."""
    snapshot = counted()
    extent = snapshot.directory.layout.extent
    conducts = [Conduct(limiter=RateLimiter(rate, Buckets(1, 1 << 8)) if rate else None) for _ in "12"]
    counters = [0] * extent
    responder = Responder(snapshot, counters, Limits(), conducts[0])
    native = Native(snapshot, conduct=conducts[1], size=extent)
    family, source = source_of(RESOLVER)
    for _ in range(times):
        reply = responder.respond(message, source, family, Proto.UDP, NOW)
        native.check(message, source, family, Proto.UDP, NOW, reply, counters)
    census = counters[snapshot.directory.layout.size :]
    assert len(census) == SLOTS
    return census


@pytest.mark.parametrize("subnet", [None, "81.2.69.0/24"])
@pytest.mark.parametrize("name", ["short.example.com", "long.example.com"])
def test_once_whether_it_fits_or_not(name: str, subnet: str | None) -> None:
    """What is too long for its client is answered the careful way, and counts as much as anything."""
    census = ask(query(name, subnet=subnet, payload=512))
    assert sum(census) == 1
    assert sum(census[SLOT : SLOT + 3]) == 1


def test_who_is_limited_is_not_counted() -> None:
    """A flood that gets no answers is no demand that regions would have to carry."""
    assert sum(ask(query("short.example.com"), times=20, rate=Rate(3, slip=0))) == 3
