"""Responses, as dnspython reads them. Every query here is also answered the careful way."""

import sys

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from georouter.answers.layout import FAMILIES, PROTOS, RCODES, REASONS, TYPES, Proto
from georouter.answers.limits import Limits
from georouter.answers.respond import fail
from georouter.wire.names import parse_name
from tests.answers.ask import Asked, opt, option, query, raw, scope_of
from tests.answers.build import example

MAPPED = bytes(10) + b"\xff\xff"


@pytest.fixture
def asked() -> Asked:
    """A responder over the example zone."""
    return Asked(example())


# -- names and types ---------------------------------------------------------------------------


def test_a_static_name(asked: Asked) -> None:
    """Header, question, answer: as asked, authoritative."""
    reply = asked.message(query("mail.example.com"))
    assert reply.id == 0x1234
    assert dns.flags.to_text(reply.flags) == "QR AA RD"
    assert reply.rcode() == dns.rcode.NOERROR
    assert str(reply.answer[0]) == "mail.example.com. 60 IN A 192.0.2.60"
    assert (len(reply.answer), len(reply.authority), len(reply.additional)) == (1, 0, 0)


def test_the_question_keeps_its_case(asked: Asked) -> None:
    """Resolvers hide randomness in it (draft-vixie-dnsext-dns0x20)."""
    message = query("mAiL.ExAmPlE.cOm")
    reply = asked.reply(message)
    assert reply is not None
    assert reply[12:34] == message[12:34]
    assert b"mAiL" in reply


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mail.example.com", "AAAA"),
        ("ent.example.com", "A"),
        ("sub.example.com", "DS"),
        ("wild.example.com", "A"),
    ],
)
def test_existing_names_are_not_denied(asked: Asked, name: str, kind: str) -> None:
    """NODATA at names with other types and at empty non-terminals; DS at a cut is ours."""
    reply = asked.message(query(name, kind))
    assert reply.rcode() == dns.rcode.NOERROR
    assert bool(reply.answer) == (kind == "DS")
    if not reply.answer:
        assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]


@pytest.mark.parametrize("name", ["nope.example.com", "a.b.mail.example.com", "x.ent.example.com"])
def test_missing_names(asked: Asked, name: str) -> None:
    """NXDOMAIN with the zone's SOA."""
    reply = asked.message(query(name, subnet="81.2.69.0/24"))
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert reply.authority[0].name.to_text() == "example.com."
    assert scope_of(reply) == 0


@pytest.mark.parametrize("name", ["x.wild.example.com", "a.b.c.wild.example.com", "*.wild.example.com"])
def test_wildcards(asked: Asked, name: str) -> None:
    """Answered under the name that was asked for (RFC 4592 3.3)."""
    reply = asked.message(query(name))
    assert str(reply.answer[0]) == f"{name}. 60 IN A 192.0.2.77"
    assert asked.message(query(name, "TXT")).rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("name", ["sub.example.com", "x.sub.example.com", "a.b.sub.example.com"])
def test_delegations(asked: Asked, name: str) -> None:
    """A referral: not authoritative, nothing in the answer section."""
    reply = asked.message(query(name))
    assert not reply.flags & dns.flags.AA
    assert not reply.answer
    assert str(reply.authority[0]) == "sub.example.com. 60 IN NS ns.net."


@pytest.mark.parametrize("name", ["example.net", "com", ".", "www.example.comx"])
def test_names_outside_our_zones(asked: Asked, name: str) -> None:
    """REFUSED, and with EDNS the reason (RFC 8914 4.21)."""
    assert dns.flags.to_text(asked.message(query(name)).flags) == "QR RD"
    reply = asked.message(query(name, edns=True))
    assert reply.rcode() == dns.rcode.REFUSED
    assert [found.code for found in reply.options] == [20]


@pytest.mark.parametrize("kind", ["TYPE0", "NXNAME", "TYPE200", "TKEY", "TSIG", "OPT", "MAILA", "MAILB"])
@pytest.mark.parametrize("proto", list(Proto))
def test_types_that_are_not_data(asked: Asked, kind: str, proto: Proto) -> None:
    """As any type that a name does not have: no data, no such name, a referral."""
    number = dns.rdatatype.from_text(kind).to_bytes(2)
    reply = asked.message(raw(b"\4mail\7example\3com\0" + number + b"\0\1"), proto=proto)
    assert (reply.rcode(), len(reply.answer), len(reply.authority)) == (0, 0, 1)
    reply = asked.message(raw(b"\4nope\7example\3com\0" + number + b"\0\1"), proto=proto)
    assert reply.rcode() == dns.rcode.NXDOMAIN
    reply = asked.message(raw(b"\3sub\7example\3com\0" + number + b"\0\1"), proto=proto)
    assert not reply.flags & dns.flags.AA


