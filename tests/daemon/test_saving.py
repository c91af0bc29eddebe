"""Saving beside the control loop."""

import asyncio
import logging
from pathlib import Path

import pytest

from georouter.control.beliefs import Beliefs
from georouter.daemon import saving
from georouter.daemon.saving import Saver, saved_beliefs
from georouter.facts.endpoints import EndpointKey
from georouter.facts.health import Health
from georouter.facts.overrides import Override, OverrideKind
from georouter.facts.world import State
from georouter.policy.load import PolicyFile
from georouter.sources.state_files import FRESH_S, STATE_FILE, load_last_good, load_state
from georouter.words.ids import CheckName, RegionName

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


def test_a_restart_believes_what_is_fresh(tmp_path: Path) -> None:
    """Health for as long as it means anything; what an operator said, always."""
    key = EndpointKey(RegionName("eu"), "192.0.2.1", CheckName("web"))
    drain = Override(OverrideKind.DRAIN, RegionName("eu"), "a test", "ada", 900.0)
    beliefs = Beliefs(healths={key: Health(State.DOWN, since=990.0)}, overrides={drain.region: drain})
    asyncio.run(Saver(tmp_path, beliefs, wall=lambda: 1000.0, failed=_fail).save())
    soon, late = saved_beliefs(tmp_path, 1001.0), saved_beliefs(tmp_path, 1001.0 + FRESH_S)
    assert soon.healths == beliefs.healths
    assert not late.healths
    assert soon.overrides == late.overrides == beliefs.overrides


def test_a_state_that_cannot_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is believed, and it is said; a first start has nothing to say."""
    with caplog.at_level(logging.WARNING):
        assert saved_beliefs(tmp_path, 1000.0) == Beliefs()
        assert not caplog.text
        (tmp_path / STATE_FILE).write_text("{")
        assert saved_beliefs(tmp_path, 1000.0) == Beliefs()
    assert "state.unreadable" in caplog.text


def _fail(problem: str) -> None:
    raise AssertionError(problem)
