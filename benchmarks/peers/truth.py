"""What the right answer to a packet is, looked up in the database by an independent reader."""

from collections.abc import Sequence
from dataclasses import dataclass

import dns.edns
import dns.message
import dns.rdatatype
import maxminddb

from benchmarks.peers.world import DEFAULT, NAMES, REGIONS, ZONE, countries

HERE = "127.0.0.1"
"""Where questions without client subnet come from."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The response code, and the only address or none."""

    rcode: str
    addresses: tuple[str, ...]


class Truth:
    """Judges answers by `database`."""

    def __init__(self, database: maxminddb.Reader) -> None:
        self._database = database
        self._region = {row.code: row.region for row in countries()}
        self._names = {f"{name}.{ZONE}." for name in NAMES}

    def of(self, query: bytes) -> Expected:
        """What every server must answer."""
        message = dns.message.from_wire(query)
        question = message.question[0]
        if str(question.name).lower() not in self._names:
            return Expected("NXDOMAIN", ())
        subnets = [option.address for option in message.options if isinstance(option, dns.edns.ECSOption)]
        address = subnets[0] if subnets else HERE
        v4, v6 = REGIONS[self._region_of(address)]
        match question.rdtype:
            case dns.rdatatype.A:
                return Expected("NOERROR", (v4,))
            case dns.rdatatype.AAAA:
                return Expected("NOERROR", (v6,))
        return Expected("NOERROR", ())

    def _region_of(self, address: str) -> str:
        match self._database.get(address):
            case {"country": {"iso_code": str(code)}}:
                return self._region.get(code, DEFAULT)
            case _:
                return DEFAULT


def open_truth(path: str) -> Truth:
    """The judge for a database file."""
    return Truth(maxminddb.open_database(path))


def steered(queries: Sequence[bytes], truth: Truth) -> bytes:
    """The first query that has an address for an answer: to find out who is there."""
    return next(query for query in queries if truth.of(query).addresses)
