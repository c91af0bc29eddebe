"""Geo rules that an earlier rule shadows."""

import pytest

from tests.policy.policies import findings

WIDER = [
    ("country: [DE]", "country: [DE]"),
    ("country: [US]", "subdivision: [US-CA]"),
    ("continent: [EU]", "country: [NO]"),
    ("continent: [EU]", "subdivision: [NO-03]"),
    ("group: [EEA]", "group: [EU]"),
    ("group: [EU]", "subdivision: [DE-BE]"),
    ("network: [10.0.0.0/8]", "network: [10.1.0.0/16]"),
    ("network: ['2001:db8::/32']", "network: ['2001:db8:1::/48']"),
    ("asn: [1, 2]", "asn: [2]"),
    ("city: [Rome]", "city: [Rome]"),
]
APART = [
    ("subdivision: [US-CA]", "country: [US]"),
    ("country: [NO]", "continent: [EU]"),
    ("group: [EU]", "group: [EEA]"),
    ("continent: [EU]", "group: [EU]"),
    ("network: [10.1.0.0/16]", "network: [10.0.0.0/8]"),
    ("network: [10.0.0.0/8]", "network: ['2001:db8::/32']"),
    ("country: [DE]", "asn: [1]"),
    ("asn: [1]", "city: [Rome]"),
]


def rules(*matches: str) -> list[str]:
    """Findings about a chain with these rules."""
    lines = "".join(f"          - {{match: {{{match}}}, regions: [us]}}\n" for match in matches)
    return findings(f"services:\n  web:\n    regions: [us, eu]\n    chain:\n      - geo:\n{lines}")


@pytest.mark.parametrize(("first", "second"), WIDER)
def test_covered(first: str, second: str) -> None:
    """The second rule can never match."""
    assert rules(first, second) == [
        "7:13: warning: services.web.chain[0].geo[1]: is never reached: rule 1 takes all of it"
    ]


@pytest.mark.parametrize(("first", "second"), APART)
def test_not_covered(first: str, second: str) -> None:
    """The second rule still has clients."""
    assert rules(first, second) == []


def test_covered_by_several() -> None:
    """Rules together can cover a later one."""
    assert rules("country: [DE]", "country: [FR]", "country: [DE, FR]") == [
        "8:13: warning: services.web.chain[0].geo[2]: is never reached: earlier rules take all of it"
    ]
