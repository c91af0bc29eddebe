"""Saving beside the control loop."""

import asyncio
from pathlib import Path

import pytest

from georouter.control.beliefs import Beliefs
from georouter.daemon import saving
from georouter.daemon.saving import Saver
from georouter.policy.load import PolicyFile
from georouter.sources.state_files import load_last_good, load_state

FILES = (PolicyFile("/etc/georouter/georouter.yaml", "version: 1\n"),)


def saver(directory: Path, failures: list[str]) -> Saver:
    """A saver of nothing in particular."""
    return Saver(directory, Beliefs(), wall=lambda: 1000.0, failed=failures.append)


def test_the_policy_in_use_is_written_at_once(tmp_path: Path) -> None:
    """Before the calm that a burst of beliefs is given: a daemon may be killed right after a reload."""
    failures: list[str] = []

    async def run() -> None:
        running = saver(tmp_path, failures)
        task = asyncio.create_task(running.run())
        running.keep(FILES)
        async with asyncio.timeout(saving.CALM_S * 0.9):
            while load_last_good(tmp_path) != FILES:  # noqa: ASYNC110 - nobody tells when
                await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(run())
    assert not failures


def test_what_could_not_be_written_is_tried_again(tmp_path: Path) -> None:
    """Each failure is told, and the next save has everything."""
    failures: list[str] = []
    place = tmp_path / "state"
    place.write_text("not a folder")

    async def run() -> None:
        running = saver(place, failures)
        running.keep(FILES)
        await running.save()
        assert len(failures) == 2
        place.unlink()
        await running.save()

    asyncio.run(run())
    assert len(failures) == 2
    assert load_last_good(place) == FILES
    state, problem = load_state(place)
    assert state is not None
    assert (state.saved_at, problem) == (1000.0, "")


def test_a_storm_is_one_write_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten reloads a second are not ten times a second waiting for a disk."""
    written: list[object] = []
    monkeypatch.setattr(saving, "save_last_good", lambda _, files: written.append(files))
    monkeypatch.setattr(saving, "CALM_S", 0.2)

    async def run() -> None:
        running = saver(tmp_path, [])
        task = asyncio.create_task(running.run())
        for number in range(30):
            running.keep((PolicyFile("/policy.yaml", str(number)),))
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        task.cancel()

    asyncio.run(run())
    assert 2 <= len(written) <= 6
    assert written[-1] == (PolicyFile("/policy.yaml", "29"),)
