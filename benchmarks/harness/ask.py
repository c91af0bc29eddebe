"""One question, one answer: through dnspython, so that our own codec is not its own judge."""

from dataclasses import dataclass
from ipaddress import ip_network

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Reply:
    """`addresses` are the A or AAAA data of the answer in order; `scope` is None without ECS."""

    rcode: str
    addresses: tuple[str, ...]
    scope: int | None
    ttl_s: int | None
    message: dns.message.Message


def question(
    name: str, type_: str = "A", client: str | None = None, *, recurse: bool = False
) -> dns.message.Message:
    """A query for `name`, carrying the network `client` as EDNS client subnet (RFC 7871) if given."""
    query = dns.message.make_query(name, type_)
    if not recurse:
        query.flags &= ~dns.flags.RD
    if client is not None:
        network = ip_network(client, strict=False)
        option = dns.edns.ECSOption(str(network.network_address), network.prefixlen)
        query.use_edns(0, options=[option])
    return query


def read(message: dns.message.Message) -> Reply:
    """What matters of a response."""
    records = [
        (rrset.ttl, item.address)
        for rrset in message.answer
        if rrset.rdtype in {dns.rdatatype.A, dns.rdatatype.AAAA}
        for item in rrset
    ]
    scopes = [option.scopelen for option in message.options if isinstance(option, dns.edns.ECSOption)]
    return Reply(
        rcode=dns.rcode.to_text(message.rcode()),
        addresses=tuple(address for _, address in records),
        scope=scopes[0] if scopes else None,
        ttl_s=min((ttl for ttl, _ in records), default=None),
        message=message,
    )


def ask(
    server: tuple[str, int],
    name: str,
    type_: str = "A",
    client: str | None = None,
    *,
    tcp: bool = False,
    recurse: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Reply:
    """Ask over UDP (or TCP) and read the answer."""
    query = question(name, type_, client, recurse=recurse)
    send = dns.query.tcp if tcp else dns.query.udp
    return read(send(query, server[0], port=server[1], timeout=timeout_s))
