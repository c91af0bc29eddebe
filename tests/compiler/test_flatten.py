"""Where aliases lead inside our zones."""

import pytest

from georouter.compiler.flatten import flatten
from georouter.compiler.tree import Tree, grow
from georouter.wire.codes import TYPE_A, TYPE_AAAA
from georouter.wire.names import name_text, parse_name
from tests.compiler.build import zone


def tree() -> Tree:
    """Every kind of name that an alias may lead to, in two zones, one delegation and one DNAME."""
    return grow(
        [
            zone(
                "example.com",
                [
                    ("mail", "A", "192.0.2.60"),
                    ("mail", "AAAA", "2001:db8::60"),
                    ("cname", "CNAME", "mail"),
                    ("away", "CNAME", "www.example.net."),
                    ("text", "TXT", "none"),
                    ("*.w", "A", "192.0.2.61"),
                    ("sub", "NS", "ns.example.net."),
                    ("d", "DNAME", "example.org."),
                    ("round", "CNAME", "and"),
                    ("and", "CNAME", "round"),
                ],
                {"www": "web"},
                {
                    "a": ("mail", None),
                    "a60": ("a", 60),
                    "steered": ("www", 7),
                    "far": ("lb.example.net.", 9),
                    "to-far": ("far", 20),
                },
            ),
            zone("example.org", [("x", "A", "192.0.2.70")]),
        ]
    )


@pytest.mark.parametrize(
    ("target", "most_s", "ttl_s", "rdata"),
    [
        ("mail.example.com", None, 300, b"\xc0\0\2\x3c"),
        ("mail.example.com", 30, 30, b"\xc0\0\2\x3c"),
        ("cname.example.com", None, 300, b"\xc0\0\2\x3c"),
        ("a.example.com", None, 300, b"\xc0\0\2\x3c"),
        ("a60.example.com", None, 60, b"\xc0\0\2\x3c"),
        ("any.w.example.com", None, 300, b"\xc0\0\2\x3d"),
        ("x.d.example.com", None, 300, b"\xc0\0\2\x46"),
    ],
)
def test_static(target: str, most_s: int | None, ttl_s: int, rdata: bytes) -> None:
    """Through CNAMEs, aliases, wildcards and DNAMEs, with the least TTL on the way."""
    end = flatten(tree(), parse_name(target), most_s)
    assert end.sets[TYPE_A].rdatas == (rdata,)
    assert (TYPE_AAAA in end.sets) == (rdata[-1] == 60)
    assert end.ttl_s == ttl_s
    assert (end.service, end.outside) == (None, None)


@pytest.mark.parametrize(
    ("target", "ttl_s"), [("www.example.com", None), ("steered.example.com", 7)], ids=["itself", "alias"]
)
def test_steered(target: str, ttl_s: int | None) -> None:
    """The service answers; its own TTL counts beside that of the way there."""
    end = flatten(tree(), parse_name(target))
    assert (end.service, end.ttl_s, dict(end.sets), end.outside) == ("web", ttl_s, {}, None)


@pytest.mark.parametrize(
    ("target", "outside", "ttl_s"),
    [
        ("lb.example.net", "lb.example.net", None),
        ("far.example.com", "lb.example.net", 9),
        ("to-far.example.com", "lb.example.net", 9),
        ("away.example.com", "www.example.net", 300),
        ("sub.example.com", "sub.example.com", None),
        ("x.sub.example.com", "x.sub.example.com", None),
    ],
)
def test_outside(target: str, outside: str, ttl_s: int | None) -> None:
    """Where our zones end a resolver is asked, for the last name on the way; delegations are such ends."""
    end = flatten(tree(), parse_name(target))
    assert end.outside is not None
    assert (name_text(end.outside), end.ttl_s, end.service) == (outside, ttl_s, None)


@pytest.mark.parametrize("target", ["nothing.example.com", "text.example.com", "round.example.com"])
def test_nothing(target: str) -> None:
    """A policy with such an alias is refused; compiled all the same, it has no addresses."""
    end = flatten(tree(), parse_name(target))
    assert (dict(end.sets), end.service, end.outside) == ({}, None, None)
