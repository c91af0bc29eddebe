"""When a capacity plan is asked for, and what becomes of the answer."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from georouter.control.orders import Failed, Losses, PlanRequest
from georouter.control.planning import AT_ONCE, PERIOD_S, Counted, Planned, Planner, planned_regions, wants
from georouter.facts.plan import CapacityPlan, Spread
from georouter.facts.world import Standing, World
from georouter.policy.files import PolicyFile
from georouter.policy.model import Policy
from georouter.policy.steps import Capacity, Nearest
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import policy, service, world

POLICY = PolicyFile("/p.yaml", "version: 1")
FULL = policy([], [service("web", chain=[Nearest(), Capacity()])])
PLAN = CapacityPlan(1.0, frozenset(), Spread())
WHOLE = CapacityPlan(1.0, frozenset(), Spread(), dict.fromkeys(planned_regions(FULL), Spread()))


class Bench:
    """A planner with a builder that answers when it is told to."""

    def __init__(self) -> None:
        self.requests: list[PlanRequest] = []
        self.answers: asyncio.Queue[CapacityPlan | Failed | Exception] = asyncio.Queue()
        self.posted: asyncio.Queue[Planned] = asyncio.Queue()
        self.losses: list[PlanRequest] = []
        self.held = asyncio.Event()
        self.held.set()
        self.told: list[tuple[str, dict[str, object]]] = []
        self.counted: Counted = {}
        self.planner = Planner(self.ask, lambda: self.counted, self.tell, self.posted.put_nowait)

    async def ask(self, request: PlanRequest) -> CapacityPlan | Losses | Failed:
        """Remember the request and wait for an answer; what is asked of losses is known unless `held`."""
        if request.losses is not None:
            self.losses.append(request)
            await self.held.wait()
            return dict.fromkeys(request.losses, Spread())
        self.requests.append(request)
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def tell(self, event: str, /, **fields: object) -> None:
        """Remember what was said."""
        self.told.append((event, fields))

    async def look(
        self,
        steady: float,
        now: World | None = None,
        rules: Policy = FULL,
        files: tuple[PolicyFile, ...] = (),
    ) -> int:
        """Look at this time; how many requests there were so far."""
        self.planner.look(rules, files, "/p.yaml", now or world(), (steady, 1000.0 + steady))
        await asyncio.sleep(0)
        return len(self.requests)

    async def answer(self, answer: CapacityPlan | Failed | Exception) -> CapacityPlan | None:
        """Answer the request under way, and take the answer in; the last one if there are two."""
        taken = await self.begin(answer)
        if taken is not None:
            taken = self.planner.take(await self.posted.get())
        return taken

    async def begin(self, answer: CapacityPlan | Failed | Exception) -> CapacityPlan | None:
        """Answer the request under way, and take in what comes first."""
        self.answers.put_nowait(answer)
        return self.planner.take(await self.posted.get())


def run(test: Callable[[Bench], object]) -> None:
    """A test with a loop around it."""

    async def body() -> None:
        await test(Bench())  # type: ignore[misc]

    asyncio.run(body())


def test_a_failover_is_planned_for_at_once() -> None:
    """Another active region is another load, though no region has gone or come."""

    async def body(bench: Bench) -> None:
        db = ServiceName("db")
        before, after = (
            replace(world(), standings={db: Standing(RegionName(name), ())}) for name in ("eu", "us")
        )
        assert await bench.look(0.0, before) == 1
        await bench.answer(PLAN)
        assert await bench.look(1.0, before) == 1
        assert await bench.look(2.0, after) == 2
        await bench.answer(PLAN)
        assert await bench.look(3.0, after) == 2

    run(body)


def test_at_once_then_now_and_then() -> None:
    """At the first look, then once a period; one at a time."""

    async def body(bench: Bench) -> None:
        assert await bench.look(0.0) == 1
        assert await bench.look(PERIOD_S * 3) == 1
        assert await bench.answer(PLAN) == WHOLE
        assert await bench.look(PERIOD_S - 1.0) == 1
        assert await bench.look(PERIOD_S) == 2

    run(body)


@pytest.mark.parametrize("what", ["region", "policy"])
def test_at_once_when_something_changed(what: str) -> None:
    """A region that goes or returns and another policy wait for no period."""

    async def body(bench: Bench) -> None:
        await bench.look(0.0)
        await bench.answer(PLAN)
        if what == "region":
            assert await bench.look(1.0, world(down=["eu"])) == 2
            assert bench.requests[1].world.away == {"eu"}
        else:
            assert await bench.look(1.0, files=(POLICY,)) == 2

    run(body)


def test_a_plan_for_another_policy_is_ended() -> None:
    """Nobody waits for the old one, whose child goes with it; what comes is for the new policy."""

    async def body(bench: Bench) -> None:
        assert await bench.look(0.0, files=(POLICY,)) == 1
        await asyncio.sleep(0)
        changed = replace(POLICY, text="version: 1 # changed")
        assert await bench.look(1.0, files=(changed,)) == 2
        assert await bench.answer(PLAN) == WHOLE
        assert bench.answers.empty()
        assert bench.posted.empty()
        assert [request.files for request in bench.requests] == [(POLICY,), (changed,)]

    run(body)


def test_other_records_need_no_other_plan() -> None:
    """Zone files are no part of what is planned for, and do not travel."""

    async def body(bench: Bench) -> None:
        zone = PolicyFile("/a.zone", "@ A 192.0.2.1", zone=True)
        await bench.look(0.0, files=(POLICY, zone))
        assert await bench.look(1.0, files=(POLICY, replace(zone, text="@ A 192.0.2.2"))) == 1
        assert await bench.answer(PLAN) == WHOLE
        assert await bench.look(2.0, files=(POLICY,)) == 1
        assert bench.requests[0].files == (POLICY,)

    run(body)


def test_the_plan_comes_first_and_losses_in_portions() -> None:
    """The last losses stand until the new ones are there; requests in between are short."""

    async def body(bench: Bench) -> None:
        bench.held.clear()
        spread = Spread(loads={RegionName("eu"): 1.0})
        before = replace(world(), capacity=replace(PLAN, losses={RegionName("eu"): spread}))
        await bench.look(0.0, before)
        first = await bench.begin(PLAN)
        assert first is not None
        assert first.losses == {RegionName("eu"): spread}
        assert bench.requests[0].world.capacity == PLAN  # what is ready for others stays at home
        bench.held.set()
        assert bench.planner.take(await bench.posted.get()) == WHOLE
        asked = [request.losses or () for request in bench.losses]
        assert [name for names in asked for name in names] == list(planned_regions(FULL))
        assert max(map(len, asked)) <= AT_ONCE < len(planned_regions(FULL))
        assert {request.world.capacity for request in bench.losses} == {None}

    run(body)


def test_losses_of_a_world_that_is_gone_are_given_up() -> None:
    """A region that goes meanwhile ends the work on the old situation, and a new plan is asked for."""

    async def body(bench: Bench) -> None:
        bench.held.clear()
        await bench.look(0.0)
        first = await bench.begin(PLAN)
        assert first is not None
        assert first.losses == {}
        assert await bench.look(1.0, world(down=["eu"])) == 1
        bench.held.set()
        assert bench.planner.take(await bench.posted.get()) is None
        assert len(bench.losses) == 1
        assert not bench.told
        assert await bench.look(2.0, world(down=["eu"])) == 2

    run(body)


def test_never_without_the_step() -> None:
    """Policies that need no plan ask for none."""

    async def body(bench: Bench) -> None:
        plain = policy([], [service("web", chain=[Nearest()])])
        assert not wants(plain)
        assert await bench.look(0.0, rules=plain) == 0

    run(body)


def test_a_failure_is_told_once() -> None:
    """The last plan stands; another problem is told again, and a success ends it."""

    async def body(bench: Bench) -> None:
        for number, answer in enumerate((Failed("no solver"), Failed("no solver"), ValueError("broken"))):
            await bench.look(number * PERIOD_S)
            assert await bench.answer(answer) is None
        assert [fields["error"] for _, fields in bench.told] == ["no solver", "ValueError: broken"]
        assert bench.planner.problem == "ValueError: broken"
        await bench.look(9 * PERIOD_S)
        await bench.answer(PLAN)
        assert not bench.planner.problem

    run(body)


def test_the_census_goes_along() -> None:
    """What was counted since the last look, faded, by service."""

    async def body(bench: Bench) -> None:
        bench.counted = {ServiceName("web"): np.array([5.0, 0.0])}
        await bench.look(0.0)
        await bench.answer(PLAN)
        bench.counted = {ServiceName("web"): np.array([5.0, 7.0])}
        await bench.look(PERIOD_S)
        first, second = (request.censuses[ServiceName("web")].faded for request in bench.requests)
        assert first == pytest.approx([5.0, 0.0])
        assert second[1] == pytest.approx(7.0)
        assert second[0] < 5.0

    run(body)
