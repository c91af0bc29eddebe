"""Queries as bytes, and a responder over a snapshot whose counters can be looked at."""

import struct
from ipaddress import ip_address

import dns.edns
import dns.message

from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.respond import Responder
from georouter.answers.tables import Snapshot
from georouter.server.source import source_of
from tests.answers.twin import Native

NOW = 1_760_000_000.0
RESOLVER = "198.51.100.53"


def query(
    name: str,
    kind: str = "A",
    *,
    subnet: str | None = None,
    cookie: bool = False,
    edns: bool | None = None,
    payload: int = 1232,
    rd: bool = True,
    dnssec: bool = False,
    extra: tuple[dns.edns.Option, ...] = (),
) -> bytes:
    """A query as dnspython writes it; `subnet` is `address/prefix length`."""
    options = list(extra)
    if subnet is not None:
        address, _, length = subnet.partition("/")
        options.append(dns.edns.ECSOption(address, int(length)))
    if cookie:
        options.insert(0, dns.edns.GenericOption(10, b"\1\2\3\4\5\6\7\x08"))
    if edns is None:
        edns = bool(options) or dnssec or payload != 1232
    message = dns.message.make_query(
        name,
        kind,
        use_edns=0 if edns else False,
        payload=payload,
        want_dnssec=dnssec,
        options=options if edns else None,
        id=0x1234,
    )
    if not rd:
        message.flags = 0
    return message.to_wire()


def opt(rdata: bytes = b"", *, payload: int = 1232, ttl: int = 0, owner: bytes = b"\0") -> bytes:
    """An OPT record, well formed or not."""
    return owner + struct.pack("!HHIH", 41, payload, ttl, len(rdata)) + rdata


def option(code: int, data: bytes) -> bytes:
    """An EDNS option."""
    return struct.pack("!HH", code, len(data)) + data


def raw(
    question: bytes = b"\4mail\7example\3com\0\0\1\0\1",
    tail: bytes = b"",
    *,
    flags: int = 0x0100,
    counts: tuple[int, int, int, int] = (1, 0, 0, 0),
) -> bytes:
    """A message from its parts."""
    return struct.pack("!6H", 0x1234, flags, *counts) + question + tail


class Asked:
    """A responder and its counters."""

    def __init__(self, snapshot: Snapshot, limits: Limits | None = None) -> None:
        self.snapshot = snapshot
        self.counters = [0] * snapshot.directory.layout.size
        self.responder = Responder(snapshot, self.counters, limits or Limits())
        self.native = Native(snapshot, limits)

    def reply(
        self, message: bytes, source: str = RESOLVER, proto: Proto = Proto.UDP, now: float = NOW
    ) -> bytes | None:
        """The answer, after making sure that the careful and the native way give and count the same."""
        family, address = source_of(str(ip_address(source)))
        before = list(self.counters)
        careful = self.responder.respond_carefully(message, address, family, proto, now)
        counted = [have - had for have, had in zip(self.counters, before, strict=True)]
        self.counters[:] = before
        quick = self.responder.respond(message, address, family, proto, now)
        assert quick == careful
        assert [have - had for have, had in zip(self.counters, before, strict=True)] == counted
        self.native.forget(before)
        self.native.check(message, address, family, proto, now, quick, self.counters)
        return quick

    def message(
        self, message: bytes, source: str = RESOLVER, proto: Proto = Proto.UDP, now: float = NOW
    ) -> dns.message.Message:
        """The answer as dnspython reads it: strictly, without trailing octets."""
        reply = self.reply(message, source, proto, now)
        assert reply is not None
        return dns.message.from_wire(reply)

    def addresses(self, message: bytes, source: str = RESOLVER, now: float = NOW) -> list[str]:
        """The A and AAAA data of the answer section."""
        return [item.address for rrset in self.message(message, source, now=now).answer for item in rrset]


def scope_of(message: dns.message.Message) -> int | None:
    """The scope of the client subnet option; None where there is none."""
    for found in message.options:
        if isinstance(found, dns.edns.ECSOption):
            return found.scopelen
    return None
