"""What alternatives say, before anyone knows under which name: addresses, a hostname, or a denial.

A region with several addresses has one content per rotation, so that each address comes first in
proportion to its weight. Contents that need no news of health come first in `Contents`, always and
in the same order; so a region that fails or returns changes which contents are used, not the list,
and none of the finished answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address
from itertools import permutations
from math import perm
from typing import TypeAlias

from georouter.answers.layout import Reason
from georouter.answers.tables import SLOT_A, SLOT_AAAA
from georouter.compiler.steering import Steering
from georouter.facts.world import NOBODY_CHECKS, RegionFacts
from georouter.policy.model import AllDown, Endpoint, Region
from georouter.routing.select import Candidate, Selection, live
from georouter.wire.names import parse_name


class Denial(Enum):
    """Answers without an endpoint."""

    NODATA = "nodata"
    PROHIBITED = "prohibited"
    """A residency fence leaves no region."""
    SERVFAIL = "servfail"


class Note(Enum):
    """What to tell beside an answer that is no good one."""

    ALL_DOWN = "all down"
    """Every region of the service is down, and all are answered."""
    LAST_KNOWN = "last known"
    """Every region is down; this is what was answered while one was up."""
    FALLBACK = "fallback"
    """Every region is down, and the fallback answers."""


@dataclass(frozen=True, slots=True)
class Content:
    """`rdatas` are addresses in order, `target` a hostname (wire); exactly one of the three is set.

    In `SLOT_BOUND`, `rdatas` are what A gives, and `further` what AAAA gives: either or both.
    """

    rdatas: tuple[bytes, ...] = ()
    target: bytes | None = None
    denial: Denial | None = None
    further: tuple[bytes, ...] = ()
    note: Note | None = None
    """Not on denials, which tell by themselves."""


Rotations: TypeAlias = tuple[tuple[Content, float], ...]
"""What a region is answered with, and the weight of each."""

NODATA, PROHIBITED, SERVFAIL = (Content(denial=denial) for denial in Denial)

MOST_TOGETHER = 256
"""Ways of putting regions into one answer up to which all are written ahead: 2 of 16 regions."""

_FAMILY = {SLOT_A: 4, SLOT_AAAA: 6}


@dataclass(slots=True)
class Contents:
    """The contents of one group and slot, numbered."""

    steering: Steering
    slot: int
    facts: Sequence[RegionFacts]
    items: dict[Content, int] = field(default_factory=dict)
    steady: int = 0
    """Numbers below this mean the same content in every world."""
    _numbered: dict[tuple[tuple[int, ...], Note | None], list[tuple[int, float]]] = field(
        default_factory=dict
    )
    _rotations: dict[int, Rotations] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.items = dict(_steady_items(self.steering, self.slot))
        self.steady = len(self.items)

    @property
    def _most(self) -> int:
        return self.steering.rule.limit.addresses

    def number(self, content: Content) -> int:
        """The index of `content`, new at the end."""
        return self.items.setdefault(content, len(self.items))

    def denial(self, selection: Selection) -> int:
        """What a selection without candidates says."""
        if selection.servfail:
            return self.number(SERVFAIL)
        return self.number(PROHIBITED if selection.reason is Reason.REFUSED else NODATA)

    def alternatives(self, candidate: Candidate) -> list[tuple[int, float]]:
        """The contents a candidate is answered with, and the weight of each."""
        regions, note = candidate.regions, self._note(candidate.reason)
        numbered = self._numbered.get((regions, note))
        if numbered is None:
            numbered = self._numbered[regions, note] = [
                (self.number(noted(content, note)), weight)
                for content, weight in joined([self._of(region) for region in regions], self._most)
            ]
        return numbered

    def _note(self, reason: Reason) -> Note | None:
        if reason is Reason.FALLBACK:
            return Note.FALLBACK
        if reason is not Reason.ALL_DOWN:
            return None
        last_known = self.steering.rule.when_all_down is AllDown.LAST_KNOWN
        return Note.LAST_KNOWN if last_known else Note.ALL_DOWN

    def _of(self, region: int) -> Rotations:
        known = self._rotations.get(region)
        if known is None:
            facts = self.facts[region]
            if facts.endpoints_down:
                known = rotations(self.steering.regions[region], self.slot, facts, self._most)
            else:
                known = unchecked(self.steering, self.slot)[region]
            self._rotations[region] = known
        return known


def noted(content: Content, note: Note | None) -> Content:
    """`content` with `note`, unless it is a denial."""
    return content if note is None or content.denial is not None else replace(content, note=note)


@lru_cache(maxsize=256)
def unchecked(steering: Steering, slot: int) -> tuple[Rotations, ...]:
    """The rotations of each region of a group where nobody looks at its endpoints."""
    most = steering.rule.limit.addresses
    return tuple(rotations(region, slot, NOBODY_CHECKS, most) for region in steering.regions)


@lru_cache(maxsize=256)
def _steady_items(steering: Steering, slot: int) -> Mapping[Content, int]:
    """The contents that need no news of health, numbered."""
    turns, most = unchecked(steering, slot), steering.rule.limit.addresses
    found = [NODATA, PROHIBITED, SERVFAIL]
    for regions in together_steady(steering):
        found += (content for content, _ in joined([turns[region] for region in regions], most))
    return {content: number for number, content in enumerate(dict.fromkeys(found))}


@lru_cache(maxsize=256)
def together_steady(steering: Steering) -> tuple[tuple[int, ...], ...]:
    """The regions that an answer may hold, in order: each alone, and if there are not too many ways every
    combination. So a failover finds the answers with several regions finished, too.
    """
    every = range(len(steering.regions))
    alone = tuple((region,) for region in every)
    most = min(steering.rule.limit.regions, len(every))
    if sum(perm(len(every), count) for count in range(1, most + 1)) > MOST_TOGETHER:
        return alone
    return (*alone, *(some for count in range(2, most + 1) for some in permutations(every, count)))


def joined(turns: Sequence[Rotations], most: int) -> Rotations:
    """The rotations of the first region, addresses of further ones behind them; a hostname stands alone."""
    first, *others = turns
    if not others:
        return first
    found = []
    for turn, (content, weight) in enumerate(first):
        if content.target is None:
            rdatas = dict.fromkeys(content.rdatas)
            for other in others:
                rdatas.update(dict.fromkeys(other[turn % len(other)][0].rdatas))
            kept = tuple(rdatas)[:most]
            content = Content(rdatas=kept) if kept else NODATA  # noqa: PLW2901 - with what follows it
        found.append((content, weight))
    return tuple(found)


def rotations(region: Region, slot: int, facts: RegionFacts, most: int) -> Rotations:
    """One content per endpoint that may come first, at most `most` addresses in each."""
    alive = live(region, facts)
    hosts = [endpoint for endpoint in alive if endpoint.family == 0]
    if hosts:
        named = [(Content(target=_name(item.address)), item.weight) for item in _weighty(hosts)]
        return tuple(named)
    fitting = [endpoint for endpoint in alive if endpoint.family == _FAMILY.get(slot)]
    if not fitting:
        return ((NODATA, 1.0),)
    rdatas = tuple(_packed(endpoint.address) for endpoint in fitting)
    weighty = _weighty(fitting)
    return tuple(
        (
            Content(rdatas=(rdatas[turn:] + rdatas[:turn])[:most]),
            endpoint.weight if endpoint.weight > 0 else 1.0,
        )
        for turn, endpoint in enumerate(fitting)
        if endpoint in weighty
    )


def _weighty(endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
    """Those that may come first: the ones with a weight, or all when none has any."""
    return [endpoint for endpoint in endpoints if endpoint.weight > 0] or endpoints


@lru_cache(maxsize=16384)
def _packed(address: str) -> bytes:
    return ip_address(address).packed


@lru_cache(maxsize=16384)
def _name(host: str) -> bytes:
    return parse_name(host)
