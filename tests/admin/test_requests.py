"""Bodies and query strings: accepted, or refused with a sentence; nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.admin import requests
from georouter.admin.desk import Action, Change, Question


def body(**fields: object) -> bytes:
    """A JSON body."""
    return json.dumps(fields).encode()


def test_drain() -> None:
    """Everything a drain can say."""
    given_body = body(region="eu-west", reason=" kernel ", author="ada", for_s=1800)
    assert requests.change("drain", given_body, "192.0.2.7") == Change(
        Action.DRAIN, "eu-west", "kernel", "ada", "192.0.2.7", 1800.0
    )


@pytest.mark.parametrize(
    ("kind", "fields", "action"),
    [
        ("undrain", {}, Action.UNDRAIN),
        ("clear", {}, Action.CLEAR),
        ("force", {"state": "up"}, Action.FORCE_UP),
        ("force", {"state": "down", "for_s": 0.5}, Action.FORCE_DOWN),
    ],
)
def test_actions(kind: str, fields: dict[str, object], action: Action) -> None:
    """Each address and state is one action."""
    change = requests.change(kind, body(region="eu", reason="x", **fields), "::1")
    assert (change.action, change.author) == (action, "unknown")


@pytest.mark.parametrize(
    ("kind", "raw", "says"),
    [
        ("drain", b"", "not JSON"),
        ("drain", b"\xff", "not JSON"),
        ("drain", b"[" * 16000, "not JSON"),
        ("drain", b"[]", "not a JSON object"),
        ("drain", body(reason="x"), "region is missing"),
        ("drain", body(region="eu"), "reason is missing"),
        ("drain", body(region="eu", reason="  "), "reason is missing"),
        ("drain", body(region=7, reason="x"), "region is missing"),
        ("drain", body(region="eu", reason="x" * 501), "longer than 500"),
        ("drain", body(region="eu", reason="a\nb"), "control characters"),
        ("drain", body(region="eu", reason="x", author=""), "author is missing"),
        ("drain", body(region="eu", reason="x", until=5), "unknown key 'until'"),
        ("drain", body(region="eu", reason="x", state="up"), "unknown key 'state'"),
        ("undrain", body(region="eu", reason="x", for_s=5), "unknown key 'for_s'"),
        ("drain", body(region="eu", reason="x", for_s="30m"), "number of seconds"),
        ("drain", body(region="eu", reason="x", for_s=True), "number of seconds"),
        ("drain", body(region="eu", reason="x", for_s=0), "above 0"),
        ("drain", body(region="eu", reason="x", in_s=0), "in_s must be above 0"),
        ("drain", body(region="eu", reason="x", for_s=-1), "above 0"),
        ("drain", body(region="eu", reason="x", for_s=10**400), "at most"),
        ("drain", b'{"region": "eu", "reason": "x", "for_s": NaN}', "above 0"),
        ("drain", b'{"region": "eu", "reason": "x", "for_s": Infinity}', "above 0"),
        ("force", body(region="eu", reason="x"), "state must be"),
        ("force", body(region="eu", reason="x", state="drained"), "state must be"),
        ("force", body(region="eu", reason="x", state=["up"]), "state must be"),
    ],
)
def test_refusals(kind: str, raw: bytes, says: str) -> None:
    """What is wrong is said in the caller's words."""
    with pytest.raises(ValueError, match=says):
        requests.change(kind, raw, "::1")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["region", "reason", "author", "for_s", "state"])


@given(
    st.sampled_from(["drain", "undrain", "force", "clear"]), st.dictionaries(KEYS, JSON_VALUES) | JSON_VALUES
)
def test_any_json(kind: str, value: object) -> None:
    """A change or ValueError, whatever JSON comes."""
    try:
        change = requests.change(kind, json.dumps(value).encode(), "::1")
    except ValueError:
        return
    assert change.region
    assert change.reason.isprintable()


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    """A change or ValueError, whatever bytes come."""
    try:
        requests.change("drain", raw, "::1")
    except ValueError:
        return


def test_reload_takes_nothing() -> None:
    """An empty body or object; keys are refused."""
    requests.empty(b"")
    requests.empty(b" {} ")
    for raw in (body(force=True), b"[]", b"{"):
        with pytest.raises(ValueError, match=r"no keys|JSON"):
            requests.empty(raw)


def test_questions() -> None:
    """A name and a client or a resolver are needed, the type is A unless said."""
    assert requests.question({"name": "a.test", "client": "192.0.2.0/24"}) == Question(
        "a.test", "192.0.2.0/24"
    )
    assert requests.question({"name": "a.test", "client": "::1", "type": "AAAA"}).type == "AAAA"
    assert requests.question({"name": "a.test", "resolver": "::1"}) == Question("a.test", None, "::1")
    for query in (
        {},
        {"name": "a.test"},
        {"name": "", "client": "::1"},
        {"name": "a" * 2000, "client": "::1"},
        {"name": "a.test", "client": "::1", "resolver": "1" * 2000},
    ):
        with pytest.raises(ValueError, match=r"missing|too long"):
            requests.question(query)
