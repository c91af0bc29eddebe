"""What the policy asks of the map."""

from ipaddress import ip_network

from georouter.policy.interest import asns, networks
from tests.policy.policies import complete, load_text


def test_networks_and_asns() -> None:
    """From fences and rules of every service, once, in address order."""
    text = """\
services:
  web:
    regions: [us, eu]
    chain:
      - residency: {clients: {network: ["2001:db8::/32", 10.1.0.0/16], asn: 7}, regions: [eu]}
      - geo:
          - {match: {network: 10.0.0.0/8, asn: [64500, 7]}, regions: [us]}
          - {regions: [eu]}
  api:
    regions: [us, eu]
    chain: [residency: {clients: {network: 10.0.0.0/8}, regions: [eu]}]
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}, api: {service: api}}}
"""
    policy = load_text(complete(text)).policy
    assert networks(policy) == tuple(map(ip_network, ("10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32")))
    assert asns(policy) == {7, 64500}


def test_nothing_asked() -> None:
    """A policy without matches wants the map as it is."""
    policy = load_text(complete("")).policy
    assert (networks(policy), asns(policy)) == ((), frozenset())
