"""The one writer: takes events in order, changes beliefs, compiles, publishes.

    events --> beliefs --> world --> publish(plan, world) --> snapshot
                  policy + geo + latency --> build (elsewhere) --> plan

Rule 1. Only this loop changes beliefs, the plan in use or what is published.
Rule 2. All events that wait are taken in before anything is published: one snapshot per burst.

What an event means is in a module of its own: `endpoints`, `aliases`, `overrides`, `builds`, `brakes`,
`failovers`, `ramps`, `planning`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from georouter.compiler.maps import map_sizes
from georouter.compiler.publish import Published, publish
from georouter.control import aliases, endpoints
from georouter.control.beliefs import Beliefs
from georouter.control.brakes import Brakes
from georouter.control.builds import Builds
from georouter.control.clock import Jumps, steady_time
from georouter.control.events import (
    AliasAsked,
    BrakeReleased,
    BuildDone,
    CallDone,
    Event,
    FailbackAsked,
    OverrideCleared,
    OverrideSet,
    Probed,
    RampAsked,
    ReloadAsked,
    Tick,
)
from georouter.control.failovers import Failovers
from georouter.control.orders import Built, Failed
from georouter.control.outlets import Outlets
from georouter.control.overrides import Overrides
from georouter.control.planning import Planned, Planner
from georouter.control.ramps import Ramps
from georouter.control.saying import say
from georouter.facts.health import confirming
from georouter.facts.world import World
from georouter.policy.model import Policy
from georouter.policy.steps import Latency
from georouter.words.ids import RegionName

LOOK_S = 60.0
"""At least so often, whether something is due or not."""


class Controller:
    """See the module. Create, `start` with a first build, `run`; `post` from the loop's own thread."""

    def __init__(
        self,
        config: str,
        beliefs: Beliefs,
        outlets: Outlets,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = steady_time,
    ) -> None:
        """`wall` gives Unix seconds and may be set by anybody, `steady` seconds that only ever pass."""
        self.config = config
        self.beliefs = beliefs
        self._out = outlets
        self._wall = wall
        self._steady = steady
        self._jumps = Jumps(wall, steady)
        self._built: Built | None = None
        self._world: World | None = None
        self._published: Published | None = None
        self._inbox: deque[Event] = deque()
        self._wake = asyncio.Event()
        self._settling: list[asyncio.Future[None]] = []
        self.builds = Builds(config, outlets, self.post)
        self.planner = Planner(outlets.plan, outlets.count, outlets.tell, self.post)
        self._ttls_move = False
        """Whether the policy has TTLs that follow doubts."""
        self._overrides = Overrides(beliefs, outlets)
        self._brakes = Brakes(beliefs, outlets)
        self.failovers = Failovers(
            beliefs,
            call=outlets.call,
            done=self.post,
            tell=outlets.tell,
            record=outlets.record,
            metrics=outlets.metrics,
        )
        self.ramps = Ramps(beliefs, tell=outlets.tell, record=outlets.record, metrics=outlets.metrics)

    # -- views -----------------------------------------------------------------------------------

    @property
    def built(self) -> Built:
        """The build in use. Only after `start`."""
        if self._built is None:
            raise RuntimeError("the controller has not been started")
        return self._built

    @property
    def policy(self) -> Policy:
        """The policy in use."""
        return self.built.policy

    @property
    def world(self) -> World:
        """The facts that the published answers follow (before the first publication: those at hand)."""
        return self._world or self.beliefs.world(self._wall(), None)

    @property
    def published(self) -> Published | None:
        """What is answered from now."""
        return self._published

    # -- life ------------------------------------------------------------------------------------

    def start(
        self,
        built: Built,
        *,
        last_good_because: Failed | None = None,
        rtt_ms: Mapping[RegionName, float] | None = None,
    ) -> None:
        """Adopt the first build, ranked by `rtt_ms`. Nothing is published before `publish_now` or `run`.

        `last_good_because` is given when `built` is the saved last good policy, with what is wrong
        with the current one.
        """
        self._adopt(built)
        self.builds.start(rtt_ms or {}, last_good_because, self._wall())

    def publish_now(self) -> None:
        """Take in what waits and publish, without waiting for anything."""
        self._take_in()
        self._brakes.advance(self._wall())
        self.failovers.advance(self._wall())
        self.ramps.advance(self._wall())
        self._publish()

    def post(self, event: Event) -> None:
        """Hand over an event. Only from the event loop's thread."""
        self._inbox.append(event)
        self._wake.set()

    async def settled(self) -> None:
        """Return once everything posted before this call has been taken in and published."""
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settling.append(taken)
        self._wake.set()
        await taken

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            self._look_at_capacity()
            while True:
                await self._wait()
                self._turn()
                self.builds.look(self.built, self.world.rtt_ms, self._steady())
                self._look_at_capacity()
                self._settle()
        finally:
            self.failovers.stop()
            self.builds.cancel()
            self.planner.cancel()

    def _turn(self) -> None:
        moved = self._take_in() | self._brakes.advance(self._wall())  # before anybody acts on what was seen
        if self.failovers.advance(self._wall()) | self.ramps.advance(self._wall()):
            self._out.remember()
            moved = True
        if moved:
            self._publish()

    async def _wait(self) -> None:
        """Until an event, the next expiry of an override, or the time to follow latencies."""
        if self._inbox or self._settling:
            return
        now = self._wall()
        wait_s = LOOK_S  # a wall clock may be set
        timed = (self.failovers.next_wake(), self.ramps.next_wake(), self._brakes.next_wake())
        for end in (self._overrides.next_wake(now), *timed):
            if end is not None:
                wait_s = min(wait_s, end - now)
        build_s = self.builds.wait_s(self._steady())
        if build_s is not None:
            wait_s = min(wait_s, build_s)
        self._wake.clear()
        try:
            async with asyncio.timeout(max(0.0, wait_s)):
                await self._wake.wait()
        except TimeoutError:
            self._inbox.append(Tick())

    def _settle(self) -> None:
        waiting, self._settling = self._settling, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    # -- events ----------------------------------------------------------------------------------

    def _take_in(self) -> bool:
        """Apply all waiting events; whether answers may have to change."""
        self._mind_the_clock()
        moved = False
        while self._inbox:
            match self._inbox.popleft():
                case Probed() as probed:
                    moved |= self._probed(probed)
                case AliasAsked() as alias:
                    moved |= self._alias_asked(alias)
                case ReloadAsked() as asked:
                    self.builds.want(asked)
                case BuildDone() as done:
                    moved |= self._build_done(done)
                case OverrideSet(override):
                    self._overrides.force(override, self._wall())
                    moved = True
                case OverrideCleared() as cleared:
                    moved |= self._overrides.release(cleared, self._wall())
                case CallDone() as called:
                    moved |= self.failovers.call_done(called, self._wall())
                    self._out.remember()
                case FailbackAsked() as wish:
                    moved |= self.failovers.fail_back(wish, self._wall())
                    self._out.remember()
                case RampAsked() as wanted:
                    moved |= self.ramps.asked(wanted, self._wall())
                    self._out.remember()
                case BrakeReleased() as trusted:
                    moved |= self._brakes.release(trusted, self._wall())
                case Planned() as planned:
                    moved |= self._planned(planned)
                case Tick():
                    moved |= self._overrides.advance(self._wall())
        return moved

    def _mind_the_clock(self) -> None:
        """Before anything is judged by the wall clock: an override acts as long as it was meant to."""
        by_s = self._jumps.look()
        if by_s:
            self._overrides.clock_set(by_s, self._wall())
            for part in (self._brakes, self.failovers, self.ramps):
                part.clock_set(by_s)
            self._out.tell("clock.set", by_s=round(by_s, 1))

    def _probed(self, probed: Probed) -> bool:
        out = self._out
        before, after = endpoints.take_in(probed, self.beliefs, self._wall(), out.tell, out.metrics)
        if before.state is not after.state or before.degraded != after.degraded:
            out.remember()
            return True
        if self._ttls_move and confirming(before) != confirming(after):
            return True
        return probed.rtt_s is not None and self._latency_matters()

    def _alias_asked(self, asked: AliasAsked) -> bool:
        out = self._out
        if not aliases.take_in(asked, self.beliefs, self._wall(), out.tell, out.metrics):
            return False
        out.remember()
        return True

    def _latency_matters(self) -> bool:
        return any(
            isinstance(step, Latency) for service in self.policy.services.values() for step in service.chain
        )

    # -- plans ----------------------------------------------------------------------------------

    def _look_at_capacity(self) -> None:
        if self._built is not None and self._published is not None and self._world is not None:
            built, world = self._built, self._world
            self.planner.look(built.policy, built.files, self.config, world, (self._steady(), self._wall()))

    def _planned(self, planned: Planned) -> bool:
        plan = self.planner.take(planned)
        if plan is None:
            return False
        old, self.beliefs.capacity = self.beliefs.capacity, plan
        self._out.metrics.capacity(plan.now.loads, plan.now.overload)
        if old is None or old.now.overload.keys() != plan.now.overload.keys():
            over = {name: round(times, 2) for name, times in plan.now.overload.items()}
            self._out.tell("capacity.planned", overloaded=over or None, losses=len(plan.losses))
        return True

    def _build_done(self, done: BuildDone) -> bool:
        if isinstance(done.result, Built):
            self._adopt(done.result)
        self.builds.done(done, self._wall())
        return isinstance(done.result, Built)

    def _adopt(self, built: Built) -> None:
        old, self._built = self._built, built
        self._ttls_move = any(service.ttls is not None for service in built.policy.services.values())
        lost = self.beliefs.adopt(built.policy, built.plan.outside)
        self._overrides.adopt(lost, self._wall())
        self.failovers.adopt(built.policy, self._wall())
        self.ramps.adopt(built.policy, self._wall())
        for phase, seconds in built.seconds.items():
            self._out.metrics.compiled(phase, seconds)
        self._out.metrics.geo_database(built.info.build_epoch_s, built.info.database)
        self._out.metrics.maps(map_sizes(built.plan.steered))
        self._out.metrics.keep(
            regions=built.policy.regions,
            services=built.policy.services,
            probes={(key.region, key.address, key.check) for key in self.beliefs.rules},
            signals={
                (key.region, item.name) for key, rule in self.beliefs.rules.items() for item in rule.signals
            },
        )
        aliases.follow(self.beliefs, built.plan.outside, self._out.metrics)
        if old is None or old.files != built.files:
            self._out.adopt(built)

    # -- publication -----------------------------------------------------------------------------

    def _publish(self) -> None:
        """Compile the world of now and show it, if it differs from the one that is shown."""
        world = self.beliefs.world(self._wall(), self._world)
        if self._world is not None and world.rtt_ms is not self._world.rtt_ms:
            self.builds.drifted(world.rtt_ms, matters=self._latency_matters())
        before, plan = self._published, self.built.plan
        if (
            before is not None
            and before.plan is plan
            and self._world is not None
            and world.answering(doubts=self._ttls_move) == self._world.answering(doubts=self._ttls_move)
        ):
            self._world = world
            return
        started = time.perf_counter()
        generation = 1 if before is None else before.snapshot.generation + 1
        published = publish(plan, world, generation, before)
        self._out.show(published.snapshot)
        seconds = time.perf_counter() - started
        say(self._out.tell, self._out.metrics, world, self._world, published, seconds)
        self._world, self._published = world, published
        if published.last_known != self.beliefs.last_known:
            self.beliefs.last_known = published.last_known
            self._world = replace(world, last_known=published.last_known)
            self._out.remember()
