"""The watcher asks for a reload when, and only when, the files are others than those read last."""

import asyncio
from pathlib import Path

import pytest

from georouter.daemon.watching import Watcher
from georouter.policy.load import load
from georouter.sources import policy_files

GOOD = 'version: 1\nzones: {example.com: {ns: [ns1.example.com], records: {ns1: {A: "192.0.2.53"}}}}\n'
BROKEN = GOOD + "nonsense: 1\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A policy file that is in use."""
    file = tmp_path / "georouter.yaml"
    file.write_text(GOOD)
    return file


def looks(config: Path, *steps: str) -> list[str]:
    """What a watcher that follows the file asks for, while `steps` happen: a content, or `refused`."""
    asked: list[str] = []

    async def happen() -> None:
        watcher = Watcher(config, lambda: config.parent / "state", asked.append)
        files = policy_files.read(config)
        watcher.follow(load(files).policy, files, ())
        for step in steps:
            if step == "refused":
                watcher.refused(policy_files.read(config))
            elif step == "look":
                await watcher._look()
            else:
                config.write_text(step)  # noqa: ASYNC240 - nobody waits

    asyncio.run(happen())
    return asked


def test_a_change_is_asked_for_once(config: Path) -> None:
    """However often one looks; nothing is asked while nothing changes."""
    assert looks(config, "look", "look") == []
    assert looks(config, BROKEN, "look", "look") == ["file change"]


def test_what_others_had_refused_is_not_asked_for_again(config: Path) -> None:
    """A SIGHUP read the broken file before the watcher saw it."""
    assert looks(config, BROKEN, "refused", "look", "look") == []


def test_a_repair_that_was_quicker_than_the_watcher_is_asked_for(config: Path) -> None:
    """Broken, refused through SIGHUP, repaired, and only then looked at: the repair is news."""
    assert looks(config, BROKEN, "refused", GOOD, "look", "look") == ["file change"]
