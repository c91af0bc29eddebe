"""The control loop: what comes in, what is published, and what is said. The clock is the test's."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from georouter.answers.tables import Snapshot
from georouter.compiler.plan import plan
from georouter.control.beliefs import Beliefs
from georouter.control.events import OverrideCleared, OverrideSet, Probed, ReloadAsked, Tick
from georouter.control.loop import Controller
from georouter.control.orders import Answer, BuildRequest, Built, Call, Failed
from georouter.control.outlets import Outlets
from georouter.facts.endpoints import EndpointKey
from georouter.facts.overrides import Override, OverrideKind
from georouter.facts.signals import SignalRule, Threshold
from georouter.facts.world import Effective, State, World
from georouter.geo.map import GeoMap
from georouter.policy.load import PolicyFile
from georouter.policy.model import Check, CheckType, Endpoint, Location, Policy
from georouter.policy.steps import Failover, Latency
from georouter.telemetry.metrics import Metrics
from georouter.words.ids import CheckName, RegionName, ServiceName, SignalName
from tests.compiler.build import REGIONS, Asker, answers, policy, service, tiny_map, zone

EU, US = RegionName("eu"), RegionName("us")
LAG = SignalName("lag")


def _policy(*, latency: bool = False) -> Policy:
    """Two checked regions, `eu` before `us`."""
    check = Check(CheckName("web"), CheckType.HTTP, 80)
    regions = [
        replace(
            region,
            endpoints=tuple(
                Endpoint(item.address, item.family, check=check.name) for item in region.endpoints[:1]
            ),
        )
        for region in REGIONS
        if region.name in {EU, US}
    ]
    chain = [Latency()] if latency else [Failover(((EU,), (US,)))]
    made = policy(
        [zone("example.com", steered={"www": "web"})], [service("web", ["eu", "us"], chain)], regions
    )
    server = replace(made.server, location=Location(50.1, 8.7))
    return replace(made, checks={check.name: check}, server=server)


def _key(region: str) -> EndpointKey:
    return EndpointKey(RegionName(region), {"eu": "192.0.2.1", "us": "192.0.2.3"}[region], CheckName("web"))


def _result(region: str, *, ok: bool, rtt_s: float | None = None) -> Probed:
    return Probed(_key(region), ok, "" if ok else "connection refused", 0.01, rtt_s)


@dataclass
class World0:
    """A controller among fakes, with everything it did."""

    policy: Policy = field(default_factory=_policy)
    now: float = 1000.0
    set_by_s: float = 0.0
    shown: list[Snapshot] = field(default_factory=list)
    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    adopted: list[Built] = field(default_factory=list)
    refreshed: list[Policy] = field(default_factory=list)
    remembered: int = 0
    recorded: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    replies: list[Answer] = field(default_factory=list)
    beliefs: Beliefs = field(default_factory=Beliefs)
    requests: list[BuildRequest] = field(default_factory=list)
    next_build: Callable[[BuildRequest], Awaitable[Built | Failed]] | None = None
    map: GeoMap = field(default_factory=tiny_map)

    def __post_init__(self) -> None:
        self.metrics = Metrics()
        self.controller = Controller(
            "policy.yaml",
            self.beliefs,
            Outlets(
                show=self.shown.append,
                adopt=self.adopted.append,
                refresh=self.refreshed.append,
                remember=self._remember,
                build=self._build,
                call=self._call,
                record=self._record,
                tell=self._tell,
                metrics=self.metrics,
            ),
            wall=lambda: self.now + self.set_by_s,
            steady=lambda: self.now,
        )

    def built(self, policy: Policy | None = None, text: str = "one") -> Built:
        """A finished build of `policy`."""
        use = policy or self.policy
        made = plan(use, self.map, World())
        return Built((PolicyFile("policy.yaml", text),), use, (), made, self.map.info, {"plan": 0.01})

    def start(self) -> "World0":
        """Adopt, hear of two healthy regions, publish."""
        self.controller.start(self.built())
        for name in ("eu", "us"):
            self.controller.post(_result(name, ok=True))
        self.controller.publish_now()
        return self

    def ask(self) -> list[str]:
        """What www.example.com is answered now."""
        return answers(Asker(self.shown[-1]).ask("www.example.com"))

    def events(self, name: str) -> list[dict[str, object]]:
        """The fields of every event of this name."""
        return [fields for event, fields in self.told if event == name]

    def metric(self, line: str) -> float:
        """The value on the metrics line that starts with `line`."""
        text = self.metrics.exposition()[0].decode()
        return next(float(row.rpartition(" ")[2]) for row in text.splitlines() if row.startswith(line))

    def _remember(self) -> None:
        self.remembered += 1

    def _tell(self, event: str, /, **fields: object) -> None:
        self.told.append((event, fields))

    def _record(self, action: str, **fields: object) -> None:
        self.recorded.append((action, fields))

    async def _call(self, call: Call) -> Answer:
        self.calls.append(call)
        return self.replies.pop(0)

    async def _build(self, request: BuildRequest) -> Built | Failed:
        self.requests.append(request)
        if self.next_build is None:
            return self.built(text="again")
        return await self.next_build(request)


async def _running(world: World0, act: Callable[[World0], Awaitable[None]]) -> None:
    task = asyncio.create_task(world.controller.run())
    try:
        async with asyncio.timeout(20):
            await act(world)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


EU_ANSWER = ["www.example.com. A 192.0.2.1"]
US_ANSWER = ["www.example.com. A 192.0.2.3"]


def test_three_failures_move_the_answers() -> None:
    """Two failures change nothing; the third is published at once, with its events and metrics."""
    world = World0().start()
    for _ in range(2):
        world.controller.post(_result("eu", ok=False))
    world.controller.publish_now()
    assert world.ask() == EU_ANSWER
    assert len(world.shown) == 1
    world.controller.post(_result("eu", ok=False))
    world.controller.publish_now()
    assert world.ask() == US_ANSWER
    assert world.events("endpoint.down")[0]["reason"] == "connection refused"
    assert world.events("region.down")[0]["region"] == "eu"
    assert world.events("answers.changed")[-1]["now"] == ["us"]
    assert world.metric('georouter_region_healthy{region="eu"}') == 0
    assert world.metric('georouter_failover_active{service="web"}') == 1


def test_a_burst_is_one_snapshot() -> None:
    """Everything that waits is taken in before anything is published."""
    world = World0().start()
    for _ in range(3):
        world.controller.post(_result("eu", ok=False))
        world.controller.post(_result("us", ok=False))
    world.controller.publish_now()
    assert len(world.shown) == 2
    assert world.shown[-1].generation == world.shown[0].generation + 1


def test_good_news_about_nothing_publishes_nothing() -> None:
    """Steady health keeps the snapshot; that is what makes it cheap."""
    world = World0().start()
    for _ in range(50):
        world.controller.post(_result("eu", ok=True))
        world.controller.publish_now()
    assert len(world.shown) == 1


def test_a_drain_moves_the_answers_and_expires() -> None:
    """Override in, override out by time: both without a probe, both said."""
    world = World0().start()
    world.controller.post(OverrideSet(Override(OverrideKind.DRAIN, EU, "test", "ada", 1000.0, 1060.0)))
    world.controller.publish_now()
    assert world.ask() == US_ANSWER
    assert world.controller.world.region(EU).effective is Effective.DRAINED
    assert world.metric('georouter_override_active{kind="drain",region="eu"}') == 1
    world.now = 1061.0
    world.controller.post(Tick())
    world.controller.publish_now()
    assert world.ask() == EU_ANSWER
    assert world.events("override.expired") == [{"region": "eu", "kind": "drain"}]
    assert world.remembered >= 2


def test_an_override_can_be_taken_back() -> None:
    """Undrain is an event like any other; a second one changes nothing."""
    world = World0().start()
    world.controller.post(OverrideSet(Override(OverrideKind.DRAIN, EU, "test", "ada", 1000.0)))
    world.controller.post(OverrideCleared(EU, "ada"))
    world.controller.post(OverrideCleared(EU, "ada"))
    world.controller.publish_now()
    assert world.ask() == EU_ANSWER
    assert len(world.events("override.cleared")) == 1


def test_strangers_change_nothing() -> None:
    """A probe that outlived its target (a reload removed it) is ignored."""
    world = World0().start()
    world.controller.post(Probed(EndpointKey(EU, "192.0.2.99", CheckName("web")), False, "gone", 0.1))
    world.controller.publish_now()
    assert len(world.shown) == 1


def test_a_reload_swaps_policy_and_keeps_health() -> None:
    """What is believed of an endpoint survives a reload that keeps it."""

    async def act(world: World0) -> None:
        for _ in range(3):
            world.controller.post(_result("us", ok=False))
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        world.controller.post(ReloadAsked("test", done))
        assert await done is None
        await world.controller.settled()
        assert world.controller.world.region(US).observed is State.DOWN
        assert [built.files[0].text for built in world.adopted] == ["one", "again"]
        assert world.refreshed == [world.controller.policy]
        assert world.events("policy.loaded")[0]["cause"] == "test"

    asyncio.run(_running(World0().start(), act))


def test_a_broken_policy_changes_nothing_but_what_is_said() -> None:
    """The answers stay; status, metric and event tell."""

    async def act(world: World0) -> None:
        shown = len(world.shown)

        async def refuse(_request: BuildRequest) -> Failed:
            return Failed("policy.yaml:1:1: version: missing")

        world.next_build = refuse
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        world.controller.post(ReloadAsked("test", done))
        assert await done == "policy.yaml:1:1: version: missing"
        await world.controller.settled()
        assert len(world.shown) == shown
        assert world.controller.reload is not None
        assert not world.controller.reload.ok
        assert world.events("policy.refused")[0]["error"] == "policy.yaml:1:1: version: missing"
        assert world.metric("georouter_config_last_reload_successful") == 0

    asyncio.run(_running(World0().start(), act))


def test_a_builder_that_breaks_is_a_failed_reload() -> None:
    """Whatever a build raises, the loop goes on."""

    async def act(world: World0) -> None:
        async def explode(_request: BuildRequest) -> Failed:
            raise OSError("no memory")

        world.next_build = explode
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        world.controller.post(ReloadAsked("test", done))
        assert "no memory" in str(await done)
        world.next_build = None
        again: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        world.controller.post(ReloadAsked("test", again))
        assert await again is None

    asyncio.run(_running(World0().start(), act))


def test_reloads_that_pile_up_share_a_build() -> None:
    """Rule 3: one build at a time; those asked meanwhile wait for the next one."""

    async def act(world: World0) -> None:
        gate = asyncio.Event()

        async def slow(_request: BuildRequest) -> Built:
            await gate.wait()
            return world.built(text="slow")

        world.next_build = slow
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in range(10)]
        world.controller.post(ReloadAsked("first", futures[0]))
        await world.controller.settled()
        for future in futures[1:]:
            world.controller.post(ReloadAsked("more", future))
        await world.controller.settled()
        assert len(world.requests) == 1
        gate.set()
        assert await asyncio.gather(*futures) == [None] * 10
        assert len(world.requests) == 2

    asyncio.run(_running(World0().start(), act))


def test_a_reload_that_removes_a_region_drops_its_override() -> None:
    """An override of a region that is gone is said and forgotten, not kept for ever."""
    world = World0().start()
    world.controller.post(OverrideSet(Override(OverrideKind.DRAIN, US, "test", "ada", 1000.0)))
    world.controller.publish_now()
    smaller = policy(
        [zone("example.com", steered={"www": "web"})],
        [service("web", ["eu"])],
        [region for region in world.policy.regions.values() if region.name == EU],
    )

    async def act(world: World0) -> None:
        async def shrink(_request: BuildRequest) -> Built:
            return world.built(replace(smaller, checks=world.policy.checks), "two")

        world.next_build = shrink
        world.controller.post(ReloadAsked("test"))
        while not world.events("policy.loaded"):
            await world.controller.settled()
        assert world.events("override.dropped")[0]["region"] == "us"
        assert not world.controller.beliefs.overrides

    asyncio.run(_running(world, act))


def test_latency_that_matters_asks_for_a_new_ranking() -> None:
    """A measured round trip becomes a build with the same files, and only where a chain uses it."""

    async def act(world: World0) -> None:
        for _ in range(5):
            world.controller.post(_result("eu", ok=True, rtt_s=0.2))
            world.controller.post(_result("us", ok=True, rtt_s=0.01))
        while not world.requests:
            await world.controller.settled()
        assert world.requests[0].files == world.controller.built.files
        assert world.requests[0].rtt_ms[US] < world.requests[0].rtt_ms[EU]

    asyncio.run(_running(World0(policy=_policy(latency=True)).start(), act))


def test_latency_nobody_ranks_by_costs_nothing() -> None:
    """Without a latency step round trips are measured and shown, and nothing is built."""

    async def act(world: World0) -> None:
        world.controller.post(_result("eu", ok=True, rtt_s=0.2))
        await world.controller.settled()
        assert not world.requests

    asyncio.run(_running(World0().start(), act))


def test_start_from_the_last_good_policy_says_so() -> None:
    """Serving something else than the file says is an alarm, not a detail."""
    world = World0()
    world.controller.start(world.built(), last_good_because=Failed("bad file"))
    assert world.controller.serving_last_good
    assert world.metric("georouter_config_serving_last_good") == 1
    assert world.metric("georouter_config_last_reload_successful") == 0
    assert world.events("policy.refused")[0]["error"] == "bad file"


def _with_signals(world: World0) -> World0:
    """The same policy with a signal, and equal regions that share by weight."""
    rule = SignalRule(LAG, "/lag", Threshold(">", 1000.0))
    made = _policy()
    check = made.checks[CheckName("web")]
    web = made.services[ServiceName("web")]
    world.policy = replace(
        made,
        checks={check.name: replace(check, rule=replace(check.rule, signals=(rule,)))},
        services={web.name: replace(web, chain=(Failover(((EU, US),)),))},
    )
    return world


def _said(region: str, lag: float) -> Probed:
    return Probed(_key(region), True, "", 0.01, None, {LAG: lag})


def test_a_degraded_region_sheds_half_and_values_alone_move_nothing() -> None:
    """One publication when the signal is believed, one when it is over; the gauge follows every value."""
    world = _with_signals(World0())
    world.controller.start(world.built())
    for name in ("eu", "us"):
        world.controller.post(_said(name, 10.0))
    world.controller.publish_now()
    for lag in (20.0, 4000.0, 4100.0, 4200.0, 4300.0, 3000.0):
        world.controller.post(_said("eu", lag))
        world.controller.publish_now()
    assert world.controller.world.region(EU).health == 0.5
    assert len(world.shown) == 2
    assert world.metric('georouter_region_signal{region="eu",signal="lag"}') == 3000
    assert world.metric('georouter_region_health_ratio{region="eu"}') == 0.5
    assert world.events("endpoint.degraded")[0]["signals"] == ["lag 4,200"]
    state = world.controller.published
    assert state is not None
    (selection,) = state.states[0].selections[0].distinct
    assert sorted(candidate.weight for candidate in selection.candidates) == [0.5, 1.0]
    for lag in (10.0, 11.0, 12.0):
        world.controller.post(_said("eu", lag))
        world.controller.publish_now()
    assert world.controller.world.region(EU).health == 1.0
    assert len(world.shown) == 3
    assert world.events("endpoint.recovered")[0]["signals"] == ["lag 10"]


def _drain(world: World0, for_s: float) -> None:
    now = world.now + world.set_by_s
    world.controller.post(OverrideSet(Override(OverrideKind.DRAIN, EU, "a test", "ada", now, now + for_s)))
    world.controller.publish_now()


def _tick(world: World0, after_s: float) -> list[str]:
    world.now += after_s
    world.controller.post(Tick())
    world.controller.publish_now()
    return world.ask()


@pytest.mark.parametrize("by_s", [40 * 365 * 86400.0, -40 * 365 * 86400.0], ids=["ahead", "behind"])
def test_a_clock_that_is_set_by_years(by_s: float) -> None:
    """An override acts for as long as it was meant to, and ends then, however often the clock is set."""
    world = World0().start()
    _drain(world, 600.0)
    for world.set_by_s in (by_s, 0.0, by_s):
        assert _tick(world, 100.0) == US_ANSWER
    assert [event["by_s"] for event in world.events("clock.set")] == [by_s, -by_s, by_s]
    assert _tick(world, 299.0) == US_ANSWER
    assert _tick(world, 2.0) == EU_ANSWER


def test_a_clock_that_is_put_right_after_the_start() -> None:
    """A machine that woke up in 1970: what was forced by the right clock ends when it was to end."""
    world = World0()
    right = 1.8e9
    forced = Override(OverrideKind.DRAIN, EU, "a test", "ada", right - 60.0, right + 600.0)
    world.controller.beliefs.overrides = {EU: forced}
    world.start()
    assert world.ask() == US_ANSWER
    world.set_by_s = right - world.now
    assert _tick(world, 0.0) == US_ANSWER
    assert world.controller.beliefs.overrides == {EU: forced}
    assert _tick(world, 601.0) == EU_ANSWER


def test_round_trips_are_followed_whatever_the_clock_says() -> None:
    """A clock that was set back does not put the next ranking off for years."""

    async def act(world: World0) -> None:
        for rtt_s, count in ((0.2, 1), (0.001, 2)):
            world.controller.post(_result("eu", ok=True, rtt_s=rtt_s))
            await world.controller.settled()
            await asyncio.sleep(0)
            assert len(world.requests) == count
            world.set_by_s = -1e9
            world.now += 11.0

    asyncio.run(_running(World0(policy=_policy(latency=True)).start(), act))
