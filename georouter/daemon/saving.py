"""Keeps the state directory in step with what the control loop believes, without ever holding it up, and
says at the next start what was believed.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from georouter.control.beliefs import Beliefs
from georouter.facts import aliases
from georouter.facts.brake import FREE
from georouter.policy.files import PolicyFile
from georouter.sources.state_files import (
    STATE_FILE,
    SavedState,
    is_fresh,
    load_state,
    save_last_good,
    save_state,
)
from georouter.telemetry.logs import event
from georouter.words.errors import SourceError

log = logging.getLogger("georouter")

CALM_S = 1.0
"""A burst of changes is one write."""
REFRESH_S = 60.0
"""A calm state is written again, because a restart trusts only what is younger than 10 minutes."""


class Saver:
    """Writes in a thread, at most once per `CALM_S`; `failed` hears of what could not be written."""

    def __init__(
        self, directory: Path, beliefs: Beliefs, *, wall: Callable[[], float], failed: Callable[[str], None]
    ) -> None:
        self._directory = directory
        self._beliefs = beliefs
        self._wall = wall
        self._failed = failed
        self._due = asyncio.Event()
        self._turn = asyncio.Lock()
        self._policy: tuple[PolicyFile, ...] | None = None
        """Files in use that are not on disk yet."""

    def remember(self) -> None:
        """Something changed that a restart should know."""
        self._due.set()

    def keep(self, files: tuple[PolicyFile, ...]) -> None:
        """These files are in use: a restart may need them as the last good policy."""
        self._policy = files
        self._due.set()

    async def run(self) -> None:
        """Save until cancelled."""
        while True:
            try:
                async with asyncio.timeout(REFRESH_S):
                    await self._due.wait()
                await self._save_policy()
                await asyncio.sleep(CALM_S)
            except TimeoutError:
                pass
            self._due.clear()
            await self.save()

    async def save(self) -> None:
        """Write what is believed now, and the policy in use if that is not written yet."""
        await self._save_policy()
        async with self._turn:  # what is written last is what was believed last
            await self._save_state()

    async def _save_state(self) -> None:
        beliefs = self._beliefs
        state = SavedState(
            saved_at=self._wall(),
            healths=dict(beliefs.healths),
            latencies=dict(beliefs.latencies),
            overrides=dict(beliefs.overrides),
            last_known=dict(beliefs.last_known),
            failovers=dict(beliefs.failovers),
            aliases=dict(beliefs.aliases),
            ramps=dict(beliefs.ramps),
            brake=beliefs.brake,
        )
        try:
            await asyncio.to_thread(save_state, self._directory, state)
        except SourceError as error:
            self._failed(str(error))

    async def _save_policy(self) -> None:
        files = self._policy
        if files is None:
            return
        try:
            await asyncio.to_thread(save_last_good, self._directory, files)
        except SourceError as error:
            self._failed(str(error))  # and it is tried again with the next save
        else:
            if self._policy is files:
                self._policy = None


def saved_beliefs(directory: Path, now: float) -> Beliefs:
    """What the last run believed, at `now` (Unix seconds): overrides and aliases always, health only while it
    is fresh.
    """
    saved, problem = load_state(directory)
    if problem and (directory / STATE_FILE).exists():
        event(log, "state.unreadable", level=logging.WARNING, error=problem)
    if saved is None:
        return Beliefs()
    fresh = is_fresh(saved, now)
    return Beliefs(
        healths=dict(saved.healths) if fresh else {},
        latencies=dict(saved.latencies) if fresh else {},
        overrides=saved.overrides,
        last_known=saved.last_known,
        failovers=dict(saved.failovers),
        ramps=dict(saved.ramps),
        aliases={name: aliases.restored(target, now) for name, target in saved.aliases.items()},
        brake=saved.brake if fresh else FREE,
    )
