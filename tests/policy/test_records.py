"""Records of every type from a policy's text."""

import json

import dns.rdata
import dns.rdatatype
import pytest

from georouter.policy.load import PolicyFile, load
from georouter.policy.model import Zone
from georouter.policy.refused import SIGNED
from georouter.wire.codes import type_number, type_text
from georouter.words.errors import PolicyError
from georouter.words.ids import ZoneName
from tests.wire.test_rdata import EVERY_TYPE

MADE = {"SOA", *map(type_text, SIGNED)}
"""Types that are not written by hand."""


def load_zone(records: str) -> Zone:
    """A zone with these records."""
    text = f"version: 1\nzones: {{example.org: {{ns: [ns.example.net], records: {records}}}}}\n"
    return load([PolicyFile("/p.yaml", text)]).policy.zones[ZoneName("example.org")]


@pytest.mark.parametrize("kind", sorted(EVERY_TYPE.keys() - MADE))
def test_every_type_from_yaml(kind: str) -> None:
    """By name and number, as text and in the generic form (RFC 3597 5): the octets that dnspython makes."""
    text, name = EVERY_TYPE[kind], kind.replace("_", "-")
    number = type_number(name)
    try:
        wire = dns.rdata.from_text("IN", name, text).to_wire()
    except dns.rdatatype.UnknownRdatatype:
        pytest.skip("this dnspython does not know it yet")
    assert wire is not None
    for written, data in (
        (name, text),
        (f"TYPE{number}", text),
        (name, f"\\# {len(wire)} {wire.hex()}"),
        (f"TYPE{number}", f"\\# {len(wire)} {wire[:1].hex()} {wire[1:].hex()}"),
    ):
        zone = load_zone(json.dumps({"t": {written: data}}))
        found = [item for item in zone.records if item.owner[:2] == b"\1t"]
        assert [(item.type, item.rdatas) for item in found] == [(number, (wire,))]


@pytest.mark.parametrize("kind", sorted(MADE))
def test_types_that_are_made_by_others(kind: str) -> None:
    """The SOA record by us, signatures and denials by a signer: refused, in words or in numbers."""
    for written in (kind, f"TYPE{type_number(kind)}"):
        with pytest.raises(PolicyError, match=r"made (by a signer|from the zone's)"):
            load_zone(f"{{t: {{{written}: x}}}}")