@pytest.mark.parametrize("kind", ["AXFR", "IXFR"])
@pytest.mark.parametrize("proto", list(Proto))
def test_transfers(asked: Asked, kind: str, proto: Proto) -> None:
    """REFUSED over both transports; we transfer no zones."""
    number = dns.rdatatype.from_text(kind).to_bytes(2)
    reply = asked.message(raw(b"\7example\3com\0" + number + b"\0\1"), proto=proto)
    assert reply.rcode() == dns.rcode.REFUSED


def test_an_ixfr_carries_a_soa(asked: Asked) -> None:
    """The record in the authority section is no format error (RFC 1995 3)."""
    soa = b"\xc0\x0c\0\6\0\1\0\0\0\0\0\x18\xc0\x0c\xc0\x0c" + bytes(20)
    reply = asked.message(raw(b"\7example\3com\0\0\xfb\0\1", soa, counts=(1, 0, 1, 0)))
    assert reply.rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize(
    ("question", "rcode"),
    [
        (b"\4mail\7example\3com\0\0\1", 0),
        (b"\4mail\7example\3com\0\0\x10", 0),
        (b"\4nope\7example\3com\0\0\1", 3),
        (b"\3www\7example\3com\0\0\1", 0),
        (b"\3org\0\0\1", 5),
    ],
)
def test_any_class(asked: Asked, question: bytes, rcode: int) -> None:
    """What we have in the class that we know; never authoritative for all of them (RFC 1035 6.2)."""
    reply = asked.reply(raw(question + b"\0\xff"))
    internet = asked.reply(raw(question + b"\0\1"))
    assert reply is not None
    assert internet is not None
    assert reply[3] & 0xF == rcode
    assert not reply[2] & 4
    behind = 12 + len(question) + 2
    assert reply[behind:] == internet[behind:]


@pytest.mark.parametrize("klass", [0, 2, 3, 4, 254, 65280])
def test_other_classes(asked: Asked, klass: int) -> None:
    """REFUSED: we serve the Internet class only."""
    reply = asked.reply(raw(b"\4mail\7example\3com\0\0\1" + klass.to_bytes(2)))
    assert reply is not None
    assert reply[3] & 0xF == dns.rcode.REFUSED


def test_any_is_minimal(asked: Asked) -> None:
    """One record set where the compiler chose one, otherwise what stands for every type (RFC 8482)."""
    assert len(asked.message(query("example.com", "ANY")).answer) == 1
    assert not asked.message(query("mail.example.com", "ANY")).answer


# -- header and EDNS ---------------------------------------------------------------------------


@pytest.mark.parametrize("flags", range(0, 0x0800, 0x10))
def test_flags(asked: Asked, flags: int) -> None:
    """RD is copied, CD cleared (RFC 4035 3.1.6); AD, RA, Z and TC of the query mean nothing."""
    reply = asked.reply(raw(flags=flags))
    assert reply is not None
    assert int.from_bytes(reply[2:4]) == 0x8400 | (flags & 0x0100)


@pytest.mark.parametrize("dnssec", [False, True])
def test_an_opt_for_an_opt(asked: Asked, dnssec: bool) -> None:
    """Our payload size, version 0, DO copied; none for clients without."""
    reply = asked.message(query("mail.example.com", edns=True, dnssec=dnssec, payload=4096))
    assert (reply.edns, reply.payload, bool(reply.ednsflags & dns.flags.DO)) == (0, 1232, dnssec)
    assert asked.message(query("mail.example.com", edns=False)).edns == -1


def test_flags_of_the_opt_that_have_no_meaning(asked: Asked) -> None:
    """Only DO comes back."""
    reply = asked.message(raw(tail=opt(ttl=0xFFFF), counts=(1, 0, 0, 1)))
    assert reply.ednsflags == 0x8000


