"""The one writer: takes events in order, changes beliefs, compiles, publishes.

    events --> beliefs --> world --> publish(plan, world) --> snapshot
                  policy + geo + latency --> build (elsewhere) --> plan

Rule 1. Only this loop changes beliefs, the plan in use or what is published.
Rule 2. All events that wait are taken in before anything is published: one snapshot per burst.
Rule 3. One build at a time; requests that arrive meanwhile share the next one.
Rule 4. A build that fails changes nothing but what is said about it (fail static).
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from georouter.compiler.maps import map_sizes
from georouter.compiler.publish import Published, publish
from georouter.control import aliases
from georouter.control.beliefs import Beliefs
from georouter.control.brakes import Brakes
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
from georouter.control.orders import BuildRequest, Built, Failed
from georouter.control.outlets import Outlets
from georouter.control.planning import Planned, Planner
from georouter.control.ramps import Ramps
from georouter.control.saying import degraded, numbers, say
from georouter.facts import overrides
from georouter.facts.health import Outcome, confirming
from georouter.facts.overrides import Override
from georouter.facts.world import World
from georouter.policy.model import Policy
from georouter.policy.steps import Latency
from georouter.telemetry.logs import utc_text
from georouter.words.ids import RegionName

TOLD = 20
"""Problems of a refused policy that are told; `status` and `georouter check` have all of them."""
LOOK_S = 60.0
"""At least so often, whether something is due or not."""
RERANK_PAUSE_S = 10.0
"""Round trips drift all the time; rankings follow them at most this often."""


@dataclass(frozen=True, slots=True)
class Reload:
    """How the last load of the policy went. `at` is Unix seconds."""

    ok: bool
    at: float
    error: str | None = None
    diagnostics: tuple[str, ...] = ()


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
        self.reload: Reload | None = None
        self.serving_last_good = False
        self._out = outlets
        self._wall = wall
        self._steady = steady
        self._jumps = Jumps(wall, steady)
        self._built: Built | None = None
        self._world: World | None = None
        self._published: Published | None = None
        self._inbox: deque[Event] = deque()
        self._wake = asyncio.Event()
        self._wanted: list[ReloadAsked] = []
        self._settling: list[asyncio.Future[None]] = []
        self._building: asyncio.Task[None] | None = None
        self.planner = Planner(outlets.plan, outlets.count, outlets.tell, self.post)
        self._ttls_move = False
        """Whether the policy has TTLs that follow doubts."""
        self._reranked_at = float("-inf")
        self._rerank_due = False
        self.plan_rtt_ms: Mapping[RegionName, float] = {}
        """The round trips that the plan in use was ranked by."""
        self._asked_rtt_ms: Mapping[RegionName, float] = {}
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
        self.plan_rtt_ms = self._asked_rtt_ms = rtt_ms or {}
        self.serving_last_good = last_good_because is not None
        self._out.metrics.serving_last_good(self.serving_last_good)
        if last_good_because is None:
            self._reloaded(Reload(ok=True, at=self._wall()))
        else:
            self._refused(last_good_because, "start")

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
                self._start_build()
                self._look_at_capacity()
                self._settle()
        finally:
            self.failovers.stop()
            if self._building is not None:
                self._building.cancel()
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
        ends = (self.failovers.next_wake(), self.ramps.next_wake(), self._brakes.next_wake())
        for end in (overrides.next_change(self.beliefs.overrides, now), *ends):
            if end is not None:
                wait_s = min(wait_s, end - now)
        if self._rerank_due and self._building is None:
            wait_s = min(wait_s, self._reranked_at + RERANK_PAUSE_S - self._steady())
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
                    self._wanted.append(asked)
                case BuildDone() as done:
                    moved |= self._build_done(done)
                case OverrideSet(override):
                    moved |= self._force(override)
                case OverrideCleared() as cleared:
                    moved |= self._release(cleared)
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
                    moved |= self._tick()
        return moved

    def _mind_the_clock(self) -> None:
        """Before anything is judged by the wall clock: an override acts as long as it was meant to."""
        by_s = self._jumps.look()
        if by_s:
            self.beliefs.overrides = overrides.move(self.beliefs.overrides, by_s, self._wall() - by_s)
            for part in (self._brakes, self.failovers, self.ramps):
                part.clock_set(by_s)
            self._out.tell("clock.set", by_s=round(by_s, 1))
            self._overrides_changed()

    def _probed(self, probed: Probed) -> bool:
        now = self._wall()
        result = Outcome(probed.ok, probed.reason, probed.values)
        before, after = self.beliefs.observe(probed.key, result, now)
        if probed.rtt_s is not None:
            self.beliefs.measure(probed.key, probed.rtt_s * 1000.0)
        key = probed.key
        self._out.metrics.probe(key.region, key.address, key.check, probed.ok, probed.duration_s)
        if probed.values is not None:
            self._out.metrics.signals(key.region, numbers(self.beliefs.readings_of(key.region)))
        if self._ttls_move and confirming(before) != confirming(after) and before.state is after.state:
            return True
        if before.state is after.state and before.degraded == after.degraded:
            return probed.rtt_s is not None and self._latency_matters()
        where = {"region": key.region, "endpoint": key.address, "check": key.check}
        if before.state is not after.state:
            self._out.tell(
                f"endpoint.{after.state}", **where, was=before.state.value, reason=after.reason or None
            )
        if before.degraded != after.degraded:
            event = "endpoint.degraded" if after.degraded else "endpoint.recovered"
            self._out.tell(event, **where, signals=degraded(after if after.degraded else before))
        self._out.remember()
        return True

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

    def _force(self, override: Override) -> bool:
        self.beliefs.overrides = overrides.add(self.beliefs.overrides, override)
        self._out.tell(
            "override.set",
            region=override.region,
            kind=override.kind.value,
            author=override.author,
            reason=override.reason,
            begin=utc_text(override.starts_at) if override.starts_at else None,
            until=utc_text(override.expires_at) if override.expires_at else None,
        )
        self._overrides_changed()
        return True

    def _release(self, cleared: OverrideCleared) -> bool:
        if cleared.region not in self.beliefs.overrides:
            return False
        self.beliefs.overrides = overrides.clear(self.beliefs.overrides, cleared.region)
        self._out.tell(
            "override.cleared", region=cleared.region, author=cleared.author, reason=cleared.reason or None
        )
        self._overrides_changed()
        return True

    def _tick(self) -> bool:
        gone = self.beliefs.expire(self._wall())
        for override in gone:
            self._out.tell("override.expired", region=override.region, kind=override.kind.value)
        begun = self.beliefs.begun(self._wall())
        for override in begun:
            self._out.tell("override.begins", region=override.region, kind=override.kind.value)
        if gone or begun:
            self._overrides_changed()
        return bool(gone or begun)

    def _overrides_changed(self) -> None:
        self._out.metrics.overrides(
            (item.region, item.kind.value)
            for item in overrides.active(self.beliefs.overrides, self._wall()).values()
        )
        self._out.remember()

    # -- builds ----------------------------------------------------------------------------------

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

    def _start_build(self) -> None:
        if self._building is not None or self._built is None:
            return
        rtt_ms, serials = dict(self.world.rtt_ms), self._built.plan.serials
        if self._wanted:
            asked, self._wanted = tuple(self._wanted), []
            request = BuildRequest(self.config, None, rtt_ms, serials)
            waiting = tuple(item.done for item in asked if item.done is not None)
            cause = ", ".join(dict.fromkeys(item.cause for item in asked))
        elif self._rerank_due and self._steady() >= self._reranked_at + RERANK_PAUSE_S:
            request = BuildRequest(self.config, self._built.files, rtt_ms, serials)
            waiting, cause = (), "latency"
        else:
            return
        self._rerank_due = False
        self._reranked_at = self._steady()
        self._asked_rtt_ms = rtt_ms
        self._building = asyncio.create_task(self._build(request, cause, waiting), name="build")

    async def _build(
        self, request: BuildRequest, cause: str, waiting: "tuple[asyncio.Future[str | None], ...]"
    ) -> None:
        try:
            result = await self._out.build(request)
        except Exception as error:  # noqa: BLE001 - whatever broke, the answers stay and it is said
            result = Failed(f"{type(error).__name__}: {error}")
        self._building = None
        self.post(BuildDone(cause, result, request.rtt_ms, waiting))

    def _build_done(self, done: BuildDone) -> bool:
        error: str | None = None
        if isinstance(done.result, Failed):
            error = done.result.message
            if done.cause == "latency":
                self._out.tell("rerank.failed", error=error)
            else:
                self._refused(done.result, done.cause)
        else:
            self._adopt(done.result)
            self.plan_rtt_ms = done.rtt_ms
            if done.cause != "latency":
                self._out.refresh(done.result.policy)
                self.serving_last_good = False
                self._out.metrics.serving_last_good(False)
                self._reloaded(Reload(ok=True, at=self._wall()))
                self._out.tell(
                    "policy.loaded",
                    cause=done.cause,
                    warnings=len(done.result.warnings),
                    seconds=round(sum(done.result.seconds.values()), 3),
                )
        for future in done.waiting:
            if not future.done():
                future.set_result(error)
        return error is None

    def _adopt(self, built: Built) -> None:
        old, self._built = self._built, built
        self._ttls_move = any(service.ttls is not None for service in built.policy.services.values())
        for override in self.beliefs.adopt(built.policy, built.plan.outside):
            self._out.tell("override.dropped", region=override.region, reason="the policy has no such region")
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
        self._overrides_changed()
        if old is None or old.files != built.files:
            self._out.adopt(built)

    def _refused(self, failed: Failed, cause: str) -> None:
        lines = tuple(str(item) for item in failed.diagnostics)
        self._reloaded(Reload(ok=False, at=self._wall(), error=failed.message, diagnostics=lines))
        self._out.tell(
            "policy.refused",
            cause=cause,
            error=failed.message,
            problems=lines[:TOLD],
            more=len(lines[TOLD:]) or None,
        )

    def _reloaded(self, reload: Reload) -> None:
        self.reload = reload
        self._out.metrics.reload(reload.ok, reload.at)

    # -- publication -----------------------------------------------------------------------------

    def _publish(self) -> None:
        """Compile the world of now and show it, if it differs from the one that is shown."""
        world = self.beliefs.world(self._wall(), self._world)
        if self._world is not None and world.rtt_ms is not self._world.rtt_ms:
            self._rerank_due = self._latency_matters() and world.rtt_ms != self._asked_rtt_ms
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
