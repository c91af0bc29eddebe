"""What callers of the admin door send: bodies of changes, questions, overrides.

The first octet chooses the kind. What must hold: a ValueError with a sentence, or something fit to act on.
"""

import json
from collections.abc import Iterator
from urllib.parse import parse_qsl

from georouter.admin import requests
from georouter.admin.desk import Change
from georouter.facts import overrides
from tests.fuzz.target import About

ABOUT = About(
    longest=1500,
    is_text=True,
    words=(
        b'"region":"us"',
        b'"reason":"x"',
        b'"for_s":1e9',
        b"NaN",
        b"[",
        b"{",
        b"null",
        b"\\u0000",
        b"\\ud800",
        b'"state":"up"',
        b"&name=",
        b"%00",
    ),
    mutations=1000,
)
KINDS = ("drain", "undrain", "force", "unforce")


def run(data: bytes) -> None:
    """As a change, as an override of a saved state, as nothing, as a question."""
    kind, body = data[0] if data else 0, data[1:]
    try:
        change = requests.change(KINDS[kind & 3], body, "192.0.2.1")
    except ValueError as error:
        assert str(error)
    else:
        fit(change)
    try:
        requests.empty(body)
    except ValueError as error:
        assert str(error)
    try:
        assert requests.question(dict(parse_qsl(body.decode("latin-1")))).name
    except ValueError as error:
        assert str(error)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    try:
        override = overrides.decode(value)
    except ValueError as error:
        assert str(error)
    else:
        assert overrides.decode(overrides.encode(override)) == override


def fit(change: Change) -> None:
    """One line of text everywhere, and a time that ends."""
    assert change.region.isprintable()
    assert change.reason.isprintable()
    assert change.author.isprintable()
    assert change.for_s is None or 0 < change.for_s <= requests.MAX_FOR_S


def seeds() -> Iterator[bytes]:
    """Each kind in good order."""
    fields = {"region": "us", "reason": "maintenance", "author": "me"}
    yield b"\0" + json.dumps({**fields, "for_s": 60}).encode()
    yield b"\1" + json.dumps(fields).encode()
    yield b"\2" + json.dumps({**fields, "state": "up"}).encode()
    yield b"\0" + json.dumps({"kind": "drain", **fields, "created_at": 1.0, "expires_at": 2.0}).encode()
    yield b"\0{}"
    yield b"\0name=www.example.com&client=192.0.2.0/24&type=A"
