"""The complete answering of a query, step by step: the reference for every faster path.

    bytes ─► parse_query ─► look up ─► steer ─► encode, cut to the client's limit

`respond.Responder` answers the common shapes itself and gives the same bytes.
"""

from collections.abc import Callable, MutableSequence
from struct import pack
from typing import TYPE_CHECKING

from georouter.answers.client import NO_SUBNET, block_of
from georouter.answers.conduct import Conduct
from georouter.answers.cookies import CLIENT_SIZE, well_formed
from georouter.answers.copies import Copy
from georouter.answers.debug import TOO_MANY, Inquiry
from georouter.answers.layout import FAMILIES, PROTOS, RCODES, TYPE_SLOTS, TYPES, Proto
from georouter.answers.limits import MAX_PAYLOAD, MAX_TCP, MIN_PAYLOAD, Limits
from georouter.answers.lookup import NOT_OURS, REDIRECTED, at_node, below, closest_encloser, static, zone_at
from georouter.answers.make import AA, QR, head_index, make_answer
from georouter.answers.outgoing import NO_SERIAL, NOT_OVER_UDP, TRANSFERS, Outgoing, in_one, judge, plan
from georouter.answers.ratelimit import ANSWER, ANSWERS, DROP, ERRORS, MISSING, SLIP
from georouter.answers.redirect import follow
from georouter.answers.steer import Steering
from georouter.answers.tables import Answer, Directory
from georouter.answers.tenants import NOBODY, pinned, tally_of
from georouter.wire.codes import (
    CLASS_ANY,
    CLASS_CH,
    CLASS_IN,
    EDE_NOT_AUTHORITATIVE,
    EDE_NOT_SUPPORTED,
    OPCODE_QUERY,
    OPTION_KEEPALIVE,
    OPTION_NSID,
    RCODE_BADCOOKIE,
    RCODE_BADKEY,
    RCODE_BADTIME,
    RCODE_BADTRUNC,
    RCODE_FORMERR,
    RCODE_NOERROR,
    RCODE_NOTAUTH,
    RCODE_NXDOMAIN,
    RCODE_REFUSED,
    RCODE_SERVFAIL,
    TYPE_ANY,
    TYPE_AXFR,
    TYPE_IXFR,
    TYPE_TXT,
)
from georouter.wire.compress import compress
from georouter.wire.edns import ClientSubnet, make_error, make_opt, make_option
from georouter.wire.message import FLAG_RD, FLAG_TC, HEADER_SIZE, Query, Question, parse_query
from georouter.wire.tsig import find, unsigned_error

if TYPE_CHECKING:
    from georouter.wire.signing import Signer

META_TYPES = TRANSFERS
"""Not data of any name (RFC 6895 3.1)."""
SLOT_OF: dict[int, int] = {kind: slot for slot, (kind, _) in enumerate(TYPE_SLOTS)}
"""Query type -> its place among the request counters."""
SLOT_OTHER_TYPE = len(TYPE_SLOTS)

NOT_AUTHORITATIVE = make_answer(
    rcode=RCODE_REFUSED, authoritative=False, option=make_error(EDE_NOT_AUTHORITATIVE)
)
"""For names outside our zones and classes other than IN (RFC 8914 4.21)."""
NOT_SUPPORTED = make_answer(rcode=RCODE_REFUSED, authoritative=False, option=make_error(EDE_NOT_SUPPORTED))
"""For meta types that are no transfers (RFC 8914 4.22)."""

_OPCODE_BITS = 0x7800

Lane = tuple[int, Proto, int]
"""Zone, transport and its address family: where a query is counted."""


