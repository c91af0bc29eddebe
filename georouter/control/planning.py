"""When the capacity plan is made anew, and what is known of where clients are.

Rule 1. A plan is asked for when the policy changes, when a region goes or returns, and every `PERIOD_S`.
Rule 2. One at a time, away from the event loop. Until it comes, the last plan stands, which is ready for
        the loss of any one region.
Rule 3. One that fails changes nothing but what is said about it, once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from georouter.control.orders import Counted, Failed, Planning, PlanRequest
from georouter.control.outlets import Tell
from georouter.facts.demand import Census, observe
from georouter.facts.plan import CapacityPlan
from georouter.facts.world import World
from georouter.policy.files import PolicyFile
from georouter.policy.model import Policy
from georouter.policy.steps import Capacity
from georouter.words.ids import RegionName, ServiceName

PERIOD_S = 50.0
"""The control loop looks at least once a minute."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, or why there is none."""

    result: CapacityPlan | Failed


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
        self._asked_at = float("-inf")
        self._away: frozenset[RegionName] | None = None
        self._policy: Policy | None = None

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
        if self._ask is None or self._task is not None or not wants(policy):
            return
        if policy is self._policy and world.away == self._away and steady < self._asked_at + PERIOD_S:
            return
        for name, counters in self._count().items():
            self._censuses[name] = observe(self._censuses.get(name), counters, now)
        self._asked_at, self._away, self._policy = steady, world.away, policy
        request = PlanRequest(files, config, world, dict(self._censuses), now)
        self._task = asyncio.create_task(self._make(request), name="plan")

    async def _make(self, request: PlanRequest) -> None:
        assert self._ask is not None  # noqa: S101 - `look` has looked
        try:
            result = await self._ask(request)
        except Exception as error:  # noqa: BLE001 - whatever broke, the last plan stands and it is said
            result = Failed(f"{type(error).__name__}: {error}")
        self._task = None
        self._post(Planned(result))

    def take(self, planned: Planned) -> CapacityPlan | None:
        """The plan that came, None for a failure, which is told when it is another one than before."""
        result = planned.result
        problem = result.message if isinstance(result, Failed) else ""
        if problem and problem != self.problem:
            self._tell("capacity.failed", error=problem)
        self.problem = problem
        return None if isinstance(result, Failed) else result

    def cancel(self) -> None:
        """Give up what is on its way."""
        if self._task is not None:
            self._task.cancel()


def wants(policy: Policy) -> bool:
    """Whether any service has a capacity step."""
    return any(isinstance(step, Capacity) for service in policy.services.values() for step in service.chain)