@pytest.mark.parametrize("version", [1, 255])
def test_other_versions_of_edns(asked: Asked, version: int) -> None:
    """BADVERS with our version, whatever the options say (RFC 6891 6.1.3)."""
    message = raw(tail=opt(option(8, b"junk"), ttl=version << 16), counts=(1, 0, 0, 1))
    reply = asked.message(message)
    assert reply.rcode() == dns.rcode.BADVERS
    assert (reply.edns, reply.answer) == (0, [])


@pytest.mark.parametrize(
    "options",
    [
        option(65001, b"what"),
        option(3, b""),
        option(10, bytes(8)),
        option(10, bytes(24)),
        option(10, b""),
        option(12, bytes(100)),
        option(10, bytes(8)) + option(65001, b"") + option(10, bytes(8)),
    ],
)
def test_options_without_a_meaning_here(asked: Asked, options: bytes) -> None:
    """Ignored (RFC 6891 6.1.2)."""
    reply = asked.message(raw(tail=opt(options), counts=(1, 0, 0, 1)))
    assert reply.rcode() == dns.rcode.NOERROR
    assert reply.options == ()


def test_an_extended_error(asked: Asked) -> None:
    """Told to clients that speak EDNS, beside the client subnet."""
    reply = asked.message(query("broken.example.com", subnet="81.2.69.0/24"))
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert [found.otype for found in reply.options] == [8, 15]
    assert reply.options[1].text == "nothing"
    reply = asked.message(query("ede.example.com", edns=True))
    assert [found.otype for found in reply.options] == [15]
    assert asked.message(query("ede.example.com", edns=False)).edns == -1


# -- format errors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(raw(b"", counts=(0, 0, 0, 0)), id="no question"),
        pytest.param(raw(b"\1a\0\0\1\0\1" * 2, counts=(2, 0, 0, 0)), id="two questions"),
        pytest.param(raw(b"\4mail\7exam"), id="name cut"),
        pytest.param(raw(b"\4mail\7example\3com\0\0\1"), id="question cut"),
        pytest.param(raw(b"\xc0\x0c\0\1\0\1"), id="name is a pointer"),
        pytest.param(raw(b"\4mail\xc0\x0c\0\1\0\1"), id="name ends in a pointer"),
        pytest.param(raw(b"\x40" + b"a" * 64 + b"\0\0\1\0\1"), id="label too long"),
        pytest.param(raw(b"\x01a" * 128 + b"\0\0\1\0\1"), id="name too long"),
        pytest.param(raw(tail=b"x"), id="an octet too many"),
        pytest.param(raw(tail=opt(), counts=(1, 0, 0, 0)), id="opt not counted"),
        pytest.param(raw(counts=(1, 0, 0, 1)), id="counted record missing"),
        pytest.param(raw(tail=opt() * 2, counts=(1, 0, 0, 2)), id="two opts"),
        pytest.param(raw(tail=opt(owner=b"\1a\0"), counts=(1, 0, 0, 1)), id="opt with an owner"),
        pytest.param(raw(tail=opt(owner=b"\xc0\x0c"), counts=(1, 0, 0, 1)), id="opt owned by a pointer"),
        pytest.param(raw(tail=opt(), counts=(1, 1, 0, 0)), id="opt among the answers"),
        pytest.param(raw(tail=opt()[:-1], counts=(1, 0, 0, 1)), id="opt cut"),
        pytest.param(raw(tail=opt() + b"\0", counts=(1, 0, 0, 1)), id="an octet after the opt"),
        pytest.param(raw(tail=opt(b"\0"), counts=(1, 0, 0, 1)), id="option cut"),
        pytest.param(raw(tail=opt(b"\0\x0a\0\x09" + bytes(8)), counts=(1, 0, 0, 1)), id="option too long"),
        pytest.param(raw(tail=b"\0\0\1\0\1\0\0\0\0\0\4xyz", counts=(1, 0, 0, 1)), id="record cut"),
    ],
)
def test_malformed_messages(asked: Asked, message: bytes) -> None:
    """FORMERR, with question and OPT where those could be read."""
    reply = asked.message(message)
    assert reply.rcode() == dns.rcode.FORMERR
    assert not reply.answer
    assert asked.counters[asked.snapshot.directory.layout.responses_base + 2 * RCODES + 1] == 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0\1\x18", id="no scope"),
        pytest.param(b"\0\3\0\0", id="unknown family"),
        pytest.param(b"\0\0\x18\0abc", id="no family but an address"),
        pytest.param(b"\0\0\0\0a", id="no family, no prefix, an address"),
        pytest.param(b"\0\1\x21\0abcde", id="ipv4 source too long"),
        pytest.param(b"\0\2\x81\0" + bytes(17), id="ipv6 source too long"),
        pytest.param(b"\0\1\x18\0ab", id="address too short"),
        pytest.param(b"\0\1\x18\0abcd", id="address too long"),
        pytest.param(b"\0\1\x18\x18abc", id="scope in a query"),
        pytest.param(b"\0\1\x14\0ab\x08", id="bits beyond source"),
        pytest.param(b"\0\2\x31\0" + bytes(6) + b"\1", id="ipv6 bits beyond source"),
    ],
)
def test_malformed_client_subnets(asked: Asked, data: bytes) -> None:
    """FORMERR with OPT and without the option (RFC 7871 7.2.1, RFC 6891 7)."""
    reply = asked.message(raw(tail=opt(option(8, data)), counts=(1, 0, 0, 1)))
    assert reply.rcode() == dns.rcode.FORMERR
    assert (reply.edns, reply.options) == (0, ())


