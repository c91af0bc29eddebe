"""The admin door's view of the running daemon: what it may see and what it may change."""

import asyncio
import difflib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from georouter.admin.desk import Action, Change, Failback, Question, RampChange, Unfreeze
from georouter.control.events import (
    BrakeReleased,
    FailbackAsked,
    OverrideCleared,
    OverrideSet,
    RampAsked,
    ReloadAsked,
)
from georouter.control.loop import Controller
from georouter.control.orders import ExplainRequest, Failed
from georouter.daemon.status import brake_status, failover_status, ramp_status, region_status
from georouter.facts.overrides import Override, OverrideKind
from georouter.telemetry.audit import AuditLog
from georouter.telemetry.metrics import Metrics
from georouter.words.ids import RegionName, ServiceName

KINDS: Mapping[Action, OverrideKind] = {
    Action.DRAIN: OverrideKind.DRAIN,
    Action.FORCE_UP: OverrideKind.FORCE_UP,
    Action.FORCE_DOWN: OverrideKind.FORCE_DOWN,
}


class DaemonDesk:
    """Implements `admin.desk.Desk`."""

    def __init__(
        self,
        controller: Controller,
        metrics: Metrics,
        audit: AuditLog,
        *,
        ask: Callable[[object], Awaitable[Any]],
        status: Callable[[], dict[str, Any]],
        not_ready: Callable[[], str | None],
    ) -> None:
        self._controller = controller
        self._metrics = metrics
        self._audit = audit
        self._ask = ask
        self._status = status
        self._not_ready = not_ready

    def status(self) -> dict[str, Any]:
        """Everything, see `daemon.status`."""
        return self._status()

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The metrics as Prometheus reads them."""
        return self._metrics.exposition(accept)

    def ready(self) -> str | None:
        """None once queries are answered."""
        return self._not_ready()

    async def explain(self, question: Question) -> dict[str, Any]:
        """The decision on live state, computed in the child process, which holds the geo map."""
        controller = self._controller
        plan = controller.world.capacity
        answer = await self._ask(
            ExplainRequest(
                controller.built.files,
                controller.config,
                replace(
                    controller.world,
                    capacity=plan and plan.settled(controller.world.away),
                    rtt_ms=controller.builds.rtt_ms,
                    readings=controller.beliefs.readings(),
                ),
                question.name,
                question.client,
                question.resolver,
                question.type,
                time.time(),
            )
        )
        if isinstance(answer, Failed):
            raise ValueError(answer.message)  # noqa: TRY004 - the question was wrong, not a type
        return dict(answer)

    async def change(self, command: Change) -> dict[str, Any]:
        """Force a region or let it go; the change is published before this returns."""
        controller = self._controller
        now = time.time()
        region = controller.policy.regions.get(RegionName(command.region))
        if region is None:
            raise LookupError(_unknown("region", command.region, list(controller.policy.regions)))
        if command.action in KINDS:
            override = Override(
                kind=KINDS[command.action],
                region=region.name,
                reason=command.reason,
                author=command.author,
                created_at=now,
                expires_at=None if command.for_s is None else now + (command.in_s or 0.0) + command.for_s,
                starts_at=None if command.in_s is None else now + command.in_s,
            )
            controller.post(OverrideSet(override))
        else:
            current = controller.beliefs.overrides.get(region.name)
            if current is None:
                raise ValueError(f"region {region.name} is not drained or forced: there is nothing to end")
            if command.action is Action.UNDRAIN and current.kind is not OverrideKind.DRAIN:
                raise ValueError(
                    f"region {region.name} is not drained but {current.kind.value}: clear that instead"
                )
            controller.post(OverrideCleared(region.name, command.author, command.reason))
        await self._record(
            command.action.value,
            region=region.name,
            reason=command.reason,
            author=command.author,
            source=command.source,
            for_s=command.for_s,
            in_s=command.in_s,
        )
        await controller.settled()
        return region_status(controller, region, now)

    async def fail_back(self, command: Failback) -> dict[str, Any]:
        """Begin a failback; what follows at once is published before this returns."""
        service = self._service(command.service)
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        to = None if command.to is None else RegionName(command.to)
        self._controller.post(FailbackAsked(service, to, command.author, command.reason, done))
        await self._granted(done, "failback", command, service=service, to=to)
        return {"service": service, "failover": failover_status(self._controller, service)}

    async def ramp(self, command: RampChange) -> dict[str, Any]:
        """Do what an operator wants of a ramp; it is published before this returns."""
        service = self._service(command.service)
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._controller.post(RampAsked(service, command.action, command.author, command.reason, done))
        await self._granted(done, f"ramp.{command.action.value}", command, service=service)
        return {"service": service, "ramp": ramp_status(self._controller, service)}

    def _service(self, name: str) -> ServiceName:
        """LookupError for one that the policy does not have."""
        services = self._controller.policy.services
        if ServiceName(name) not in services:
            raise LookupError(_unknown("service", name, list(services)))
        return ServiceName(name)

    async def _granted(
        self,
        done: "asyncio.Future[str | None]",
        action: str,
        command: Failback | RampChange,
        **fields: object,
    ) -> None:
        """Until a wish is recorded and published; ValueError, recorded too, when the loop refused it."""
        problem = await done
        await self._record(
            action if problem is None else f"{action}.refused",
            **fields,
            reason=command.reason,
            author=command.author,
            source=command.source,
        )
        if problem is not None:
            raise ValueError(problem)
        await self._controller.settled()

    async def unfreeze(self, command: Unfreeze) -> dict[str, Any]:
        """End a freeze; what follows is published before this returns."""
        controller = self._controller
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        controller.post(BrakeReleased(command.author, command.reason, done))
        problem = await done
        if problem is not None:
            raise ValueError(problem)
        await self._record("unfreeze", reason=command.reason, author=command.author, source=command.source)
        await controller.settled()
        return {"brake": brake_status(controller)}

    async def _record(self, action: str, **fields: object) -> None:
        """Into the audit log, on disk when this returns."""
        if not await asyncio.to_thread(self._audit.record, time.time(), action, **fields):
            self._metrics.state_save_failed("audit")

    async def reload(self) -> dict[str, Any]:
        """Read the files again and say how it went."""
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._controller.post(ReloadAsked("admin", done))
        error = await done
        await self._controller.settled()
        published, last = self._controller.published, self._controller.builds.reload
        return {
            "ok": error is None,
            "error": error,
            "problems": list(last.diagnostics) if last else [],
            "warnings": [str(item) for item in self._controller.built.warnings] if error is None else [],
            "generation": published.snapshot.generation if published else 0,
        }


def _unknown(what: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
    return f"there is no {what} {name!r}{hint}"
