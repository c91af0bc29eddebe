"""What a compiled decision gives the clients of one place: whom at which moment, and in which proportions.

    place of the client --compile, for that place alone--> run of alternatives --widths--> shares
                                                                             '--choice--> who answers at t

Both are read from the tables that the packet path uses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from georouter.analysis.find import find
from georouter.answers.layout import REASONS
from georouter.answers.steer import Steering
from georouter.answers.tables import LOCAL, Runs, Snapshot
from georouter.compiler.plan import Plan, plan
from georouter.compiler.publish import publish
from georouter.compiler.runs import TOP
from georouter.compiler.steering import make_table
from georouter.facts.world import World
from georouter.geo.map import GeoMap, Network
from georouter.policy.model import Policy, Service
from georouter.policy.tenants import Tenant
from georouter.routing.steps.pin import kind_of
from georouter.words.ids import RegionName


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """One question of one client, compiled. `family` is 4 or 6, `address` as in `respond`."""

    snapshot: Snapshot
    steering: Steering
    address: int
    family: int
    kind: int
    regions: tuple[RegionName, ...]

    @property
    def _bits(self) -> int:
        return 32 if self.family == 4 else 64

    def drawn(self, now: float) -> RegionName | None:
        """Who answers this client at that Unix time (the first region of an answer with several)."""
        found = self.steering.steer(self.address, self.family, self._bits, now, self.kind)
        answer, _, decision, _ = found
        assert answer is not None  # noqa: S101 - the client is somewhere
        return self._region(decision - self.steering.counter_base)

    def shares(self) -> dict[RegionName, float]:
        """The part (0..1) of all client networks there that each region answers; who gets none is left out.

        Of a choice that is made anew every TTL these are parts of the clients at any moment.
        """
        runs, first, count = self._run()
        found: dict[RegionName, float] = {}
        for index, part in _parts(runs, first, count, sticky=self.steering.sticky is not None):
            region = self._region(runs.tally[index])
            if region is not None and part > 0:
                found[region] = found.get(region, 0.0) + part
        return found

    def _run(self) -> tuple[Runs, int, int]:
        steering = self.steering
        if self.kind >= 0:
            ranking, _ = steering.rank_tenant(self.kind, self.address, self.family, self._bits)
        else:
            ranking = (steering.v4 if self.family == 4 else steering.v6).values[0] % LOCAL
        return steering.runs, steering.runs.first[ranking], steering.runs.count[ranking]

    def _region(self, tally: int) -> RegionName | None:
        region = tally // REASONS
        return self.regions[region] if region < len(self.regions) else None


class Compiler:
    """Compiles questions about one policy; what all of them share is compiled once, when it is needed."""

    def __init__(self, policy: Policy, geo: GeoMap) -> None:
        self._policy = policy
        self._geo = geo
        self._sketch: Plan | None = None

    def compile(  # noqa: PLR0917 - who asks what, and what is known
        self,
        service: Service,
        tenant: Tenant | None,
        name: bytes,
        type_: int,
        client: Network,
        row: int,
        world: World,
    ) -> Compiled | None:
        """The question `name` and `type_`, answered by `service`, of a client at place `row` of the map.

        None where no region has records of this type, whoever asks.
        """
        if self._sketch is None:
            self._sketch = plan(self._policy, _only(self._geo, 0), World())
        sketch = self._sketch
        steered = sketch.steered
        wanted = steered.steerings[steered.group_of[service.name]].table
        table = make_table(self._policy, service, _only(self._geo, row), world)
        tables = tuple(table if index == wanted else old for index, old in enumerate(steered.tables))
        made = replace(sketch, steered=replace(steered, tables=tables))
        snapshot = publish(made, world, 0).snapshot
        found = find(made.directory, name, type_)
        if found.view is None:
            return None
        steering = Steering(snapshot, found.view)
        known = next(item for item in snapshot.directory.layout.services if item.name == service.name)
        return Compiled(
            snapshot=snapshot,
            steering=steering,
            address=int(client.network_address) >> (0 if client.version == 4 else 64),
            family=client.version,
            kind=kind_of(service, tenant) if tenant is not None else steering.tenant,
            regions=tuple(map(RegionName, known.regions)),
        )


def _only(geo: GeoMap, row: int) -> GeoMap:
    """A map on which everybody is where `row` of the map is, even the private networks."""
    both = geo.places.take([0, row])
    zero: NDArray[np.uint32] = np.zeros(1, dtype=np.uint32)
    one: NDArray[np.uint32] = np.ones(1, dtype=np.uint32)
    return GeoMap(zero, one, np.zeros(1, dtype=np.uint64), one, both, geo.info)


def _parts(runs: Runs, first: int, count: int, *, sticky: bool) -> list[tuple[int, float]]:
    """Each alternative with the part of the hash values that take it; the first of a band stands for it."""
    found: list[tuple[int, float]] = []
    rest = 1.0
    if runs.cohort and runs.cohort[first]:
        part, extent = runs.cohort[first] / (TOP + 1), runs.extent[first]
        found.append((first, part))
        first, count, rest = first + extent, count - extent, 1 - part
    if not sticky or count == 1:
        lower = 0
        for index in range(first, first + count):
            found.append((index, rest * (runs.threshold[index] - lower) / TOP))
            lower = runs.threshold[index]
        return found
    index, rates = first, {}
    while index < first + count:
        rates[index] = 1 / runs.scale[index]
        index += runs.extent[index]
    total = sum(rates.values())
    return found + [(index, rest * rate / total) for index, rate in rates.items()]


def percentages(shares: Mapping[RegionName, float]) -> str:
    """Shares for people, the largest first."""
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {part:.1%}" for name, part in ordered) or "no region"