def test_two_client_subnets(asked: Asked) -> None:
    """FORMERR: no answer could echo both."""
    one = option(8, b"\0\1\x18\0\x51\2\x45")
    reply = asked.message(raw(tail=opt(one + one), counts=(1, 0, 0, 1)))
    assert reply.rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize("opcode", [1, 2, 3, *range(6, 16)])
def test_other_opcodes(asked: Asked, opcode: int) -> None:
    """NOTIMP, the opcode copied and nothing else of the flags, with OPT where there was one."""
    question = b"\4mail\7example\3com\0\0\1\0\1"
    reply = asked.reply(raw(question, opt(), flags=opcode << 11 | 0x0100, counts=(1, 0, 0, 1)))
    assert reply == raw(question, opt(), flags=0x8004 | opcode << 11, counts=(1, 0, 0, 1))
    junk = asked.reply(raw(b"junk", flags=opcode << 11))
    assert junk == raw(b"", flags=0x8004 | opcode << 11, counts=(0, 0, 0, 0))


@pytest.mark.parametrize(
    "message", [b"", b"\x12\x34\1\0\0\1\0\0\0\0\0", raw(flags=0x8100), raw(flags=0x8180)]
)
def test_silence(asked: Asked, message: bytes) -> None:
    """Nothing for less than a header, and never an answer to an answer."""
    assert asked.reply(message) is None


def test_a_zero_octet_inside_a_label(asked: Asked) -> None:
    """It is part of the name, and no end of it."""
    reply = asked.message(raw(b"\6ma\0il\0\7example\3com\0\0\1\0\1"))
    assert reply.rcode() == dns.rcode.NXDOMAIN
    reply = asked.message(raw(b"\x0d\7example\3com\0\0\0\1\0\1"))
    assert reply.rcode() == dns.rcode.REFUSED


# -- client subnet -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "subnet", "expected"),
    [
        ("www.example.com", "A", "81.2.69.0/24", ("192.0.2.20", 25)),
        ("www.example.com", "A", "81.2.69.160/27", ("192.0.2.30", 27)),
        ("www.example.com", "A", "81.2.69.165/32", ("192.0.2.30", 27)),
        ("www.example.com", "A", "8.8.8.0/24", ("192.0.2.10", 2)),
        ("www.example.com", "A", "200.0.0.0/7", ("192.0.2.30", 1)),
        ("www.example.com", "A", "0.0.0.0/1", ("192.0.2.10", 2)),
        ("www.example.com", "A", "2a00::/16", ("192.0.2.20", 64)),
        ("www.example.com", "A", "2a00:0:0:1::/64", ("192.0.2.30", 64)),
        ("www.example.com", "A", "2a00:1::/56", ("192.0.2.30", 32)),
        ("www.example.com", "A", "3000::/20", ("192.0.2.10", 4)),
        ("www.example.com", "A", "::ffff:81.2.69.0/120", ("192.0.2.20", 121)),
        ("www.example.com", "A", "::ffff:81.2.69.161/128", ("192.0.2.30", 123)),
        ("www.example.com", "AAAA", "81.2.69.0/24", ("2001:db8::2", 25)),
        ("x.y.app.example.com", "A", "81.2.69.160/28", ("192.0.2.30", 27)),
        ("mail.example.com", "A", "81.2.69.0/24", ("192.0.2.60", 0)),
        ("x.wild.example.com", "A", "2a00::/56", ("192.0.2.77", 0)),
    ],
)
def test_answers_by_client_subnet(
    asked: Asked, name: str, kind: str, subnet: str, expected: tuple[str, int]
) -> None:
    """The range of the block's first address, and the exact scope."""
    for cookie in (False, True):
        message = query(name, kind, subnet=subnet, cookie=cookie)
        reply = asked.message(message)
        assert asked.addresses(message) == [expected[0]]
        (echo,) = reply.options
        assert isinstance(echo, dns.edns.ECSOption)
        assert f"{echo.address}/{echo.srclen}" == subnet
        assert echo.scopelen == expected[1]


