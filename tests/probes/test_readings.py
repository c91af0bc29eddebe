"""Signals out of JSON, and out of what only looks like it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.facts.signals import Missing, SignalRule, Value
from georouter.probes.readings import CUT_SHORT, NOT_JSON, read
from georouter.words.ids import SignalName

X = SignalName("x")


def value(body: bytes | str, pointer: str = "/x") -> Value | Missing:
    """What a body says at a pointer."""
    return read([SignalRule(X, pointer)], body.encode() if isinstance(body, str) else body)[X]


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/db/lag_ms", 12.5),
        ("/db/list/1", 2.0),
        ("/db/primary", True),
        ("/db/role", "standby"),
        ("/a~1b", 1.0),
        ("/m~0n", 2.0),
        ("/~01", 3.0),
        ("/", 4.0),
        ("/0", 5.0),
    ],
)
def test_pointers(pointer: str, expected: Value) -> None:
    """RFC 6901: escapes in the right order, indices, the empty key, digits as a key."""
    document = {
        "db": {"lag_ms": 12.5, "list": [1, 2], "primary": True, "role": "standby"},
        "a/b": 1,
        "m~n": 2,
        "~1": 3,
        "": 4,
        "0": 5,
    }
    assert value(json.dumps(document), pointer) == expected


@pytest.mark.parametrize(
    ("body", "pointer", "why"),
    [
        ("{}", "/x", "there is no /x"),
        ("[1]", "/1", "there is no /1"),
        ("[1]", "/00", "there is no /00"),
        ("[1]", "/-", "there is no /-"),
        ("[1]", "/99999999999999999999", "there is no /99999999999999999999"),
        ('{"x": 1}', "/x/y", "there is no /x/y"),
        ('{"x": null}', "/x", "/x is not a value"),
        ('{"x": {}}', "/x", "/x is not a value"),
        ('{"x": NaN}', "/x", "/x is not a finite number"),
        ('{"x": -Infinity}', "/x", "/x is not a finite number"),
        ('{"x": 1e999}', "/x", "/x is too large a number"),
        ('{"x": ' + "9" * 400 + "}", "/x", "/x is too large a number"),
        ('{"x": "' + "a" * 101 + '"}', "/x", "/x is not a short printable text"),
        ('{"x": "a\\u0007"}', "/x", "/x is not a short printable text"),
        ('{"x": 1, "x": 2}', "/x", "/x is ambiguous: a key stands twice"),
        ('{"x": {"y": 1}, "x": {"y": 1}}', "/x/y", "/x/y is ambiguous: a key stands twice"),
    ],
)
def test_no_usable_value(body: str, pointer: str, why: str) -> None:
    """Each with what to look for."""
    assert value(body, pointer) == Missing(why)


@pytest.mark.parametrize(
    "body", [b"", b"ok\n", b"{", b"\xff\xfe", b"[" * 60000, b'{"x":' * 10000, b'{"x": ' + b"9" * 5000 + b"}"]
)
def test_junk_is_not_json(body: bytes) -> None:
    """Broken, too deep, or with a number of thousands of digits: said, not raised."""
    assert value(body) == NOT_JSON


def test_other_values_survive_an_ambiguous_one() -> None:
    """Only the key that stands twice has no value."""
    assert value('{"y": 1, "y": 2, "x": 3}') == 3.0


def test_half_an_answer_says_nothing() -> None:
    """A body that goes on beyond what is read."""
    assert read([SignalRule(X, "/x")], b'{"x": 1}', whole=False) == {X: CUT_SHORT}


@given(st.binary(max_size=200), st.text(alphabet="/~01ax-", max_size=8))
def test_any_bytes(body: bytes, pointer: str) -> None:
    """Always a value or a reason."""
    assert isinstance(value(body, f"/{pointer}"), float | bool | str | Missing)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_any_document(document: Any) -> None:
    """The value of a key is the one that was put there, if it is one of those that count."""
    found = value(json.dumps({"x": document}))
    if isinstance(document, bool):
        assert found is document
    elif isinstance(found, float):
        assert found == float(document)
