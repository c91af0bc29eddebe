"""Everything the control loop believes, and may change: the mutable half of `World`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from georouter.facts import aliases, believe, brake, overrides, readings
from georouter.facts.aliases import Addresses, AliasKey, Reply, Target
from georouter.facts.brake import FREE, Brake, Release, endpoint_moved, region_moved
from georouter.facts.endpoints import EndpointKey, RegionShape, endpoint_states, is_suspect, region_state
from georouter.facts.failover import Failover, Sight
from georouter.facts.health import UNKNOWN, Health, Result, observe
from georouter.facts.latency import Latency, measure
from georouter.facts.overrides import Override, Overrides
from georouter.facts.plan import CapacityPlan
from georouter.facts.ramp import Glance, Ramp, ramping
from georouter.facts.rules import AliasRule, BrakeRule, HealthRule
from georouter.facts.world import Effective, Known, Reading, Readings, Standing, State, World
from georouter.policy.model import Policy
from georouter.words.ids import RegionName, ServiceName, SignalName


@dataclass(slots=True)
class Beliefs:
    """Owned by the control loop; nobody else writes."""

    healths: dict[EndpointKey, Health] = field(default_factory=dict)
    latencies: dict[EndpointKey, Latency] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=dict)
    last_known: Mapping[ServiceName, Known] = field(default_factory=dict)
    capacity: CapacityPlan | None = None
    looked_at: float = 0.0
    """When somebody last looked which overrides had begun."""
    shapes: tuple[RegionShape, ...] = ()
    rules: dict[EndpointKey, HealthRule] = field(default_factory=dict)
    failovers: dict[ServiceName, Failover] = field(default_factory=dict)
    standings: Mapping[ServiceName, Standing] = field(default_factory=dict)
    ramps: dict[ServiceName, Ramp] = field(default_factory=dict)
    aliases: dict[bytes, Target] = field(default_factory=dict)
    outside: frozenset[bytes] = frozenset()
    """The alias targets of the policy in use that a resolver is asked for."""
    alias_rule: AliasRule = field(default_factory=AliasRule)
    brake: Brake = FREE
    brake_rule: BrakeRule | None = field(default_factory=BrakeRule)
    checked: frozenset[RegionName] = frozenset()
    """The regions that have a check, and so can be seen to fail."""
    _addresses: Mapping[AliasKey, Addresses] | None = None
    """Of `aliases`, for the world; None when that has to be put together anew."""

    def adopt(self, policy: Policy, outside: Collection[bytes] = ()) -> tuple[Override, ...]:
        """Follow a new policy; beliefs about what it no longer has are dropped. Returns overrides so lost.

        `outside` are the alias targets that its plan needs a resolver for.
        """
        self.shapes = shapes(policy)
        self.rules = {
            key: policy.checks[key.check].rule
            for shape in self.shapes
            for key in shape.endpoints
            if key is not None
        }
        self.checked = frozenset(key.region for key in self.rules)
        self.brake_rule = policy.server.brake
        self.brake = brake.keep(self.brake, self.checked, self.rules)
        self.healths = {key: health for key, health in self.healths.items() if key in self.rules}
        self.latencies = {key: latency for key, latency in self.latencies.items() if key in self.rules}
        self.last_known = {name: found for name, found in self.last_known.items() if name in policy.services}
        self.outside, self.alias_rule = frozenset(outside), policy.server.resolver.rule
        self.aliases = {name: target for name, target in self.aliases.items() if name in self.outside}
        self._addresses = None
        lost = tuple(item for name, item in self.overrides.items() if name not in policy.regions)
        for override in lost:
            self.overrides = overrides.clear(self.overrides, override.region)
        return lost

    def observe(self, key: EndpointKey, result: Result, now: float) -> tuple[Health, Health]:
        """Take in a check's result; the endpoint's health before and after. Strangers change nothing."""
        before = self.healths.get(key, UNKNOWN)
        if key not in self.rules:
            return before, before
        after = observe(before, self.rules[key], result, now)
        if after.state is before.state:
            self.healths[key] = after
            return before, after
        shape = next(shape for shape in self.shapes if shape.name == key.region)
        was = region_state(endpoint_states(shape, self.healths), shape.min_healthy)
        self.healths[key] = after
        moved = endpoint_moved(self.brake, key, before, after, now)
        seen = region_state(endpoint_states(shape, self.healths), shape.min_healthy)
        self.brake = region_moved(moved, key.region, was, seen, now)
        return before, after

    def advance_brake(self, now: float) -> Release | None:
        """Let the brake take hold or let go; why it let go."""
        self.brake, released = brake.advance(self.brake, self.brake_rule, self.checked, self.healths, now)
        return released

    def readings(self) -> Readings:
        """What regions say of themselves now."""
        return readings.by_region(self.shapes, self.healths, self.rules)

    def readings_of(self, region: RegionName) -> Mapping[SignalName, Reading]:
        """The same of one region."""
        shape = next((shape for shape in self.shapes if shape.name == region), None)
        return {} if shape is None else readings.of_region(shape, self.healths, self.rules)

    def measure(self, key: EndpointKey, rtt_ms: float) -> None:
        """Take in a round trip."""
        if key in self.rules:
            self.latencies[key] = measure(self.latencies.get(key), rtt_ms)

    def resolve(self, name: bytes, replies: Mapping[int, Reply], now: float) -> tuple[Target, Target]:
        """Take in what a resolver said of an alias target; the beliefs before and after."""
        before = self.aliases.get(name, aliases.UNKNOWN)
        after = self.aliases[name] = aliases.observe(before, replies, self.alias_rule, now)
        if after.known != before.known:
            self._addresses = None
        return before, after

    def expire(self, now: float) -> tuple[Override, ...]:
        """Drop overrides whose time is over; returns them."""
        acting = overrides.alive(self.overrides, now)
        gone = tuple(item for name, item in self.overrides.items() if name not in acting)
        self.overrides = acting
        return gone

    def begun(self, now: float) -> tuple[Override, ...]:
        """The overrides whose time has come since the last call."""
        since, self.looked_at = self.looked_at, now
        return tuple(
            item
            for item in self.overrides.values()
            if item.starts_at is not None and since < item.starts_at <= now
        )

    def sight(self, region: RegionName, signal: SignalName, now: float) -> Sight:
        """What a failover step may see of a region. One that only the brake keeps up is suspect."""
        shape = next((shape for shape in self.shapes if shape.name == region), None)
        if shape is None:
            return Sight(Effective.DOWN)
        freeze = self.brake.freeze
        facts = believe.world(
            [shape], self.healths, {}, self.overrides, last_known={}, now=now, freeze=freeze
        ).region(region)
        doubted = is_suspect(shape, believe.acted_on([shape], self.healths, freeze))
        reading = readings.of_region(shape, self.healths, self.rules).get(signal)
        told = reading is not None and reading.is_fresh(now) and not isinstance(reading.value, str)
        return Sight(
            facts.effective,
            suspect=facts.effective is Effective.UP
            and facts.forced is None
            and (doubted or facts.observed is State.DOWN),
            lag=float(reading.value) if reading is not None and told else None,
            well=believe.effective(facts.observed, facts.forced) is Effective.UP,
            frozen=freeze is not None,
        )

    def glance(self, region: RegionName, now: float) -> Glance:
        """What the gate of a ramp may see of a region."""
        shape = next((shape for shape in self.shapes if shape.name == region), None)
        if shape is None:
            return Glance(Effective.DOWN)
        world = believe.world([shape], self.healths, {}, self.overrides, last_known={}, now=now)
        facts = world.region(region)
        return Glance(facts.effective, facts.health, readings.of_region(shape, self.healths, self.rules))

    def world(self, now: float, previous: World | None) -> World:
        """The facts at `now`."""
        return believe.world(
            self.shapes,
            self.healths,
            self.latencies,
            self.overrides,
            last_known=self.last_known,
            capacity=self.capacity,
            now=now,
            aliases=self._known_addresses(),
            previous=previous,
            rules=self.rules,
            standings=self.standings,
            ramps={name: ramping(ramp) for name, ramp in self.ramps.items()},
            freeze=self.brake.freeze,
        )

    def _known_addresses(self) -> Mapping[AliasKey, Addresses]:
        """The same object until one of them changes."""
        if self._addresses is None:
            self._addresses = {
                (name, family): held
                for name, target in self.aliases.items()
                if name in self.outside
                for family, held in target.known.items()
            }
        return self._addresses


def shapes(policy: Policy) -> tuple[RegionShape, ...]:
    """What `facts` needs to know of the regions of `policy`."""
    return tuple(
        RegionShape(
            name=region.name,
            endpoints=tuple(
                None if endpoint.check is None else EndpointKey(region.name, endpoint.address, endpoint.check)
                for endpoint in region.endpoints
            ),
            min_healthy=region.min_healthy,
        )
        for region in policy.regions.values()
    )
