"""`Metrics`: what the control loop tells Prometheus, and what is read from the packet path at scrape.

One thread (the control loop's) calls everything here. Nothing is global to the process: each
`Metrics` has its own registry. Series of regions and services that a reload removed are forgotten.
"""

import platform
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from georouter.compiler.maps import MapSize
from georouter.telemetry import catalog
from georouter.telemetry.series import Histogram, Series
from georouter.telemetry.source import CounterSource, ProbeSource, Sent
from georouter.words.ids import RegionName

if TYPE_CHECKING:
    from georouter.telemetry.exposition import Exposition

STATES: tuple[str, ...] = ("up", "unknown", "drained", "down")
"""Values of the `state` label of `georouter_region_state`."""
OBSERVED: tuple[str, ...] = ("up", "down")
"""States a region can enter; `unknown` is only ever where it begins."""

PHASES: tuple[str, ...] = ("steady", "detected", "blocked", "promoting", "refused", "notifying")
"""Values of the `phase` label of `georouter_failover_phase`."""
RAMP_PHASES: tuple[str, ...] = ("running", "paused", "held", "stepped_back", "aborted", "done")
"""Values of the `phase` label of `georouter_ramp_phase`."""
KINDS: tuple[str, ...] = ("failover", "failback")
"""Values of the `kind` label of `georouter_failover_switches_total`."""

ALIAS_STATES: tuple[str, ...] = ("fresh", "stale", "unknown")
"""Values of the `state` label of `georouter_alias_state`."""

