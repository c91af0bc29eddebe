"""Cookies, rate limiting and names of the server, in whole messages; all ways of answering agree."""

import random

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from georouter.answers.conduct import Conduct
from georouter.answers.cookies import Cookies
from georouter.answers.debug import RATE, Debug
from georouter.answers.layout import RCODES, Proto
from georouter.answers.limits import Limits
from georouter.answers.native import available
from georouter.answers.networks import Networks
from georouter.answers.ratelimit import Buckets, Rate, RateLimiter
from georouter.answers.respond import Responder
from georouter.server.source import source_of
from tests.answers.ask import NOW, RESOLVER, Asked, opt, option, query, raw
from tests.answers.build import example
from tests.answers.test_respond_differential import SOURCES, messages, mutate
from tests.answers.twin import Native

SECRET = bytes(range(16))
CLIENT = bytes(range(8))


class Twin:
    """Responders that see the same messages, one quick, one careful and one native: they must agree."""

    def __init__(self, **settings: object) -> None:
        rate = settings.pop("rate", None)
        allowed = settings.pop("debug", None)
        snapshot = example()
        self.layout = snapshot.directory.layout
        self.counters: list[list[int]] = []
        self.responders: list[Responder] = []
        self.limiters: list[RateLimiter] = []
        for _ in range(3):
            limiter = RateLimiter(rate, Buckets(1, 1 << 12)) if isinstance(rate, Rate) else None
            debug = None
            if isinstance(allowed, Networks):
                debug = Debug(allowed, RateLimiter(RATE, Buckets(1, 1 << 10)))
            conduct = Conduct(limiter=limiter, debug=debug, **settings)  # type: ignore[arg-type]
            if len(self.responders) == 2:
                self.native = Native(snapshot, Limits(), conduct)
                break
            counters = [0] * self.layout.size
            self.counters.append(counters)
            self.responders.append(Responder(snapshot, counters, Limits(), conduct))
            self.limiters += [limiter] if limiter else []

    def reply(
        self, message: bytes, source: str = RESOLVER, proto: Proto = Proto.UDP, now: float = NOW
    ) -> bytes | None:
        """The answer that both give and count alike."""
        family, address = source_of(source)
        quick, careful = self.responders
        got = quick.respond(message, address, family, proto, now)
        assert got == careful.respond_carefully(message, address, family, proto, now)
        assert self.counters[0] == self.counters[1]
        self.native.check(message, address, family, proto, now, got, self.counters[0])
        if self.limiters:
            one, other = self.limiters
            assert (one.slipped, one.dropped) == (other.slipped, other.dropped)
            assert not available() or self.native.limited == (one.slipped, one.dropped)
        return got

    def message(
        self, message: bytes, source: str = RESOLVER, proto: Proto = Proto.UDP, now: float = NOW
    ) -> dns.message.Message:
        """The answer as dnspython reads it."""
        reply = self.reply(message, source, proto, now)
        assert reply is not None
        return dns.message.from_wire(reply)


def cookie_of(message: dns.message.Message) -> bytes | None:
    """Client and server cookie."""
    for found in message.options:
        if isinstance(found, dns.edns.CookieOption):
            return bytes(found.client) + bytes(found.server)
    return None


def with_cookie(data: bytes, name: str = "mail.example.com", **settings: object) -> bytes:
    """A query with this cookie."""
    return query(name, extra=(dns.edns.GenericOption(10, data),), **settings)  # type: ignore[arg-type]


@pytest.fixture
def cookies() -> Twin:
    """A server with cookies."""
    return Twin(cookies=Cookies((SECRET,)))


@pytest.mark.parametrize(
    "name", ["mail.example.com", "www.example.com", "nope.example.com", "ede.example.com", "example.net"]
)
@pytest.mark.parametrize("subnet", [None, "81.2.69.0/24"])
@pytest.mark.parametrize("source", [RESOLVER, "2a00::1"])
def test_a_cookie_is_answered_and_comes_back(
    cookies: Twin, name: str, subnet: str | None, source: str
) -> None:
    """With every kind of answer, beside a client subnet and an extended error."""
    first = cookie_of(cookies.message(with_cookie(CLIENT, name, subnet=subnet), source))
    assert first is not None
    assert (len(first), first[:8]) == (24, CLIENT)
    again = cookies.message(with_cookie(first, name, subnet=subnet), source, now=NOW + 60)
    assert cookie_of(again) == first


def test_no_cookie_for_who_sends_none(cookies: Twin) -> None:
    """Nor for anybody when they are off."""
    assert cookie_of(cookies.message(query("mail.example.com", edns=True))) is None
    assert cookie_of(Twin().message(with_cookie(CLIENT))) is None


@pytest.mark.parametrize("size", [0, 1, 7, 9, 15, 41, 300])
def test_malformed_cookies(cookies: Twin, size: int) -> None:
    """FORMERR (RFC 7873 5.2.2), and ignored where cookies are off."""
    assert cookies.message(with_cookie(bytes(size))).rcode() == dns.rcode.FORMERR
    assert Twin().message(with_cookie(bytes(size))).rcode() == dns.rcode.NOERROR


