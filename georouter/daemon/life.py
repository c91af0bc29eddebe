"""The daemon from start to end: the rooms are created here, handed to each other, and taken down again.

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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import gethostname, socket
from typing import TYPE_CHECKING, Any

import numpy as np

from georouter import __version__
from georouter.admin.address import try_bind
from georouter.answers.debug import Inquiry
from georouter.answers.layout import SLOTS
from georouter.answers.tables import Snapshot
from georouter.compiler.serials import Numbered
from georouter.control.beliefs import Beliefs
from georouter.control.events import AliasAsked, Probed, ReloadAsked
from georouter.control.loop import Controller
from georouter.control.orders import BuildRequest, Built, Counted, Failed
from georouter.control.outlets import Outlets
from georouter.daemon import signals
from georouter.daemon.aliases import Aliases
from georouter.daemon.debug import DebugDesk
from georouter.daemon.desk import DaemonDesk
from georouter.daemon.faults import Faults
from georouter.daemon.hooks import Hooks
from georouter.daemon.journal import Journal
from georouter.daemon.memory import give_back
from georouter.daemon.notify import from_environment
from georouter.daemon.refusals import Refusals
from georouter.daemon.saving import Saver
from georouter.daemon.secondaries import Secondaries
from georouter.daemon.settings import Settings
from georouter.daemon.start import Start, first_build
from georouter.daemon.status import status, summary
from georouter.daemon.watching import Watcher
from georouter.daemon.workshop import Workshop
from georouter.facts import aliases
from georouter.facts.aliases import Reply
from georouter.facts.brake import FREE
from georouter.policy.model import Policy
from georouter.probes.prober import Prober
from georouter.probes.target import ProbeResult, targets
from georouter.server.given import given_sockets
from georouter.server.server import Server
from georouter.sources import serial_file, state_files
from georouter.telemetry.audit import AuditLog
from georouter.telemetry.logs import event
from georouter.telemetry.metrics import Metrics
from georouter.words.errors import SourceError
from georouter.words.ids import ServiceName, ZoneName

if TYPE_CHECKING:
    from georouter.admin.app import RunningAdmin

log = logging.getLogger("georouter")

SWITCH_INTERVAL_S = 0.0005
"""How long the control loop may hold the interpreter while the packet path wants it."""
GRACE_S = 2.0
"""How long a stop waits for what has been received to be answered."""
SHOWN = {"snapshot.published", "policy.loaded", "policy.refused"}
"""Events after which a supervisor is shown a new summary."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line decides. `tell` also hears every event; `ready` is called once serving."""

    config: Path
    state_dir: Path | None = None
    strict_start: bool = False
    tell: Callable[[str, dict[str, object]], None] | None = None
    ready: Callable[["Daemon"], None] | None = None


