"""Small snapshots made by hand, for tests of whatever reads them."""

import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from georouter.answers.layout import REASONS, lay_out
from georouter.answers.make import make_answer
from georouter.answers.tables import (
    LOCAL,
    SLOT_A,
    SLOT_AAAA,
    SLOT_OTHER,
    Answer,
    Directory,
    Fences,
    Group,
    RangeMap,
    RangeTable,
    Runs,
    Snapshot,
    Sticky,
    View,
    ZoneTable,
)
from georouter.wire.codes import TYPE_A, TYPE_AAAA, TYPE_SOA, type_number
from georouter.wire.names import parse_name

POINTER = b"\xc0\x0c"
TOP = 2**32 - 1


def record(kind: int, rdata: bytes, ttl_s: int = 60, owner: bytes = POINTER) -> bytes:
    """One record in wire form."""
    return owner + struct.pack("!HHIH", kind, 1, ttl_s, len(rdata)) + rdata


def address_answer(*addresses: str, ttl_s: int = 60, option: bytes = b"") -> Answer:
    """An A or AAAA answer with these addresses."""
    records = []
    for text in addresses:
        if ":" in text:
            records.append(record(TYPE_AAAA, IPv6Address(text).packed, ttl_s))
        else:
            records.append(record(TYPE_A, IPv4Address(text).packed, ttl_s))
    return make_answer(answers=len(records), body=b"".join(records), option=option)


def soa(zone: str, ttl_s: int = 60) -> bytes:
    """A SOA record with its owner written out."""
    rdata = (
        parse_name(f"ns.{zone}") + parse_name(f"hostmaster.{zone}") + struct.pack("!5I", 1, 2, 3, 4, ttl_s)
    )
    return record(TYPE_SOA, rdata, ttl_s, parse_name(zone))


def table4(ranges: Sequence[tuple[str, int]]) -> RangeTable:
    """(first address, value) pairs for IPv4, in order, the first at 0.0.0.0."""
    return RangeTable(
        array("I", [int(IPv4Address(start)) for start, _ in ranges]),
        array("I", [value for _, value in ranges]),
    )


def table6(ranges: Sequence[tuple[str, int]]) -> RangeTable:
    """As `table4` for IPv6; starts lie on /64 boundaries."""
    return RangeTable(
        array("Q", [int(IPv6Address(start)) >> 64 for start, _ in ranges]),
        array("I", [value for _, value in ranges]),
    )


def runs(alternatives: Sequence[Sequence[tuple[int, int, float]]]) -> Runs:
    """Per ranking: (body index, tally, weight) of every alternative."""
    first, count, threshold, body, tally = (array("I") for _ in range(5))
    for ranking in alternatives:
        first.append(len(body))
        count.append(len(ranking))
        total = sum(weight for _, _, weight in ranking)
        reached = 0.0
        for index, (body_index, added, weight) in enumerate(ranking):
            reached += weight
            threshold.append(TOP if index + 1 == len(ranking) else int(reached / total * TOP))
            body.append(body_index)
            tally.append(added)
    return Runs(first, count, threshold, body, tally)


def one_each(bodies: int) -> Runs:
    """Ranking n gives body n of region n, always."""
    return runs([[(index, index * REASONS, 1.0)] for index in range(bodies)])


