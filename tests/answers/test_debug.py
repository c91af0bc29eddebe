"""Debug names: which they are, who may ask them, and what an answer looks like."""

import random
from ipaddress import ip_network

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from georouter.answers.cookies import Cookies
from georouter.answers.debug import LARGEST, LONGEST_STRING, Explain, State, subject_of, told
from georouter.answers.layout import TYPES, Proto
from georouter.answers.networks import of
from georouter.server.source import source_of
from georouter.wire.names import parse_name
from tests.answers.ask import NOW, RESOLVER, query, scope_of
from tests.answers.build import Builder, address_answer, example
from tests.answers.test_conduct import CLIENT, SECRET, Twin, cookie_of, with_cookie
from tests.answers.test_respond_differential import NAMES, SOURCES, SUBNETS, mutate

RESOLVERS = of([ip_network("198.51.100.0/24"), ip_network("2a00::/64")])
"""Of `SOURCES`, the first and the third."""
DEBUG_NAMES = (
    "_explain.www.example.com",
    "_explain-aaaa.www.example.com",
    "_explain.nope.example.com",
    "_explain.example.com",
    "_explain.example.net",
    "_explain.x.wild.example.com",
    "_state.web",
    "_state.web.example.com",
    "_state.nothing.example.com",
    "_state.nothing.example.net",
    "_state",
    "_explain",
    "_other.www.example.com",
)


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("_explain.www.example.com", Explain(parse_name("www.example.com"))),
        ("_EXPLAIN.www.EXAMPLE.com", Explain(parse_name("www.example.com"))),
        ("_explain.example.com", Explain(parse_name("example.com"))),
        ("_explain.nope.example.com", Explain(parse_name("nope.example.com"))),
        ("_explain.ns.sub.example.com", Explain(parse_name("ns.sub.example.com"))),
        ("_explain-aaaa.www.example.com", Explain(parse_name("www.example.com"), "AAAA")),
        ("_explain-banana.www.example.com", Explain(parse_name("www.example.com"), "BANANA")),
        ("_explain-.www.example.com", None),
        ("_explains.www.example.com", None),
        ("explain.www.example.com", None),
        ("_explain.www.example.net", None),
        ("_explain", None),
        ("_explain.com", None),
        ("_state.web", State("web")),
        ("_state.WEB.Example.com", State("web")),
        ("_state.web.example.org", State("web")),
        ("_state.nothing", State("nothing")),
        ("_state.nothing.example.com", State("nothing")),
        ("_state.x.y.example.com", State("x.y")),
        ("_state.web.example.net", None),
        ("_state.example.net", None),
        ("_state", None),
        (".", None),
        ("www.example.com", None),
    ],
)
def test_what_a_name_is_about(name: str, subject: Explain | State | None) -> None:
    """In our zones, or a service by itself; everything else is an ordinary name."""
    assert subject_of(example().directory, parse_name(name).lower()) == subject


def test_services_with_dots_and_zones_that_look_like_them() -> None:
    """A service that there is goes before a shorter one that there is not."""
    made = Builder()
    made.services = [("web", ("eu",)), ("web.eu", ("eu",))]
    made.zone("example.com")
    made.zone("eu.example.com")
    directory = made.snapshot().directory
    for name, service in (
        ("_state.web.eu.example.com", "web"),
        ("_state.web.eu", "web.eu"),
        ("_state.web.example.com", "web"),
        ("_state.none.eu.example.com", "none"),
    ):
        assert subject_of(directory, parse_name(name)) == State(service)


def test_names_that_exist_are_what_they_are() -> None:
    """An operator's own `_explain.x` is answered as written."""
    made = Builder()
    zone = made.zone("example.com")
    made.static("_explain.x.example.com", zone, "A", address_answer("192.0.2.1"))
    assert subject_of(made.snapshot().directory, parse_name("_explain.x.example.com")) is None


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("proto", tuple(Proto))
def test_for_everybody_else_there_is_no_such_thing(source: str, proto: Proto) -> None:
    """The same octets as from a server that knows no debug names, whatever client subnet is sent."""
    plain, twin = Twin(), Twin(debug=RESOLVERS)
    family, address = source_of(source)
    allowed = (address, family) in RESOLVERS
    for name in (*DEBUG_NAMES, *NAMES):
        for kind in ("TXT", "A", "ANY", "AAAA"):
            for subnet in (None, "198.51.100.0/24"):
                message = query(name, kind, subnet=subnet)
                reply = twin.reply(message, source, proto, NOW + len(name))
                if allowed and kind == "TXT" and subject_of(example().directory, parse_name(name).lower()):
                    continue
                assert reply == plain.reply(message, source, proto, NOW + len(name))


