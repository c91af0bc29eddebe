"""Hand-built policies, a tiny map of the Internet, and questions to a compiled snapshot."""

import dataclasses
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network

import dns.edns
import dns.message
import dns.rdatatype
import numpy as np

from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.respond import Responder
from georouter.answers.tables import Snapshot
from georouter.facts.world import Effective, Known, RegionFacts, State, World
from georouter.geo.map import GeoMap, Kind, MapInfo, Places
from georouter.policy.model import (
    Alias,
    AllDown,
    Binding,
    Endpoint,
    Location,
    Policy,
    RecordSet,
    Region,
    Server,
    Service,
    Soa,
    Steered,
    Zone,
)
from georouter.policy.steps import Step
from georouter.wire.names import lower, parse_name, parse_relative
from georouter.wire.rdata import parse_rdata
from georouter.wire.svcb import parts
from georouter.words.ids import RegionName, ServiceName, ZoneName
from tests.answers.twin import Native

NOWHERE, BERLIN, PARIS, ASHBURN, SINGAPORE, SYDNEY = range(6)
"""Rows of the tiny map's places. IPv4 `N0.0.0.0/8` and what follows is in place N, likewise `2N00::`."""

_PLACES = (
    ("", "", np.nan, np.nan),
    ("DE", "EU", 52.5, 13.4),
    ("FR", "EU", 48.9, 2.4),
    ("US", "NA", 39.0, -77.5),
    ("SG", "AS", 1.35, 103.8),
    ("AU", "OC", -33.9, 151.2),
)


def client(place: int, host: int = 0) -> str:
    """An IPv4 address in this place of the tiny map."""
    return str(ip_address((place * 10 << 24) + host))


def tiny_map(starts4: Sequence[int] | None = None, place4: Sequence[int] | None = None) -> GeoMap:
    """Six ranges per family, or the given IPv4 ranges."""
    count = len(_PLACES)
    if starts4 is None or place4 is None:
        starts4, place4 = [place * 10 << 24 for place in range(count)], range(count)
    starts6 = [0, *(int(ip_address(f"2{place}00::")) >> 64 for place in range(1, count))]
    return GeoMap(
        starts4=np.array(starts4, dtype=np.uint32),
        place4=np.array(place4, dtype=np.uint32),
        starts6=np.array(starts6, dtype=np.uint64),
        place6=np.arange(count, dtype=np.uint32),
        places=Places(
            country=np.array([row[0] for row in _PLACES], dtype="S2"),
            continent=np.array([row[1] for row in _PLACES], dtype="S2"),
            subdivision=np.array([""] * count, dtype="S6"),
            city=np.zeros(count, dtype=np.int32),
            lat=np.array([row[2] for row in _PLACES], dtype=np.float32),
            lon=np.array([row[3] for row in _PLACES], dtype=np.float32),
            asn=np.zeros(count, dtype=np.uint32),
            network_set=np.zeros(count, dtype=np.int32),
        ),
        info=MapInfo("tiny", 0, frozenset({Kind.COUNTRY, Kind.CONTINENT, Kind.GROUP})),
    )


LOCATIONS = {
    "eu": (50.1, 8.7, "DE"),
    "eu2": (48.8, 2.3, "FR"),
    "us": (39.0, -77.5, "US"),
    "ap": (1.3, 103.8, "SG"),
    "au": (-33.9, 151.2, "AU"),
}


def region(name: str, *endpoints: str | Endpoint) -> Region:
    """A region at its place; endpoints are addresses or hostnames."""
    lat, lon, country = LOCATIONS[name]
    return Region(RegionName(name), Location(lat, lon, country), tuple(map(_endpoint, endpoints)))


def _endpoint(item: str | Endpoint) -> Endpoint:
    if isinstance(item, Endpoint):
        return item
    try:
        return Endpoint(item, ip_address(item).version)
    except ValueError:
        return Endpoint(item, 0)


REGIONS = (
    region("eu", "192.0.2.1", "2001:db8::1"),
    region("eu2", "192.0.2.2", "2001:db8::2"),
    region("us", "192.0.2.3", "2001:db8::3"),
    region("ap", "192.0.2.4", "2001:db8::4"),
)


def service(  # noqa: PLR0917 - the model's own order
    name: str,
    regions: Sequence[str] = ("eu", "eu2", "us", "ap"),
    chain: Sequence[Step] = (),
    when_all_down: AllDown = AllDown.SERVE_ALL,
    fallback: Sequence[str] = (),
    ttl_s: int = 30,
) -> Service:
    """A service; the chain defaults to the order of its regions."""
    return Service(
        ServiceName(name),
        tuple(map(RegionName, regions)),
        tuple(chain),
        ttl_s,
        when_all_down,
        tuple(map(RegionName, fallback)),
    )


def binding(text: str, *, hints: bool = True) -> Binding:
    """A record as its text says, with the addresses of the decision or without."""
    return Binding(*parts(parse_rdata("HTTPS", text, b"\0")[1]), hints)


