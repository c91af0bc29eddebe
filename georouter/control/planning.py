"""When the capacity plan is made anew, and what is known of where clients are.

Rule 1. A plan is asked for when the policy changes (but for its records), when a region goes or returns, when
        a failover has another region active, and every `PERIOD_S`. With another policy, the one on its way is
        ended.
Rule 2. One at a time, away from the event loop. Until it comes, the last plan stands, which is ready for
        the loss of any one region.
Rule 3. One that fails changes nothing but what is said about it, once.
Rule 4. The plan itself comes first. What to do at the loss of each region follows, a few regions at a
        request, so that a plan for another situation waits for no more than those.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from georouter.control.orders import Counted, Failed, Losses, Planning, PlanRequest
from georouter.control.outlets import Tell
from georouter.facts.demand import Census, observe
from georouter.facts.plan import CapacityPlan, Spread
from georouter.facts.world import World
from georouter.policy.files import PolicyFile
from georouter.policy.model import Policy
from georouter.policy.steps import Capacity
from georouter.routing.scene import universe
from georouter.words.ids import RegionName, ServiceName

PERIOD_S = 50.0
"""The control loop looks at least once a minute."""
AT_ONCE = 2
"""Losses of one request: about two seconds' work with 50 services in 30 regions."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, or why there is none; None: it was given up, another one is due."""

    result: CapacityPlan | Failed | None


class _Refused(Exception):  # noqa: N818 - an answer, carried past what expects another one
    """The answer to a request is a failure."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message)
        self.failed = failed


class Planner:
    """Owned by the control loop."""

    def __init__(
        self,
        ask: Planning | None,
        count: Callable[[], Counted],
        tell: Tell,
        post: Callable[[Planned], None],
    ) -> None:
        self.problem = ""
        """Why there is no new plan; empty while all is well."""
        self._ask, self._count, self._tell, self._post = ask, count, tell, post
        self._censuses: dict[ServiceName, Census] = {}
        self._task: asyncio.Task[None] | None = None
        self._outdated = False
        """Whether what is on its way is for another policy or other regions away."""
        self._asked_at = float("-inf")
        self._away: frozenset[RegionName] | None = None
        self._files: tuple[PolicyFile, ...] | None = None
        self._written: tuple[PolicyFile, ...] = ()
        """Those of them that say what is planned for; records do not."""
        self._wished = False
        """Whether a plan for them was asked for."""
        self._active: Mapping[ServiceName, RegionName] = {}

    def look(
        self,
        policy: Policy,
        files: tuple[PolicyFile, ...],
        config: str,
        world: World,
        clocks: tuple[float, float],
    ) -> None:
        """Ask for a plan if it is time; `clocks` are a steady one and the wall's, in seconds."""
        steady, now = clocks
        if files is not self._files:
            self._written, before = tuple(file for file in files if not file.zone), self._written
            self._files = files
            if self._written != before:
                self._forget()
        if self._ask is None or not wants(policy):
            return
        active = {name: standing.active for name, standing in world.standings.items()}
        same = self._wished and world.away == self._away and active == self._active
        if self._task is not None:
            self._outdated |= not same
            return
        if same and not self._outdated and steady < self._asked_at + PERIOD_S:
            return
        self._outdated = False
        for name, counters in self._count().items():
            self._censuses[name] = observe(self._censuses.get(name), counters, now)
        self._asked_at, self._away, self._active, self._wished = steady, world.away, active, True
        old = world.capacity
        if old is not None:  # what is ready for other situations need not travel
            known = old.prepared(world.away) is not None
            world = replace(world, capacity=old.settled(world.away) if known else None)
        request = PlanRequest(self._written, config, world, dict(self._censuses), now)
        self._task = asyncio.create_task(self._make(request, old, planned_regions(policy)), name="plan")

    def _forget(self) -> None:
        """Another policy: a plan on its way is for the last one, and is ended where it is made."""
        self._wished = False
        self.cancel()

    async def _make(
        self, request: PlanRequest, old: CapacityPlan | None, regions: tuple[RegionName, ...]
    ) -> None:
        try:
            plan = await self._asked(request)
            if not isinstance(plan, CapacityPlan):
                raise TypeError(f"no plan but {type(plan).__name__}")
            known = old.losses if old is not None and old.away == plan.away else {}
            self._post(Planned(replace(plan, losses=known)))
            losses = await self._losses(request, [name for name in regions if name not in plan.away])
            result: CapacityPlan | Failed | None = None if losses is None else replace(plan, losses=losses)
        except Exception as error:  # noqa: BLE001 - whatever broke, the last plan stands and it is said
            result = (
                error.failed if isinstance(error, _Refused) else Failed(f"{type(error).__name__}: {error}")
            )
        self._task = None
        self._post(Planned(result))

    async def _losses(
        self, request: PlanRequest, regions: Sequence[RegionName]
    ) -> dict[RegionName, Spread] | None:
        """What to do at the loss of each; None when the world they would be for is over."""
        bare = replace(request, world=replace(request.world, capacity=None))
        found: dict[RegionName, Spread] = {}
        for begin in range(0, len(regions), AT_ONCE):
            if self._outdated:
                return None
            part = await self._asked(replace(bare, losses=tuple(regions[begin : begin + AT_ONCE])))
            if isinstance(part, CapacityPlan):
                raise TypeError("a plan where losses were asked for")
            found.update(part)
        return found

    async def _asked(self, request: PlanRequest) -> CapacityPlan | Losses:
        assert self._ask is not None  # noqa: S101 - `look` has looked
        answer = await self._ask(request)
        if isinstance(answer, Failed):
            raise _Refused(answer)
        return answer

    def take(self, planned: Planned) -> CapacityPlan | None:
        """The plan that came, None for a failure, which is told when it is another one than before."""
        result = planned.result
        if result is None:
            return None
        problem = result.message if isinstance(result, Failed) else ""
        if problem and problem != self.problem:
            self._tell("capacity.failed", error=problem)
        self.problem = problem
        return None if isinstance(result, Failed) else result

    def cancel(self) -> None:
        """Give up what is on its way."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()


def wants(policy: Policy) -> bool:
    """Whether any service has a capacity step."""
    return any(isinstance(step, Capacity) for service in policy.services.values() for step in service.chain)


def planned_regions(policy: Policy) -> tuple[RegionName, ...]:
    """The regions of services with a capacity step."""
    return tuple(
        dict.fromkeys(
            name
            for service in policy.services.values()
            if any(isinstance(step, Capacity) for step in service.chain)
            for name in universe(service)
        )
    )