_PROBE_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Round trips within a continent up to the longest sensible probe timeout."""
_COMPILE_BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0)
"""Holds the two promises: a health change within 0.1 s, a reload of 10,000 names within 3 s."""


class Metrics:
    """The one writer's view of all metrics. See `docs/metrics.md` for what they mean."""

    def __init__(self, source: CounterSource | None = None, probes: ProbeSource | None = None) -> None:
        self.source = source
        """Where the packet path's counters come from; None until the server exists."""
        self.probes = probes
        """Where the prober's come from; None until it exists."""
        self._items: list[Series | Histogram] = []
        self._healthy = self._series(catalog.REGION_HEALTHY)
        self._state = self._series(catalog.REGION_STATE)
        self._health = self._series(catalog.REGION_HEALTH)
        self._signal = self._series(catalog.REGION_SIGNAL)
        self._transitions = self._series(catalog.TRANSITIONS)
        self._probe_duration = self._histogram(catalog.PROBE_DURATION, _PROBE_BOUNDS_S)
        self._probe_success = self._series(catalog.PROBE_SUCCESS)
        self._failover = self._series(catalog.FAILOVER_ACTIVE)
        self._phase = self._series(catalog.FAILOVER_PHASE)
        self._active = self._series(catalog.FAILOVER_REGION)
        self._switched = self._series(catalog.FAILOVER_SWITCHED)
        self._switches = self._series(catalog.FAILOVER_SWITCHES)
        self._promotions = self._series(catalog.PROMOTIONS)
        self._notifications = self._series(catalog.NOTIFICATIONS)
        self._ramp_part = self._series(catalog.RAMP_PART)
        self._ramp_phase = self._series(catalog.RAMP_PHASE)
        self._planned_load = self._series(catalog.PLANNED_LOAD)
        self._overload = self._series(catalog.OVERLOAD)
        self._brake = self._series(catalog.BRAKE_ACTIVE)
        self._freezes = self._series(catalog.BRAKE_FREEZES)
        self._overrides = self._series(catalog.OVERRIDE_ACTIVE)
        self._alias_state = self._series(catalog.ALIAS_STATE)
        self._alias_confirmed = self._series(catalog.ALIAS_CONFIRMED)
        self._alias_lookups = self._series(catalog.ALIAS_LOOKUPS)
        self._reload_ok = self._series(catalog.RELOAD_SUCCESSFUL)
        self._reload_at = self._series(catalog.RELOAD_TIMESTAMP)
        self._reloads = self._series(catalog.RELOADS)
        self._last_good = self._series(catalog.SERVING_LAST_GOOD)
        self._generation = self._series(catalog.GENERATION)
        self._compile = self._histogram(catalog.COMPILE_DURATION, _COMPILE_BOUNDS_S)
        self._geo_build = self._series(catalog.GEO_BUILD)
        self._map_ranges = self._series(catalog.MAP_RANGES)
        self._map_bytes = self._series(catalog.MAP_BYTES)
        self._build = self._series(catalog.BUILD_INFO)
        self._save_failures = self._series(catalog.SAVE_FAILURES)
        self._receive_buffer = self._series(catalog.RECEIVE_BUFFER)
        self._serial = self._series(catalog.ZONE_SERIAL)
        self._transfers = self._series(catalog.TRANSFERS)
        self._transfer_bytes = self._series(catalog.TRANSFER_BYTES)
        self._notified = self._series(catalog.NOTIFIED)
        for result in ("success", "failure"):
            self._reloads.add(0, result)
            self._alias_lookups.add(0, result)
        for file in ("state", "audit"):
            self._save_failures.add(0, file)
        self._last_good.set(0)
        self._brake.set(0)
        self._freezes.add(0)
        self._exposition: Exposition | None = None

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The metrics as text and its content type; OpenMetrics where the Accept header asks for it."""
        if self._exposition is None:
            # Only now: prometheus-client brings an HTTP server and mail along, and answers come first.
            from georouter.telemetry.exposition import Exposition  # noqa: PLC0415
            from georouter.telemetry.registry import make_registry  # noqa: PLC0415

            self._exposition = Exposition(make_registry(self._items, self))
        return self._exposition.render(accept, self.source)

    # Regions and services

    def region(self, name: str, observed: str, effective: str, health: float = 1.0) -> None:
        """A region's observed (up, unknown, down) and effective (and drained) state, at every change."""
        self._healthy.set(observed != "down", name)
        self._health.set(health, name)
        for state in STATES:
            self._state.set(state == effective, name, state)
        for state in OBSERVED:
            self._transitions.add(0, name, state)

    def signals(self, region: str, values: Mapping[str, float]) -> None:
        """The signals of a region as they are now."""
        for name, value in values.items():
            self._signal.set(value, region, name)

    def transition(self, region: str, to_state: str) -> None:
        """A region's observed state changed to `to_state`."""
        self._transitions.add(1, region, to_state)

    def probe(self, region: str, endpoint: str, check: str, ok: bool, duration_s: float) -> None:
        """One finished health probe."""
        self._probe_duration.observe(duration_s, region, check)
        self._probe_success.set(ok, region, endpoint, check)

    def failover_active(self, service: str, active: bool) -> None:
        """Whether a region that is not available moves clients of the service."""
        self._failover.set(active, service)

    def keep_failovers(self, places: Collection[tuple[str, str]]) -> None:
        """The (service, region) that failover steps have: others are forgotten, new ones begin at 0."""
        services = {service for service, _ in places}
        self._active.forget(lambda labels: labels not in places)
        for item in (self._phase, self._switched, self._switches, self._promotions, self._notifications):
            item.forget(lambda labels: labels[0] not in services)
        for service, region in places:
            self._active.add(0, service, region)
            for kind in KINDS:
                self._switches.add(0, service, kind)

    def failover(self, service: str, active: str, phase: str, switched_at: float | None) -> None:
        """Where the failover step of a service stands, at every change."""
        for item in PHASES:
            self._phase.set(item == phase, service, item)
        for known, region in self._active.labels():
            if known == service:
                self._active.set(region == active, service, region)
        if switched_at is not None:
            self._switched.set(switched_at, service)

    def switched(self, service: str, kind: str) -> None:
        """The failover step of a service has another active region."""
        self._switches.add(1, service, kind)

    def promotion(self, service: str, reply: str) -> None:
        """The promotion hook was called, and this came of it."""
        self._promotions.add(1, service, reply)

    def notification(self, service: str, *, sent: bool) -> None:
        """The webhook was told of a switch, or could not be."""
        self._notifications.add(1, service, "sent" if sent else "failed")

    def keep_ramps(self, places: Collection[tuple[str, str]]) -> None:
        """The (service, region) that ramps have: others are forgotten."""
        services = {service for service, _ in places}
        self._ramp_part.forget(lambda labels: labels not in places)
        self._ramp_phase.forget(lambda labels: labels[0] not in services)

    def ramp(self, service: str, region: str, part: float, phase: str) -> None:
        """How far the ramp of a service has come, at every change."""
        self._ramp_part.set(part, service, region)
        for item in RAMP_PHASES:
            self._ramp_phase.set(item == phase, service, item)

    def capacity(self, loads: Mapping[RegionName, float], overload: Mapping[RegionName, float]) -> None:
        """What the capacity plan in use does; regions not named have no part in it."""
        for series, values in ((self._planned_load, loads), (self._overload, overload)):
            series.forget(lambda _: True)
            for region, value in values.items():
                series.set(value, region)

    def braking(self, *, active: bool) -> None:
        """Whether answers are frozen now."""
        self._brake.set(active)

    def brake_froze(self) -> None:
        """The brake took hold."""
        self._freezes.add(1)

    def overrides(self, active: Iterable[tuple[str, str]]) -> None:
        """Every `(region, kind)` with an override now; those not named are over."""
        self._overrides.forget(lambda _: True)
        for region, kind in active:
            self._overrides.set(1, region, kind)

    def forget_region(self, name: str) -> None:
        """Drop all series of a region that a reload removed."""
        self._forget_regions(lambda region: region == name)

    def forget_service(self, name: str) -> None:
        """Drop all series of a service that a reload removed. Flat counters follow the layout."""
        self._failover.forget(lambda labels: labels[0] == name)

    def keep(
        self,
        regions: Collection[str],
        services: Collection[str],
        probes: Collection[tuple[str, str, str]] | None = None,
        signals: Collection[tuple[str, str]] = (),
    ) -> None:
        """Drop the series of everything not named: call it after a reload.

        `probes` holds the (region, endpoint, check) that are probed; None keeps those of `regions`.
        `signals` holds the (region, signal) that are read.
        """
        self._forget_regions(lambda region: region not in regions)
        self._failover.forget(lambda labels: labels[0] not in services)
        self._signal.forget(lambda labels: labels not in signals)
        if probes is not None:
            checked = {(region, check) for region, _, check in probes}
            self._probe_success.forget(lambda labels: labels not in probes)
            self._probe_duration.forget(lambda labels: labels not in checked)

    # Alias targets

    def alias(self, target: str, state: str, confirmed_at: float | None) -> None:
        """What is known of an alias target (fresh, stale, unknown), and since when (Unix time)."""
        for known in ALIAS_STATES:
            self._alias_state.set(known == state, target, known)
        if confirmed_at is not None:
            self._alias_confirmed.set(confirmed_at, target)

    def alias_asked(self, ok: bool) -> None:
        """A resolver was asked for a target, of both families."""
        self._alias_lookups.add(1, "success" if ok else "failure")

    def keep_aliases(self, targets: Collection[str]) -> None:
        """Drop the series of all other targets."""
        for item in (self._alias_state, self._alias_confirmed):
            item.forget(lambda labels: labels[0] not in targets)

    # Configuration, compiling, surroundings

    def reload(self, ok: bool, at: float) -> None:
        """The policy was loaded, or could not be, at `at` (Unix time)."""
        self._reload_ok.set(ok)
        self._reloads.add(1, "success" if ok else "failure")
        if ok:
            self._reload_at.set(at)

    def serving_last_good(self, serving: bool) -> None:
        """Whether a saved policy is in use because the current one is invalid."""
        self._last_good.set(serving)

    def compiled(self, phase: str, duration_s: float) -> None:
        """One phase of building a plan took this long: read, policy, geo or plan."""
        self._compile.observe(duration_s, phase)

    def published(self, generation: int, duration_s: float) -> None:
        """A snapshot was built from the plan and the facts, and published."""
        self._generation.set(generation)
        self._compile.observe(duration_s, "publish")

    def geo_database(self, build_epoch_s: float, database: str) -> None:
        """The geo database in use; replaces what was said before."""
        self._geo_build.forget(lambda _: True)
        self._geo_build.set(build_epoch_s, database)

    def maps(self, sizes: Iterable[MapSize]) -> None:
        """The range maps in use; replaces all others."""
        for series in (self._map_ranges, self._map_bytes):
            series.forget(lambda _: True)
        for size in sizes:
            self._map_ranges.set(size.ranges_ipv4, size.service, "ipv4")
            self._map_ranges.set(size.ranges_ipv6, size.service, "ipv6")
            self._map_bytes.set(size.size_bytes, size.service)

    def build_info(self, version: str) -> None:
        """What runs."""
        self._build.set(1, version, platform.python_version())

    def state_save_failed(self, file: str = "state") -> None:
        """A file in the state directory could not be written."""
        self._save_failures.add(1, file)

    def receive_buffer(self, size_bytes: int) -> None:
        """The smallest receive buffer the kernel granted."""
        self._receive_buffer.set(size_bytes)

    # Secondaries

    def zone_serials(self, serials: Mapping[str, int]) -> None:
        """The zones that may be transferred; what was counted of others is forgotten."""
        for item in (self._serial, self._transfers, self._transfer_bytes, self._notified):
            item.forget(lambda labels: labels[0] not in serials)
        for zone, serial in serials.items():
            self._serial.set(serial, zone)

    def transferred(self, sent: Sent) -> None:
        """A transfer has ended."""
        self._transfers.add(1, sent.zone, sent.kind, sent.result)
        self._transfer_bytes.add(sent.octets, sent.zone)

    def notified(self, zone: str, result: str) -> None:
        """A secondary was told, or not."""
        self._notified.add(1, zone, result)

    def _forget_regions(self, gone: Callable[[str], bool]) -> None:
        for item in (
            self._healthy,
            self._state,
            self._health,
            self._signal,
            self._transitions,
            self._probe_duration,
            self._probe_success,
            self._overrides,
        ):
            item.forget(lambda labels: gone(labels[0]))

    def _series(self, spec: catalog.Spec) -> Series:
        item = Series(spec)
        self._items.append(item)
        return item

    def _histogram(self, spec: catalog.Spec, bounds: tuple[float, ...]) -> Histogram:
        item = Histogram(spec, bounds)
        self._items.append(item)
        return item