class Daemon:
    """One running georouter."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._started_at = time.time()
        self._journal = Journal(self._heard)
        self._serving = False
        self._admin: RunningAdmin | None = None
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
        self._create(start, given)
        self._server.try_bind()
        self._try_admin()
        self._take_signals()
        admin: RunningAdmin | None = None
        tasks: list[asyncio.Task[None]] = []
        try:
            self._controller.start(start.built, last_good_because=start.refused, rtt_ms=start.rtt_ms)
            if start.refused is not None:
                self._watcher.follow(start.built.policy, start.refused.files, start.built.databases)
                self._watcher.refused(start.refused.files, start.refused.databases)  # said once
            del start  # it would stay until the end, whatever is loaded after it
            await self._number(self._controller.built)
            await self._first_round()
            self._controller.publish_now()
            await self._serve()
            self._secondaries.announce()
            admin = await self._open_admin()
            tasks += [
                asyncio.create_task(part.run(), name=name)
                for name, part in (
                    ("control", self._controller),
                    ("save", self._saver),
                    ("watch", self._watcher),
                    ("refusals", self._refusals),
                )
            ]
            if self._notifier.watchdog_s is not None:
                pulse = self._notifier.pulse(self._turn)
                tasks.append(asyncio.create_task(pulse, name="pulse"))
            self._notifier.ready(summary(self._controller))
            if self._options.ready:
                self._options.ready(self)
            await self._until_stop(tasks)
        finally:
            await self._take_down(admin, tasks)

    # -- start ---------------------------------------------------------------------------------

    def _create(self, start: Start, given: Sequence[socket]) -> None:
        policy = start.built.policy
        self._state_dir = start.state_dir
        self._given = len(given)
        self._fixed = policy.server
        self._metrics = Metrics()
        self._metrics.build_info(__version__)
        self._settings = Settings(
            policy.server, self._state_dir, fixed_state_dir=self._options.state_dir is not None
        )
        self._secondaries = Secondaries(
            self._settings.copies, policy.server.listen, self._metrics, self._journal.tell
        )
        self._serials: Mapping[ZoneName, Numbered] = serial_file.load(self._state_dir)
        self._server = Server(
            policy.server.listen,
            self._settings.current,
            given=given,
            workers=policy.server.workers,
            path=policy.server.path,
            know=self._know,
            told=self._secondaries.sent,
        )
        beliefs = self._saved_beliefs()
        self._audit = AuditLog(self._state_dir / "audit.log")
        self._workshop = Workshop(cache_dir=str(self._state_dir / "cache"))
        self._saver = Saver(self._state_dir, beliefs, wall=time.time, failed=self._unsaved)
        self._watcher = Watcher(self._options.config, lambda: self._state_dir, self._ask_reload)
        self._prober = Prober(self._probed)
        self._metrics.probes = self._prober
        self._aliases = Aliases(self._alias_asked, policy.server)
        self._controller = Controller(
            str(self._options.config),
            beliefs,
            Outlets(
                show=self._show,
                adopt=self._adopted,
                refresh=self._refresh,
                remember=self._saver.remember,
                build=self._build,
                call=Hooks(policy.server.identity or gethostname(), self._saver.save).call,
                record=self._record,
                tell=self._journal.tell,
                metrics=self._metrics,
                plan=self._workshop.ask,
                count=self._count,
            ),
        )
        self._desk = DaemonDesk(
            self._controller,
            self._metrics,
            self._audit,
            ask=self._workshop.ask,
            status=self._status,
            not_ready=lambda: None if self._serving else "waiting for the first round of checks and look-ups",
        )
        self._debug = DebugDesk(self._controller, self._desk.explain, time.time)
        self._refusals = Refusals(self._server.counters, self._record, time.time)

    def _saved_beliefs(self) -> Beliefs:
        """What the last run believed: overrides and aliases always, health only while it is fresh."""
        saved, problem = state_files.load_state(self._state_dir)
        if problem and (self._state_dir / state_files.STATE_FILE).exists():
            event(log, "state.unreadable", level=logging.WARNING, error=problem)
        if saved is None:
            return Beliefs()
        now = time.time()
        fresh = state_files.is_fresh(saved, now)
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

    def _try_admin(self) -> None:
        if self._fixed.admin is not None:
            try_bind(*self._fixed.admin)

    async def _open_admin(self) -> "RunningAdmin | None":
        if self._fixed.admin is None:
            return None
        from georouter.admin.app import start as start_admin  # noqa: PLC0415 - answers before aiohttp

        host, port = self._fixed.admin
        admin = await start_admin(host, port, self._desk, self._settings.token)
        self._admin = admin
        event(log, "admin.open", address=f"http://{host}:{admin.port}")
        return admin

    async def _first_round(self) -> None:
        """Ask every endpoint nothing fresh is known of, and for alias targets of which nothing is known, for
        one timeout at most, before answering.
        """
        wait_s = max((check.rule.timeout_s for check in self._controller.policy.checks.values()), default=0.0)
        await asyncio.gather(
            self._prober.first_round(wait_s), self._aliases.first_round(self._controller.policy)
        )

    async def _serve(self) -> None:
        self._server.bind()
        self._look_at_receive_buffer()
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        gc.collect()
        gc.freeze()  # what start-up made stays; collections need not walk it
        await self._server.start()
        self._metrics.source = self._server
        self._serving = True
        event(
            log,
            "server.answering",
            listen=", ".join(self._addresses()),
            zones=len(self._controller.policy.zones),
            path=self._server.path().name,
            given=self._given or None,
        )

    def _look_at_receive_buffer(self) -> None:
        granted = self._server.receive_buffer_bytes
        wanted = self._settings.current.receive_buffer_bytes
        self._metrics.receive_buffer(granted)
        if granted < wanted:
            self._journal.tell(
                "server.small_receive_buffer",
                granted_bytes=granted,
                wanted_bytes=wanted,
                hint=f"sysctl -w net.core.rmem_max={wanted}",
            )

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(Faults())
        signals.ignore()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    # -- end -----------------------------------------------------------------------------------

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

    async def _take_down(self, admin: "RunningAdmin | None", tasks: list["asyncio.Task[None]"]) -> None:
        event(log, "server.stopping")
        self._notifier.stopping()
        await self._prober.stop()
        await self._secondaries.stop()
        await self._aliases.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._serving:
            await self._saver.save()
        if admin is not None:
            await admin.stop()
        await self._workshop.stop()
        if self._serving:  # answers come to the last
            self._serving = False
            await self._server.stop(GRACE_S)
            self._refusals.look(last=True)
        event(log, "server.stopped")

    # -- what the rooms say --------------------------------------------------------------------

    def _probed(self, result: ProbeResult) -> None:
        self._controller.post(
            Probed(
                result.key,
                result.ok,
                result.reason,
                result.ended - result.started,
                result.rtt_s,
                result.values,
            )
        )

    def _alias_asked(self, target: bytes, replies: Mapping[int, Reply]) -> None:
        self._controller.post(AliasAsked(target, replies))

    async def _build(self, request: BuildRequest) -> Built | Failed:
        result: Built | Failed = await self._workshop.ask(request)
        if isinstance(result, Built):
            await self._aliases.ahead(result.policy, result.plan.outside)
        if isinstance(result, Failed) and request.files is None:
            self._watcher.refused(result.files, result.databases)
        if isinstance(result, Built):
            await self._number(result)
            await self._secondaries.prepare(result)
        return result

    def _count(self) -> Counted:
        """The census of every service that has one."""
        counted = self._server.census()
        if counted is None:
            return {}
        layout, values = counted
        columns = np.array(values, dtype=np.float64).reshape(len(layout.census), SLOTS)
        return {ServiceName(name): column for name, column in zip(layout.census, columns, strict=True)}

    async def _number(self, built: Built) -> None:
        """Keep the serials before they are answered: one that somebody saw is never another content's."""
        if built.plan.serials == self._serials:
            return
        try:
            await asyncio.to_thread(serial_file.save, self._state_dir, built.plan.serials)
        except SourceError as error:
            self._unsaved(str(error))
        self._serials = built.plan.serials

    def _show(self, snapshot: Snapshot) -> None:
        self._server.publish(snapshot)
        if self._serving:
            self._secondaries.announce()

    def _ask_reload(self, cause: str) -> None:
        self._controller.post(ReloadAsked(cause))

    def _hang_up(self) -> None:
        """SIGHUP: a reload whose end a supervisor waits for."""
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda _: self._notifier.reloaded(summary(self._controller)))
        self._notifier.reloading()
        self._controller.post(ReloadAsked("SIGHUP", done))

    def _adopted(self, built: Built) -> None:
        self._secondaries.adopt(built)
        self._prober.set_targets(targets(built.policy), self._controller.beliefs.healths)
        self._aliases.follow(built.policy, built.plan.outside, self._controller.beliefs.aliases)
        self._watcher.follow(built.policy, built.files, built.databases)
        self._saver.keep(built.files)

    def _refresh(self, policy: Policy) -> None:
        """After every reload: settings and secrets take effect, and what cannot is said by name."""
        before = self._settings.current.receive_buffer_bytes, self._server.receive_buffer_bytes
        self._settings.adopt(policy.server)
        self._server.adopt(self._settings.current)
        if (self._settings.current.receive_buffer_bytes, self._server.receive_buffer_bytes) != before:
            self._look_at_receive_buffer()
        if self._admin is not None:
            self._admin.renew(self._settings.token)
        if self._settings.waiting:
            self._journal.tell("server.restart_needed", settings=", ".join(self._settings.waiting))

    async def _know(self, inquiry: Inquiry, until: float) -> list[str]:
        return await self._debug.know(inquiry, until)

    def _record(self, action: str, **fields: object) -> None:
        """Into the audit log, in a thread: a slow disk must not hold up what it tells of."""
        write = partial(self._audit.record, time.time(), action, author="georouter", **fields)
        asyncio.get_running_loop().run_in_executor(None, write).add_done_callback(self._recorded)

    def _recorded(self, written: "asyncio.Future[bool]") -> None:
        if not written.result():
            self._metrics.state_save_failed("audit")

    def _unsaved(self, problem: str) -> None:
        self._metrics.state_save_failed()
        self._journal.tell("state.unsaved", error=problem)

    def _heard(self, name: str, fields: dict[str, object]) -> None:
        """An event was told."""
        if name in SHOWN and self._serving:  # once the loop has taken over what it tells of
            asyncio.get_running_loop().call_soon(lambda: self._notifier.status(summary(self._controller)))
        if self._options.tell:
            self._options.tell(name, fields)

    async def _turn(self) -> None:
        """Comes back while the control loop and all UDP workers do; else a supervisor starts us anew."""
        await self._controller.settled()
        if dead := self._server.dead():
            raise RuntimeError(f"these UDP workers do not answer any more: {', '.join(dead)}")

    def _status(self) -> dict[str, Any]:
        return status(
            self._controller,
            now=time.time(),
            started_at=self._started_at,
            listen=self._addresses(),
            path=self._server.path(),
            drops=self._server.drops() if self._serving else 0,
            queries_total=self._server.queries_total() if self._serving else 0,
            restart_needed=self._settings.waiting,
            transfers=self._secondaries.status(self._server.transfers),
            recent=self._journal.recent,
        )

    def _addresses(self) -> list[str]:
        return [
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self._server.addresses
        ]
