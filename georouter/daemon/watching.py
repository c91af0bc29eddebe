"""Turns file changes into reload requests, but only when a file's content is really another one."""

import asyncio
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path

from georouter.control.orders import Databases
from georouter.policy.files import PolicyFile, Stamp
from georouter.policy.model import Policy
from georouter.sources import geo_files, policy_files, zone_files
from georouter.sources.watch import changes
from georouter.telemetry.logs import event
from georouter.words.errors import PolicyError, SourceError

log = logging.getLogger("georouter")

AGAIN_S = 2.0
"""How long to wait after watching failed; files are looked at before every new attempt."""


@dataclass(frozen=True, slots=True)
class Files:
    """The policy's own files by content; the zone files it names, too large for that, by their stamps."""

    policy: Hashable
    zones: tuple[tuple[str, Stamp], ...]


def _files(files: tuple[PolicyFile, ...]) -> Files:
    return Files(tuple(file for file in files if not file.zone), zone_files.stamps(files))


class Watcher:
    """Watches the policy and what it names; `follow` tells it when that changes."""

    def __init__(self, config: Path, state_dir: Callable[[], Path], asked: Callable[[str], None]) -> None:
        self._config = config
        self._state_dir = state_dir
        self._asked = asked
        self._policy: Policy | None = None
        self._moved = asyncio.Event()
        self._wanted: tuple[str, ...] = ()
        """Databases of a policy that was refused: what is wrong with it may be wrong with them."""
        self._seen: tuple[Files, Databases] | None = None
        self._trouble = ""

    def follow(self, policy: Policy, files: tuple[PolicyFile, ...], read: Databases) -> None:
        """`policy` is in use: watch its databases too.

        `files` are what was read last, and `read` are the databases as they were then.
        """
        self._policy, self._wanted = policy, ()
        self._seen = (_files(files), read)
        self._moved.set()

    def refused(self, files: tuple[PolicyFile, ...], read: Databases) -> None:
        """These were read last and could not be used, whoever asked: what differs from them is news.

        Without this, a repair that comes before the broken files were seen here would be none.
        """
        if self._seen is None:
            return
        seen, known = self._seen
        self._wanted = tuple(path for path, _ in read)
        known_now = dict(known) | dict(read)
        self._seen = (
            _files(files) if files else seen,
            tuple((path, known_now.get(path)) for path in self._databases()),
        )
        self._moved.set()

    async def run(self) -> None:
        """Watch until cancelled. Where watching fails (no descriptors, no inotify), look now and then."""
        while True:
            try:
                await self._watch()
            except (OSError, RuntimeError) as error:  # watchfiles raises both
                self._complain(error)
                await asyncio.sleep(AGAIN_S)

    async def _watch(self) -> None:
        while True:
            self._moved.clear()
            stop = asyncio.Event()
            restart = asyncio.create_task(self._set_when_moved(stop))
            try:
                paths = [self._config, *map(Path, self._named())]
                await self._look()  # it may have changed since it was read
                async for _paths in changes(paths, stop=stop, ignore=[self._state_dir()]):
                    await self._look()
            finally:
                stop.set()
                restart.cancel()

    async def _set_when_moved(self, stop: asyncio.Event) -> None:
        """End the running watch when other folders must be watched."""
        before = self._folders()
        while self._folders() == before:
            await self._moved.wait()
            self._moved.clear()
        stop.set()

    def _folders(self) -> frozenset[Path]:
        return frozenset(Path(path).parent for path in self._named())

    def _named(self) -> tuple[str, ...]:
        """Everything that the policy names: databases and zone files."""
        zones = () if self._seen is None else self._seen[0].zones
        return (*self._databases(), *(name for name, _ in zones))

    def _databases(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*databases(self._policy), *self._wanted)))

    async def _look(self) -> None:
        seen = await asyncio.to_thread(self._content)
        if seen != self._seen:
            self._seen = seen
            self._asked("file change")

    def _complain(self, error: Exception) -> None:
        if str(error) != self._trouble:
            self._trouble = str(error)
            event(log, "watch.failed", level=logging.WARNING, error=self._trouble, again_s=AGAIN_S)

    def _content(self) -> tuple[Files, Databases]:
        databases_now = geo_files.fingerprint(self._databases())
        try:
            policy: Hashable = policy_files.read_policy(self._config)
        except (SourceError, PolicyError) as error:
            policy = str(error)
        zones = zone_files.stamps_now(() if self._seen is None else self._seen[0].zones)
        return Files(policy, zones), databases_now


def databases(policy: Policy | None) -> tuple[str, ...]:
    """Paths of the database files that `policy` names."""
    return () if policy is None else (*policy.geo.databases, *policy.geo.asn_databases)
