"""Zones that may be copied, and messages that ask for them."""

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.xfr
import dns.zone

from georouter.answers.conduct import Conduct
from georouter.answers.copies import Copies, Copy, Delta, Grant
from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.networks import of
from georouter.answers.respond import Responder
from georouter.compiler.difference import difference
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.policy.model import Transfer, Zone
from georouter.policy.resolve.places import parse_network
from georouter.server.source import source_of
from georouter.wire.names import parse_name
from georouter.wire.tsig import Key
from tests.answers.ask import NOW
from tests.answers.twin import Native
from tests.compiler.build import policy, service, tiny_map, world, zone

KEY = Key(parse_name("key.example"), "hmac-sha256", b"s" * 32)
FRIEND, STRANGER = "192.0.2.54", "198.51.100.54"
GRANT = Grant(of([parse_network("192.0.2.0/24"), parse_network("2001:db8::/32")]), frozenset({KEY.name}))

Rows = Sequence[tuple[str, str, str]]
ROWS: Rows = (
    ("a", "A", "192.0.2.1"),
    ("a", "A", "192.0.2.2"),
    ("b.c", "TXT", "text"),
    ("alias", "CNAME", "Away.Example.COM."),
    ("@", "MX", "10 a"),
    *((f"h{number}", "A", f"192.0.2.{number}") for number in range(10, 40)),
)


def transferable(name: str = "example.com", rows: Rows = ROWS, serial: int = 7, **steered: str) -> Zone:
    """A zone that is compiled for copying."""
    made = zone(name, rows, steered)
    return replace(made, soa=replace(made.soa, serial=serial), transfer=Transfer())


class Primary:
    """A responder for these zones, the first of which may be copied; `versions` of it came before."""

    def __init__(
        self, *zones: Zone, grant: Grant = GRANT, versions: Sequence[Zone] = (), **settings: object
    ) -> None:
        services = [service("web")]
        made = plan(policy(zones, services), tiny_map(), world())
        contents = [
            plan(policy([item, *zones[1:]], services), tiny_map(), world()).contents[item.name]
            for item in versions
        ] + [made.contents[zones[0].name]]
        deltas: list[Delta] = []
        for old, new in itertools.pairwise(contents):
            step = difference(old, new)
            assert step is not None
            deltas.append(step)
        self.copy = Copy(contents[-1], grant, tuple(deltas))
        self.copies = Copies({self.copy.content.apex: self.copy}, {KEY.name: KEY})
        self.snapshot = publish(made, world(), 1).snapshot
        self.counters = [0] * self.snapshot.directory.layout.size
        conduct = Conduct(copies=self.copies, **settings)  # type: ignore[arg-type]
        self.responder = Responder(self.snapshot, self.counters, Limits(), conduct)
        self.native = Native(self.snapshot, Limits(), conduct)

    def reply(
        self, wire: bytes, source: str = FRIEND, proto: Proto = Proto.UDP, now: float = NOW
    ) -> bytes | None:
        """One answer, the same by both ways."""
        family, address = source_of(source)
        before = list(self.counters)
        careful = self.responder.respond_carefully(wire, address, family, proto, now)
        self.counters[:] = before
        self.native.forget(before)
        assert self.responder.respond(wire, address, family, proto, now) == careful
        self.native.check(wire, address, family, proto, now, careful, self.counters)
        return careful

    def message(
        self, query: dns.message.Message, source: str = FRIEND, proto: Proto = Proto.UDP
    ) -> dns.message.Message:
        """The answer as dnspython reads it, its signature proven where there is one."""
        reply = self.reply(query.to_wire(), source, proto)
        assert reply is not None
        return dns.message.from_wire(reply, keyring=query.keyring, request_mac=query.mac)

    def messages(self, query: dns.message.Message | bytes, source: str = FRIEND) -> list[bytes] | None:
        """The messages of a transfer; None where there is none."""
        family, address = source_of(source)
        wire = query if isinstance(query, bytes) else query.to_wire()
        outgoing = self.responder.transfer(wire, address, family, NOW)
        return None if outgoing is None else list(_drained(outgoing))

    def copied(self, query: dns.message.Message, into: dns.zone.Zone | None = None) -> dns.zone.Zone:
        """The zone that dnspython makes of a transfer, checked as it checks transfers."""
        messages = self.messages(query)
        assert messages
        target = into if into is not None else dns.zone.Zone(query.question[0].name, relativize=False)
        asked = query.question[0].rdtype
        context = None
        serial = query.authority[0][0].serial if query.authority else None
        with dns.xfr.Inbound(target, asked, serial) as inbound:
            for wire in messages:
                read = dns.message.from_wire(
                    wire,
                    keyring=query.keyring,
                    request_mac=query.mac,
                    xfr=True,
                    tsig_ctx=context,
                    multi=True,
                    one_rr_per_rrset=asked == dns.rdatatype.IXFR,
                )
                context = read.tsig_ctx
                assert read.id == query.id
                assert read.had_tsig == (query.keyring is not None)
                done = inbound.process_message(read)
            assert done
        return target


def _drained(outgoing: object) -> Iterator[bytes]:
    while (message := outgoing.next(NOW)) is not None:  # type: ignore[attr-defined]
        yield message


def asking(
    kind: str = "AXFR", name: str = "example.com", serial: int | None = None, **how: object
) -> dns.message.Message:
    """A request for a zone; `serial` is what the client has."""
    query = dns.message.make_query(name, kind, id=0x1234, **how)  # type: ignore[arg-type]
    query.flags = 0
    if serial is not None:
        soa = f". . {serial} 0 0 0 0"
        query.authority.append(dns.rrset.from_text(f"{name}.", 0, "IN", "SOA", soa))
    return query


def lines(copied: dns.zone.Zone) -> set[str]:
    """A zone's records as text."""
    out = io.StringIO()
    copied.to_file(out, relativize=False, want_origin=False)
    return set(out.getvalue().split("\n")) - {""}