class CarefulResponder:
    """Answers anything. `steering` gives the `Steering` of a view's index."""

    def __init__(
        self,
        directory: Directory,
        counters: MutableSequence[int],
        limits: Limits,
        conduct: Conduct,
        steering: Callable[[int], Steering],
    ) -> None:
        self._directory = directory
        self._counters = counters
        self._limits = limits
        self._cookies = conduct.cookies
        self._limiter = conduct.limiter
        # in units of 100 ms (RFC 7828 3.1)
        stay = min(int(conduct.keepalive_s * 10), 0xFFFF).to_bytes(2)
        self._keepalive = make_option(OPTION_KEEPALIVE, stay)
        self._debug = conduct.debug
        self._copies = conduct.copies
        self._nsid = make_option(OPTION_NSID, conduct.nsid) if conduct.nsid else b""
        self._chaos = chaos_answers(conduct)
        self._steering = steering
        self._no_zone = len(directory.zones)

    def respond(self, query: bytes, source: int, family: int, proto: Proto, now: float) -> bytes | None:
        """As `Responder.respond`."""
        asked = parse_query(query)
        if asked is None:
            self._count_request(self._no_zone, proto, family, SLOT_OTHER_TYPE)
            return None
        if asked.tsig is not None:
            return self._respond_signed(query, asked, source, family, proto, now)
        return self._respond(query, asked, source, family, proto, now)

    def transfer(self, query: bytes, source: int, family: int, now: float) -> Outgoing | None:
        """A transfer over TCP, for who asks for one and may have it; else None, and `respond` says why."""
        asked = parse_query(query)
        if asked is None or asked.question is None or asked.opcode != OPCODE_QUERY:
            return None
        question, tsig, signer = asked.question, asked.tsig, None
        cookie, _, error = self._prove(asked, source, family, now)
        if error or question.type not in TRANSFERS or question.klass != CLASS_IN:
            return None
        if question.type == TYPE_IXFR and asked.serial is None:
            return None
        if tsig is not None:
            key = find(tsig, self._copies.keys)
            if key is None:
                return None
            from georouter.wire.signing import Signer, verify  # noqa: PLC0415 - who holds keys loads it

            if verify(query, tsig, key, now):
                return None
            signer = Signer(key, tsig.mac, several=True)
        copy = judge(self._directory, self._copies, question.name, (source, family), signer)
        if isinstance(copy, Answer):
            return None
        zone = zone_at(self._directory, copy.content.apex)
        self._count_request(zone, Proto.TCP, family, SLOT_OTHER_TYPE)
        self._count_response(zone, RCODE_NOERROR)
        options = self._options(asked, 0, cookie, Proto.TCP)
        return Outgoing(asked, copy.content, *plan(asked, copy), signer).begin(
            self._opt(asked, RCODE_NOERROR, options)
        )

    def _respond_signed(  # noqa: PLR0917 - as `respond`, and what it read
        self, query: bytes, asked: Query, source: int, family: int, proto: Proto, now: float
    ) -> bytes | None:
        """As `respond` for a request with a TSIG: signed, or NOTAUTH (RFC 8945 5.2)."""
        tsig = asked.tsig
        assert tsig is not None  # noqa: S101 - it was looked at
        key = find(tsig, self._copies.keys)
        if key is None:
            reply = self._not_signed(asked, source, family, proto, now)
            return None if reply is None else unsigned_error(reply, tsig, RCODE_BADKEY)
        from georouter.wire.signing import Signer, verify  # noqa: PLC0415 - who holds keys loads it

        error, signer = verify(query, tsig, key, now), Signer(key, tsig.mac)
        if not error:
            reply = self._respond(query, asked, source, family, proto, now, signer=signer)
            return None if reply is None else signer.sign(reply, now)
        rcode = RCODE_FORMERR if error == RCODE_FORMERR else RCODE_NOTAUTH
        reply = self._not_signed(asked, source, family, proto, now, rcode)
        if reply is None or error == RCODE_FORMERR:
            return reply
        if error == RCODE_BADTIME:
            return signer.too_late(reply, tsig, now)
        if error == RCODE_BADTRUNC:
            return signer.cut_short(reply, now)
        return unsigned_error(reply, tsig, error)

    def _not_signed(  # noqa: PLR0917 - as `respond`, and what it read
        self,
        asked: Query,
        source: int,
        family: int,
        proto: Proto,
        now: float,
        rcode: int = RCODE_NOTAUTH,
    ) -> bytes | None:
        """The answer to a request whose signature is not right, itself not signed yet."""
        cookie, proven, _ = self._prove(asked, source, family, now)
        lane = (self._no_zone, proto, family)
        if self._limiter is not None and not proven and proto is Proto.UDP:
            verdict = self._limiter.judge(source, family, ERRORS, now)
            if verdict != ANSWER:
                return self._limited(DROP, asked, lane, cookie)
        return self._error(asked, lane, rcode, cookie)

    def _respond(  # noqa: PLR0917 - as `respond`, and what it read
        self,
        query: bytes,
        asked: Query,
        source: int,
        family: int,
        proto: Proto,
        now: float,
        *,
        signer: "Signer | None" = None,
    ) -> bytes | None:
        """As `respond`, for a message that could be read. `signer` will sign the answer."""
        cookie, proven, error = self._prove(asked, source, family, now)
        limiter = None if proven or signer or proto is Proto.TCP else self._limiter
        question = asked.question
        if question is not None and not error and asked.opcode != OPCODE_QUERY:
            error = self._no_change(question)
        if question is None or error:
            verdict = limiter.judge(source, family, ERRORS, now) if limiter else ANSWER
            if verdict != ANSWER:
                return self._limited(verdict, asked, (self._no_zone, proto, family), cookie)
            return self._error(asked, (self._no_zone, proto, family), error, cookie)
        debug = self._debug if signer is None else None  # who signs is answered at once
        if debug is not None and debug.inquiry(self._directory, asked, source, family):
            if debug.too_many(source, family, now):
                return self.tell(query, source, family, proto, now, TOO_MANY)
            return None
        limit = self._limit(asked, proto) - (signer.room if signer else 0)
        tenant = tally = NOBODY
        subnet = asked.opt.subnet if asked.opt else None
        if question.type in TRANSFERS and question.klass == CLASS_IN:
            opt = self._opt(asked, RCODE_NOERROR, self._options(asked, 0, cookie, proto))
            room = limit - HEADER_SIZE - len(question.raw) - len(opt)
            answer, node, ref = self._in_one(asked, question, (source, family), signer, room)
        else:
            answer, node, ref, tenant, tally = self._look_up(question)
        zone = self._directory.zone[node] if node != NOT_OURS else self._no_zone
        scope, way = 0, None
        decision = census = -1
        if answer is None and ref == REDIRECTED:
            way = follow(self._directory, question.name, question.type)
            answer, ref, tenant, tally = way.alone, way.ref, way.tenant, way.tally
        if answer is None and ref >= 0:
            answer = static(self._directory, ref)
        elif answer is None:
            steering = self._steering(~ref)
            answer, scope, decision, census = self._steer(steering, subnet, source, family, now, tenant)
        if way is not None:
            answer = way.led_to(answer)
        options = self._options(asked, scope, cookie, proto)
        reply = self._encode(asked, question, answer, options, limit)
        if limiter is not None:
            verdict = limiter.judge(source, family, told(answer.rcode, node, zone), now)
            if verdict != ANSWER:
                return self._limited(verdict, asked, (zone, proto, family), cookie)
        for counter in (decision, census, tally):
            if counter >= 0:
                self._counters[counter] += 1
        if len(reply) > limit:
            return self._error(asked, (zone, proto, family), RCODE_SERVFAIL, cookie)
        self._count_request(zone, proto, family, SLOT_OF.get(question.type, SLOT_OTHER_TYPE))
        self._count_response(zone, answer.rcode)
        return for_any_class(reply) if question.klass == CLASS_ANY else reply

    def _options(self, asked: Query, scope: int, cookie: bytes, proto: Proto) -> bytes:
        """The options of an answer, but for an extended error: what the query asked for, in this order."""
        opt = asked.opt
        if opt is None:
            return b""
        options = (opt.subnet.echo(scope) if opt.subnet else b"") + cookie
        if opt.nsid:
            options += self._nsid
        if opt.keepalive and proto is Proto.TCP:
            options += self._keepalive
        return options

    def inquiry(self, query: bytes, source: int, family: int) -> Inquiry | None:
        """The debug question in a query that `respond` was silent to, if it is one."""
        asked = parse_query(query)
        if self._debug is None or asked is None or asked.error:
            return None
        return self._debug.inquiry(self._directory, asked, source, family)

    def tell(  # noqa: PLR0917 - as `respond`, and the answer
        self, query: bytes, source: int, family: int, proto: Proto, now: float, answer: Answer
    ) -> bytes | None:
        """The response to a query of which `inquiry` knows, with an answer from elsewhere."""
        asked = parse_query(query)
        if asked is None or asked.question is None:
            return None
        cookie, _, _ = self._prove(asked, source, family, now)
        subnet = asked.opt.subnet if asked.opt else None
        options = self._options(asked, subnet.source if subnet else 0, cookie, proto)
        reply = self._encode(asked, asked.question, answer, options, self._limit(asked, proto))
        node = closest_encloser(self._directory.index, asked.question.name.lower())
        zone = self._directory.zone[node] if node != NOT_OURS else self._no_zone
        self._count_request(zone, proto, family, SLOT_OF[TYPE_TXT])
        self._count_response(zone, answer.rcode)
        return reply

    def _prove(self, asked: Query, source: int, family: int, now: float) -> tuple[bytes, bool, int]:
        """The cookie option for the response, whether the query's proves its source, and the error."""
        data = asked.opt.cookie if asked.opt else None
        if data is None:
            return b"", False, asked.error
        lone = asked.question is None and not asked.error
        if self._cookies is None:
            return b"", False, RCODE_FORMERR if lone else asked.error
        if not well_formed(data):
            return b"", False, asked.error or RCODE_FORMERR
        cookie, proven = self._cookies.answer(data, source, family, now)
        if lone and not proven and len(data) > CLIENT_SIZE:
            return cookie, False, RCODE_BADCOOKIE
        return cookie, proven, asked.error

    def _limited(self, verdict: int, asked: Query, lane: Lane, cookie: bytes) -> bytes | None:
        """Nothing, or no more than the query: "bad cookie" to who sent one, else "truncated"."""
        if verdict == SLIP:
            if cookie:
                return self._error(asked, lane, RCODE_BADCOOKIE, cookie)
            return self._error(asked, lane, RCODE_NOERROR, b"", FLAG_TC)
        zone, proto, family = lane
        self._count_request(zone, proto, family, self._slot(asked, zone))
        return None

    def _steer(  # noqa: PLR0917 - a client at a time, and whose name it asks for
        self,
        steering: Steering,
        subnet: ClientSubnet | None,
        source: int,
        family: int,
        now: float,
        tenant: int,
    ) -> tuple[Answer, int, int, int]:
        """A steered answer, its scope, and its counters."""
        scope = 0
        if subnet is not None and steering.subnets:
            address, client_family, bits, extra = block_of(subnet)
            scope = extra
            if bits != NO_SUBNET:
                answer, width, decision, census = steering.steer(address, client_family, bits, now, tenant)
                if answer is not None:
                    return answer, extra + width, decision, census
                scope = max(subnet.source, extra + width)
        resolver = source if family == 4 else source >> 64
        answer, decision, census = steering.steer_resolver(resolver, family, now, tenant)
        return answer, scope, decision, census

    def _look_up(self, question: Question) -> tuple[Answer | None, int, int, int, int]:
        """(a fixed answer, node, -) or (None, node, ref), the tenant's kind, and its counter or -1."""
        directory = self._directory
        tenant = tally = NOBODY
        if question.klass == CLASS_CH and question.type in {TYPE_TXT, TYPE_ANY}:
            chaos = self._chaos.get(question.name.lower(), NOT_AUTHORITATIVE)
            return chaos, NOT_OURS, 0, tenant, tally
        if question.klass not in (CLASS_IN, CLASS_ANY):
            return NOT_AUTHORITATIVE, NOT_OURS, 0, tenant, tally
        name = question.name.lower()
        node = directory.index.get(name)
        if node is not None:
            ref = at_node(directory, node, question.type)
        else:
            node = closest_encloser(directory.index, name)
            if node == NOT_OURS:
                return NOT_AUTHORITATIVE, NOT_OURS, 0, tenant, tally
            ref = below(directory, node, question.type)
            pin = directory.pins.get(node)
            if pin is not None:
                ref, tenant = pinned(directory, pin, name, ref)
                tally = tally_of(pin, tenant)
        return (NOT_SUPPORTED if question.type in META_TYPES else None), node, ref, tenant, tally

    def _in_one(
        self, asked: Query, question: Question, client: tuple[int, int], signer: "Signer | None", room: int
    ) -> tuple[Answer | None, int, int]:
        """A transfer that one message holds, or why there is none; as `_look_up`."""
        found = judge(self._directory, self._copies, question.name, client, signer)
        if isinstance(found, Copy):
            if question.type == TYPE_AXFR:
                found = NOT_OVER_UDP
            elif asked.serial is None:
                found = NO_SERIAL
            else:
                found = in_one(asked, found, room)
        return found, self._directory.index.get(question.name.lower(), NOT_OURS), 0

    def _no_change(self, question: Question) -> int:
        """The response code for NOTIFY and UPDATE: nobody tells us about a zone of ours, nor changes it
        (RFC 1996 3.10, RFC 2136 3.3); others are not ours (RFC 2136 3.1.1).
        """
        ours = question.klass == CLASS_IN and zone_at(self._directory, question.name.lower()) >= 0
        return RCODE_REFUSED if ours else RCODE_NOTAUTH

    def _encode(self, asked: Query, question: Question, answer: Answer, echo: bytes, limit: int) -> bytes:
        """The message, made smaller where the client cannot take all: first names are compressed, then
        the extended error goes (RFC 8914 3), then glue that is not required (RFC 9471 3.2), then
        everything but question and OPT (TC: RFC 2181 9, RFC 6891 7).
        """
        which = head_index(asked.flags, asked.opt is not None)
        head = answer.head[which]
        opt = self._opt(asked, answer.rcode, echo + answer.option)
        reply = b"".join((asked.id, head, question.raw, answer.body, opt))
        if len(reply) <= limit or limit > MAX_PAYLOAD:
            return reply
        bare = self._opt(asked, answer.rcode, echo)
        smaller = [(answer, opt), (answer, bare)] if answer.option else [(answer, opt)]
        if answer.least is not None:
            smaller.append((answer.least, bare))
        for less, end in smaller:
            room = limit - HEADER_SIZE - len(question.raw) - len(end)
            body = compress(question.name.lower(), less.body, room)
            if body is not None:
                return b"".join((asked.id, less.head[which], question.raw, body, end))
        flags = int.from_bytes(head[:2]) | FLAG_TC
        counts = b"\0\1\0\0\0\0" + (b"\0\1" if bare else b"\0\0")
        return b"".join((asked.id, flags.to_bytes(2), counts, question.raw, bare))

    def _limit(self, asked: Query, proto: Proto) -> int:
        """The most octets this client can take over this transport."""
        if proto is Proto.TCP:
            return MAX_TCP
        if asked.opt is None:
            return MIN_PAYLOAD
        return min(max(MIN_PAYLOAD, asked.opt.payload), self._limits.udp_payload)

    def _opt(self, asked: Query, rcode: int, options: bytes) -> bytes:
        """Our OPT record, for queries that have one (RFC 6891 6.1.1, 7)."""
        if asked.opt is None:
            return b""
        return make_opt(self._limits.udp_payload, asked.opt.dnssec_ok, rcode, options)

    def _error(self, asked: Query, lane: Lane, rcode: int, cookie: bytes, flags: int = 0) -> bytes:
        """A message with no records but OPT; the question only where it could be read."""
        question = asked.question.raw if asked.question else b""
        opt = self._opt(asked, rcode, cookie)
        kept = asked.flags & _OPCODE_BITS or asked.flags & FLAG_RD  # only QUERY has an RD bit
        flags |= QR | kept | (rcode & 0xF)
        counts = bytes((0, 1 if question else 0, 0, 0, 0, 0, 0, 1 if opt else 0))
        zone, proto, family = lane
        self._count_request(zone, proto, family, self._slot(asked, zone))
        self._count_response(zone, rcode)
        return b"".join((asked.id, flags.to_bytes(2), counts, question, opt))

    def _slot(self, asked: Query, zone: int) -> int:
        """The counter slot of the question's type, where the question was looked up."""
        if asked.question is None or (zone == self._no_zone and asked.error):
            return SLOT_OTHER_TYPE
        return SLOT_OF.get(asked.question.type, SLOT_OTHER_TYPE)

    def _count_request(self, zone: int, proto: Proto, family: int, slot: int) -> None:
        lane = (zone * PROTOS + proto) * FAMILIES + (1 if family == 6 else 0)
        self._counters[lane * TYPES + slot] += 1

    def _count_response(self, zone: int, rcode: int) -> None:
        if rcode == RCODE_BADCOOKIE:
            rcode = RCODES - 1
        self._counters[self._directory.layout.responses_base + zone * RCODES + rcode] += 1


