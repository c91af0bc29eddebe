"""What is inside the native path alone; that it says what the Python path says, `twin` checks everywhere."""

import random
from array import array
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

import dns.edns
import dns.flags
import dns.message
import pytest

from georouter.answers import networks
from georouter.answers.conduct import Conduct
from georouter.answers.cookies import Cookies
from georouter.answers.layout import REASONS, Proto
from georouter.answers.limits import Limits
from georouter.answers.native import PUNT, available
from georouter.answers.ratelimit import Buckets, Rate, RateLimiter
from georouter.answers.respond import Responder
from georouter.answers.tables import Directory, RangeMap, RangeTable, Runs, Snapshot, Sticky
from tests.answers.ask import NOW, query, raw
from tests.answers.build import TOP, Builder, address_answer, example
from tests.answers.compiled import give_up
from tests.answers.twin import Native

if not available():
    give_up()

from georouter.answers.native import NativeResponder, Tables

WWW = query("www.example.com", subnet="81.2.69.0/24")
RANGES = 20_000


def native(snapshot: Snapshot, conduct: Conduct | None = None) -> tuple[NativeResponder, "array[int]"]:
    """A responder and its counters."""
    counters = array("q", bytes(8 * snapshot.directory.layout.size))
    return NativeResponder(snapshot, counters, Limits(), conduct or Conduct()), counters


def ask(responder: NativeResponder, message: bytes, source: int = 1) -> bytes | int | None:
    """Over UDP from an IPv4 address."""
    return responder.respond(message, source, 4, Proto.UDP, NOW)


# -- tables ------------------------------------------------------------------------------------


def wide(chance: random.Random) -> RangeMap:
    """Many ranges, bunched together and far apart, ends of /16s among them."""
    tables = []
    for code, bits in (("I", 32), ("Q", 64)):
        starts = {0, (1 << bits) - 1}
        while len(starts) < RANGES:
            low = chance.getrandbits(bits) >> chance.choice((0, 0, 4, 20)) << chance.choice((0, 0, bits - 16))
            starts.add(low & (1 << bits) - 1)
        order = sorted(starts)
        values = [number % 3 for number in range(len(order))]
        tables.append(RangeTable(array(code, order), array("I", values)))
    return RangeMap(*tables)


