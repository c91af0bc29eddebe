"""Zones -> `Content`: every record that a secondary gets, and a digest that tells contents apart.

Rule 1: what a zone says stays as it is, below delegations too (RFC 5936 3.5), but for names in zones of
ours inside of it: there only the delegation and its glue are this zone's to say.
Rule 2: a zone of ours inside that the outer one does not delegate is delegated in the copy: a secondary
that has only the outer one would deny its names.
Rule 3: steered names and aliases have their default answers (see `defaults`); an alias whose target is in no
zone of ours is left out.
"""

import hashlib
import struct
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from georouter.answers.copies import Content
from georouter.compiler.defaults import Defaults
from georouter.compiler.flatten import flatten
from georouter.compiler.records import soa_data
from georouter.compiler.serials import Numbered, Serials
from georouter.compiler.tree import Tree
from georouter.policy.model import RecordSet, Zone
from georouter.policy.packed import PackedRecords, pack, split
from georouter.wire.codes import TYPE_A, TYPE_AAAA, TYPE_DS, TYPE_NS
from georouter.wire.names import is_below, lower, parent
from georouter.words.ids import ZoneName

_AROUND = 12
"""Octets of a record beside owner and data."""
_ADDRESSES = (TYPE_A, TYPE_AAAA)


@dataclass(frozen=True, slots=True)
class Copied:
    """The serial of every zone, what is known of serials now, and the content of zones with secondaries."""

    serials: tuple[int, ...]
    known: Mapping[ZoneName, Numbered]
    contents: Mapping[ZoneName, Content]


def copy_zones(zones: Sequence[Zone], tree: Tree, defaults: Defaults, serials: Serials) -> Copied:
    """Number every zone; the contents of those that name a secondary.

    A zone that has neither secondaries nor a serial that follows its content is not even looked at.
    """
    found: dict[ZoneName, Numbered] = {}
    contents: dict[ZoneName, Content] = {}
    inner = _inner(zones)
    for number, zone in enumerate(zones):
        written = zone.soa.serial
        if zone.transfer is None and written is not None:
            found[zone.name] = Numbered("", written)
            continue
        records = tree.packed[number]
        more = pack((*defaults.sets(tree, number), *_delegations(zone, records, inner[number])))
        marks = _marks(records, _foreign(records, inner[number]))
        marks.extend(_marks(more, frozenset()))
        digest = _digest(zone, marks)
        item = found[zone.name] = serials.number(zone.name, digest, written)
        if zone.transfer is not None:
            contents[zone.name] = Content(
                apex=zone.apex,
                serial=item.serial,
                soa=soa_data(zone.soa, item.serial),
                soa_ttl_s=zone.soa.ttl_s,
                records=records,
                more=more,
                marks=marks,
                digest=digest,
                steered=_steered(tree, number),
                octets=records.octets + more.octets + _AROUND * len(marks),
            )
    numbers = tuple(found[zone.name].serial for zone in zones)
    return Copied(numbers, serials.then(found), contents)


def _steered(tree: Tree, number: int) -> bool:
    """Whether the zone has names whose answers a secondary cannot give as we do."""
    if any(tree.zone[node] == number for node in tree.services):
        return True
    ends = (flatten(tree, alias.target) for node, alias in tree.aliases.items() if tree.zone[node] == number)
    return any(end.service is not None or end.outside is not None for end in ends)


def _digest(zone: Zone, marks: "array[int]") -> str:
    """Of everything but the serial; the order of records does not matter."""
    soa = zone.soa
    fields = (soa.mname, soa.rname, soa.refresh_s, soa.retry_s, soa.expire_s, soa.negative_ttl_s, soa.ttl_s)
    steered = sorted((item.owner, str(item.service)) for item in zone.steered)
    aliases = sorted((item.owner, item.target) for item in zone.aliases)
    digest = hashlib.sha256(repr((zone.apex, fields, steered, *aliases)).encode())
    digest.update(np.sort(np.frombuffer(marks, dtype=np.uint64)).tobytes() if marks else b"")
    return digest.hexdigest()[:32]


def _marks(records: PackedRecords, left_out: frozenset[int]) -> "array[int]":
    """A number per set that equal sets share, whatever the order of their records; 0 for those left out."""
    marks = array("Q", bytes(8 * len(records)))
    blake, pack_head, number = hashlib.blake2b, struct.Struct("!HI").pack, int.from_bytes
    for owner, name in enumerate(records.names()):
        for index in records.span(owner):
            data = records.records(index)
            if 2 + (data[0] << 8 | data[1]) != len(data):
                data = b"".join(len(rdata).to_bytes(2) + rdata for rdata in sorted(split(data)))
            what = name + pack_head(records.type(index), records.ttl_s(index)) + data
            marks[index] = number(blake(what, digest_size=8).digest(), "big") or 1
    for index in left_out:
        marks[index] = 0
    return marks


def _inner(zones: Sequence[Zone]) -> list[list[Zone]]:
    """For each zone those of ours inside it that no other zone of ours is between."""
    numbers = {zone.apex: number for number, zone in enumerate(zones)}
    inner: list[list[Zone]] = [[] for _ in zones]
    for zone in zones:
        name = zone.apex
        while name != b"\0":
            name = parent(name)
            if name in numbers:
                inner[numbers[name]].append(zone)
                break
    return inner


def _foreign(records: PackedRecords, inner: Sequence[Zone]) -> frozenset[int]:
    """The sets that belong to an inner zone: all at its apex and below but NS, DS and glue."""
    if not inner:
        return frozenset()
    apexes = {zone.apex for zone in inner}
    hosts = {lower(host) for index in records.of_type(TYPE_NS) for host in records[index].rdatas}
    found: set[int] = set()
    for owner, name in enumerate(records.names()):
        above = name
        while above not in apexes and above != b"\0":
            above = parent(above)
        if above not in apexes:
            continue
        kept = {*(_ADDRESSES if name in hosts else ()), *((TYPE_NS, TYPE_DS) if name == above else ())}
        found.update(index for index in records.span(owner) if records.type(index) not in kept)
    return frozenset(found)


def _delegations(outer: Zone, records: PackedRecords, inner: Sequence[Zone]) -> Iterator[RecordSet]:
    """NS sets, with glue, of inner zones that the outer one does not delegate itself."""
    if not inner:
        return
    servers = [records[index] for index in records.of_type(TYPE_NS)]
    cuts = {item.owner for item in servers} - {outer.apex}
    glue = {lower(host) for item in servers for host in item.rdatas}
    for zone in inner:
        if any(is_below(zone.apex, cut) for cut in cuts):
            continue
        own = pack(zone.records)
        named = [item for item in (own[index] for index in own.of_type(TYPE_NS)) if item.owner == zone.apex]
        yield from named
        hosts = {lower(host) for item in named for host in item.rdatas} - glue
        for index in (index for kind in _ADDRESSES for index in own.of_type(kind)):
            if own[index].owner in hosts:
                yield own[index]