def test_a_wrong_server_cookie_is_no_error_without_rate_limiting(cookies: Twin) -> None:
    """The answer, and a right one (RFC 7873 5.2.4)."""
    told = cookies.message(with_cookie(CLIENT + bytes(16)))
    assert told.rcode() == dns.rcode.NOERROR
    assert told.answer
    assert cookie_of(told) != CLIENT + bytes(16)


def test_of_several_cookies_the_first_counts(cookies: Twin) -> None:
    """RFC 7873 5.2."""
    rdata = option(10, CLIENT) + option(10, b"x" * 8)
    reply = cookies.message(raw(tail=opt(rdata), counts=(1, 0, 0, 1)))
    assert (cookie_of(reply) or b"")[:8] == CLIENT


def test_errors_carry_cookies(cookies: Twin) -> None:
    """NOTIMP and FORMERR of other reasons; not BADVERS, whose options nobody read."""
    message = raw(tail=opt(option(10, CLIENT)), counts=(1, 0, 0, 1), flags=0x1800)
    reply = cookies.reply(message)
    assert reply is not None
    assert reply[3] & 0xF == dns.rcode.NOTIMP
    assert CLIENT in reply


def test_asking_for_nothing_but_a_cookie(cookies: Twin) -> None:
    """RFC 7873 5.4: NOERROR for none or a good one, BADCOOKIE for a bad one, FORMERR where there are none."""

    def lone(data: bytes) -> bytes:
        return raw(b"", opt(option(10, data)), counts=(0, 0, 0, 1))

    told = cookies.message(lone(CLIENT))
    assert (told.rcode(), told.question, told.answer) == (dns.rcode.NOERROR, [], [])
    good = cookie_of(told)
    assert good is not None
    assert cookies.message(lone(good)).rcode() == dns.rcode.NOERROR
    assert cookies.message(lone(good[:-1] + b"x")).rcode() == dns.rcode.BADCOOKIE
    assert cookies.message(lone(bytes(9))).rcode() == dns.rcode.FORMERR
    assert Twin().message(lone(CLIENT)).rcode() == dns.rcode.FORMERR


# -- rate limiting -----------------------------------------------------------------------------

FLOOD = Rate(5, slip=2)


@pytest.mark.parametrize(
    "name", ["mail.example.com", "www.example.com", "nope.example.com", "example.net", "big.example.com"]
)
@pytest.mark.parametrize("edns", [False, True])
def test_a_flood_is_answered_with_truncation_or_not_at_all(name: str, edns: bool) -> None:
    """Five answers a second; then every second one is truncated, no larger than the query, and counted."""
    twin = Twin(rate=FLOOD)
    message = query(name, "TXT" if name.startswith("big") else "A", edns=edns)
    replies = [twin.reply(message) for _ in range(25)]
    assert all(replies[:5])
    assert replies[5::2] == [None] * 10
    for reply in replies[6::2]:
        assert reply is not None
        assert len(reply) <= len(message)
        told = dns.message.from_wire(reply)
        assert told.flags & dns.flags.TC
        assert not told.answer + told.authority
    assert (twin.limiters[0].slipped, twin.limiters[0].dropped) == (10, 10)
    assert sum(twin.counters[0][: twin.layout.responses_base]) == 25
    services = min(service.base for service in twin.layout.services)
    assert sum(twin.counters[0][twin.layout.responses_base : services]) == 15


def test_tcp_is_not_limited() -> None:
    """Whoever can hold a connection is where they say."""
    twin = Twin(rate=FLOOD)
    assert all(twin.message(query("mail.example.com"), proto=Proto.TCP).answer for _ in range(30))


def test_good_cookies_are_not_limited_and_bad_ones_get_badcookie() -> None:
    """RFC 7873 5.2.3: the small answer has what the client needs to come back."""
    twin = Twin(rate=FLOOD, cookies=Cookies((SECRET,)))
    good = cookie_of(twin.message(with_cookie(CLIENT)))
    assert good is not None
    assert all(twin.message(with_cookie(good)).answer for _ in range(30))
    replies = [twin.reply(with_cookie(CLIENT)) for _ in range(20)]
    assert replies.count(None) == 8
    last = [reply for reply in replies if reply][-1]
    told = dns.message.from_wire(last)
    assert (told.rcode(), told.flags & dns.flags.TC) == (dns.rcode.BADCOOKIE, 0)
    assert cookie_of(told) == good
    zone = 0
    assert twin.counters[0][twin.layout.responses_base + zone * RCODES + RCODES - 1] == 8


def test_random_missing_names_share_a_bucket() -> None:
    """A zone's denials are one kind, whatever is asked; so are wildcard answers, and errors."""
    for pattern in ("x{}.example.com", "x{}.wild.example.com", "x{}.example.net"):
        twin = Twin(rate=FLOOD)
        replies = [twin.reply(query(pattern.format(number))) for number in range(20)]
        assert all(replies[:5])
        assert None in replies[5:]


