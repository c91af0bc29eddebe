"""Zone files to read: a policy around them, and what comes out in words."""

import dns.name
import dns.rdata
import dns.rdatatype

from georouter.policy.files import PolicyFile
from georouter.policy.load import load
from georouter.policy.model import Policy, Zone
from georouter.wire.names import name_text
from georouter.words.errors import PolicyError
from georouter.words.ids import ZoneName

POLICY = """\
version: 1
regions:
  us: {location: {lat: 39, lon: -77.5, country: US}, endpoints: [192.0.2.10]}
services:
  web: {regions: [us]}
zones:
  example.com: {file: zones/example.com.zone, records: {www: {service: web}}}
"""
HEAD = "@ 3600 SOA ns.example.net. root 7 3600 900 1209600 60\n@ 3600 NS ns.example.net.\n"
"""Two lines that every zone needs."""
FILE = "/etc/g/zones/example.com.zone"


def files(text: str, policy: str = POLICY, **included: str) -> list[PolicyFile]:
    """The policy, its zone file, and files beside that, named without `.zone`."""
    return [
        PolicyFile("/etc/g/p.yaml", policy),
        PolicyFile(FILE, text, zone=True),
        *(PolicyFile(f"/etc/g/zones/{name}.zone", body, zone=True) for name, body in included.items()),
    ]


def loaded(text: str, policy: str = POLICY, **included: str) -> Policy:
    """The policy with this zone file."""
    return load(files(text, policy, **included)).policy


def zone(text: str, policy: str = POLICY, **included: str) -> Zone:
    """The zone alone."""
    return loaded(text, policy, **included).zones[ZoneName("example.com")]


def lines(text: str, policy: str = POLICY, **included: str) -> list[str]:
    """The zone's records below the head: `owner TTL type data`, relative to the zone."""
    found = []
    base = dns.name.from_text("example.com")
    for item in zone(text, policy, **included).records:
        kind = dns.rdatatype.RdataType.make(item.type)
        for rdata in item.rdatas:
            data = dns.rdata.from_wire("IN", kind, rdata, 0, len(rdata))
            owner = dns.name.from_wire(item.owner, 0)[0].relativize(base)
            found.append(f"{owner} {item.ttl_s} {dns.rdatatype.to_text(kind)} {data.to_text(base)}")
    return [line for line in found if line != "@ 3600 NS ns.example.net."]


def findings(text: str, policy: str = POLICY, **included: str) -> list[str]:
    """Errors and warnings, without the folder."""
    try:
        found = load(files(text, policy, **included)).warnings
    except PolicyError as error:
        found = error.diagnostics
    return [str(item).replace("/etc/g/zones/", "").replace("/etc/g/", "") for item in found]


def names(text: str) -> list[str]:
    """The owners of the zone's records."""
    return [name_text(item.owner) for item in zone(text).records]
