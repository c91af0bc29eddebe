"""Query bytes in, answer bytes out: the packet path.

The common shapes (one question, at most an OPT with client subnet and cookie) are answered here with
as few steps as Python allows; everything else goes to `careful`, which gives the same bytes for these
shapes too, only later.

A hit in the index proves that the octets up to the first zero are a whole, well-formed name: a stored
name's length octets are below 0x41, so folding case maps only themselves onto them, and octet by octet
the query has the stored name's labels. A query name with a zero octet inside a label ends early here,
which is inside a label: no stored name ends there.
"""

from collections.abc import Callable, MutableSequence
from struct import pack
from typing import NamedTuple

from georouter.answers.careful import (
    META_TYPES,
    NOT_AUTHORITATIVE,
    SLOT_OF,
    SLOT_OTHER_TYPE,
    CarefulResponder,
    told,
)
from georouter.answers.client import NO_SUBNET
from georouter.answers.conduct import Conduct
from georouter.answers.cookies import well_formed
from georouter.answers.debug import Inquiry
from georouter.answers.layout import FAMILIES, PROTOS, RCODES, TYPES, Proto
from georouter.answers.limits import MAX_TCP, MIN_PAYLOAD, Limits
from georouter.answers.lookup import NOT_OURS, REDIRECTED, below, closest_encloser
from georouter.answers.make import head_index
from georouter.answers.outgoing import Outgoing
from georouter.answers.ratelimit import SLIP
from georouter.answers.steer import Steerings
from georouter.answers.tables import PLAIN, Answer, Snapshot
from georouter.answers.tenants import Found, desk
from georouter.wire.codes import (
    CLASS_IN,
    OPTION_COOKIE,
    OPTION_ECS,
    RCODE_BADCOOKIE,
    RCODE_NOERROR,
    RCODE_SERVFAIL,
    TYPE_ANY,
)
from georouter.wire.edns import DO_FLAG, MAPPED_PREFIX, OPT_START, WIDTHS
from georouter.wire.message import FLAG_CD, FLAG_RD, FLAG_TC, MAX_LABEL, MAX_NAME, name_end

DEFAULT = Conduct()

_AD = 0x0020
_SHAPES: dict[bytes, int] = {
    pack("!HHHHH", rd | ad | cd, 1, 0, 0, opt): head_index(rd, bool(opt))
    for rd in (0, FLAG_RD)
    for ad in (0, _AD)
    for cd in (0, FLAG_CD)
    for opt in (0, 1)
}
"""Bytes 2..11 of the queries answered here -> `head_index`."""

_QUESTIONS: dict[bytes, tuple[int, int]] = {
    pack("!HH", kind, CLASS_IN): (kind, SLOT_OF.get(kind, SLOT_OTHER_TYPE))
    for kind in range(1, 261)
    if kind not in META_TYPES
}
"""Type and class of a question -> type and its counter slot."""


_SLIPS: dict[tuple[int, bool], bytes] = {
    (rd, cookie): pack(
        "!HHHH",
        0x8000 | (FLAG_RD if rd else 0) | (RCODE_BADCOOKIE & 0xF if cookie else FLAG_TC),
        1,
        0,
        0,
    )
    for rd in (0, 1)
    for cookie in (False, True)
}
"""(with RD, with cookie) -> bytes 2..9 of what slips through a rate limit."""


class Form(NamedTuple):
    """What the first 8 octets of a well-formed client subnet option promise."""

    size: int
    """Octets of the whole option."""
    echo: bytes
    """For the response, when it is the only option: the OPT's data length and the first 7 octets."""
    family: int
    """4 or 6, or 0 where the option gives no address."""
    source: int
    spare: int
    """Bits of the last address octet that must be zero."""
    shift: int
    """Bits that the first 4 (IPv4) or 8 (IPv6) address octets lack, because they were left out."""


