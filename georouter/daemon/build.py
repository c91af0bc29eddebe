"""One build: policy files and databases in, a compiled plan out.

`Builder` is the only code that holds the geo map. It runs in the daemon's own process for the first
build and in a child process (`workshop`) for all later ones, so that a long compile never holds the
interpreter lock against the packet path.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from georouter.compiler.plan import plan, rerank
from georouter.compiler.serials import Serials
from georouter.compiler.steering import Made
from georouter.control.orders import (
    BuildRequest,
    Built,
    Databases,
    ExplainRequest,
    Failed,
)
from georouter.daemon.kept import Kept, keep
from georouter.daemon.sameness import same_files, same_names, same_records
from georouter.facts.world import World
from georouter.geo.map import GeoMap
from georouter.geo.overlay import overlay
from georouter.policy.files import PolicyFile
from georouter.policy.interest import asns, networks
from georouter.policy.kinds import check_kinds
from georouter.policy.load import load
from georouter.policy.model import Policy
from georouter.policy.zonefile.again import Readings
from georouter.sources import geo_files, policy_files, serial_file
from georouter.words.errors import PolicyError, Severity, SourceError


class Builder:
    """Builds, remembering the last geo map and the last policy, which seldom change together.

    Extracted geo maps are kept in `cache_dir`, by default `cache` in the policy's state directory; the
    serials of earlier runs are read from `state_dir`, by default that directory.
    """

    def __init__(self, *, cache_dir: str | None = None, state_dir: str | None = None) -> None:
        self._cache_dir = Path(cache_dir) if cache_dir else None
        self._state_dir = Path(state_dir) if state_dir else None
        self._map_key: object = None
        self._databases: Databases = ()
        """The database files that the build under way looked at."""
        self._map: GeoMap | None = None
        self._last: Built | None = None
        self._planned_on: GeoMap | None = None
        self._planned_key: object = None
        """What tells that map from others, None where nothing does."""
        self._readings = Readings()
        self._unkept: Kept | None = None
        """A build of the policy as it is on disk that is not on disk itself."""

    def handle(self, request: object) -> object:
        """The child process's door: a request in, its result (or `Failed`) out; never raises."""
        try:
            match request:
                case BuildRequest():
                    return self.build(request)
                case ExplainRequest():
                    return self.explain(request)
        except Exception as error:  # noqa: BLE001 - the daemon must hear of it, whatever it is
            return Failed(f"internal error: {type(error).__name__}: {error}")
        return Failed(f"internal error: unknown request {type(request).__name__}")

    def build(self, request: BuildRequest) -> Built | Failed:
        """Read, check and compile. Every expected problem comes back as `Failed`."""
        files = request.files or ()
        self._databases = ()
        try:
            clock = Stopwatch()
            if request.files is None:
                files = policy_files.read_settled(Path(request.config))
                if self._last is not None:
                    files = same_files(files, self._last.files)
            clock.lap("read")
            if self._last is not None and self._last.files == files:
                policy, warnings = self._last.policy, self._last.warnings
            else:
                loaded = load(files, readings=self._readings)
                policy, warnings = loaded.policy, loaded.warnings
                if self._last is not None:
                    policy = same_records(policy, self._last.policy)
            clock.lap("policy")
            geo = self._map_for(request, policy)
            if problems := check_kinds(policy, geo.info.kinds):
                raise PolicyError(problems)
            clock.lap("geo")
            world = World(rtt_ms=request.rtt_ms)
            ground = self._map_key if geo is self._map else self._planned_key
            if self._last is not None and self._last.policy is policy and self._planned_on is geo:
                # only round trips can have changed
                made = rerank(self._last.plan, policy, geo, world, ground)
            else:
                tables = () if self._last is None else self._last.plan.steered.tables
                serials = self._serials(request, files, policy)
                made = plan(policy, geo, world, serials, Made(ground, tables))
                if self._last is not None:
                    made = same_names(made, self._last.plan)
            self._planned_on, self._planned_key = geo, ground
            clock.lap("plan")
        except PolicyError as error:
            problems = tuple(item for item in error.diagnostics if item.severity is Severity.ERROR)
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            return Failed(
                f"{problems[0] if problems else error}{more}", error.diagnostics, files, self._databases
            )
        except (SourceError, OSError) as error:
            return Failed(str(error), (), files, self._databases)
        self._last = Built(files, policy, warnings, made, geo.info, clock.seconds, self._databases)
        if request.files is None:
            self._unkept = Kept(request.config, self._last, request.rtt_ms)
        return self._last

    def keep(self, urgent: Callable[[], bool] = lambda: False) -> None:
        """Write the last build to disk, for the next start, unless that was done.

        It is put off when something `urgent` turns up.
        """
        kept, self._unkept = self._unkept, None
        if kept is not None and keep(self._cache(kept.built.policy), kept, urgent) is None:
            self._unkept = kept

    def _serials(self, request: BuildRequest, files: tuple[PolicyFile, ...], policy: Policy) -> Serials:
        known = request.serials
        if known is None:
            known = serial_file.load(self._state_dir or Path(policy.server.state_dir))
        return Serials(known, policy_files.written_at(files, time.time()))

    def _map_for(self, request: BuildRequest, policy: Policy) -> GeoMap:
        """A reload takes the databases as they are now, or fails; the policy in use keeps its map."""
        if request.files is None:
            return self.geo_map(policy)
        if self._planned_on is not None and self._last is not None and self._last.policy is policy:
            return self._planned_on
        return self.map_at_hand(policy)

    def map_at_hand(self, policy: Policy) -> GeoMap:
        """The map of the databases as they are now, or as they were when they were last good.

        SourceError where there is neither.
        """
        try:
            return self.geo_map(policy)
        except SourceError:
            last = geo_files.load_last(policy.geo.databases, self._cache(policy))
            if last is None:
                raise
            self._map_key = None  # what is in the files now was not used
            self._map = _overlaid(last, policy)
            return self._map

    def explain(self, request: ExplainRequest) -> dict[str, Any] | Failed:
        """The explanation as a JSON-able dict; `Failed` for a question that makes no sense."""
        from georouter.analysis.explain import explain  # noqa: PLC0415 - a start needs no explanations

        if self._last is None or self._last.files != request.files:
            built = self.build(BuildRequest(request.config, request.files, request.world.rtt_ms))
            if isinstance(built, Failed):
                return built
        assert self._last is not None  # noqa: S101 - build has just set them
        assert self._planned_on is not None  # noqa: S101
        policy = self._last.policy
        try:
            return explain(
                policy,
                self._planned_on,
                request.world,
                request.name,
                request.client,
                resolver=request.resolver,
                qtype=request.type,
                now=request.now,
                compiled=self._last.plan,
            ).as_dict()
        except (ValueError, LookupError) as error:
            return Failed(str(error))

    def geo_map(self, policy: Policy) -> GeoMap:
        """The database with the policy's own networks and the AS numbers it asks for laid over it."""
        # told apart before they are read: a file that comes later is another one
        self._databases = geo_files.fingerprint((*policy.geo.databases, *policy.geo.asn_databases))
        key = (policy.geo, self._databases, networks(policy), asns(policy))
        if self._map is None or key != self._map_key:
            loaded = geo_files.load_map(policy.geo.databases, self._cache(policy))
            self._map, self._map_key = _overlaid(loaded, policy), key
        return self._map

    def _cache(self, policy: Policy) -> Path:
        return self._cache_dir or Path(policy.server.state_dir, "cache")


def _overlaid(loaded: GeoMap, policy: Policy) -> GeoMap:
    return overlay(
        loaded,
        networks=networks(policy),
        overrides=policy.geo.networks,
        asn_map=geo_files.load_asn(policy.geo.asn_databases),
        asns=asns(policy),
    )


class Stopwatch:
    """Wall time between laps, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._at = time.perf_counter()

    def lap(self, name: str) -> None:
        """Close the phase `name`."""
        now = time.perf_counter()
        self.seconds[name], self._at = now - self._at, now
