"""Which service answers a name."""
# ruff: noqa: E501 - a policy stands here whole

import pytest

from georouter.policy.names import Names
from georouter.wire.names import parse_name
from tests.policy.policies import complete, load_text

ZONES = """\
services:
  web: {regions: [us, eu]}
  api: {regions: [us, eu]}
zones:
  example.com:
    ns: [ns.example.net]
    records:
      "@": {service: web}
      "*.app": {service: web}
      taken.app: {A: 192.0.2.1}
      deep.name.app: {service: api}
      alias: {CNAME: x.app}
      loop: {CNAME: loop}
      away: {CNAME: www.example.org.}
      "*.alias": {CNAME: api}
      api: {service: api}
      flat: {alias: alias}
      "*.flat": {alias: flat}
      far: {alias: www.example.org.}
"""


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("example.com", "web"),
        ("EXAMPLE.com", "web"),
        ("x.app.example.com", "web"),
        ("x.y.app.example.com", "web"),
        ("taken.app.example.com", None),
        ("x.taken.app.example.com", None),
        ("name.app.example.com", None),
        ("x.name.app.example.com", None),
        ("deep.name.app.example.com", "api"),
        ("app.example.com", None),
        ("alias.example.com", "web"),
        ("y.alias.example.com", "api"),
        ("flat.example.com", "web"),
        ("x.flat.example.com", "web"),
        ("far.example.com", None),
        ("loop.example.com", None),
        ("away.example.com", None),
        ("nothing.example.com", None),
        ("example.org", None),
    ],
)
def test_service_of(name: str, service: str | None) -> None:
    """Exact names before wildcards, wildcards only at the closest encloser, CNAMEs followed."""
    zones = load_text(complete(ZONES)).policy.zones
    assert Names(zones.values()).service_of(parse_name(name)) == service


def test_dnames_lead_to_services() -> None:
    """A name below a DNAME is another name (RFC 6672); too long ones are none."""
    text = 'zones:\n  example.com:\n    ns: [ns.example.net]\n    records:\n      www: {service: web}\n      d: {DNAME: "@"}\n      to: {CNAME: www.d}\n'
    index = Names(load_text(complete(text)).policy.zones.values())
    for name in ("www.d", "www.d.d", "to", "to.d"):
        assert index.service_of(parse_name(f"{name}.example.com")) == "web"
    for name in ("d", "x.d", "www.away"):
        assert index.service_of(parse_name(f"{name}.example.com")) is None