def _forms() -> dict[bytes, Form]:
    forms: dict[bytes, Form] = {}
    for number, width in WIDTHS.items():
        for source in range(width + 1):
            octets = (source + 7) // 8
            start = pack("!HHHB", OPTION_ECS, octets + 4, number, source)
            family = (0, 4, 6)[number] if source else 0
            shift = 8 * max(0, (4 if family == 4 else 8) - octets)
            echo = pack("!H", octets + 8) + start
            forms[start + b"\0"] = Form(octets + 8, echo, family, source, (1 << (-source % 8)) - 1, shift)
    return forms


_FORMS = _forms()
_ZONE, _TCP = PROTOS * FAMILIES * TYPES, FAMILIES * TYPES
"""Request counters from one zone to the next, and from UDP to TCP."""
_number = int.from_bytes
_UNDERSCORE = 0x5F
_SCOPES = tuple(bytes((scope,)) for scope in range(129))


class Responder:
    """Answers queries from one snapshot. Not shared between threads: `counters` has one writer."""

    __slots__ = (
        "_answers",
        "_bodies",
        "_careful",
        "_cookies",
        "_counters",
        "_debug",
        "_desks",
        "_directory",
        "_heads",
        "_index",
        "_limiter",
        "_no_zone",
        "_opts",
        "_other",
        "_outside",
        "_payload",
        "_pins",
        "_responses",
        "_rrsets",
        "_sole",
        "_steerings",
        "_zone",
    )

    def __init__(
        self, snapshot: Snapshot, counters: MutableSequence[int], limits: Limits, conduct: Conduct = DEFAULT
    ) -> None:
        """`counters` holds `layout.size` ints to add to; with `layout.extent`, the census is taken too."""
        directory = snapshot.directory
        self._directory = directory
        self._index = directory.index
        self._rrsets = directory.rrsets
        self._sole = directory.sole
        self._bodies = directory.bodies
        self._heads = directory.heads
        self._other = directory.other
        self._zone = directory.zone
        self._pins = directory.pins
        self._desks: dict[int, Callable[[bytes, int, int], Found]] = {}
        self._answers = (*directory.answers, NOT_AUTHORITATIVE)
        self._outside = len(directory.answers)
        self._no_zone = len(directory.zones)
        self._responses = directory.layout.responses_base
        self._counters = counters
        self._payload = limits.udp_payload
        self._steerings = Steerings(snapshot, len(counters))
        opt = OPT_START + limits.udp_payload.to_bytes(2)
        self._opts = {pack("!I", flags): opt + pack("!I", flags) for flags in (0, DO_FLAG)}
        self._cookies = conduct.cookies
        self._limiter = conduct.limiter
        self._debug = conduct.debug is not None
        steering = self._steerings.__getitem__
        self._careful = CarefulResponder(directory, counters, limits, conduct, steering)

    def respond(self, query: bytes, source: int, family: int, proto: Proto, now: float) -> bytes | None:
        """The answer to a message, or None where silence is right: responses, and less than a header.

        `source` is the transport's source address: IPv4 as 32 bits, IPv6 as 128 bits, with
        `family` 4 or 6 (IPv4-mapped addresses are passed as IPv4). `now` is the wall clock in seconds.
        Any bytes are fine; the answer never exceeds what the client can take.

        One long function on purpose: a call costs as much as three of these steps.
        """
        shape = _SHAPES.get(query[2:12])
        end = query.find(b"\0", 12) + 1
        tail = end + 4
        asked = _QUESTIONS.get(query[end:tail])
        if shape is None or asked is None:
            return self._careful.respond(query, source, family, proto, now)
        kind, slot = asked
        name = query[12:end].lower()
        tenant = tally = decision = census = -1
        node = self._index.get(name, NOT_OURS)
        if node != NOT_OURS:
            sole = self._sole[node]
            if sole >> 16 == kind or (sole and kind == TYPE_ANY):
                ref = PLAIN + node
            else:
                held = self._rrsets.get(node << 16 | kind)
                ref = self._other[node] if held is None else held
        else:
            node, ref, tenant, tally = self._stand_in(query, name, kind)
            if ref == REDIRECTED or (self._debug and query[13] == _UNDERSCORE):
                return self._careful.respond(query, source, family, proto, now)
        size = len(query)
        form, proven = None, False
        length = block = bits = shift = scope = 0
        address = opt = echo = cookie = b""
        if shape & 1:
            at = tail + 11
            head = self._opts.get(query[tail + 5 : tail + 9])
            if size < at or head is None or query[tail : tail + 3] != OPT_START:
                return self._careful.respond(query, source, family, proto, now)
            if query[tail + 9] << 8 | query[tail + 10] != size - at:
                return self._careful.respond(query, source, family, proto, now)
            opt = head
            if at != size:
                form = _FORMS.get(query[at : at + 8])
                if form is None or at + form[0] != size:
                    at, cookie, proven = self._among_cookies(query, at, source, family, now)
                    form = _FORMS.get(query[at : at + 8])
                if form is not None:
                    length, echo, block, bits, spare, shift = form
                    address = query[at + 8 : at + length]
                    if spare and address[-1] & spare:
                        return self._careful.respond(query, source, family, proto, now)
                elif at != size:
                    return self._careful.respond(query, source, family, proto, now)
        elif size != tail:
            return self._careful.respond(query, source, family, proto, now)
        if ref >= PLAIN:
            heads, body = self._heads[self._sole[ref - PLAIN] & 0xFFFF], self._bodies[ref - PLAIN]
            extra, rcode = cookie, RCODE_NOERROR
        elif ref >= 0:
            answer = self._answers[ref]
            heads, body, extra, rcode = answer.head, answer.body, cookie + answer.option, answer.rcode
        else:
            steering = self._steerings[~ref]
            if not block or not steering.subnets:
                client = source >> 64 * (family == 6)
                found, _, decision, census = steering.steer(client, family, NO_SUBNET, now, tenant)
            elif address[:12] == MAPPED_PREFIX:
                return self._careful.respond(query, source, family, proto, now)
            else:
                client = _number(address[:8], "big") << shift
                width = bits if bits < 64 else 64  # noqa: FURB136 - min() costs three times as much
                found, scope, decision, census = steering.steer(client, block, width, now, tenant)
            if found is None:
                return self._careful.respond(query, source, family, proto, now)
            heads, body, extra, rcode = found.head, found.body, cookie + found.option, found.rcode
        if length:
            echo = (length + len(extra)).to_bytes(2, "big") + echo[2:] if extra else echo
            opt = opt + echo + _SCOPES[scope] + address + extra
        elif opt:
            opt = opt + len(extra).to_bytes(2, "big") + extra
        reply = query[:2] + heads[shape] + query[12:tail] + body + opt
        if len(reply) > MIN_PAYLOAD and len(reply) > self._limit(query, tail, shape, proto):
            return self._careful.respond(query, source, family, proto, now)
        zone = self._zone[node] if node != NOT_OURS else self._no_zone
        counters = self._counters
        if self._limiter is not None and not proven and not proto:
            verdict = self._limiter.judge(source, family, told(rcode, node, zone), now)
            if verdict:
                counters[zone * _ZONE + (TYPES if family == 6 else 0) + slot] += 1
                return self._slip(query, tail, shape, opt, cookie, zone) if verdict == SLIP else None
        counters[zone * _ZONE + (_TCP if proto else 0) + (TYPES if family == 6 else 0) + slot] += 1
        counters[self._responses + zone * RCODES + rcode] += 1
        if decision >= 0:
            counters[decision] += 1
            if census >= 0:
                counters[census] += 1
        if tally >= 0:
            counters[tally] += 1
        return reply

    def _stand_in(self, query: bytes, name: bytes, kind: int) -> tuple[int, int, int, int]:
        """Node, ref, tenant and its counter for a name that does not stand in a zone.

        The ref is `REDIRECTED` where the careful way is right: for what is no name, too. Behind a first label
        of at most 63 octets, a hit in the index proves the rest as it does a whole name.
        """
        at = 1 + name[0]
        node = self._index.get(name[at:], NOT_OURS)
        if node == NOT_OURS or at > MAX_LABEL + 1 or len(name) > MAX_NAME:
            if name_end(query, 12) != 12 + len(name):
                return NOT_OURS, REDIRECTED, -1, -1
            node = closest_encloser(self._index, name)
            if node == NOT_OURS:
                return node, self._outside, -1, -1
        if node not in self._pins:
            return node, below(self._directory, node, kind), -1, -1
        find = self._desks.get(node)
        if find is None:
            find = self._desks[node] = desk(self._directory, node)
        return find(name, at, kind)

    def _among_cookies(
        self, query: bytes, at: int, source: int, family: int, now: float
    ) -> tuple[int, bytes, bool]:
        """Where the only client subnet is, the cookie for the response, and whether the query's proves
        its source. The place is the query's end without client subnet, and -1 for the careful way.
        """
        place, sent = _find(query, at, len(query))
        if self._cookies is None or not sent:
            return place, b"", False
        if not well_formed(sent):
            return -1, b"", False
        return place, *self._cookies.answer(sent, source, family, now)

    def _slip(  # noqa: PLR0917 - what `respond` has at hand
        self, query: bytes, tail: int, shape: int, opt: bytes, cookie: bytes, zone: int
    ) -> bytes:
        """As `CarefulResponder._limited`: "bad cookie" with the right one, or "truncated"."""
        self._counters[self._responses + zone * RCODES + (RCODES - 1 if cookie else 0)] += 1
        if cookie:  # the response code's upper bits, and no other option
            opt = opt[:5] + bytes((RCODE_BADCOOKIE >> 4,)) + opt[6:9] + len(cookie).to_bytes(2) + cookie
        elif opt:
            opt = opt[:9] + b"\0\0"
        flags = _SLIPS[shape >> 1, bool(cookie)] + (b"\0\1" if opt else b"\0\0")
        return query[:2] + flags + query[12:tail] + opt

    def inquiry(self, query: bytes, source: int, family: int) -> Inquiry | None:
        """The debug question in a query that `respond` was silent to, if it is one."""
        return self._careful.inquiry(query, source, family)

    def tell(  # noqa: PLR0917 - as `respond`, and the answer
        self, query: bytes, source: int, family: int, proto: Proto, now: float, answer: Answer
    ) -> bytes | None:
        """The response to a query of which `inquiry` knows, with an answer from elsewhere."""
        return self._careful.tell(query, source, family, proto, now, answer)

    def transfer(self, query: bytes, source: int, family: int, now: float) -> Outgoing | None:
        """A transfer of a zone over TCP, where one is asked for and allowed; all else is for `respond`."""
        return self._careful.transfer(query, source, family, now)

    def respond_carefully(
        self, query: bytes, source: int, family: int, proto: Proto, now: float
    ) -> bytes | None:
        """As `respond`, without its short cuts: the same bytes, for comparison."""
        return self._careful.respond(query, source, family, proto, now)

    def _limit(self, query: bytes, tail: int, shape: int, proto: Proto) -> int:
        """As `CarefulResponder._limit`, with the OPT's class read from its place."""
        if proto is Proto.TCP:
            return MAX_TCP
        if not shape & 1:
            return MIN_PAYLOAD
        return min(max(MIN_PAYLOAD, query[tail + 3] << 8 | query[tail + 4]), self._payload)


def fail(query: bytes) -> bytes | None:
    """SERVFAIL without question or OPT, for a query whose answering failed; None for a response."""
    if len(query) < 12 or query[2] & 0x80:
        return None
    return query[:2] + bytes((0x80 | (query[2] & 0x79), RCODE_SERVFAIL)) + bytes(8)


def _find(query: bytes, at: int, size: int) -> tuple[int, bytes]:
    """Where the only client subnet is, and the first cookie's data, if there is no other option.

    The client subnet's place is `size` when there is none and -1 where there are other options.
    """
    found, cookie = size, b""
    while at < size:
        if at + 4 > size:
            return -1, b""
        code = query[at] << 8 | query[at + 1]
        stop = at + 4 + (query[at + 2] << 8 | query[at + 3])
        if stop > size:
            return -1, b""
        if code == OPTION_COOKIE and stop != at + 4:
            cookie = cookie or query[at + 4 : stop]
        elif code == OPTION_ECS and found == size:
            found = at
        else:
            return -1, b""
        at = stop
    return found, cookie
