"""The rooms of one daemon: created and handed to each other here, and here they hear of one another.

No room knows another one of its line: what one says comes to a method here, which passes it on.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial
from socket import gethostname, socket
from typing import TYPE_CHECKING, Any

import numpy as np

from georouter import __version__
from georouter.answers.debug import Inquiry
from georouter.answers.layout import SLOTS
from georouter.answers.tables import Snapshot
from georouter.control.events import AliasAsked, Probed, ReloadAsked
from georouter.control.loop import Controller
from georouter.control.orders import BuildRequest, Built, Counted, Failed
from georouter.control.outlets import Outlets
from georouter.daemon.aliases import Aliases
from georouter.daemon.debug import DebugDesk
from georouter.daemon.desk import DaemonDesk
from georouter.daemon.hooks import Hooks
from georouter.daemon.journal import Journal
from georouter.daemon.notify import Notifier
from georouter.daemon.numbering import Numbering
from georouter.daemon.options import Options
from georouter.daemon.refusals import Refusals
from georouter.daemon.saving import Saver, saved_beliefs
from georouter.daemon.secondaries import Secondaries
from georouter.daemon.settings import Settings
from georouter.daemon.start import Start
from georouter.daemon.status import status, summary
from georouter.daemon.watching import Watcher
from georouter.daemon.workshop import Role, Workshop
from georouter.facts.aliases import Reply
from georouter.policy.model import Policy
from georouter.probes.prober import Prober
from georouter.probes.target import ProbeResult, targets
from georouter.server.server import Server
from georouter.telemetry.audit import AuditLog
from georouter.telemetry.metrics import Metrics
from georouter.words.ids import ServiceName

if TYPE_CHECKING:
    from georouter.admin.app import RunningAdmin

SHOWN = {"snapshot.published", "policy.loaded", "policy.refused"}
"""Events after which a supervisor is shown a new summary."""


class Rooms:
    """All of them, by name. Whoever starts them sets `serving` and `admin`."""

    def __init__(
        self, options: Options, start: Start, given: Sequence[socket], notifier: Notifier, started_at: float
    ) -> None:
        """`started_at` is Unix seconds. SourceError when a secret of the policy cannot be read."""
        policy, state_dir = start.built.policy, start.state_dir
        self.serving = False
        """Whether queries are answered."""
        self.admin: RunningAdmin | None = None
        """The open admin door."""
        self._options = options
        self._notifier = notifier
        self._started_at = started_at
        self._state_dir = state_dir
        self.journal = Journal(self._heard)
        self.metrics = Metrics()
        self.metrics.build_info(__version__)
        self.settings = Settings(policy.server, state_dir, fixed_state_dir=options.state_dir is not None)
        self.secondaries = Secondaries(
            self.settings.copies, policy.server.listen, self.metrics, self.journal.tell
        )
        self.numbering = Numbering(state_dir, self._unsaved)
        self.server = Server(
            policy.server.listen,
            self.settings.current,
            given=given,
            workers=policy.server.workers,
            path=policy.server.path,
            know=self._know,
            told=self.secondaries.sent,
        )
        beliefs = saved_beliefs(state_dir, time.time())
        self._audit = AuditLog(state_dir / "audit.log")
        cache = str(state_dir / "cache")
        self.workshop = Workshop(cache_dir=cache)
        self.planning = Workshop(cache_dir=cache, role=Role.PLAN)
        self.saver = Saver(state_dir, beliefs, wall=time.time, failed=self._unsaved)
        self.watcher = Watcher(options.config, lambda: self._state_dir, self._ask_reload)
        self.prober = Prober(self._probed)
        self.metrics.probes = self.prober
        self.aliases = Aliases(self._alias_asked, policy.server)
        self.controller = Controller(
            str(options.config),
            beliefs,
            Outlets(
                show=self._show,
                adopt=self._adopted,
                refresh=self._refresh,
                remember=self.saver.remember,
                build=self._build,
                call=Hooks(policy.server.identity or gethostname(), self.saver.save).call,
                record=self._record,
                tell=self.journal.tell,
                metrics=self.metrics,
                plan=self.planning.ask,
                count=self._count,
            ),
        )
        self.desk = DaemonDesk(
            self.controller,
            self.metrics,
            self._audit,
            ask=self.workshop.ask,
            status=self._status,
            not_ready=lambda: None if self.serving else "waiting for the first round of checks and look-ups",
        )
        self._debug = DebugDesk(self.controller, self.desk.explain, time.time)
        self.refusals = Refusals(self.server.counters, self._record, time.time)

    @property
    def addresses(self) -> list[str]:
        """Where queries are answered, as `address:port`."""
        return [
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.server.addresses
        ]

    def summary(self) -> str:
        """One line for people."""
        return summary(self.controller)

    def look_at_receive_buffer(self) -> None:
        """Say so where the system grants less than the policy wants."""
        granted = self.server.receive_buffer_bytes
        wanted = self.settings.current.receive_buffer_bytes
        self.metrics.receive_buffer(granted)
        if granted < wanted:
            self.journal.tell(
                "server.small_receive_buffer",
                granted_bytes=granted,
                wanted_bytes=wanted,
                hint=f"sysctl -w net.core.rmem_max={wanted}",
            )

    def hang_up(self) -> None:
        """SIGHUP: a reload whose end a supervisor waits for."""
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda _: self._notifier.reloaded(self.summary()))
        self._notifier.reloading()
        self.controller.post(ReloadAsked("SIGHUP", done))

    async def turn(self) -> None:
        """Comes back while the control loop and all UDP workers do; else a supervisor starts us anew."""
        await self.controller.settled()
        if dead := self.server.dead():
            raise RuntimeError(f"these UDP workers do not answer any more: {', '.join(dead)}")

    # -- what the rooms say --------------------------------------------------------------------

    def _probed(self, result: ProbeResult) -> None:
        self.controller.post(
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
        self.controller.post(AliasAsked(target, replies))

    async def _build(self, request: BuildRequest) -> Built | Failed:
        result: Built | Failed = await self.workshop.ask(request)
        if isinstance(result, Built):
            await self.aliases.ahead(result.policy, result.plan.outside)
            await self.numbering.keep(result.plan.serials)
            await self.secondaries.prepare(result)
        elif request.files is None:
            self.watcher.refused(result.files, result.databases)
        return result

    def _count(self) -> Counted:
        """The census of every service that has one."""
        counted = self.server.census()
        if counted is None:
            return {}
        layout, values = counted
        columns = np.array(values, dtype=np.float64).reshape(len(layout.census), SLOTS)
        return {ServiceName(name): column for name, column in zip(layout.census, columns, strict=True)}

    def _show(self, snapshot: Snapshot) -> None:
        self.server.publish(snapshot)
        if self.serving:
            self.secondaries.announce()

    def _ask_reload(self, cause: str) -> None:
        self.controller.post(ReloadAsked(cause))

    def _adopted(self, built: Built) -> None:
        self.secondaries.adopt(built)
        self.prober.set_targets(targets(built.policy), self.controller.beliefs.healths)
        self.aliases.follow(built.policy, built.plan.outside, self.controller.beliefs.aliases)
        self.watcher.follow(built.policy, built.files, built.databases)
        self.saver.keep(built.files)

    def _refresh(self, policy: Policy) -> None:
        """After every reload: settings and secrets take effect, and what cannot is said by name."""
        before = self.settings.current.receive_buffer_bytes, self.server.receive_buffer_bytes
        self.settings.adopt(policy.server)
        self.server.adopt(self.settings.current)
        if (self.settings.current.receive_buffer_bytes, self.server.receive_buffer_bytes) != before:
            self.look_at_receive_buffer()
        if self.admin is not None:
            self.admin.renew(self.settings.token)
        if self.settings.waiting:
            self.journal.tell("server.restart_needed", settings=", ".join(self.settings.waiting))

    async def _know(self, inquiry: Inquiry, until: float) -> list[str]:
        return await self._debug.know(inquiry, until)

    def _record(self, action: str, **fields: object) -> None:
        """Into the audit log, in a thread: a slow disk must not hold up what it tells of."""
        write = partial(self._audit.record, time.time(), action, author="georouter", **fields)
        asyncio.get_running_loop().run_in_executor(None, write).add_done_callback(self._recorded)

    def _recorded(self, written: "asyncio.Future[bool]") -> None:
        if not written.result():
            self.metrics.state_save_failed("audit")

    def _unsaved(self, problem: str) -> None:
        self.metrics.state_save_failed()
        self.journal.tell("state.unsaved", error=problem)

    def _heard(self, name: str, fields: dict[str, object]) -> None:
        """An event was told."""
        if name in SHOWN and self.serving:  # once the loop has taken over what it tells of
            asyncio.get_running_loop().call_soon(lambda: self._notifier.status(self.summary()))
        if self._options.tell:
            self._options.tell(name, fields)

    def _status(self) -> dict[str, Any]:
        return status(
            self.controller,
            now=time.time(),
            started_at=self._started_at,
            listen=self.addresses,
            path=self.server.path(),
            drops=self.server.drops() if self.serving else 0,
            queries_total=self.server.queries_total() if self.serving else 0,
            restart_needed=self.settings.waiting,
            transfers=self.secondaries.status(self.server.transfers),
            recent=self.journal.recent,
        )