@dataclass
class Builder:
    """Collects names and answers; `snapshot()` freezes them."""

    services: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    index: dict[bytes, int] = field(default_factory=dict)
    rrsets: dict[int, int] = field(default_factory=dict)
    other: "array[int]" = field(default_factory=lambda: array("l"))
    wildcard: "array[int]" = field(default_factory=lambda: array("l"))
    cut: bytearray = field(default_factory=bytearray)
    zone_of: "array[int]" = field(default_factory=lambda: array("l"))
    zones: list[ZoneTable] = field(default_factory=list)
    nodata: list[int] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    views: list[tuple[int, int, int, int, str, int, bool]] = field(default_factory=list)
    maps: list[RangeMap] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    bodies: list[tuple[Answer, ...]] = field(default_factory=list)

    def answer(self, answer: Answer) -> int:
        """Add a static answer; its ref."""
        self.answers.append(answer)
        return len(self.answers) - 1

    def zone(self, name: str) -> int:
        """Add a zone with a SOA; its index."""
        authority = soa(name)
        nxdomain = self.answer(make_answer(rcode=3, authority=1, body=authority))
        self.zones.append(ZoneTable(name, nxdomain))
        self.nodata.append(self.answer(make_answer(authority=1, body=authority)))
        zone = len(self.zones) - 1
        self.node(name, zone)
        self.static(name, zone, "SOA", make_answer(answers=1, body=soa(name)))
        return zone

    def node(self, name: str, zone: int) -> int:
        """The node of a name, made with its empty non-terminals where it is new."""
        wire = parse_name(name).lower()
        if wire in self.index:
            return self.index[wire]
        node = self.index[wire] = len(self.other)
        self.other.append(self.nodata[zone])
        self.wildcard.append(-1)
        self.cut.append(0)
        self.zone_of.append(zone)
        if name != self.zones[zone].name:
            first, _, parent = name.partition(".")
            above = self.node(parent, zone)
            if first == "*":
                self.wildcard[above] = node
        return node

    def static(self, name: str, zone: int, kind: str, answer: Answer) -> None:
        """A record set that is the same for every client."""
        self.rrsets[self.node(name, zone) << 16 | type_number(kind)] = self.answer(answer)

    def fallback(self, name: str, zone: int, answer: Answer, *, cut: bool = False) -> None:
        """The answer for every type not listed; `cut` makes the name a delegation."""
        node = self.node(name, zone)
        self.other[node] = self.answer(answer)
        self.cut[node] = cut

    def group(  # noqa: PLR0917 - what a group has
        self,
        v4: Sequence[tuple[str, int]],
        v6: Sequence[tuple[str, int]],
        slots: Mapping[int, Runs],
        fences: Fences | None = None,
        ttl_s: int = 30,
        cohorts: Sticky | None = None,
    ) -> int:
        """A map and the group that uses it."""
        self.maps.append(RangeMap(table4(v4), table6(v6)))
        empty = runs([])
        used = (slots.get(SLOT_A, empty), slots.get(SLOT_AAAA, empty), slots.get(SLOT_OTHER, empty))
        self.groups.append(Group(len(self.maps) - 1, ttl_s, fences, used, cohorts=cohorts))
        return len(self.groups) - 1

    def steered(
        self,
        name: str,
        zone: int,
        group: int,
        service: str,
        kinds: Mapping[str, Sequence[Answer]],
        *,
        salt: int = 7,
        subnets: bool = True,
    ) -> None:
        """A steered name: per record type the bodies that its group's runs index."""
        node = self.node(name, zone)
        for kind, bodies in kinds.items():
            slot = {"A": SLOT_A, "AAAA": SLOT_AAAA}.get(kind, SLOT_OTHER)
            self.bodies.append(tuple(bodies))
            self.views.append((group, slot, len(self.bodies) - 1, salt, service, zone, subnets))
            ref = ~(len(self.views) - 1)
            if slot == SLOT_OTHER:
                self.other[node] = ref
            else:
                self.rrsets[node << 16 | type_number(kind)] = ref

    def snapshot(self, generation: int = 1) -> Snapshot:
        """Everything collected."""
        layout = lay_out([zone.name for zone in self.zones], self.services)
        base = {service.name: service.base for service in layout.services}
        views = tuple(
            View(group, slot, bodies, salt, base[service], zone, subnets)
            for group, slot, bodies, salt, service, zone, subnets in self.views
        )
        directory = Directory(
            self.index,
            self.rrsets,
            array("I", bytes(4 * len(self.other))),
            (b"",) * len(self.other),
            {},
            self.other,
            self.wildcard,
            bytes(self.cut),
            self.zone_of,
            tuple(self.zones),
            tuple(self.answers),
            views,
            layout,
        )
        return Snapshot(generation, directory, tuple(self.maps), tuple(self.groups), tuple(self.bodies))


