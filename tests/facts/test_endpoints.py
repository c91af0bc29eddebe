"""Regions from their endpoints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.facts.endpoints import (
    EndpointKey,
    RegionShape,
    endpoint_states,
    endpoints_down,
    is_suspect,
    region_state,
)
from georouter.facts.health import Health
from georouter.facts.world import State
from georouter.words.ids import CheckName, RegionName

LETTERS = {"u": State.UP, "?": State.UNKNOWN, "d": State.DOWN}
STATES = st.lists(st.sampled_from(tuple(State)), min_size=1, max_size=6)


def states(text: str) -> list[State]:
    """One state per letter: u, ? or d."""
    return [LETTERS[letter] for letter in text]


@pytest.mark.parametrize(
    ("endpoints", "min_healthy", "expected"),
    [
        ("u", 1, State.UP),
        ("d", 1, State.DOWN),
        ("?", 1, State.UNKNOWN),
        ("??", 1, State.UNKNOWN),  # all unknown
        ("?d", 1, State.UNKNOWN),  # the unknown one may turn out up
        ("?u", 1, State.UP),
        ("dd", 1, State.DOWN),
        ("ud", 1, State.UP),
        ("ud", 2, State.DOWN),
        ("u?", 2, State.UNKNOWN),
        ("d?", 2, State.DOWN),  # cannot be up any more
        ("uud", 2, State.UP),
        ("uu", 5, State.UP),  # more than there are: all
        ("ud", 0, State.UP),  # at least one
        ("dd", 0, State.DOWN),
        ("", 1, State.UP),  # nothing can fail
    ],
)
def test_enough_endpoints_make_a_region(endpoints: str, min_healthy: int, expected: State) -> None:
    """Rules 2 to 5."""
    assert region_state(states(endpoints), min_healthy) is expected


@given(STATES, st.integers(1, 6))
def test_unknown_lies_between(endpoints: list[State], min_healthy: int) -> None:
    """A region is decided exactly when the unknown endpoints cannot change it."""

    def replaced(state: State) -> State:
        return region_state([state if item is State.UNKNOWN else item for item in endpoints], min_healthy)

    best, worst = replaced(State.UP), replaced(State.DOWN)
    assert region_state(endpoints, min_healthy) is (best if best is worst else State.UNKNOWN)


def test_unchecked_endpoints_count_as_up() -> None:
    """Rule 1; one that is checked but never was asked is unknown."""
    asked = EndpointKey(RegionName("eu"), "192.0.2.1", CheckName("web"))
    never = EndpointKey(RegionName("eu"), "192.0.2.2", CheckName("web"))
    shape = RegionShape(RegionName("eu"), (None, asked, never))
    found = endpoint_states(shape, {asked: Health(State.DOWN)})
    assert found == (State.UP, State.DOWN, State.UNKNOWN)
    assert endpoints_down(found) == frozenset({1})


@pytest.mark.parametrize(
    ("streaks", "min_healthy", "suspect"), [((1, 0), 1, False), ((1, 1), 1, True), ((1, 0), 2, True)]
)
def test_a_suspect_region(streaks: tuple[int, int], min_healthy: int, suspect: bool) -> None:
    """It would be down if the failures that wait for confirmation were confirmed."""
    keys = [EndpointKey(RegionName("eu"), f"192.0.2.{number}", CheckName("web")) for number in (1, 2)]
    healths = {key: Health(State.UP, streak) for key, streak in zip(keys, streaks, strict=True)}
    assert is_suspect(RegionShape(RegionName("eu"), tuple(keys), min_healthy), healths) is suspect
