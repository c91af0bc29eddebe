"""What is believed of alias targets: rule by rule, on a clock of our own."""

from collections.abc import Mapping
from ipaddress import ip_address

import pytest

from georouter.facts.aliases import (
    MOST_ADDRESSES,
    STALE_TTL_S,
    UNKNOWN,
    AliasState,
    Reply,
    Target,
    decode,
    encode,
    next_in_s,
    observe,
    restored,
)
from georouter.facts.rules import AliasRule

RULE = AliasRule(min_ttl_s=5, max_ttl_s=3600)
ONE, TWO, SIX = "192.0.2.1", "192.0.2.2", "2001:db8::1"
NAME = b"\x02lb\x06vendor\x04test\x00"
NXDOMAIN = Reply(ttl_s=3600, failure="no such name", denied=True)
NODATA = Reply(ttl_s=60, failure="no addresses", denied=True)
SERVFAIL = Reply(failure="SERVFAIL from 192.0.2.53")


def told(*texts: str, ttl_s: int = 60) -> Reply:
    """A good reply."""
    return Reply(tuple(ip_address(text).packed for text in texts), ttl_s)


def after(*rounds: tuple[Reply, Reply], target: Target = UNKNOWN) -> Target:
    """The belief after these rounds, at 1000, 1001, ..."""
    for number, (four, six) in enumerate(rounds):
        target = observe(target, {4: four, 6: six}, RULE, 1000.0 + number)
    return target


def texts(target: Target) -> Mapping[int, list[str]]:
    """The addresses by family."""
    return {
        family: [str(ip_address(item)) for item in held.addresses] for family, held in target.known.items()
    }


def stale(target: Target) -> list[int]:
    """The families that are."""
    return [family for family, held in target.known.items() if held.stale]


GOOD = (told(ONE), told(SIX))


def test_addresses_are_believed_at_once() -> None:
    """In a fixed order, whatever the resolver's, each once."""
    target = after((told(TWO, ONE, TWO), told(SIX)))
    assert texts(target) == {4: [ONE, TWO], 6: [SIX]}
    assert (target.state, target.confirmed_at, target.changed_at) == (AliasState.FRESH, 1000.0, 1000.0)
    assert after((told(TWO, ONE), told(SIX)), target=target) == target


@pytest.mark.parametrize(
    "trouble",
    [
        (SERVFAIL, SERVFAIL),
        (NXDOMAIN, NXDOMAIN),
        (NODATA, NODATA),
        (NODATA, SERVFAIL),
        (told("0.0.0.0"), told("::")),
        (told("224.0.0.1"), told("ff02::1")),
    ],
)
def test_trouble_keeps_what_was_known(trouble: tuple[Reply, Reply]) -> None:
    """Stale, cached shortly, with the first reason; the next good round makes it fresh."""
    target = after(GOOD, trouble, trouble)
    assert texts(target) == {4: [ONE], 6: [SIX]}
    assert target.state is AliasState.STALE
    assert {held.ttl_s for held in target.known.values()} == {STALE_TTL_S}
    assert (target.failures, target.confirmed_at, target.changed_at) == (2, 1000.0, 1000.0)
    assert target.reason == (trouble[0].failure or "only addresses that are nobody's")
    back = after(GOOD, target=target)
    assert (back.state, back.failures, back.reason) == (AliasState.FRESH, 0, "")
    assert {held.ttl_s for held in back.known.values()} == {60}


@pytest.mark.parametrize("denial", [NODATA, NXDOMAIN])
def test_a_family_may_go_while_the_other_is_told(denial: Reply) -> None:
    """Then, and only then, an empty answer is believed; and so it is from the beginning."""
    target = after(GOOD, (told(TWO), denial))
    assert texts(target) == {4: [TWO], 6: []}
    assert target.state is AliasState.FRESH
    assert texts(after((denial, told(SIX)))) == {4: [], 6: [SIX]}


def test_families_fail_one_by_one() -> None:
    """The other one goes on being followed."""
    target = after(GOOD, (told(TWO), SERVFAIL))
    assert texts(target) == {4: [TWO], 6: [SIX]}
    assert (stale(target), target.state, target.failures) == ([6], AliasState.STALE, 1)
    only = after((told(ONE), SERVFAIL))
    assert texts(only) == {4: [ONE]}
    assert only.state is AliasState.UNKNOWN


