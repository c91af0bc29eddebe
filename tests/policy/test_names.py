"""Which service answers a name."""

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
