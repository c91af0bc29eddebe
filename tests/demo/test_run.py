"""What the demo says, line by line."""

import io

import pytest
from rich.console import Console

from georouter.demo.run import CLIENTS, Screen, check_addresses
from georouter.facts.rules import HealthRule
from georouter.policy.load import PolicyFile, load
from georouter.policy.model import Policy
from georouter.words.errors import SourceError

POLICY = """
version: 1
checks:
  a: {type: http, address: 127.0.0.1, port: 18081}
regions:
  eu: {location: {lat: 53.3, lon: -6.3, country: IE}, endpoints: [{address: 192.0.2.20, check: a}]}
services: {web: {regions: [eu]}}
zones:
  example.com:
    ns: [ns.example.net]
    records: {www: {service: web}}
tests:
  - {name: www.example.com, client: 81.2.69.0/24, expect: eu}
"""


def _policy(text: str = POLICY) -> Policy:
    return load([PolicyFile("/demo.yaml", text)]).policy


@pytest.fixture
def screen() -> tuple[Screen, io.StringIO]:
    """A screen that writes into a buffer."""
    shown = io.StringIO()
    return Screen(Console(file=shown, width=200), _policy()), shown


def test_the_welcome_can_be_pasted(screen: tuple[Screen, io.StringIO]) -> None:
    """A dig line per client, the commands that take a region down and up, and the attribution."""
    screen[0].welcome()
    text = screen[1].getvalue()
    for place, network in CLIENTS:
        assert f"{place:10} dig @127.0.0.1 -p 5300 www.example.com +short +subnet={network}" in text
    assert "demo down eu" in text
    assert "demo up eu" in text
    assert "https://db-ip.com" in text


@pytest.mark.parametrize(
    ("name", "fields", "line"),
    [
        (
            "endpoint.down",
            {"region": "eu", "endpoint": "192.0.2.20", "reason": "timeout"},
            "  check   eu 192.0.2.20 is down (timeout)",
        ),
        ("region.up", {"region": "eu", "was": "down"}, "  region  eu is up, was down"),
        (
            "answers.changed",
            {"service": "web", "was": ["eu", "us"], "now": ["us"], "moved": 0.234},
            "  answer  web: eu, us -> us (23% of IPv4 moved)",
        ),
        (
            "answers.changed",
            {"service": "web", "was": ["eu"], "now": ["eu"], "moved": 0.1},
            "  answer  web: eu (10% of IPv4 moved)",
        ),
        ("answers.changed", {"service": "web", "was": ["eu"], "now": []}, "  answer  web: eu -> nothing"),
        ("policy.refused", {"error": "x[red].y: bad"}, "  policy  refused: x[red].y: bad"),
        ("policy.loaded", {}, "  policy  loaded again"),
        ("override.set", {"region": "eu", "reason": "upgrade"}, "  override set: eu (upgrade)"),
    ],
)
def test_one_line_per_change(
    screen: tuple[Screen, io.StringIO], name: str, fields: dict[str, object], line: str
) -> None:
    """Every change of health and answer is one readable line."""
    screen[0].event(name, fields)
    assert screen[1].getvalue() == f"{line}\n"


def test_what_nobody_wants_to_read_is_not_shown(screen: tuple[Screen, io.StringIO]) -> None:
    """Publications without a change, saving, and the like."""
    screen[0].event("snapshot.published", {"generation": 2})
    assert screen[1].getvalue() == ""


def test_where_the_stand_ins_listen() -> None:
    """Each region's check says where; a policy without such checks cannot be demonstrated."""
    assert check_addresses(_policy()) == {"eu": ("127.0.0.1", 18081)}
    assert _policy().checks[next(iter(_policy().checks))].rule == HealthRule()
    with pytest.raises(SourceError, match="region eu"):
        check_addresses(_policy(POLICY.replace("address: 127.0.0.1, ", "")))
