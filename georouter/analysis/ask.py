"""Asking a snapshot as a client would, and reading the answer as a client would.

The bytes come from the packet path's own `Responder`; they are read by dnspython, which knows
nothing of how they were made.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from struct import pack

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from georouter.analysis.asker import Asker
from georouter.answers.layout import REASONS, Layout, Proto, Reason
from georouter.answers.limits import Limits
from georouter.answers.respond import Responder
from georouter.answers.tables import Snapshot
from georouter.geo.map import Network
from georouter.wire.codes import CLASS_IN
from georouter.wire.edns import FAMILY_IPV4, FAMILY_IPV6, OPT_START, ClientSubnet
from georouter.words.ids import RegionName, ServiceName


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an answer, for people."""

    section: str
    name: str
    ttl_s: int
    type: str
    data: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the answer's bytes say.

    `scope` is the block of clients that a cache may give this answer to; None when the answer does
    not carry a client subnet. `truncated_over_udp`: over UDP the client would have to ask again.
    """

    rcode: str
    flags: tuple[str, ...]
    records: tuple[Record, ...]
    scope: Network | None
    extended_error: str | None
    size: int
    truncated_over_udp: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """The routing decision that the packet path counted. `region` is None when nobody was answered."""

    service: ServiceName
    region: RegionName | None
    reason: Reason


def ask(
    snapshot: Snapshot, name: bytes, type_: int, asker: Asker, *, now: float, udp_payload: int
) -> tuple[Meaning, Decided | None]:
    """The answer to a query of `asker` at time `now`: its block as client subnet, from its resolver."""
    layout = snapshot.directory.layout
    query = make_query(name, type_, asker.subnet, udp_payload)
    replies: list[bytes] = []
    for proto in (Proto.UDP, Proto.TCP):
        counters = [0] * layout.size
        reply = Responder(snapshot, counters, Limits(udp_payload)).respond(
            query, int(asker.resolver), asker.resolver.version, proto, now
        )
        if reply is None:
            raise ValueError("this question gets no answer")
        replies.append(reply)
    udp, tcp = replies
    truncated = bool(int.from_bytes(udp[2:4]) & dns.flags.TC)
    meaning = _meaning(dns.message.from_wire(tcp), asker.subnet, len(tcp), truncated)
    return meaning, _decided(counters, layout)


def make_query(name: bytes, type_: int, client: Network | None, udp_payload: int) -> bytes:
    """A query with client subnet (RFC 7871 6) if there is a client: recursion desired, id 0."""
    option = b""
    if client is not None:
        octets = (client.prefixlen + 7) // 8
        family = FAMILY_IPV4 if client.version == 4 else FAMILY_IPV6
        option = ClientSubnet(family, client.prefixlen, client.network_address.packed[:octets]).echo(0)
    header = pack("!6H", 0, 0x0100, 1, 0, 0, 1)
    opt = OPT_START + pack("!HIH", udp_payload, 0, len(option)) + option
    return header + name + pack("!HH", type_, CLASS_IN) + opt


def _meaning(message: dns.message.Message, client: Network | None, size: int, truncated: bool) -> Meaning:
    scope: Network | None = None
    error: str | None = None
    for option in message.options:
        if client is not None and isinstance(option, dns.edns.ECSOption):
            scope = _block(client, option.scopelen)
        elif isinstance(option, dns.edns.EDEOption):
            error = f"{int(option.code)} {option.text or ''}".rstrip()
    return Meaning(
        rcode=dns.rcode.to_text(message.rcode()),
        flags=tuple(dns.flags.to_text(message.flags).split()),
        records=(
            *_records("answer", message.answer),
            *_records("authority", message.authority),
            *_records("additional", message.additional),
        ),
        scope=scope,
        extended_error=error,
        size=size,
        truncated_over_udp=truncated,
    )


def _block(client: Network, scope: int) -> Network:
    """The block that SCOPE makes of the client's address."""
    if isinstance(client, IPv4Network):
        return ip_network((int(client.network_address), min(scope, 32)), strict=False)
    return ip_network((client.network_address, scope), strict=False)


def _records(section: str, rrsets: list[dns.rrset.RRset]) -> list[Record]:
    return [
        Record(
            section=section,
            name=rrset.name.to_text(omit_final_dot=True) or ".",
            ttl_s=rrset.ttl,
            type=dns.rdatatype.to_text(rrset.rdtype),
            data=rdata.to_text(),
        )
        for rrset in rrsets
        for rdata in rrset
    ]


def _decided(counters: list[int], layout: Layout) -> Decided | None:
    for service in layout.services:
        for index in range((len(service.regions) + 1) * REASONS):
            if counters[service.base + index]:
                region, reason = divmod(index, REASONS)
                name = RegionName(service.regions[region]) if region < len(service.regions) else None
                return Decided(ServiceName(service.name), name, Reason(reason))
    return None
