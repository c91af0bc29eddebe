"""The prober's schedule, replayed on a virtual clock with an asker that follows a script."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from georouter.facts.endpoints import EndpointKey
from georouter.facts.health import UNKNOWN, Health, observe
from georouter.facts.rules import HealthRule
from georouter.facts.world import State
from georouter.policy.model import CheckType
from georouter.probes.prober import Prober
from georouter.probes.target import Blame, ProbeResult, Target
from georouter.words.ids import CheckName, RegionName
from tests.probes.virtual import START_S, VirtualLoop, replay

UP = Health(State.UP)


@dataclass(frozen=True)
class Script:
    """How an endpoint answers a probe: after how many seconds, and what."""

    ok: bool = True
    takes_s: float = 0.01
    blame: Blame = Blame.ENDPOINT


REFUSED = Script(ok=False, takes_s=0.001)
SWALLOWED = Script(ok=False, takes_s=2.0)


@dataclass
class Stage:
    """An asker that follows a script, and everything that happened."""

    loop: VirtualLoop
    script: Callable[[str, float], Script] = lambda _address, _now: Script()
    starts: dict[str, list[float]] = field(default_factory=dict)
    results: list[ProbeResult] = field(default_factory=list)
    reported: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0
    busiest: int = 0

    async def ask(self, target: Target) -> ProbeResult:
        """One probe as the script says; times count from the beginning of the scenario."""
        now = self.loop.time() - START_S
        self.starts.setdefault(target.key.address, []).append(now)
        script = self.script(target.key.address, now)
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            await asyncio.sleep(script.takes_s)
        finally:
            self.busy -= 1
        ended = self.loop.time() - START_S
        return ProbeResult(target.key, script.ok, "" if script.ok else "no", now, ended, None, script.blame)

    def hear(self, result: ProbeResult) -> None:
        """What the prober emits."""
        self.results.append(result)
        self.reported.set()

    def prober(self, limit: int = 500) -> Prober:
        """A prober that asks here."""
        return Prober(self.hear, self.loop.time, limit=limit, asker=self)

    def down_at(self, address: str) -> float:
        """When the results so far took `address` out."""
        health = UNKNOWN
        for result in self.results:
            if result.key.address == address:
                health = observe(health, HealthRule(), result, result.ended)
        assert health.state is State.DOWN
        assert health.since is not None
        return health.since


def target(address: str, **rule: float) -> Target:
    """An endpoint with default settings but for `rule`."""
    key = EndpointKey(RegionName("eu"), address, CheckName("web"))
    return Target(key, CheckType.TCP, address, 80, rule=HealthRule(**rule))  # type: ignore[arg-type]


def many(count: int) -> list[Target]:
    """That many endpoints."""
    return [target(f"192.0.2.{number}") for number in range(count)]


def gaps(times: Sequence[float]) -> list[float]:
    """Seconds between neighbours."""
    return [later - earlier for earlier, later in pairwise(times)]


def known(targets: Sequence[Target], health: Health = UP) -> dict[EndpointKey, Health]:
    """The same belief of all targets."""
    return dict.fromkeys((item.key for item in targets), health)


def test_checks_run_from_start_to_start() -> None:
    """Every 5 s exactly, from somewhere in the first interval, however long the answers take."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda _, now: Script(takes_s=1.9 if now > 30 else 0.01))
        targets = many(1)
        prober = stage.prober()
        prober.set_targets(targets, known(targets))
        await asyncio.sleep(100)
        await prober.stop()
        starts = stage.starts["192.0.2.0"]
        assert 0 <= starts[0] <= 5
        assert gaps(starts) == pytest.approx([5.0] * (len(starts) - 1))
        assert len(starts) in {19, 20}

    replay(scenario)


def test_starts_are_spread_over_the_interval() -> None:
    """Of 1,000 targets no tenth of the interval has more than twice its share, in every interval."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop)
        targets = many(1000)
        prober = stage.prober()
        prober.set_targets(targets, known(targets))
        await asyncio.sleep(20)
        await prober.stop()
        for begin in (0, 5, 10, 15):
            tenths = [0] * 10
            for start in (start for starts in stage.starts.values() for start in starts):
                if begin <= start < begin + 5:
                    tenths[int((start - begin) * 2)] += 1
            assert max(tenths) <= 200
            assert 950 <= sum(tenths) <= 1050

    replay(scenario)


def test_the_spread_is_the_same_in_another_process() -> None:
    """It comes from the key alone, so that a restart changes nothing."""

    async def scenario(loop: VirtualLoop) -> dict[str, list[float]]:
        stage = Stage(loop)
        prober = stage.prober()
        prober.set_targets(many(20), known(many(20)))
        await asyncio.sleep(6)
        await prober.stop()
        return stage.starts

    assert replay(scenario) == replay(scenario)


def test_a_slow_endpoint_delays_nobody() -> None:
    """Next to one that swallows everything, the others keep their pace to the millisecond."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda address, _: SWALLOWED if address == "192.0.2.3" else Script())
        targets = many(10)
        prober = stage.prober()
        prober.set_targets(targets, known(targets))
        await asyncio.sleep(60)
        await prober.stop()
        for address, starts in stage.starts.items():
            if address != "192.0.2.3":
                assert gaps(starts) == pytest.approx([5.0] * (len(starts) - 1))

    replay(scenario)


