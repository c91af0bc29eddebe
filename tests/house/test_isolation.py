"""What a room drags in when it is imported alone: the linter does not see what `__init__`s run."""

import subprocess
import sys

import pytest

SECONDS = 60
SHOW = """
import importlib, pkgutil, sys
room = importlib.import_module("georouter." + sys.argv[1])
for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
    importlib.import_module(module.name)
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("georouter.")}))
"""


def rooms_behind(room: str) -> set[str]:
    """The rooms in memory after a fresh interpreter imported every module of `room`."""
    run = subprocess.run(
        [sys.executable, "-c", SHOW, room], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("server", {"server", "telemetry", "answers", "wire", "words"}),
        ("answers", {"answers", "wire", "words"}),
        ("wire", {"wire", "words"}),
        ("words", {"words"}),
    ],
)
def test_a_room_alone_brings_only_what_it_may(room: str, allowed: set[str]) -> None:
    """The packet path runs without any part of the decision in memory."""
    assert rooms_behind(room) <= allowed


LATER = {"aiohttp", "anyio", "dns", "httpx", "prometheus_client", "pydantic", "rich", "sqlite3", "yaml"}
"""Libraries that no first answer needs (docs/decisions/0029)."""
LIBRARIES = """
import sys
import georouter.cli.serve, georouter.daemon.life
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_a_start_imports_only_what_answers_need() -> None:
    """A restart from what was kept answers before any of the others is loaded."""
    run = subprocess.run(
        [sys.executable, "-c", LIBRARIES], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert not LATER & set(run.stdout.split())
