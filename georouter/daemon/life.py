"""The daemon from start to end: in which order the rooms begin and stop. What they say to each other is in
`wiring`.

Start:  build -> saved beliefs -> first health round -> publish -> sockets -> admin -> watch, probe
Stop (SIGTERM, SIGINT): stop probing and watching -> answer what has arrived -> save -> exit 0

Sockets open only after the first publication: there is no moment in which a query gets no answer or a
wrong one. A taken address is noticed before any of the slow work.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from typing import Any

from georouter.admin.address import try_bind
from georouter.daemon import signals
from georouter.daemon.faults import Faults
from georouter.daemon.memory import give_back
from georouter.daemon.notify import from_environment
from georouter.daemon.options import Options
from georouter.daemon.start import Start, first_build
from georouter.daemon.wiring import Rooms
from georouter.server.given import given_sockets
from georouter.telemetry.logs import event

log = logging.getLogger("georouter")

SWITCH_INTERVAL_S = 0.0005
"""How long the control loop may hold the interpreter while the packet path wants it."""
GRACE_S = 2.0
"""How long a stop waits for what has been received to be answered."""


class Daemon:
    """One running georouter."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._started_at = time.time()
        self._stop = asyncio.Event()
        self._notifier = from_environment(os.environ, os.getpid())

    def stop(self) -> None:
        """Ask for an orderly end."""
        self._stop.set()

    async def run(self) -> None:
        """Start, serve until `stop`, take down. SourceError or PolicyError when it cannot start."""
        give_back()
        given = given_sockets(os.environ, os.getpid())
        start = first_build(self._options.config, self._options.state_dir, strict=self._options.strict_start)
        rooms = Rooms(self._options, start, given, self._notifier, self._started_at)
        fixed = start.built.policy.server
        rooms.server.try_bind()
        if fixed.admin is not None:
            try_bind(*fixed.admin)
        self._take_signals(rooms)
        tasks: list[asyncio.Task[None]] = []
        try:
            _adopt(rooms, start)
            del start  # it would stay until the end, whatever is loaded after it
            await rooms.numbering.keep(rooms.controller.built.plan.serials)
            await _first_round(rooms)
            rooms.controller.publish_now()
            await _serve(rooms, given=len(given))
            rooms.secondaries.announce()
            await _open_admin(rooms, fixed.admin)
            tasks += self._set_going(rooms)
            self._notifier.ready(rooms.summary())
            if self._options.ready:
                self._options.ready()
            await self._until_stop(tasks)
        finally:
            await self._take_down(rooms, tasks)

    def _take_signals(self, rooms: Rooms) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(Faults())
        signals.ignore()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, rooms.hang_up)

    def _set_going(self, rooms: Rooms) -> list["asyncio.Task[None]"]:
        """What works beside the answers, from now to the end."""
        tasks = [
            asyncio.create_task(part.run(), name=name)
            for name, part in (
                ("control", rooms.controller),
                ("save", rooms.saver),
                ("watch", rooms.watcher),
                ("refusals", rooms.refusals),
            )
        ]
        if self._notifier.watchdog_s is not None:
            tasks.append(asyncio.create_task(self._notifier.pulse(rooms.turn), name="pulse"))
        return tasks

    async def _until_stop(self, tasks: list["asyncio.Task[None]"]) -> None:
        """Until somebody asks for it. A task that ends by itself is restarted answers-first: it is said."""
        stop = asyncio.create_task(self._stop.wait())
        try:
            pending: set[asyncio.Task[Any]] = {stop, *tasks}
            while not stop.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {stop}:
                    # fail static: the answers stay as they are without a control loop
                    event(
                        log,
                        "task.ended",
                        level=logging.CRITICAL,
                        task=task.get_name(),
                        error=repr(task.exception()),
                    )
        finally:
            stop.cancel()

    async def _take_down(self, rooms: Rooms, tasks: list["asyncio.Task[None]"]) -> None:
        event(log, "server.stopping")
        self._notifier.stopping()
        await rooms.prober.stop()
        await rooms.secondaries.stop()
        await rooms.aliases.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if rooms.serving:
            await rooms.saver.save()
        if rooms.admin is not None:
            await rooms.admin.stop()
        await rooms.workshop.stop()
        await rooms.planning.stop()
        if rooms.serving:  # answers come to the last
            rooms.serving = False
            await rooms.server.stop(GRACE_S)
            rooms.refusals.look(last=True)
        event(log, "server.stopped")


def _adopt(rooms: Rooms, start: Start) -> None:
    rooms.controller.start(start.built, last_good_because=start.refused, rtt_ms=start.rtt_ms)
    if start.refused is not None:
        rooms.watcher.follow(start.built.policy, start.refused.files, start.built.databases)
        rooms.watcher.refused(start.refused.files, start.refused.databases)  # said once


async def _first_round(rooms: Rooms) -> None:
    """Ask every endpoint nothing fresh is known of, and for alias targets of which nothing is known, for
    one timeout at most, before answering.
    """
    policy = rooms.controller.policy
    wait_s = max((check.rule.timeout_s for check in policy.checks.values()), default=0.0)
    await asyncio.gather(rooms.prober.first_round(wait_s), rooms.aliases.first_round(policy))


async def _serve(rooms: Rooms, *, given: int) -> None:
    """Open the sockets, `given` of them by a supervisor, and answer."""
    rooms.server.bind()
    rooms.look_at_receive_buffer()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()  # what start-up made stays; collections need not walk it
    await rooms.server.start()
    rooms.metrics.source = rooms.server
    rooms.serving = True
    event(
        log,
        "server.answering",
        listen=", ".join(rooms.addresses),
        zones=len(rooms.controller.policy.zones),
        path=rooms.server.path().name,
        given=given or None,
    )


async def _open_admin(rooms: Rooms, address: tuple[str, int] | None) -> None:
    if address is None:
        return
    from georouter.admin.app import start as start_admin  # noqa: PLC0415 - answers before aiohttp

    host, port = address
    rooms.admin = await start_admin(host, port, rooms.desk, rooms.settings.token)
    event(log, "admin.open", address=f"http://{host}:{rooms.admin.port}")
