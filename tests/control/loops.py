"""A control loop among fakes. The clock is the test's."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from georouter.answers.tables import Snapshot
from georouter.compiler.plan import plan
from georouter.control.beliefs import Beliefs
from georouter.control.events import Probed
from georouter.control.loop import Controller
from georouter.control.orders import Answer, BuildRequest, Built, Call, Failed
from georouter.control.outlets import Outlets
from georouter.facts.endpoints import EndpointKey
from georouter.facts.signals import SignalRule, Threshold
from georouter.facts.world import World
from georouter.geo.map import GeoMap
from georouter.policy.load import PolicyFile
from georouter.policy.model import Check, CheckType, Endpoint, Location, Policy
from georouter.policy.steps import Failover, Latency
from georouter.telemetry.metrics import Metrics
from georouter.words.ids import CheckName, RegionName, ServiceName, SignalName
from tests.compiler.build import REGIONS, Asker, answers, policy, service, tiny_map, zone

EU, US = RegionName("eu"), RegionName("us")
LAG = SignalName("lag")
EU_ANSWER = ["www.example.com. A 192.0.2.1"]
US_ANSWER = ["www.example.com. A 192.0.2.3"]


def two_regions(*, latency: bool = False) -> Policy:
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


def result(region: str, *, ok: bool, rtt_s: float | None = None) -> Probed:
    """The check of a region's endpoint came back."""
    return Probed(_key(region), ok, "" if ok else "connection refused", 0.01, rtt_s)


@dataclass
class World0:
    """A controller among fakes, with everything it did."""

    policy: Policy = field(default_factory=two_regions)
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
            self.controller.post(result(name, ok=True))
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


async def running(world: World0, act: Callable[[World0], Awaitable[None]]) -> None:
    """Act while the loop turns."""
    task = asyncio.create_task(world.controller.run())
    try:
        async with asyncio.timeout(20):
            await act(world)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def with_signals(world: World0) -> World0:
    """The same policy with a signal, and equal regions that share by weight."""
    rule = SignalRule(LAG, "/lag", Threshold(">", 1000.0))
    made = two_regions()
    check = made.checks[CheckName("web")]
    web = made.services[ServiceName("web")]
    world.policy = replace(
        made,
        checks={check.name: replace(check, rule=replace(check.rule, signals=(rule,)))},
        services={web.name: replace(web, chain=(Failover(((EU, US),)),))},
    )
    return world


def said(region: str, lag: float) -> Probed:
    """It came back well, with a value of the signal."""
    return Probed(_key(region), True, "", 0.01, None, {LAG: lag})
