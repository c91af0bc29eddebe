"""Differences between two contents: what an IXFR says."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.answers.copies import Content
from georouter.compiler import difference as module
from georouter.compiler.difference import difference
from georouter.compiler.plan import plan
from georouter.compiler.serials import Serials
from georouter.policy.model import Transfer
from tests.compiler.build import policy, service, tiny_map, world, zone

ROWS = st.lists(
    st.tuples(
        st.sampled_from(("@", "a", "b", "*.c", "d.e")),
        st.sampled_from((("A", "192.0.2.1"), ("A", "192.0.2.2"), ("TXT", "x"), ("MX", "1 a"))),
    ),
    unique=True,
    max_size=12,
)


def content(
    rows: Sequence[tuple[str, tuple[str, str]]], ttl_s: int = 300, at: int = 1, **steered: str
) -> Content:
    """Of a zone with these records."""
    made = zone("example.com", [(owner, *what) for owner, what in rows], steered)
    records = tuple(dataclasses.replace(item, ttl_s=ttl_s) for item in made.records)
    soa = dataclasses.replace(made.soa, serial=at)
    made = dataclasses.replace(made, records=records, soa=soa, transfer=Transfer())
    compiled = plan(policy([made], [service("web")]), tiny_map(), world(), Serials({}, at))
    return compiled.contents[made.name]


@given(ROWS, ROWS, st.sampled_from((300, 60)))
def test_it_leads_from_one_to_the_other(
    old: Sequence[tuple[str, tuple[str, str]]], new: Sequence[tuple[str, tuple[str, str]]], ttl_s: int
) -> None:
    """Exactly: nothing is taken that was not there, nothing added that was."""
    before, after = content(old, www="web"), content(new, ttl_s, 2, www="web")
    step = difference(before, after)
    assert step is not None
    had, has = set(before), set(after)
    assert set(step.removed) == had - has
    assert set(step.added) == has - had
    assert len(step.removed) + len(step.added) == len(had ^ has)
    assert (step.serial, step.before, step.after) == (1, before.start(), after.start())
    assert step.octets == sum(len(owner) + len(tail) for owner, tail in step)


def test_steered_names_are_in_it() -> None:
    """Those that come and go."""
    plain, steered = content([]), content([], at=2, www="web")
    step = difference(plain, steered)
    assert step is not None
    assert {owner for owner, _ in step.added} == {b"\3www\7example\3com\0"}
    assert not step.removed


@given(
    st.lists(st.integers(0, 30), max_size=12), st.lists(st.integers(0, 30), max_size=12), st.integers(1, 20)
)
def test_marks(one: list[int], other: list[int], piece: int) -> None:
    """Wherever the two differ, in pieces of any size; 0 is no mark."""
    before, module.PIECE = module.PIECE, piece
    try:
        first, second = (np.array(list(dict.fromkeys(item)), np.uint64) for item in (one, other))
        gone, come = module._apart(first, second)
    finally:
        module.PIECE = before
    assert set(first[gone]) == set(one) - set(other) - {0}
    assert set(second[come]) == set(other) - set(one) - {0}


def test_large_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not worked out: the zone itself is as good."""
    monkeypatch.setattr(module, "MOST_SETS", 2)
    rows = [("a", ("A", "192.0.2.1")), ("b", ("A", "192.0.2.1")), ("*.c", ("A", "192.0.2.1"))]
    assert difference(content([]), content(rows[:2], at=2)) is not None
    assert difference(content([]), content(rows, at=2)) is None
