"""CNAME chains that go through DNAMEs, which the compiler follows."""
# ruff: noqa: E501 - records stand here whole

import dns.rcode
import pytest

from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from tests.compiler.build import Asker, answers, policy, service, tiny_map, world, zone

LONG = ".".join(["a" * 60] * 3) + ".example.net."
ZONE = zone(
    "example.com",
    [
        ("d", "DNAME", "t"),
        ("a.t", "A", "192.0.2.1"),
        ("long", "DNAME", LONG),
        ("loop", "DNAME", "loop2"),
        ("loop2", "DNAME", "loop"),
        ("up", "DNAME", "@"),
        ("to", "CNAME", "A.D"),
        ("toward", "CNAME", "to"),
        ("tolong", "CNAME", f"{'b' * 63}.long"),
        ("toloop", "CNAME", "x.loop"),
        ("tonothing", "CNAME", "none.d"),
        ("tosteered", "CNAME", "www.up"),
        ("toshorter", "CNAME", "a.t.up.up"),
        ("below.d", "A", "192.0.2.66"),
    ],
    {"www": "web", "steered.d": "web"},
)


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "expected"),
    [
        ("to", "A", 0, ["to.{} CNAME A.D.{}", "D.{} DNAME t.{}", "A.D.{} CNAME A.t.{}", "A.t.{} A 192.0.2.1"]),
        ("toward", "A", 0, ["toward.{} CNAME to.{}", "to.{} CNAME A.D.{}", "D.{} DNAME t.{}", "A.D.{} CNAME A.t.{}", "A.t.{} A 192.0.2.1"]),
        ("to", "TXT", 0, ["to.{} CNAME A.D.{}", "D.{} DNAME t.{}", "A.D.{} CNAME A.t.{}"]),
        ("tonothing", "A", 3, ["tonothing.{} CNAME none.d.{}", "d.{} DNAME t.{}", "none.d.{} CNAME none.t.{}"]),
        ("tosteered", "A", 0, ["tosteered.{} CNAME www.up.{}", "up.{} DNAME {}", "www.up.{} CNAME www.{}", "www.{} A 192.0.2.1"]),
        ("toshorter", "A", 0, ["toshorter.{} CNAME a.t.up.up.{}", "up.{} DNAME {}", "a.t.up.up.{} CNAME a.t.up.{}", "a.t.up.{} CNAME a.t.{}", "a.t.{} A 192.0.2.1"]),
        ("toloop", "A", 0, ["toloop.{} CNAME x.loop.{}", "loop.{} DNAME loop2.{}", "x.loop.{} CNAME x.loop2.{}", "loop2.{} DNAME loop.{}", "x.loop2.{} CNAME x.loop.{}"]),
        ("tolong", "A", 6, ["tolong.{} CNAME " + "b" * 63 + ".long.{}", "long.{} DNAME " + LONG]),
        ("to", "CNAME", 0, ["to.{} CNAME A.D.{}"]),
    ],
)  # fmt: skip
def test_chains_through_dnames(name: str, kind: str, rcode: int, expected: list[str]) -> None:
    """Every DNAME with the CNAME it stands for, then what the end has."""
    made = plan(policy([ZONE], [service("web", ["eu"])]), tiny_map(), world())
    response = Asker(publish(made, world(), 1).snapshot).ask(f"{name}.example.com.", kind)
    assert dns.rcode.to_text(response.rcode()) == dns.rcode.to_text(dns.rcode.Rcode(rcode))
    assert answers(response) == [line.format(*["example.com."] * 2) for line in expected]


def test_warnings() -> None:
    """Loops, and what lies below a DNAME, by name."""
    made = plan(policy([ZONE], [service("web", ["eu"])]), tiny_map(), world())
    text = "\n".join(made.warnings)
    assert "toloop.example.com: its CNAMEs loop" in text
    assert "zone example.com: below.d.example.com is left out: it lies below a DNAME" in text
    assert "zone example.com: steered.d.example.com is left out: it lies below a DNAME" in text