REGIONS = ("us", "eu", "ap")
V4_RANGES = (
    ("0.0.0.0", 0),
    ("81.0.0.0", 1),
    ("81.2.69.160", 2),
    ("81.2.69.192", 1),
    ("82.0.0.0", 0),
    ("127.0.0.0", LOCAL),
    ("128.0.0.0", 2),
)
V6_RANGES = (("::", 0), ("2a00::", 1), ("2a00:0:0:1::", 2), ("2b00::", 0), ("fc00::", LOCAL), ("fe00::", 0))


def example(generation: int = 1) -> Snapshot:
    """A zone with a bit of everything: static, steered, weighted, wildcard, delegation, large answers."""
    made = Builder(services=[("web", REGIONS), ("mix", REGIONS)])
    zone = made.zone("example.com")
    made.static("example.com", zone, "ANY", make_answer(answers=1, body=soa("example.com")))
    made.static("mail.example.com", zone, "A", address_answer("192.0.2.60"))
    made.static("a.ent.example.com", zone, "TXT", make_answer(answers=1, body=record(16, b"\x02hi")))
    made.static("*.wild.example.com", zone, "A", address_answer("192.0.2.77"))
    made.static(
        "big.example.com", zone, "TXT", make_answer(answers=4, body=record(16, b"\xff" + b"x" * 255) * 4)
    )
    made.static(
        "huge.example.com", zone, "TXT", make_answer(answers=9, body=record(16, b"\xff" + b"x" * 255) * 9)
    )
    made.static(
        "tight.example.com", zone, "TXT", make_answer(answers=1, body=record(16, b"\xff" + b"x" * 255) + b"")
    )
    failing = b"\0\x0f\0\x09\0\x16nothing"
    made.static("ede.example.com", zone, "A", address_answer("192.0.2.1", option=failing))
    made.fallback("broken.example.com", zone, make_answer(rcode=2, option=failing))
    referral = make_answer(
        authoritative=False, authority=1, body=record(2, b"\2ns\3net\0", 60, parse_name("sub.example.com"))
    )
    made.fallback("sub.example.com", zone, referral, cut=True)
    made.static(
        "sub.example.com", zone, "DS", make_answer(answers=1, body=record(43, b"\0\1\x08\2" + bytes(32)))
    )
    group = made.group(
        V4_RANGES, V6_RANGES, {SLOT_A: one_each(3), SLOT_AAAA: one_each(3), SLOT_OTHER: one_each(3)}
    )
    v4 = [address_answer(f"192.0.2.{10 * n}") for n in (1, 2, 3)]
    v6 = [address_answer(f"2001:db8::{n}") for n in (1, 2, 3)]
    made.steered("www.example.com", zone, group, "web", {"A": v4, "AAAA": v6})
    made.steered("plain.example.com", zone, group, "web", {"A": v4, "AAAA": v6}, subnets=False)
    made.steered("*.app.example.com", zone, group, "web", {"A": v4, "AAAA": v6})
    cname = [make_answer(answers=1, body=record(5, parse_name(f"{region}.cdn.net"))) for region in REGIONS]
    made.steered("alias.example.com", zone, group, "web", {"CNAME": cname})
    weighted = runs(
        [
            [(0, 0, 3.0), (1, REASONS, 1.0)],
            [(1, REASONS, 1.0)],
            [(0, 0, 1.0), (1, REASONS, 1.0), (2, 2 * REASONS, 1.0)],
        ]
    )
    mixed = made.group(V4_RANGES, V6_RANGES, {SLOT_A: weighted, SLOT_AAAA: weighted})
    made.steered("mix.example.com", zone, mixed, "mix", {"A": v4, "AAAA": v6}, salt=0x123456789ABCDEF0)
    made.zone("example.org")
    return made.snapshot(generation)