@pytest.mark.parametrize("data", [b"\0\0\0\0", b"\0\1\0\0", b"\0\2\0\0"])
@pytest.mark.parametrize(
    ("source", "address"),
    [("81.2.69.165", "192.0.2.30"), ("2a00::5", "192.0.2.20"), ("8.8.8.8", "192.0.2.10")],
)
def test_clients_that_want_privacy(asked: Asked, data: bytes, source: str, address: str) -> None:
    """SOURCE 0: the resolver's address decides, the scope is 0, family and all come back as sent."""
    message = raw(b"\3www\7example\3com\0\0\1\0\1", opt(option(8, data)), counts=(1, 0, 0, 1))
    reply = asked.reply(message, source)
    assert reply is not None
    assert reply.endswith(option(8, data))
    assert dns.rdatatype.A.to_bytes(2) in reply
    assert bytes(int(part) for part in address.split(".")) in reply


def test_all_of_ipv4_in_ipv6_clothes(asked: Asked) -> None:
    """::ffff:0:0/96 names no client either; its scope stays out of IPv6."""
    data = b"\0\2\x60\0" + MAPPED
    reply = asked.reply(
        raw(b"\3www\7example\3com\0\0\1\0\1", opt(option(8, data)), counts=(1, 0, 0, 1)), "81.2.69.165"
    )
    assert reply is not None
    assert reply.endswith(option(8, b"\0\2\x60\x60" + MAPPED))


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("81.2.69.165", "192.0.2.30"),
        ("::ffff:81.2.69.165", "192.0.2.30"),
        ("2a00::1", "192.0.2.20"),
        ("9.9.9.9", "192.0.2.10"),
    ],
)
@pytest.mark.parametrize("edns", [False, True])
def test_without_client_subnet_the_resolver_decides(
    asked: Asked, source: str, address: str, edns: bool
) -> None:
    """And the answer says nothing of client subnets."""
    message = query("www.example.com", edns=edns)
    assert asked.addresses(message, source) == [address]
    assert asked.message(message, source).options == ()


@pytest.mark.parametrize(
    ("subnet", "source", "address", "scope"),
    [
        ("127.1.2.0/24", "81.0.0.1", "192.0.2.20", 24),
        ("127.1.2.3/32", "81.2.69.165", "192.0.2.30", 32),
        ("127.1.2.0/24", "2a00::1", "192.0.2.20", 24),
        ("127.0.0.0/8", "81.0.0.1", "192.0.2.20", 8),
        ("::ffff:127.1.2.0/120", "81.0.0.1", "192.0.2.20", 120),
        ("fd12::/48", "81.0.0.1", "192.0.2.20", 48),
        ("fd12::1/128", "81.0.0.1", "192.0.2.20", 128),
        ("127.1.2.0/24", "127.0.0.1", "192.0.2.10", 24),
        ("fc00::/6", "81.0.0.1", "192.0.2.20", 7),
    ],
)
def test_private_client_subnets(asked: Asked, subnet: str, source: str, address: str, scope: int) -> None:
    """They place nobody: the resolver decides, for this subnet (or the private part of it) alone."""
    told = asked.message(query("www.example.com", subnet=subnet), source)
    assert [item.address for rrset in told.answer for item in rrset] == [address]
    assert scope_of(told) == scope