@pytest.mark.parametrize("seed", range(3))
def test_both_ways_agree_on_mutants_in_a_flood(seed: int) -> None:
    """Thousands of messages, most of them mutants, from few sources, under all settings at once."""
    chance = random.Random(seed)
    secrets = Cookies((SECRET,))
    twin = Twin(
        rate=Rate(20, slip=3, window_s=0.5), cookies=secrets, nsid=b"node1", version="v", identity="n"
    )
    seen = set()
    for turn in range(4000):
        message = messages(chance)
        if chance.random() < 0.5:
            message = mutate(message, chance)
        now = NOW + turn / 300
        source = chance.choice(SOURCES)
        reply = twin.reply(message, source, chance.choice(tuple(Proto)), now)
        seen.add(reply[3] & 0xF if reply else -1)
        if reply and chance.random() < 0.3 and b"\0\x0a\0\x18" in reply:
            at = reply.index(b"\0\x0a\0\x18")
            twin.reply(with_cookie(reply[at + 4 : at + 28]), source, Proto.UDP, now)
    assert seen >= {-1, 0, 1, 3, 5, 7}
    assert twin.limiters[0].slipped > 50


# -- the server's names ------------------------------------------------------------------------


def test_nsid() -> None:
    """To who asks for it (RFC 5001), and only where it is set."""
    message = query("mail.example.com", extra=(dns.edns.GenericOption(3, b""),))
    told = Twin(nsid=b"ams1").message(message)
    assert [found.to_wire() for found in told.options if found.otype == 3] == [b"ams1"]
    assert told.answer
    assert not Twin().message(message).options
    assert not Twin(nsid=b"ams1").message(query("mail.example.com", edns=True)).options


@pytest.mark.parametrize(
    ("idle_s", "units"),
    [(10.0, 100), (0.0, 0), (0.25, 2), (1e6, 65535)],
    ids=["10 s", "go", "a moment", "days"],
)
def test_keepalive(idle_s: float, units: int) -> None:
    """Over TCP, to who asks: the idle time in units of 100 ms; over UDP never (RFC 7828 3.2.2, 3.3.2)."""
    twin = Twin(keepalive_s=idle_s)
    for name in ("mail.example.com", "www.example.com", "nope.example.com", "example.net"):
        message = query(name, extra=(dns.edns.GenericOption(11, b""),))
        told = twin.message(message, proto=Proto.TCP)
        assert [found.to_wire() for found in told.options if found.otype == 11] == [units.to_bytes(2)]
        assert not [found for found in twin.message(message).options if found.otype == 11]
    for message in (query("mail.example.com"), query("mail.example.com", edns=True)):
        assert not twin.message(message, proto=Proto.TCP).options


@pytest.mark.parametrize(
    ("name", "text"),
    [("version.bind", "1.0"), ("VERSION.server", "1.0"), ("id.server", "ams1"), ("hostname.bind", "ams1")],
)
def test_chaos(name: str, text: str) -> None:
    """Class CH, where the operator wants it; refused otherwise (RFC 4892)."""
    message = dns.message.make_query(name, "TXT", "CH").to_wire()
    told = Twin(version="1.0", identity="ams1").message(message)
    assert told.flags & dns.flags.AA
    assert [str(item) for rrset in told.answer for item in rrset] == [f'"{text}"']
    assert told.answer[0].ttl == 0
    assert Twin().message(message).rcode() == dns.rcode.REFUSED
    other = dns.message.make_query(name, "A", "CH").to_wire()
    assert Twin(version="1.0", identity="ams1").message(other).rcode() == dns.rcode.REFUSED


def test_refusals_amplify_nothing() -> None:
    """REFUSED, NOTIMP and FORMERR are no larger than the query and what EDNS adds."""
    asked = Asked(example())
    for message in (
        query("www.example.net"),
        query("www.example.net", edns=True),
        query("example.com", "AXFR", edns=True),
        raw(flags=0x2800),
        raw(flags=0x2000),
        raw(tail=b"x"),
        raw(b"", counts=(0, 0, 0, 0)),
    ):
        reply = asked.reply(message)
        assert reply is not None
        assert len(reply) <= len(message) + 6  # an extended error without text


@pytest.mark.parametrize("opcode", [4, 5])
def test_notify_and_update(opcode: int) -> None:
    """Nobody tells us of a zone of ours nor changes it; other names are no zones of ours; no data."""
    asked = Asked(example())
    for name, expected in (
        (b"\7example\3com\0", dns.rcode.REFUSED),
        (b"\4mail\7example\3com\0", dns.rcode.NOTAUTH),
        (b"\7example\3net\0", dns.rcode.NOTAUTH),
    ):
        told = asked.reply(raw(name + b"\0\6\0\1", flags=opcode << 11))
        assert told == raw(name + b"\0\6\0\1", flags=0x8000 | opcode << 11 | expected)
    for junk in (raw(b"junk", flags=opcode << 11), raw(b"", flags=opcode << 11, counts=(0, 0, 0, 0))):
        told = asked.reply(junk)
        assert told is not None
        assert told[3] & 0xF == dns.rcode.FORMERR