@pytest.mark.parametrize(("dead", "promise_s"), [(REFUSED, 6.5), (SWALLOWED, 12.5)])
def test_dead_endpoints_are_out_within_the_promise(dead: Script, promise_s: float) -> None:
    """Fifty endpoints, each somewhere else in its interval, all die at once."""
    died_at = 33.3

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda _, now: dead if now >= died_at else Script())
        targets = many(50)
        prober = stage.prober()
        prober.set_targets(targets, known(targets))
        await asyncio.sleep(died_at + promise_s)
        await prober.stop()
        slowest = max(stage.down_at(item.key.address) - died_at for item in targets)
        assert slowest <= promise_s - 0.4
        assert slowest > promise_s - 2  # the worst case is really in here

    replay(scenario)


def test_a_dead_endpoint_is_asked_at_the_steady_pace_and_comes_back() -> None:
    """No hurry while down; up after `rise` successes, at the latest two intervals after recovery."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda _, now: REFUSED if 20 <= now < 60 else Script())
        targets = many(1)
        prober = stage.prober()
        prober.set_targets(targets, known(targets))
        await asyncio.sleep(71)
        await prober.stop()
        starts = stage.starts["192.0.2.0"]
        assert max(gaps(starts)) == pytest.approx(5.0)
        assert sum(gap < 0.6 for gap in gaps(starts)) == 2
        assert [result.ok for result in stage.results if result.ended > 60] == [True] * 2

    replay(scenario)


def test_the_first_round_asks_all_the_unknown_at_once() -> None:
    """It is over when the last of them has reported; what is known waits for its turn."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda address, _: Script(takes_s=0.3 if address == "192.0.2.7" else 0.01))
        targets = many(20)
        prober = stage.prober()
        prober.set_targets(targets, known(targets[10:]))
        await prober.first_round(2.0)
        assert loop.time() - START_S == pytest.approx(0.3)
        reported = {result.key for result in stage.results}
        assert reported >= {item.key for item in targets[:10]}
        asked_now = {address for address, starts in stage.starts.items() if starts[0] == 0.0}
        assert asked_now == {item.key.address for item in targets[:10]}
        await prober.first_round(2.0)
        assert loop.time() - START_S == pytest.approx(0.3), "everything is known now"
        await prober.stop()

    replay(scenario)


def test_the_first_round_ends_after_one_timeout() -> None:
    """An endpoint that hangs longer does not hold up the start; its result comes later."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda address, _: Script(takes_s=9.0 if address == "192.0.2.7" else 0.01))
        prober = stage.prober()
        prober.set_targets(many(20), {})
        await prober.first_round(2.0)
        assert loop.time() - START_S == pytest.approx(2.1)
        assert "192.0.2.7" not in {result.key.address for result in stage.results}
        await asyncio.sleep(7.5)
        assert "192.0.2.7" in {result.key.address for result in stage.results}
        await prober.stop()

    replay(scenario)


def test_the_first_round_hears_of_timeouts() -> None:
    """Probes that run into the very same timeout have reported when it returns."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda _, _now: SWALLOWED)
        prober = stage.prober()
        prober.set_targets(many(50), {})
        await prober.first_round(2.0)
        assert len(stage.results) == 50
        await prober.stop()

    replay(scenario)


def test_after_the_first_round_starts_are_spread() -> None:
    """Each target goes to its own place in the interval, without ever waiting longer than one."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop)
        prober = stage.prober()
        prober.set_targets(many(200), {})
        await prober.first_round(2.0)
        await asyncio.sleep(15)
        await prober.stop()
        for starts in stage.starts.values():
            assert max(gaps(starts)) <= 5.0 + 1e-4
        seconds = {int(starts[1] * 2) for starts in stage.starts.values()}
        assert seconds == set(range(10))

    replay(scenario)


def test_a_stall_does_not_leave_the_targets_bunched() -> None:
    """After 12 s in which nothing could run, all are due at once; then each is back in its place."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop)
        targets = many(200)
        prober = stage.prober()
        prober.set_targets(targets, known(targets))
        await asyncio.sleep(20)
        before = {address: starts[-1] % 5 for address, starts in stage.starts.items()}
        loop.stand_still(12)
        await asyncio.sleep(20)
        await prober.stop()
        after = {address: starts[-1] % 5 for address, starts in stage.starts.items()}
        assert after == pytest.approx(before, abs=1e-3)
        for starts in stage.starts.values():
            assert len(starts) <= 11, "missed checks are not made up for"

    replay(scenario)