def with_records(made: Service, *https: Binding, svcb: tuple[Binding, ...] = ()) -> Service:
    """The service with HTTPS and SVCB records."""
    return dataclasses.replace(made, https=https, svcb=svcb)


def zone(
    name: str,
    records: Sequence[tuple[str, str, str]] = (),
    steered: Mapping[str, str] | None = None,
    aliases: Mapping[str, tuple[str, int | None]] | None = None,
) -> Zone:
    """A zone from `(owner, type, text)` rows, `{owner: service}` and `{owner: (target, most TTL)}`; names are
    relative to the zone.
    """
    apex = lower(parse_name(name))
    sets: dict[tuple[bytes, int], RecordSet] = {}
    for owner, kind, text in (("@", "NS", f"ns1.{name}."), *records):
        number, rdata = parse_rdata(kind, text, apex)
        wire = lower(parse_relative(owner, apex))
        old = sets.get((wire, number), RecordSet(wire, number, 300, ()))
        sets[wire, number] = dataclasses.replace(old, rdatas=(*old.rdatas, rdata))
    return Zone(
        name=ZoneName(name),
        apex=apex,
        soa=Soa(f"ns1.{name}", f"hostmaster.{name}", serial=7),
        records=tuple(sets.values()),
        steered=tuple(
            Steered(lower(parse_relative(owner, apex)), ServiceName(who))
            for owner, who in (steered or {}).items()
        ),
        aliases=tuple(
            Alias(lower(parse_relative(owner, apex)), lower(parse_relative(target, apex)), most_s)
            for owner, (target, most_s) in (aliases or {}).items()
        ),
    )


def policy(
    zones: Sequence[Zone], services: Sequence[Service] = (), regions: Sequence[Region] = REGIONS
) -> Policy:
    """A policy of these parts."""
    return Policy(
        server=Server(seed="test"),
        regions={item.name: item for item in regions},
        services={item.name: item for item in services},
        zones={item.name: item for item in zones},
    )


def world(
    down: Sequence[str] = (),
    drained: Sequence[str] = (),
    unknown: Sequence[str] = (),
    last_known: Mapping[str, Sequence[str]] | None = None,
    endpoints_down: Mapping[str, Sequence[int]] | None = None,
) -> World:
    """Everything up but what is named."""
    facts: dict[RegionName, RegionFacts] = {}
    for name in LOCATIONS:
        gone = frozenset((endpoints_down or {}).get(name, ()))
        fact = RegionFacts(State.UP, Effective.UP, endpoints_down=gone)
        if name in down:
            fact = RegionFacts(State.DOWN, Effective.DOWN, endpoints_down=frozenset(range(9)))
        elif name in drained:
            fact = RegionFacts(State.UP, Effective.DRAINED, forced=Effective.DRAINED)
        elif name in unknown:
            fact = RegionFacts(State.UNKNOWN, Effective.UNKNOWN)
        facts[RegionName(name)] = fact
    known = {ServiceName(key): known_of(*names) for key, names in (last_known or {}).items()}
    return World(regions=facts, last_known=known)


def known_of(*names: str) -> Known:
    """These were up in the last answers, whoever asked."""
    return {frozenset(): frozenset(map(RegionName, names))}


class Asker:
    """Asks a snapshot, in the words of dnspython."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.counters = [0] * snapshot.directory.layout.size
        self._responder = Responder(snapshot, self.counters, Limits())
        self._native = Native(snapshot)

    def ask(
        self,
        name: str,
        kind: str = "A",
        subnet: str | None = None,
        source: str = "0.0.0.1",
        now: float = 1000.0,
        *,
        udp: int | None = None,
    ) -> dns.message.Message:
        """The response, over TCP or in at most `udp` octets over UDP; `subnet` goes into an ECS option,
        `source` is the resolver's address.
        """
        options = []
        if subnet is not None:
            network = ip_network(subnet)
            options.append(dns.edns.ECSOption(str(network.network_address), network.prefixlen))
        query = dns.message.make_query(name, kind, use_edns=0, options=options, payload=udp or 1232)
        address = ip_address(source)
        number = int(address)
        proto = Proto.TCP if udp is None else Proto.UDP
        asked = query.to_wire()
        wire = self._responder.respond(asked, number, address.version, proto, now)
        self._native.check(asked, number, address.version, proto, now, wire, self.counters)
        assert wire is not None
        response = dns.message.from_wire(wire)
        assert query.is_response(response)
        return response


def answers(response: dns.message.Message) -> list[str]:
    """The answer section, one record per line: `owner type data` (TTL left out)."""
    return section(response.answer)


def section(rrsets: Sequence[object]) -> list[str]:
    """A section's records, one per line."""
    lines = []
    for rrset in rrsets:
        for rdata in rrset:  # type: ignore[attr-defined]
            kind = dns.rdatatype.to_text(rrset.rdtype)  # type: ignore[attr-defined]
            lines.append(f"{rrset.name} {kind} {rdata}")  # type: ignore[attr-defined]
    return lines
