"""The benchmark against other servers is a fair one: same database, same names, same answers."""

import random
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import maxminddb
import numpy as np
import pytest

from benchmarks.harness.wait import free_port
from benchmarks.peers import database, packets
from benchmarks.peers.chart import Bar, Line, Panel, bars, is_there, lines
from benchmarks.peers.contest import SERVERS
from benchmarks.peers.native import Asked, ask_for, compiler
from benchmarks.peers.peer import Peer
from benchmarks.peers.run import Running, batches
from benchmarks.peers.truth import Truth, open_truth, steered
from benchmarks.peers.world import Site
from georouter.geo.map import GeoMap
from georouter.geo.store import decode

QUERIES = packets.packets(2_000)


@pytest.fixture(scope="module")
def geo(repository: Path) -> GeoMap:
    """The built-in map."""
    return decode((repository / "data" / "builtin.geomap").read_bytes())


@pytest.fixture(scope="module")
def country_file(geo: GeoMap, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It as a database of countries."""
    path = tmp_path_factory.mktemp("geo") / "country.mmdb"
    database.write(geo, path)
    return path


@pytest.fixture(scope="module")
def reader(country_file: Path) -> Iterator[maxminddb.Reader]:
    """The same, through the reference library, which is strict about types and sizes."""
    with maxminddb.open_database(str(country_file)) as opened:
        yield opened


def country(record: object) -> str:
    """The code in a GeoIP2 record."""
    match record:
        case {"country": {"iso_code": str(code)}, "registered_country": {"iso_code": str(_)}}:
            return code
    assert record is None
    return ""


def test_the_database_says_what_the_map_says(geo: GeoMap, reader: maxminddb.Reader) -> None:
    """At both ends of ranges and anywhere in between, for both families."""
    chance = random.Random(5)
    places = geo.places.country
    for start in chance.sample(range(1, len(geo.starts4)), 3_000):
        for address in (int(geo.starts4[start]), int(geo.starts4[start]) - 1, chance.randrange(2**32)):
            place = geo.place4[np.searchsorted(geo.starts4, np.uint32(address), side="right") - 1]
            assert country(reader.get(IPv4Address(address))) == places[place].decode()
    for start in chance.sample(range(1, len(geo.starts6)), 3_000):
        first = int(geo.starts6[start])
        for top in (first, first - 1 or first, chance.randrange(0x2000 << 48, 0x4000 << 48)):
            place = geo.place6[np.searchsorted(geo.starts6, np.uint64(top), side="right") - 1]
            inside = IPv6Address(top << 64 | chance.randrange(2**64))
            assert country(reader.get(inside)) == places[place].decode()


def test_the_database_presents_itself_as_a_geoip2_one(reader: maxminddb.Reader) -> None:
    """Servers decide by the type which fields to read."""
    metadata = reader.metadata()
    assert (metadata.database_type, metadata.ip_version) == ("GeoIP2-Country", 6)
    match reader.get("81.2.69.1"):
        case {"continent": {"code": "EU"}, "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}}}:
            pass
        case other:
            pytest.fail(f"London is {other}")


def test_the_questions_are_the_promised_mix(country_file: Path, tmp_path: Path) -> None:
    """All different, well-formed, and in the shares that docs/performance.md tells."""
    assert len(set(QUERIES)) == len(QUERIES)
    assert packets.packets(50) == QUERIES[:50]
    messages = [dns.message.from_wire(query) for query in QUERIES]
    subnets = [
        option for message in messages for option in message.options if isinstance(option, dns.edns.ECSOption)
    ]
    truth = open_truth(str(country_file))
    kinds = [message.question[0].rdtype for message in messages]
    cookies = [option for message in messages for option in message.options if option.otype == 10]
    counts = (
        (0.60, len(subnets)),
        (0.60 * 0.30, sum(option.family == 2 for option in subnets)),
        (0.30, len(cookies)),
        (0.50, sum(bool(message.ednsflags & dns.flags.DO) for message in messages)),
        (0.40 * 0.70 * 0.50, sum(message.edns < 0 for message in messages)),
        (0.05, sum(truth.of(query).rcode == "NXDOMAIN" for query in QUERIES)),
        *((share, kinds.count(kind)) for kind, share in ((1, 0.5), (28, 0.3), (65, 0.2))),
    )
    for share, count in counts:
        assert count / len(QUERIES) == pytest.approx(share, abs=0.03)
    assert {(option.family, option.srclen) for option in subnets} == {(1, 24), (2, 48)}
    assert len({option.address for option in subnets}) == len(subnets)
    mixed = [str(message.question[0].name) for message in messages]
    assert sum(name not in (name.lower(), name.upper()) for name in mixed) > 0.99 * len(mixed)
    packets.write(tmp_path / "queries", QUERIES)
    data, found = (tmp_path / "queries").read_bytes(), []
    while data:
        length = int.from_bytes(data[:2], "big")
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    assert found == QUERIES


@pytest.mark.live
@pytest.mark.parametrize("server", [one for one in SERVERS if one.decides], ids=lambda server: server.name)
def test_a_server_answers_as_the_database_says(server: Peer, country_file: Path, tmp_path: Path) -> None:
    """Before its speed is told, it must be doing the same work."""
    if absent := server.absent():
        pytest.skip(f"{server.name} cannot be measured here: {absent}")
    truth: Truth = open_truth(str(country_file))
    with Running(server, Site(tmp_path, free_port(), country_file)) as running:
        running.wait_ready(steered(QUERIES, truth))
        replies = {(running.ask(query).rcode, running.ask(query).addresses) for query in QUERIES[:20]}
        assert len(replies) > 2, "the sample tells nothing apart"
        for query in QUERIES[:300]:
            expected, reply = truth.of(query), running.ask(query)
            assert (reply.rcode, reply.addresses) == (expected.rcode, expected.addresses), reply.message


@pytest.fixture(scope="module")
def echo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    """The bare echo, and a file of questions."""
    if compiler() is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("echo")
    packets.write(folder / "queries", QUERIES)
    with Running(SERVERS[-1], Site(folder, free_port(), folder)) as running:
        running.wait_ready(QUERIES[0])
        yield running, folder / "queries"


def test_who_asks_counts_every_answer(echo_server: tuple[Running, Path]) -> None:
    """At a rate and as fast as it goes: what was sent is answered or lost, and latencies are in order."""
    running, file = echo_server
    steady = ask_for(running.port, file, 0.3, 1_000, pause_us=100)
    assert steady.sent == pytest.approx(300, abs=70)
    for seen in (steady, ask_for(running.port, file, 0.2)):
        assert seen.sent == seen.answered + seen.lost
        assert seen.answered > 0
        assert (seen.missing, seen.failed) == (0, 0)
        assert 0 < seen.p50_us <= seen.p99_us <= seen.p999_us <= seen.most_us < 1e6
    one = running.measure(file, 0.2, batches)
    assert one.cpu_us >= one.user_us >= 0
    assert 0 <= one.busy <= 1
    assert one.memory_mib > 0


def test_who_asks_counts_what_is_lost(tmp_path: Path) -> None:
    """A socket that never answers: all of it is lost, and that is no error."""
    if compiler() is None:
        pytest.skip("no C compiler")
    packets.write(tmp_path / "queries", QUERIES[:10])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        seen: Asked = ask_for(silent.getsockname()[1], tmp_path / "queries", 0.1, 500, pause_us=100)
    assert seen.sent == seen.lost > 0
    assert seen.answered == 0


@pytest.mark.skipif(not is_there(), reason="pictures need matplotlib: scripts/setup bench")
def test_the_pictures_show_everything(tmp_path: Path) -> None:
    """Every server by name, every curve; the same figures make the same file."""
    some = [Bar("a & b", 90, 100, 110, 20), Bar("c", 40, 50, 60)]
    for name in ("one", "two"):
        bars([Panel("Queries", some, ".0f"), Panel("Cost", some, ".2f")], "caption", tmp_path / name)
    svg = (tmp_path / "one").read_text()
    assert svg == (tmp_path / "two").read_text()
    for text in ("a &amp; b", ">c<", ">100<", ">50.00<", "caption"):
        assert text in svg
    curve = Line("name", (10, 1_000), (1, 2), (2, 3), (3, 4))
    lines([("Growth", "names", [curve])], "caption", tmp_path / "lines")
    assert "Growth" in (tmp_path / "lines").read_text()