@pytest.mark.parametrize("subnet", ["81.0.0.0/24", "127.1.2.0/24", "2a00::/56", "::ffff:81.0.0.0/120"])
def test_services_without_client_subnet(asked: Asked, subnet: str) -> None:
    """The resolver decides, whatever the subnet says, and the answer is for all of its clients."""
    for source, address in (("81.0.0.1", "192.0.2.20"), ("130.0.0.1", "192.0.2.30")):
        told = asked.message(query("plain.example.com", subnet=subnet), source)
        assert [item.address for rrset in told.answer for item in rrset] == [address]
        assert scope_of(told) == 0


def test_types_of_a_steered_cname(asked: Asked) -> None:
    """Every type gets the region's CNAME."""
    for kind in ("A", "TXT", "HTTPS", "CNAME"):
        reply = asked.message(query("alias.example.com", kind, subnet="81.2.69.0/24"))
        assert reply.answer[0][0].to_text() == "eu.cdn.net."
        assert scope_of(reply) == 25


def test_weighted_answers_agree_between_types_and_hold_for_a_ttl(asked: Asked) -> None:
    """A and AAAA of one network name one region; hosts of a /24 share it."""
    for third in range(40):
        v4 = asked.addresses(query("mix.example.com", subnet=f"1.2.{third}.0/24"))
        v6 = asked.addresses(query("mix.example.com", "AAAA", subnet=f"1.2.{third}.128/25"))
        assert (v4, v6) in ((["192.0.2.10"], ["2001:db8::1"]), (["192.0.2.20"], ["2001:db8::2"]))


# -- sizes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "payload", "truncated"),
    [
        ("big.example.com", None, True),
        ("big.example.com", 0, True),
        ("big.example.com", 511, True),
        ("big.example.com", 1000, True),
        ("big.example.com", 1232, False),
        ("big.example.com", 65535, False),
        ("huge.example.com", 65535, True),
        ("tight.example.com", None, False),
    ],
)
@pytest.mark.parametrize("subnet", [None, "81.2.69.0/24", "2a00::/128"])
def test_answers_that_do_not_fit(
    asked: Asked, name: str, payload: int | None, truncated: bool, subnet: str | None
) -> None:
    """TC and nothing but question and OPT; over TCP all of it."""
    if payload is None:
        subnet = None  # there is no place for one without EDNS
    message = query(name, "TXT", edns=payload is not None, payload=payload or 0, subnet=subnet)
    reply = asked.reply(message)
    assert reply is not None
    assert len(reply) <= min(max(512, payload or 0), 1232)
    read = dns.message.from_wire(reply)
    assert bool(read.flags & dns.flags.TC) == truncated
    assert bool(read.answer) != truncated
    assert read.flags & dns.flags.AA
    assert scope_of(read) == (0 if subnet else None)
    whole = asked.message(message, proto=Proto.TCP)
    assert not whole.flags & dns.flags.TC
    assert whole.answer


def test_the_operator_may_allow_larger_answers() -> None:
    """`udp_payload` is both what we offer and what we keep to."""
    asked = Asked(example(), Limits(udp_payload=4096))
    reply = asked.message(query("huge.example.com", "TXT", payload=4096))
    assert (reply.payload, bool(reply.answer)) == (4096, True)


def test_the_extended_error_goes_before_the_answer() -> None:
    """RFC 8914 3: dropped first where both do not fit."""
    from georouter.answers.make import make_answer
    from georouter.wire.edns import make_error
    from tests.answers.build import Builder, record

    made = Builder()
    zone = made.zone("example.com")
    body = record(16, b"\xff" + b"x" * 255)
    made.static(
        "t.example.com", zone, "TXT", make_answer(answers=1, body=body, option=make_error(0, "y" * 300))
    )
    asked = Asked(made.snapshot())
    small = asked.message(query("t.example.com", "TXT", payload=512))
    assert (len(small.answer), small.options) == (1, ())
    assert len(asked.message(query("t.example.com", "TXT", edns=True)).options) == 1


