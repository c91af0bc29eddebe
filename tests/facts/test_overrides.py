"""Overrides: what operators may force, and for how long."""

import json
import math
from contextlib import suppress
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.facts.overrides import (
    Override,
    OverrideKind,
    active,
    add,
    alive,
    clear,
    decode,
    encode,
    move,
    next_change,
    pending,
)
from georouter.words.ids import RegionName

EU, US = RegionName("eu"), RegionName("us")
DRAIN = Override(OverrideKind.DRAIN, EU, "maintenance", "alice", 100.0, 160.0)
FORCED = Override(OverrideKind.FORCE_UP, US, "checks are wrong", "bob", 110.0)


def test_a_new_override_replaces_that_of_its_region() -> None:
    """Rule 1; what was there is not changed in place."""
    first = add(add({}, DRAIN), FORCED)
    second = add(first, replace(DRAIN, kind=OverrideKind.FORCE_DOWN))
    assert first[EU] == DRAIN
    assert second[EU].kind is OverrideKind.FORCE_DOWN
    assert second[US] == FORCED


def test_clear_takes_one_away() -> None:
    """Clearing what is not there changes nothing."""
    both = add(add({}, DRAIN), FORCED)
    assert clear(both, EU) == {US: FORCED}
    assert clear(clear(both, EU), EU) == {US: FORCED}
    assert set(both) == {EU, US}


def test_an_override_acts_until_it_expires() -> None:
    """Rule 2: the moment of expiry no longer counts; without one it acts for ever."""
    both = add(add({}, DRAIN), FORCED)
    assert set(active(both, 159.9)) == {EU, US}
    assert set(active(both, 160.0)) == {US}
    assert set(active(both, 1e12)) == {US}


def test_the_next_change_is_that_of_the_acting() -> None:
    """The control loop sleeps until then; None while nothing ends by itself."""
    both = add(add({}, DRAIN), FORCED)
    assert next_change(both, 100.0) == 160.0
    assert next_change(both, 160.0) is None
    assert next_change({}, 0.0) is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"reason": "  "}, "reason must not be empty"),
        ({"author": ""}, "author must not be empty"),
        ({"region": ""}, "region must not be empty"),
        ({"reason": "two\nlines"}, "reason must be one line"),
        ({"reason": "x" * 501}, "reason must be one line"),
        ({"author": "\x1b[2J"}, "author must be one line"),
        ({"created_at": math.nan}, "created_at"),
        ({"expires_at": math.inf}, "expires_at"),
        ({"expires_at": 100.0}, "expires_at must be a time after created_at"),
    ],
)
def test_what_is_not_fit_is_refused(change: dict[str, object], complaint: str) -> None:
    """Rule 3, and times that mean something; the decoder refuses the same."""
    with pytest.raises(ValueError, match=complaint):
        replace(DRAIN, **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=complaint):
        decode(asdict(DRAIN) | change)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (None, "an override must be an object"),
        ([], "an override must be an object"),
        ({}, "kind must be a text"),
        ({"kind": "explode"}, "kind must be one of drain, force_up, force_down"),
        (encode(DRAIN) | {"region": 5}, "region must be a text"),
        (encode(DRAIN) | {"created_at": "now"}, "created_at must be a time"),
        (encode(DRAIN) | {"created_at": True}, "created_at must be a time"),
        (encode(DRAIN) | {"expires_at": 10**400}, "expires_at must be a time"),
        (encode(DRAIN) | {"untl": 5}, "unknown key 'untl'"),
    ],
)
def test_junk_is_refused_with_a_reason(value: object, complaint: str) -> None:
    """Whatever JSON holds, the answer is an override or a sentence."""
    with pytest.raises(ValueError, match=complaint):
        decode(value)


LINE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40)


@st.composite
def any_override(draw: st.DrawFn) -> Override:
    """Any that is fit to act on."""
    created_at = draw(st.floats(0, 1e11))
    lasts_s = draw(st.none() | st.floats(1, 1e9))
    return Override(
        draw(st.sampled_from(OverrideKind)),
        RegionName(draw(LINE)),
        draw(LINE),
        draw(LINE),
        created_at,
        None if lasts_s is None else created_at + lasts_s,
    )


@given(any_override())
def test_json_and_back(override: Override) -> None:
    """An override survives the saved state."""
    assert decode(json.loads(json.dumps(encode(override)))) == override


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_value_is_an_override_or_a_value_error(value: object) -> None:
    """Fuzz: accepted, or the documented exception, nothing else."""
    for entry in (value, encode(DRAIN) | {"created_at": value}, encode(DRAIN) | {"reason": value}):
        accepted = False
        with suppress(ValueError):
            accepted = isinstance(decode(entry), Override)
        assert not accepted or isinstance(entry, dict)


LATER = replace(DRAIN, created_at=100.0, starts_at=200.0, expires_at=300.0)


def test_a_planned_override_waits_for_its_time() -> None:
    """Until it starts it is pending, then it acts, then it is over; both moments are known beforehand."""
    planned = {LATER.region: LATER}
    for now, acts, waits, following in (
        (100.0, False, True, 200.0),
        (199.9, False, True, 200.0),
        (200.0, True, False, 300.0),
        (300.0, False, False, None),
    ):
        assert bool(active(planned, now)) is acts
        assert bool(pending(planned, now)) is waits
        assert next_change(planned, now) == following
    assert alive(planned, 150.0) == planned


def test_a_planned_override_is_kept_and_moves_with_the_clock() -> None:
    """Saved and loaded it is the same; a wall clock that is set moves start and end alike."""
    assert decode(encode(LATER)) == LATER
    moved = move({LATER.region: LATER}, 1000.0, 150.0)[LATER.region]
    assert (moved.starts_at, moved.expires_at) == (1200.0, 1300.0)


def test_an_override_ends_after_it_begins() -> None:
    """Not before, and not at once."""
    with pytest.raises(ValueError, match="expires_at must be a time after starts_at"):
        replace(LATER, expires_at=200.0)