def for_any_class(reply: bytes) -> bytes:
    """Without AA: of all classes, we know one (RFC 1035 6.2)."""
    return reply[:2] + (int.from_bytes(reply[2:4]) & ~AA).to_bytes(2) + reply[4:]


def told(rcode: int, node: int, zone: int) -> int:
    """What a response tells, for rate limiting: a name's answers, a zone's missing names, or an error."""
    if rcode == RCODE_NOERROR:
        return node << 2 | ANSWERS
    return zone << 2 | MISSING if rcode == RCODE_NXDOMAIN else ERRORS


def chaos_answers(conduct: Conduct) -> dict[bytes, Answer]:
    """Answers of class CH by lower-case name: who and what we are, as far as the operator lets us say."""
    texts = {
        b"\7version\4bind\0": conduct.version,
        b"\7version\6server\0": conduct.version,
        b"\2id\6server\0": conduct.identity,
        b"\x08hostname\4bind\0": conduct.identity,
    }
    return {name: _chaos_text(text.encode()) for name, text in texts.items() if text}


def _chaos_text(text: bytes) -> Answer:
    rdata = len(text).to_bytes(1) + text
    record = b"\xc0\x0c" + pack("!HHIH", TYPE_TXT, CLASS_CH, 0, len(rdata)) + rdata
    return make_answer(answers=1, body=record)