def test_unchanged_targets_keep_their_schedule() -> None:
    """Setting the same targets again, even in another order, is not noticed by any of them."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop)
        targets = many(20)
        prober = stage.prober()
        prober.set_targets(targets, known(targets))
        for _ in range(40):
            await asyncio.sleep(1.3)
            prober.set_targets(reversed(targets), {})
        await prober.stop()
        for starts in stage.starts.values():
            assert gaps(starts) == pytest.approx([5.0] * (len(starts) - 1))

    replay(scenario)


def test_removed_targets_stop_even_in_the_middle_of_a_probe() -> None:
    """Nothing of them is reported afterwards."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda _, _now: SWALLOWED)
        targets = many(2)
        prober = stage.prober()
        prober.set_targets(targets, {})
        asyncio.get_running_loop().call_later(1.0, prober.set_targets, targets[1:], {})
        await prober.first_round(2.5)
        await asyncio.sleep(20)
        assert {result.key for result in stage.results} == {targets[1].key}
        assert len(stage.starts["192.0.2.0"]) == 1
        await prober.stop()

    replay(scenario)


def test_a_changed_target_starts_over_with_what_is_believed() -> None:
    """An endpoint with failures pending goes on confirming under its new check."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda _, _now: REFUSED)
        first = target("192.0.2.1", interval_s=2.0, confirm_interval_s=1.0)
        prober = stage.prober()
        prober.set_targets([first], known([first]))
        await stage.reported.wait()
        changed = replace(first, path="/other", rule=HealthRule(interval_s=2.0))
        prober.set_targets([changed], known([first]))
        await asyncio.sleep(4.1)
        await prober.stop()
        pauses = gaps(stage.starts["192.0.2.1"])
        assert pauses[1] == pytest.approx(0.501), "the second failure is confirmed"
        assert pauses[2] > 1.4, "and with the third it is down: the first one was not forgotten"

    replay(scenario)


def test_only_so_many_probes_at_a_time() -> None:
    """The limit holds, and everybody gets a turn."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda _, _now: Script(takes_s=0.5))
        prober = stage.prober(limit=7)
        prober.set_targets(many(35), {})
        await prober.first_round(10.0)
        await prober.stop()
        assert stage.busiest == 7
        assert len(stage.results) >= 35
        assert loop.time() - START_S == pytest.approx(2.5)

    replay(scenario)


def test_timeouts_of_our_own_stalls_are_repeated_before_they_count() -> None:
    """Two are excused and repeated soon, the third in a row is believed: a dead endpoint gets out."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda _, _now: Script(ok=False, takes_s=2.0, blame=Blame.STALL))
        targets = many(1)
        prober = stage.prober()
        prober.set_targets(targets, known(targets))
        await stage.reported.wait()
        await prober.stop()
        assert prober.excused == 2
        assert gaps(stage.starts["192.0.2.0"])[:2] == pytest.approx([2.5, 2.5])

    replay(scenario)


def test_failures_for_lack_of_means_never_count() -> None:
    """Without files or ports we know nothing: asked again soon, then steadily, never reported."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda _, _now: Script(ok=False, takes_s=0.0, blame=Blame.MEANS))
        targets = many(1)
        prober = stage.prober()
        prober.set_targets(targets, known(targets))
        await asyncio.sleep(60)
        await prober.stop()
        assert not stage.results
        starts = stage.starts["192.0.2.0"]
        assert gaps(starts)[:3] == pytest.approx([0.5, 0.5, 5.0])
        assert prober.excused == len(starts)

    replay(scenario)


def test_an_error_in_the_listener_does_not_end_the_checks() -> None:
    """Whatever `emit` does, the next check is already planned."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop)
        heard: list[object] = []
        loop.set_exception_handler(lambda _, context: heard.append(context["exception"]))

        def deaf(_: ProbeResult) -> None:
            raise LookupError("nobody listens")

        prober = Prober(deaf, loop.time, asker=stage)
        prober.set_targets(many(1), known(many(1)))
        await asyncio.sleep(21)
        await prober.stop()
        assert len(stage.starts["192.0.2.0"]) >= 4
        assert heard
        assert all(isinstance(error, LookupError) for error in heard)

    replay(scenario)


def test_stop_leaves_nothing_behind() -> None:
    """Probes under way are cancelled and gone; no timer keeps anything alive."""

    async def scenario(loop: VirtualLoop) -> None:
        stage = Stage(loop, lambda _, _now: Script(takes_s=50.0))
        prober = stage.prober(limit=5)
        prober.set_targets(many(20), {})
        await prober.first_round(1.0)
        assert stage.busy == 5
        await prober.stop()
        assert stage.busy == 0
        assert len(asyncio.all_tasks()) == 1
        await asyncio.sleep(60)
        assert not stage.results
        assert sum(len(starts) for starts in stage.starts.values()) == 5

    replay(scenario)


def test_no_targets_is_fine() -> None:
    """A policy without checks has nothing to wait for."""

    async def scenario(loop: VirtualLoop) -> None:
        prober = Stage(loop).prober()
        prober.set_targets([], {})
        await prober.first_round(2.0)
        await prober.stop()
        assert loop.time() == START_S

    replay(scenario)
