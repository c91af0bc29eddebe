"""What survives a restart: `state.json` (first octet even) and the last good policy (odd).

What must hold: reading never raises; what was read is written and read the same again.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from georouter.sources.state_files import (
    LAST_GOOD_FILE,
    STATE_FILE,
    guess_state_dir,
    is_fresh,
    load_last_good,
    load_state,
    save_last_good,
    save_state,
)
from tests.fuzz.target import About

ABOUT = About(
    longest=2500,
    is_text=True,
    words=(
        b'"format":1',
        b'"healths":[',
        b'"latencies":[',
        b'"overrides":[',
        b'"last_known":{',
        b"NaN",
        b"Infinity",
        b"-0.0",
        b"1e400",
        b"null",
        b"true",
        b"{}",
        b"[]",
        b'""',
        b"\\ud800",
        b'"state":"up"',
        b'"streak":-1',
        b'"rtt_ms":-1',
        b'"files":[',
        b"[" * 50,
        b'"kind":"drain"',
        b'"expires_at":1e9',
        b'"zone":"../../x"',
        b"\xff",
        b"9" * 400,
    ),
    mutations=1000,
)
NOW = 1_760_000_000.0


def run(data: bytes) -> None:
    """Read, write, read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if data[:1] and data[0] & 1:
            _last_good(folder, data[1:])
        else:
            _beliefs(folder, data[1:])


def _beliefs(folder: Path, text: bytes) -> None:
    (folder / STATE_FILE).write_bytes(text)
    state, problems = load_state(folder)
    assert state is not None or problems
    if state is not None:
        is_fresh(state, NOW)
        save_state(folder, state)
        assert load_state(folder) == (state, "")


def _last_good(folder: Path, text: bytes) -> None:
    (folder / LAST_GOOD_FILE).write_bytes(text)
    files = load_last_good(folder)
    if files:
        guess_state_dir(folder, files)
        save_last_good(folder, files)
        again = load_last_good(folder)
        assert again is not None
        assert [file.text for file in again] == [file.text for file in files]


def seeds() -> Iterator[bytes]:
    """A state with everything in it, pieces of it, and a policy."""
    key = {"region": "us", "address": "192.0.2.1", "check": "web"}
    state = {
        "format": 1,
        "saved_at": NOW,
        "healths": [
            {**key, "state": kind, "streak": 2, "since": NOW, "checked_at": None, "reason": "status 503"}
            for kind in ("up", "down", "unknown")
        ],
        "latencies": [{**key, "rtt_ms": 12.5, "samples": 3}],
        "overrides": [
            {
                "kind": kind,
                "region": "us",
                "reason": "works",
                "author": "me",
                "created_at": 1.0,
                "expires_at": end,
            }
            for kind, end in (("drain", None), ("force_up", 2.0), ("force_down", 3.0))
        ],
        "last_known": {"web": [{"of": ["us", "eu"], "up": ["us"]}]},
    }
    yield b"\0" + json.dumps(state).encode()
    for name in state:
        yield b"\0" + json.dumps({**state, name: []}).encode()
        yield b"\0" + json.dumps({key: value for key, value in state.items() if key != name}).encode()
    files = [
        {"name": "/etc/p.yaml", "text": "version: 1\nserver: {state_dir: ./s}\n"},
        {"name": "/z", "zone": "ab" * 32},
    ]
    yield b"\1" + json.dumps({"format": 1, "files": files[:1]}).encode()
    yield b"\1" + json.dumps({"format": 1, "files": files}).encode()