def test_large_tables_are_searched_by_their_first_16_bits() -> None:
    """The same range and scope as by bisection: at every kind of border, inside and at both ends."""
    chance = random.Random(16)
    snapshot = replace(example(), maps=(wide(chance),) * len(example().maps))
    counters = [0] * snapshot.directory.layout.size
    reference = Responder(snapshot, counters, Limits())
    twin = Native(snapshot)
    for family, bits, table in ((4, 32, snapshot.maps[0].v4), (6, 64, snapshot.maps[0].v6)):
        borders = chance.sample(table.starts.tolist(), 700)
        addresses = {0, (1 << bits) - 1, *(max(0, start + add) for start in borders for add in (-1, 0, 1))}
        for address in addresses | {chance.getrandbits(bits) for _ in range(700)}:
            option = (b"\0\1\x20\0" if family == 4 else b"\0\2\x40\0") + address.to_bytes(bits // 8)
            option = b"\0\x08" + len(option).to_bytes(2) + option
            opt = b"\0\0\x29\x04\xd0\0\0\0\0" + len(option).to_bytes(2) + option
            message = raw(b"\3www\7example\3com\0\0\1\0\1", opt, counts=(1, 0, 0, 1))
            for asked in (message, query("www.example.com")):
                source = address if family == 4 else address << 64
                reply = reference.respond(asked, source, family, Proto.UDP, NOW)
                twin.check(asked, source, family, Proto.UDP, NOW, reply, counters)
    assert twin.responder is not None
    assert twin.responder.punted == 0


def test_many_names() -> None:
    """Each is found, none that is not there; and each parent and wildcard."""
    made = Builder()
    zone = made.zone("example.com")
    chance = random.Random(3)
    names = [f"{chance.getrandbits(chance.choice((8, 40))):x}.d{n % 97}.example.com" for n in range(5000)]
    for number, name in enumerate(names):
        made.static(name, zone, "A", address_answer(f"192.0.{number >> 8}.{number & 255}"))
    made.static("*.d5.example.com", zone, "A", address_answer("192.0.2.5"))
    snapshot = made.snapshot()
    reference = Responder(snapshot, [0] * snapshot.directory.layout.size, Limits())
    responder, _ = native(snapshot)
    for name in (*names, *(f"{n:x}{name}" for n, name in enumerate(names)), "", "com", "d5.example.com"):
        message = query(name + ".")
        assert ask(responder, message) == reference.respond(message, 1, 4, Proto.UDP, NOW)
    assert responder.faults == 0


def test_tables_share_what_stays() -> None:
    """A publication that changes no name takes the names over, and the indexes of maps that stay."""
    chance = random.Random(1)
    first = replace(example(), maps=(wide(chance), *example().maps[1:]))
    tables = Tables(first, Limits(), Conduct())
    same = Tables(replace(first, generation=2), Limits(512), Conduct(), tables)
    assert same.directory is tables.directory
    assert same.size - same.directory.size > 2 * 4 * (1 << 16)
    other = Tables(example(), Limits(), Conduct(), same)
    assert other.directory is not tables.directory
    assert other.size - other.directory.size < 1 << 16


def cohorts(sticky: Sticky | None) -> Snapshot:
    """`mix.example.com` with rankings that have a cohort of half, one of none, and none."""
    half = 1 << 31
    bands = Runs(
        first=array("I", [0, 4, 5]),
        count=array("I", [4, 1, 3]),
        threshold=array("I", [half, TOP, half if sticky is None else TOP, TOP, TOP, TOP, half, TOP]),
        body=array("I", [0, 1, 2, 0, 1, 2, 0, 1]),
        tally=array("I", [0, REASONS, 2 * REASONS, 0, REASONS, 2 * REASONS, 0, REASONS]),
        key=array("Q", [7, 0, 1 << 63, 11, 13, 17, 19, 23]),
        scale=array("Q", [1 << 20, 0, 1 << 20, 1 << 22, 1 << 20, 1 << 20, 1 << 20, 1 << 20]),
        extent=array("I", [2, 0, 1, 1, 1, 1, 2, 0]),
        cohort=array("I", [half, 0, 0, 0, 0, 1 << 29, 0, 0]),
    )
    made = example()
    group = replace(made.groups[1], runs=(bands, bands), sticky=sticky, cohorts=Sticky(22, 50))
    return replace(made, groups=(made.groups[0], group))


@pytest.mark.parametrize("sticky", [None, Sticky(22, 50)])
def test_cohorts(sticky: Sticky | None) -> None:
    """Every network is in the cohort, or not, on both paths; so is its choice inside."""
    snapshot = cohorts(sticky)
    counters = [0] * snapshot.directory.layout.size
    reference, twin = Responder(snapshot, counters, Limits()), Native(snapshot)
    chance = random.Random(5)
    replies = set()
    for number in range(1500):
        octets = [chance.choice((1, 81, 81, 200)), chance.choice((2, 3)), chance.randrange(256)]
        subnet = ".".join(map(str, octets)) + ".0/24" if number % 3 else f"2a00:0:0:{number:x}::/64"
        message = query("mix.example.com", subnet=subnet)
        source, now = chance.getrandbits(32), NOW + number
        reply = reference.respond(message, source, 4, Proto.UDP, now)
        twin.check(message, source, 4, Proto.UDP, now, reply, counters)
        assert reply is not None
        replies.add(reply[33:49])
    assert twin.responder is not None
    assert twin.responder.punted == 0
    assert len(replies) == 3


# -- bounds ------------------------------------------------------------------------------------


def body_out_of_range(snapshot: Snapshot) -> Snapshot:
    """A run leads to a body that the view does not have."""
    group = snapshot.groups[0]
    runs = tuple(replace(item, body=array("I", [999] * len(item.body))) for item in group.runs)
    return replace(snapshot, groups=(replace(group, runs=runs), *snapshot.groups[1:]))


def ranking_out_of_range(snapshot: Snapshot) -> Snapshot:
    """A map leads to a ranking that there is not."""
    table = snapshot.maps[0].v4
    broken = RangeTable(table.starts, array("I", [12345] * len(table.values)))
    return replace(snapshot, maps=(RangeMap(broken, snapshot.maps[0].v6), *snapshot.maps[1:]))


def values_too_short(snapshot: Snapshot) -> Snapshot:
    """A map has more ranges than values."""
    short = RangeTable(snapshot.maps[0].v4.starts, array("I", [0]))
    return replace(snapshot, maps=(RangeMap(short, snapshot.maps[0].v6), *snapshot.maps[1:]))


def no_ranges(snapshot: Snapshot) -> Snapshot:
    """A map is empty."""
    empty = RangeTable(array("I"), array("I"))
    return replace(snapshot, maps=(RangeMap(empty, snapshot.maps[0].v6), *snapshot.maps[1:]))


def group_out_of_range(snapshot: Snapshot) -> Snapshot:
    """A view belongs to a group that there is not."""
    views = tuple(replace(view, group=7_000_000) for view in snapshot.directory.views)
    return replace(snapshot, directory=replace(snapshot.directory, views=views))


def answer_out_of_range(snapshot: Snapshot) -> Snapshot:
    """A ref leads nowhere."""
    refs = dict.fromkeys(snapshot.directory.rrsets, 1_000_000)
    return replace(snapshot, directory=replace(snapshot.directory, rrsets=refs))


def view_out_of_range(snapshot: Snapshot) -> Snapshot:
    """A ref leads to no view."""
    refs = dict.fromkeys(snapshot.directory.rrsets, ~1_000_000)
    return replace(snapshot, directory=replace(snapshot.directory, rrsets=refs))


@pytest.mark.parametrize(
    "damage",
    [
        body_out_of_range,
        ranking_out_of_range,
        values_too_short,
        no_ranges,
        group_out_of_range,
        answer_out_of_range,
        view_out_of_range,
    ],
)
def test_no_read_leaves_a_table(damage: Callable[[Snapshot], Snapshot]) -> None:
    """Damaged tables are no harm: the query is left to Python, the fault is counted, nothing else is."""
    responder, counters = native(damage(example()))
    assert ask(responder, WWW) == PUNT
    assert responder.faults == 1
    assert not any(counters)


@pytest.mark.parametrize(
    "changed",
    [
        {"other": array("i", [0])},
        {"zone": array("i")},
        {"cut": b""},
        {"rrsets": {1 << 40: 0}},
        {"index": {b"\3www": 0}},
        {"index": {b"": 0}},
        {"bodies": (None,)},
        {"pins": {1 << 20: None}},
        {"redirects": {-1: None}},
    ],
)
def test_a_directory_that_is_none(changed: dict[str, object]) -> None:
    """What does not fit together is refused before anybody reads it."""
    directory: Directory = replace(example().directory, **changed)  # type: ignore[arg-type]
    with pytest.raises((ValueError, TypeError, OverflowError)):
        Tables(replace(example(), directory=directory), Limits(), Conduct())


def test_counters_of_another_layout() -> None:
    """Too few of them are not left: the answer is given, what has no place is not counted."""
    counters = array("q", [0])
    responder = NativeResponder(example(), counters, Limits(), Conduct())
    assert isinstance(ask(responder, WWW), bytes)
    with pytest.raises(TypeError):
        NativeResponder(example(), array("Q", [0]), Limits(), Conduct())


# -- rate limiting -----------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [0, 7, (1 << 61) - 1, (1 << 62) - 1, random.Random(2).randrange(1 << 62)])
def test_both_paths_use_the_same_buckets(secret: int) -> None:
    """Whatever the secret, the network and its width: the tables hold the same afterwards."""
    chance = random.Random(secret)
    for _ in range(60):
        v4, v6 = chance.choice((1, 8, 24, 32)), chance.choice((1, 48, 56, 61, 64, 65, 100, 128))
        rate = Rate(1.0, chance.choice((0, 1, 2, 5)), ipv4=v4, ipv6=v6, exempt=EXEMPT)
        tables = [Buckets(secret, 1 << 5), Buckets(secret, 1 << 5)]
        limiters = [RateLimiter(rate, buckets) for buckets in tables]
        counters = [0] * example().directory.layout.size
        reference = Responder(example(), counters, Limits(), Conduct(limiter=limiters[0]))
        responder, counted = native(example(), Conduct(limiter=limiters[1]))
        for _ in range(8):
            family = chance.choice((4, 6))
            bits = 32 if family == 4 else 128
            source = chance.choice(
                (
                    chance.getrandbits(bits),
                    0,
                    1,
                    (1 << bits) - 1,
                    (1 << 61) - 2 & (1 << bits) - 1,
                    *INSIDE[family],
                )
            )
            now = NOW + chance.random() * 4
            reply = reference.respond(WWW, source, family, Proto.UDP, now)
            assert responder.respond(WWW, source, family, Proto.UDP, now) == reply
        assert tables[0].tags == tables[1].tags
        assert tables[0].due == tables[1].due
        assert tables[0].slips == tables[1].slips
        assert responder.limited == (limiters[0].slipped, limiters[0].dropped)
        assert counted.tolist() == counters


EXEMPT = networks.of(
    map(ip_network, ("10.0.0.0/8", "192.0.2.7/32", "255.255.255.0/24", "2001:db8::/32", "ff00::/8"))
)
INSIDE = {
    4: (0x0A000000, 0x0AFFFFFF, 0x0B000000, 0xC0000207, 0xC0000208),
    6: (0x20010DB8 << 96, (0x20010DB9 << 96) - 1, 0x20010DB9 << 96, 0xFF << 120),
}


# -- what is left to Python --------------------------------------------------------------------


def test_cut_short() -> None:
    """To a query with one question: the question, TC and RD as asked; to anything else nothing."""
    responder, counters = native(example())

    def short(message: bytes) -> bytes | None:
        return responder.cut_short(message, 1, 4, NOW)

    plain = query("www.example.com")
    assert short(plain) == plain[:2] + b"\x83\0\0\1\0\0\0\0\0\0" + plain[12:33]
    assert short(raw(flags=0))[2:4] == b"\x82\0"  # type: ignore[index]
    for other in (
        b"",
        plain[:12],
        raw()[:-1],
        raw(flags=0x8100),
        raw(flags=0x2000),
        raw(counts=(0, 0, 0, 0)),
    ):
        assert short(other) is None
    assert not any(counters)


def test_cut_short_speaks_edns() -> None:
    """OPT for OPT (RFC 6891 6.1.1) and a cookie for a cookie (RFC 7873 5.2), or it is not believed."""
    responder, _ = native(example(), Conduct(cookies=Cookies((bytes(16),))))
    asked = query("www.example.com", subnet="81.2.69.0/24", cookie=True, dnssec=True)
    whole = dns.message.from_wire(responder.respond(asked, 1, 4, Proto.UDP, NOW))
    told = dns.message.from_wire(responder.cut_short(asked, 1, 4, NOW) or b"")
    assert told.flags & dns.flags.TC
    assert (told.ednsflags, told.payload, told.answer) == (whole.ednsflags, whole.payload, [])
    cookies = [option for option in whole.options if option.otype == dns.edns.OptionType.COOKIE]
    assert list(told.options) == cookies
    assert len(cookies) == 1
    assert responder.cut_short(asked[:-1], 1, 4, NOW) is not None


@pytest.mark.parametrize(
    ("message", "proto"),
    [
        (query("www.example.com"), Proto.TCP),
        (query("www.example.com", subnet="::ffff:81.2.69.0/120"), Proto.UDP),
        (query("huge.example.com", "TXT"), Proto.UDP),
        (raw(b"\7example\3com\0\0\xfc\0\1"), Proto.UDP),
        (raw(b"\7version\4bind\0\0\x10\0\3"), Proto.UDP),
        (raw(flags=0x2000), Proto.UDP),
    ],
)
def test_what_is_left_to_python(message: bytes, proto: Proto) -> None:
    """And nothing has happened then."""
    responder, counters = native(example(), Conduct(limiter=RateLimiter(Rate(1.0), Buckets(1, 16))))
    assert responder.respond(message, 1, 4, proto, NOW) == PUNT
    assert not any(counters)
    assert responder.limited == (0, 0)


def test_one_each_is_answered_natively() -> None:
    """What is common is not left to Python."""
    responder, _ = native(example())
    names = ("www", "mail", "x.wild", "a.b.app", "nope", "sub", "x.sub", "mix", "ede", "ent", "alias")
    for name in names:
        for subnet in (None, "81.2.69.0/24", "2a00::/48", "127.0.0.0/24", "0.0.0.0/0"):
            assert isinstance(ask(responder, query(f"{name}.example.com", subnet=subnet, cookie=True)), bytes)
    for odd in (raw(counts=(2, 0, 0, 0)), raw(flags=0x7800), raw()[:-1], raw() + b"x", query("example.net")):
        assert isinstance(ask(responder, odd), bytes)
    assert ask(responder, raw(flags=0x8000)) is None