def test_the_packet_path_is_silent_and_hands_over() -> None:
    """No answer, nothing counted; the inquiry has all that is needed, and its answer is counted."""
    twin = Twin(debug=RESOLVERS)
    message = query("_Explain.www.Example.com", "TXT", subnet="81.2.69.0/24")
    assert twin.reply(message) is None
    assert sum(twin.counters[0]) == 0
    family, address = source_of(RESOLVER)
    responder = twin.responders[0]
    inquiry = responder.inquiry(message, address, family)
    assert inquiry is not None
    assert inquiry.subject == Explain(parse_name("www.example.com"))
    assert (inquiry.source, inquiry.family) == (address, 4)
    assert inquiry.subnet is not None
    assert inquiry.subnet.source == 24
    assert responder.inquiry(message, address + (1 << 16), family) is None
    assert responder.inquiry(query("www.example.com", "TXT"), address, family) is None
    assert responder.inquiry(b"junk", address, family) is None
    reply = responder.tell(message, address, family, Proto.UDP, NOW, told(["one", "two"]))
    assert reply is not None
    read = dns.message.from_wire(reply)
    assert read.question[0].name.to_text() == "_Explain.www.Example.com."
    assert read.flags & dns.flags.AA
    assert scope_of(read) == 24
    (rrset,) = read.answer
    assert rrset.ttl == 0
    assert [item.to_text() for item in rrset] == ['"one"', '"two"']
    layout, counters = twin.layout, twin.counters[0]
    assert sum(counters[: layout.responses_base]) == 1
    assert counters[8] == 1  # TXT over UDP and IPv4 in the first zone
    assert TYPES > 8


@pytest.mark.parametrize("subnet", [None, "81.2.69.0/24", "2a00::/56", "0.0.0.0/0"])
def test_cookies_and_scopes(subnet: str | None) -> None:
    """As with every answer: a cookie for a cookie, the client subnet with its own length as scope."""
    twin = Twin(debug=RESOLVERS, cookies=Cookies((SECRET,)))
    message = with_cookie(CLIENT, "_state.web", kind="TXT", subnet=subnet)
    family, address = source_of(RESOLVER)
    reply = twin.responders[0].tell(message, address, family, Proto.UDP, NOW, told(["x"]))
    assert reply is not None
    read = dns.message.from_wire(reply)
    assert (cookie_of(read) or b"")[:8] == CLIENT
    assert scope_of(read) == (None if subnet is None else int(subnet.partition("/")[2]))


def test_too_long_for_udp() -> None:
    """TC and nothing else over UDP, all of it over TCP."""
    twin = Twin(debug=RESOLVERS)
    message = query("_state.web", "TXT", edns=True)
    family, address = source_of(RESOLVER)
    answer = told([f"line {number}: {'x' * 60}" for number in range(100)])
    replies = [
        dns.message.from_wire(reply)
        for proto in (Proto.UDP, Proto.TCP)
        if (reply := twin.responders[0].tell(message, address, family, proto, NOW, answer))
    ]
    assert bool(replies[0].flags & dns.flags.TC)
    assert not replies[0].answer
    assert len(replies[1].answer[0]) == 100


def test_limits_per_client() -> None:
    """Ten at once; then SERVFAIL with a reason, until a second has passed. Others are not touched."""
    twin = Twin(debug=RESOLVERS)
    message = query("_state.web", "TXT", edns=True)
    assert [twin.reply(message) for _ in range(10)] == [None] * 10
    late = twin.message(message)
    assert late.rcode() == dns.rcode.SERVFAIL
    (option,) = late.options
    assert isinstance(option, dns.edns.EDEOption)
    assert "too many debug questions" in (option.text or "")
    assert twin.reply(message, "198.51.100.54") is None
    assert twin.reply(message, now=NOW + 2.5) is None


def test_long_lines_are_several_strings() -> None:
    """Cut at spaces; put together they are the line. Words that are too long are cut anywhere."""
    words = " ".join(["word"] * 100)
    solid = "y" * 450
    answer = told([words, solid])
    reply = dns.message.from_wire(
        Twin(debug=RESOLVERS)
        .responders[0]
        .tell(query("_state.web", "TXT"), source_of(RESOLVER)[1], 4, Proto.TCP, NOW, answer)
        or b""
    )
    one, other = reply.answer[0]
    assert b"".join(one.strings).decode() == words
    assert all(string.endswith(b"word ") for string in one.strings[:-1])
    assert [len(string) for string in other.strings] == [200, 200, 50]
    assert max(map(len, one.strings)) <= LONGEST_STRING


def test_accents_and_doubles() -> None:
    """Dig shows octets beyond ASCII as numbers; a record set has no record twice (RFC 2181 5)."""
    answer = told(["São Paulo", "Zürich", "東京", "Zürich"])
    assert answer.head[0][5] == 3
    assert b"Sao Paulo" in answer.body
    assert b"Zurich" in answer.body
    assert "東京".encode() in answer.body


def test_more_than_a_message_holds() -> None:
    """What is left out is counted in the last line."""
    answer = told([f"{number} {'z' * 190}" for number in range(1000)])
    assert LARGEST < len(answer.body) < 65535 - 512
    assert b"lines more, which do not fit into a message" in answer.body


def test_nothing_to_tell() -> None:
    """No lines, no records."""
    assert told([]).body == b""


@pytest.mark.parametrize("seed", range(2))
def test_both_ways_agree_on_mutants(seed: int) -> None:
    """Debug names among others, most of them damaged: never a fault, and the same from both ways."""
    chance = random.Random(seed)
    twin = Twin(debug=RESOLVERS, cookies=Cookies((SECRET,)))
    silent = 0
    for turn in range(3000):
        name = chance.choice(DEBUG_NAMES + NAMES)
        message = query(name, chance.choice(("TXT", "A")), subnet=chance.choice(SUBNETS))
        if chance.random() < 0.5:
            message = mutate(message, chance)
        source = chance.choice(SOURCES)
        if twin.reply(message, source, chance.choice(tuple(Proto)), NOW + turn) is None:
            silent += 1
            family, address = source_of(source)
            twin.responders[0].inquiry(message, address, family)
    assert silent > 100
