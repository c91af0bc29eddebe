"""What tests of commands share: a clean environment, and a daemon to talk to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from georouter.cli.main import main
from tests.admin.desks import FakeDesk
from tests.cli.daemons import open_door

Run = Callable[..., Result]
"""Runs `georouter` with these arguments."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`georouter ARGS` in an empty folder, without anything of the environment that it looks at."""
    monkeypatch.chdir(tmp_path)
    ours = ("ADMIN", "CONFIG", "STATE_DIR", "TOKEN_FILE")
    for name in (*(f"GEOROUTER_{each}" for each in ours), "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return lambda *args: CliRunner().invoke(main, args, prog_name="georouter")


@pytest.fixture
def desk() -> FakeDesk:
    """What is behind the daemon's door."""
    return FakeDesk()


@pytest.fixture
def daemon(desk: FakeDesk, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The admin port of a daemon that every command finds by `$GEOROUTER_ADMIN`."""
    with open_door(desk) as port:
        monkeypatch.setenv("GEOROUTER_ADMIN", f"127.0.0.1:{port}")
        yield port


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GEOROUTER_CONFIG", raising=False)
    return tmp_path
