"""The benchmark against other servers is a fair one: same database, same names, same answers."""

import random
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from types import ModuleType

import dns.edns
import dns.message
import maxminddb
import numpy as np
import pytest

from benchmarks.harness.wait import free_port
from benchmarks.peers import database, packets
from benchmarks.peers.chart import Bar, Panel, draw
from benchmarks.peers.run import Running, is_installed
from benchmarks.peers.truth import Truth, open_truth, steered
from benchmarks.peers.world import Site
from benchmarks.throughput import BASELINE, SERVERS
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
    shares = {
        0.60: len(subnets),
        0.20: sum(message.edns == 0 and not message.options for message in messages),
        0.05: sum(truth.of(query).rcode == "NXDOMAIN" for query in QUERIES),
        0.25: sum(message.question[0].rdtype == 28 for message in messages),
    }
    for share, count in shares.items():
        assert count / len(QUERIES) == pytest.approx(share, abs=0.03)
    assert {option.srclen for option in subnets} == {24}
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
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.NAME)
def test_a_server_answers_as_the_database_says(
    server: ModuleType, country_file: Path, tmp_path: Path
) -> None:
    """Before its speed is told, it must be doing the same work."""
    if not is_installed(server):
        pytest.skip(f"{server.NAME} is not installed; `make bench` as root on Debian or Ubuntu installs it")
    truth: Truth = open_truth(str(country_file))
    with Running(server, Site(tmp_path, free_port(), country_file)) as running:
        running.wait_ready(steered(QUERIES, truth))
        replies = {(running.ask(query).rcode, running.ask(query).addresses) for query in QUERIES[:20]}
        assert len(replies) > 2, "the sample tells nothing apart"
        for query in QUERIES[:300]:
            expected, reply = truth.of(query), running.ask(query)
            assert (reply.rcode, reply.addresses) == (expected.rcode, expected.addresses), reply.message


def test_the_picture_shows_every_server() -> None:
    """Bars as long as their values are large, ours marked."""
    bars = [Bar("a & b", 90, 100, 110), Bar(BASELINE, 40, 50, 60)]
    svg = draw([Panel("Queries", "more is better", bars, str), Panel("Cost", "less", bars, str)], "caption")
    assert svg.count("<rect") == 1 + 2 * len(bars)
    assert "a &amp; b" in svg
    widths = [float(part.split('"')[0]) for part in svg.split('width="')[1:] if 'height="26"' in part[:30]]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)