def test_names_are_compressed_before_anything_is_left_out() -> None:
    """RFC 2181 9: TC only when what is required does not fit; then what is not required goes."""
    from georouter.answers.make import make_answer
    from tests.answers.build import Builder, record

    made = Builder()
    zone = made.zone("example.com")
    mail = b"".join(record(15, b"\0\1" + parse_name(f"m{number}.example.com")) for number in range(20))
    made.static("many.example.com", zone, "MX", make_answer(answers=20, body=mail))
    servers = [parse_name(f"ns{number}.elsewhere.example.com") for number in range(12)]
    least = b"".join(record(2, server) for server in servers)
    glue = b"".join(record(28, bytes(16), owner=server) for server in servers)
    made.static(
        "cut.example.com",
        zone,
        "A",
        make_answer(
            authoritative=False,
            authority=12,
            additional=12,
            body=least + glue,
            least=make_answer(authoritative=False, authority=12, body=least),
        ),
    )
    asked = Asked(made.snapshot())
    assert len(mail) + len(parse_name("many.example.com")) + 16 > 512
    assert len(asked.message(query("many.example.com", "MX")).answer[0]) == 20
    assert len(asked.message(query("cut.example.com", payload=1232, edns=True)).additional) == 12
    for small in (query("cut.example.com"), query("cut.example.com", payload=512)):
        reply = asked.message(small)
        assert not reply.flags & (dns.flags.TC | dns.flags.AA)
        assert (len(reply.authority[0]), len(reply.additional)) == (12, 0)
        assert reply.authority[0].name.to_wire() == parse_name("cut.example.com")


def test_more_than_tcp_can_carry() -> None:
    """SERVFAIL: the zone holds a record set that no client can be given."""
    from georouter.answers.make import make_answer
    from tests.answers.build import Builder, record

    made = Builder()
    zone = made.zone("example.com")
    body = record(16, b"\xff" + b"x" * 255) * 250
    made.static("t.example.com", zone, "TXT", make_answer(answers=250, body=body))
    asked = Asked(made.snapshot())
    assert asked.message(query("t.example.com", "TXT"), proto=Proto.TCP).rcode() == dns.rcode.SERVFAIL


# -- counters ----------------------------------------------------------------------------------


@pytest.mark.parametrize("proto", list(Proto))
@pytest.mark.parametrize(("source", "family"), [("192.0.2.1", 0), ("2a00::1", 1)])
def test_every_query_counts_once(asked: Asked, proto: Proto, source: str, family: int) -> None:
    """One request, one response, one decision, in their places."""
    layout = asked.snapshot.directory.layout
    asked.reply(query("www.example.com", "AAAA", subnet="81.2.69.0/24"), source, proto)
    asked.reply(query("nope.example.org", "MX"), source, proto)
    asked.reply(query("example.net", "A"), source, proto)
    asked.reply(raw(b"junk"), source, proto)
    asked.reply(raw(flags=0x8000), source, proto)
    lane = [((zone * PROTOS + proto) * FAMILIES + family) * TYPES for zone in range(3)]
    expected = {
        lane[0] + 1: 1,
        lane[1] + 7: 1,
        lane[2] + 0: 1,
        lane[2] + 12: 2,
        layout.responses_base + 0 * RCODES + 0: 1,
        layout.responses_base + 1 * RCODES + 3: 1,
        layout.responses_base + 2 * RCODES + 5: 1,
        layout.responses_base + 2 * RCODES + 1: 1,
        layout.services[0].base + 1 * REASONS: 1,
    }
    assert {place: count for place, count in enumerate(asked.counters) if count} == expected


# -- when answering fails ----------------------------------------------------------------------


def test_the_answer_of_last_resort() -> None:
    """SERVFAIL to queries, silence to everything else."""
    reply = fail(query("www.example.com"))
    assert reply is not None
    read = dns.message.from_wire(reply)
    assert (read.id, read.rcode(), dns.flags.to_text(read.flags)) == (0x1234, dns.rcode.SERVFAIL, "QR RD")
    assert fail(raw(flags=0x8000)) is None
    assert fail(b"short") is None


def test_a_snapshot_goes_with_its_last_responder() -> None:
    """At once: under a storm of reloads, what waits for the cycle collector adds up."""
    snapshot = example()
    users = sys.getrefcount(snapshot)
    asked = Asked(snapshot)
    assert asked.addresses(query("www.example.com", subnet="81.2.69.0/24"))
    assert sys.getrefcount(snapshot) > users
    del asked
    assert sys.getrefcount(snapshot) == users