def test_nothing_is_known_of_what_was_never_told() -> None:
    """An empty answer is no answer."""
    target = after((NXDOMAIN, NXDOMAIN), (SERVFAIL, NODATA))
    assert (target.known, target.state, target.failures) == ({}, AliasState.UNKNOWN, 2)


@pytest.mark.parametrize(("ttl_s", "used"), [(0, 5), (1, 5), (60, 60), (3600, 3600), (86400, 3600)])
def test_ttls_are_bounded(ttl_s: int, used: int) -> None:
    """By the rule, and by it alone."""
    target = after((told(ONE, ttl_s=ttl_s), told(SIX, ttl_s=ttl_s)))
    assert {held.ttl_s for held in target.known.values()} == {used}
    assert next_in_s(target, RULE) == used


def test_a_ttl_that_counts_down_is_no_news() -> None:
    """Until it is less than half, or more than twice."""
    target = after((told(ONE, ttl_s=100), told(SIX, ttl_s=100)))
    for ttl_s, used in ((50, 100), (200, 100), (49, 49), (98, 49), (100, 100)):
        target = after((told(ONE, ttl_s=ttl_s), told(SIX, ttl_s=100)), target=target)
        assert target.known[4].ttl_s == used


def test_a_new_address_brings_its_ttl() -> None:
    """However near the old one it is."""
    assert after(GOOD, (told(TWO, ttl_s=59), told(SIX))).known[4].ttl_s == 59


def test_retries_come_ever_later() -> None:
    """From a second to a minute, never later than the TTL of what is fresh."""
    pauses = [next_in_s(after(*[(SERVFAIL, SERVFAIL)] * count), RULE) for count in range(1, 10)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    quick = after(GOOD, *[(told(ONE, ttl_s=7), SERVFAIL)] * 9)
    assert next_in_s(quick, RULE) == 7


def test_a_bounded_number_of_addresses() -> None:
    """What a message can hold whatever the names in it."""
    many = [f"198.18.{number // 256}.{number % 256}" for number in range(1, 300)]
    assert len(after((told(*many), NODATA)).known[4].addresses) == MOST_ADDRESSES


def test_a_restart() -> None:
    """Used at once; stale where its TTL is over, or the clock says nonsense; failures start anew."""
    target = after(GOOD, (SERVFAIL, SERVFAIL))
    assert restored(after(GOOD), 1030.0).state is AliasState.FRESH
    assert restored(after(GOOD), 1060.0).state is AliasState.STALE
    assert restored(after(GOOD), 10.0).state is AliasState.STALE
    assert restored(target, 1001.0).failures == 0
    assert restored(UNKNOWN, 1.0) == UNKNOWN


def test_there_and_back() -> None:
    """Through JSON-able values; staleness and failures are not kept."""
    target = after(GOOD, (told(ONE), NODATA))
    assert decode(encode(NAME, target)) == (NAME, target)
    name, back = decode(encode(NAME, after(GOOD, (SERVFAIL, SERVFAIL))))
    assert (name, texts(back), back.failures) == (NAME, {4: [ONE], 6: [SIX]}, 0)
    assert decode(encode(NAME, UNKNOWN)) == (NAME, UNKNOWN)


@pytest.mark.parametrize(
    "damage",
    [
        {"target": 5},
        {"target": "a..b"},
        {"confirmed_at": "now"},
        {"confirmed_at": float("nan")},
        {"changed_at": True},
        {"known": []},
        {"known": {"4": None}},
        {"known": {"4": {"addresses": [SIX], "ttl_s": 60}}},
        {"known": {"4": {"addresses": [5], "ttl_s": 60}}},
        {"known": {"4": {"addresses": ["x"], "ttl_s": 60}}},
        {"known": {"4": {"addresses": [ONE], "ttl_s": 0}}},
        {"known": {"4": {"addresses": [ONE] * 101, "ttl_s": 60}}},
        {"known": {"4": {"addresses": [ONE]}}},
    ],
)
def test_what_was_not_written_by_us_is_refused(damage: dict[str, object]) -> None:
    """With ValueError, and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        decode(encode(NAME, after(GOOD)) | damage)
