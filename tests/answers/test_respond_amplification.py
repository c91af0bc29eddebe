"""docs/deploy.md tells what a forged source address is worth: how much larger than questions answers are."""

import re
from pathlib import Path

import pytest

from georouter.answers.conduct import Conduct
from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.ratelimit import Buckets, Rate, RateLimiter
from georouter.answers.respond import Responder
from georouter.answers.tables import Snapshot
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.policy.steps import Nearest
from tests.answers.ask import NOW, query
from tests.compiler.build import policy, service, tiny_map, world, zone

PAGE = Path(__file__).parent.parent.parent / "docs/deploy.md"
ROW = re.compile(r"\| ([^|]+) \| `(\S+) (\S+)` \| (\d+) \| (\d+) \| ([\d.]+) \|")
ZONE = zone(
    "example.com",
    [
        ("@", "MX", "10 mail"),
        ("mail", "A", "192.0.2.60"),
        ("txt", "TXT", f'"{"x" * 255}" "{"x" * 255}" "{"x" * 255}" "{"x" * 255}" "{"x" * 120}"'),
        ("large", "TXT", " ".join(f'"{"x" * 255}"' for _ in range(9))),
        ("renamed", "DNAME", "elsewhere.test."),
        ("cut", "NS", "ns1.cut"),
        ("cut", "NS", "ns2.cut"),
        ("ns1.cut", "A", "192.0.2.61"),
        ("ns2.cut", "A", "192.0.2.62"),
    ],
    {"www": "web"},
)


def rows() -> list[tuple[str, str, str, int, int, float]]:
    """What, name, type, octets asked and answered, and how many times that is."""
    found = ROW.findall(PAGE.read_text())
    return [
        (what, name, kind, int(asked), int(told), float(times))
        for what, name, kind, asked, told, times in found
    ]


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    """The zone of the table."""
    rules = policy([ZONE], [service("web", chain=[Nearest()])])
    return publish(plan(rules, tiny_map(), world()), world(), 1).snapshot


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_the_table_is_true(snapshot: Snapshot, row: tuple[str, str, str, int, int, float]) -> None:
    """Every row, with EDNS and without a cookie; "rate limit" is the small answer beyond a rate limit."""
    what, name, kind, asked, told, times = row
    limiter = RateLimiter(Rate(1, slip=1), Buckets(1, 1 << 8)) if "rate limit" in what else None
    counters = [0] * snapshot.directory.layout.extent
    responder = Responder(snapshot, counters, Limits(), Conduct(limiter=limiter))
    message = query(name, kind, edns=True)
    replies = [responder.respond(message, 1, 4, Proto.UDP, NOW) for _ in range(9 if limiter else 1)]
    reply = [found for found in replies if found][-1]
    assert (len(message), len(reply)) == (asked, told)
    assert times == round(told / asked, 1)
    assert told <= Limits().udp_payload


def test_the_table_has_every_kind() -> None:
    """The largest that UDP carries, what is only told to come over TCP, and what refuses."""
    found = rows()
    assert len(found) >= 10
    assert max(told for *_, told, _ in found) > 1200
    assert all(times <= 1.3 for what, *_, times in found if re.search("refused|TCP", what))
