"""Residency, proven: every location, every combination of regions down, on the answers that are compiled.

    policy --compiler--> what is answered --+
                                            |--> never outside, or a client to whom it is
    policy --`fencing`--> what is allowed --+

Answers are those of `compiler.publish`, one world after the other as in the daemon, read from their
bytes. The proof covers the address that a query gives us. Where a hostname leads is not ours to prove.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from georouter.analysis.counter import Crossing, Told, describe
from georouter.analysis.fencing import Claim, Expected, bits, expected, residencies, with_tenants
from georouter.analysis.questions import Questions, make_questions, tenant_questions, together
from georouter.analysis.reading import Owners, Reader
from georouter.analysis.residents import Residents, residents
from georouter.analysis.said import read
from georouter.answers.layout import REASONS
from georouter.answers.tables import SLOT_A, SLOT_AAAA, SLOT_OTHER, View
from georouter.compiler.plan import Plan, alone, plan
from georouter.compiler.publish import Published, publish
from georouter.compiler.steering import Table, freeze
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.geo.map import GeoMap
from georouter.policy.model import Policy
from georouter.routing.steps.pin import pin_of
from georouter.wire.codes import type_text
from georouter.words.ids import RegionName, ServiceName

MOST_EXHAUSTIVE = 12
"""Regions of a service up to which every combination is walked: 4,096 of them."""
DOWN = RegionFacts(observed=State.DOWN, effective=Effective.DOWN)


@dataclass(slots=True)
class Walked:
    """What a proof went through. `kinds` are those of tenants, who are asked for from all ranges and blocks;
    `answers`: alternatives read, once per distinct client and combination.
    """

    ranges: int = 0
    blocks: int = 0
    combinations: int = 0
    exhaustive: bool = True
    answers: int = 0
    kinds: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One service. `fences` are those that had to hold: without one there was nothing to prove.

    `notes` are for people: what the proof does not say.
    """

    service: ServiceName
    fences: tuple[str, ...]
    walked: Walked
    crossing: Crossing | None = None
    notes: tuple[str, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether there are fences, and nothing crosses them."""
        return bool(self.fences) and self.crossing is None


def prove(
    policy: Policy,
    geo: GeoMap,
    claims: Mapping[ServiceName, Sequence[Claim]] | None = None,
    services: Iterable[ServiceName] | None = None,
) -> Iterator[tuple[Verdict, ...]]:
    """The verdicts, services that are answered alike together. Raises PolicyError as `compiler.plan` does."""
    whole = plan(policy, geo, World())
    owners = Owners(policy)
    together: dict[Hashable, list[ServiceName]] = {}
    for name in policy.services if services is None else services:
        service = policy.services[name]
        mine = tuple((claims or {}).get(name, ()))
        alike = freeze((residencies(service), pin_of(service)))
        key = (whole.steered.group_of[name], alike, mine, service.ecs, residents(policy, service) is not None)
        together.setdefault(key, []).append(name)
    for names in together.values():
        yield _prove(policy, geo, whole, owners, names, tuple((claims or {}).get(names[0], ())))


def _prove(  # noqa: PLR0917 - one policy, one proof
    policy: Policy,
    geo: GeoMap,
    whole: Plan,
    owners: Owners,
    names: Sequence[ServiceName],
    claims: tuple[Claim, ...],
) -> tuple[Verdict, ...]:
    service = policy.services[names[0]]
    tenants = residents(policy, service)
    inside = tenants is not None and any(kind.residency is not None for kind in tenants.kinds)
    if not residencies(service) and not claims and not inside:
        return tuple(Verdict(name, (), Walked()) for name in names)
    expectation = expected(policy, service, claims, geo.places)
    table = whole.steered.tables[whole.steered.steerings[whole.steered.group_of[names[0]]].table]
    questions = make_questions(table, geo, expectation, subnets=service.ecs)
    if tenants is not None and table.pinned is not None:
        allowed = _allowed(policy, tenants)
        expectation = with_tenants(expectation, allowed)
        alike = _alike(table, expectation, allowed)
        asked = tenant_questions(table, geo, expectation, alike, subnets=service.ecs)
        questions = together(questions, asked)
    walk = _Walk(policy, whole, names, expectation, questions, owners)
    walk.walked.kinds = len(tenants.kinds) if tenants is not None else 0
    hit = walk.run()
    fences = [fence.text for fence in expectation.fences]
    if tenants is not None and inside:
        fences.append(f"residencies of tenants ({tenants.step.directory.name})")
    verdicts = []
    for name in names:
        crossing = None
        if hit is not None:
            whose = residents(policy, policy.services[name])
            crossing = describe(
                policy, geo, expectation, questions, hit.question, name, hit.down, hit.told, whose
            )
        verdicts.append(Verdict(name, tuple(fences), walk.walked, crossing, walk.notes()))
    return tuple(verdicts)


def _allowed(policy: Policy, tenants: Residents) -> tuple[int, ...]:
    """The regions that each kind's residency allows."""
    return tuple(
        bits(policy, policy.regions if kind.residency is None else kind.residency) for kind in tenants.kinds
    )


def _alike(table: Table, expectation: Expected, allowed: Sequence[int]) -> list[tuple[int, int, int]]:
    """One kind for all that have its ranking and residency: kind, ranking, number of what it allows."""
    if table.pinned is None:
        return []
    number = {residency: index for index, residency in enumerate(expectation.residencies)}
    found: dict[tuple[int, int], int] = {}
    for kind, (ranking, residency) in enumerate(zip(table.pinned.rankings, allowed, strict=True)):
        found.setdefault((ranking, number[residency]), kind)
    return [(kind, *pair) for pair, kind in found.items()]


@dataclass(frozen=True, slots=True)
class _Hit:
    """An answer outside of what is expected of a question."""

    question: int
    down: frozenset[RegionName]
    told: Told


class _Walk:
    """Publishes one world after the other, and looks at everything that is answered."""

    def __init__(  # noqa: PLR0917 - as `_prove`
        self,
        policy: Policy,
        whole: Plan,
        names: Sequence[ServiceName],
        expectation: Expected,
        questions: Questions,
        owners: Owners,
    ) -> None:
        group = whole.steered.group_of[names[0]]
        self._plan, numbers = alone(whole, group)
        self._regions = whole.universes[names[0]]
        self._views = tuple(
            dict.fromkeys((view.slot, numbers[view.bodies]) for view in _views(whole, names, group))
        )
        self._bits = [bits(policy, (name,)) for name in self._regions]
        self._masks = expectation.masks
        self._pinned = [
            name
            for name in names
            if pin_of(policy.services[name]) and residents(policy, policy.services[name]) is None
        ]
        # the row behind the last is for answers that name no region: those are outside of nothing
        rows = [[not bit & mask for mask in self._masks] for bit in self._bits]
        self._outside = np.array([*rows, [False] * len(self._masks)])
        self._questions = questions
        self._owners = owners
        self._reader = Reader(owners, self._masks)
        self._published: Published | None = None
        exhaustive = len(self._regions) <= MOST_EXHAUSTIVE
        self.walked = Walked(questions.ranges, questions.blocks, exhaustive=exhaustive)

    def notes(self) -> tuple[str, ...]:
        """What was not proved."""
        universe = sum(self._bits)
        strange = tuple(
            f"{text} stands in answers and is no region's: nothing is said of it"
            for text in self._reader.strangers
        )
        unasked = () if self._views else ("no name is answered by this service",)
        pinned = ("no name can be a tenant's: the service answers no wildcard",)
        return (
            *unasked,
            *(pinned if self._pinned else ()),
            *self._owners.notes(universe, self._masks),
            *strange,
        )

    def run(self) -> _Hit | None:
        """The first answer outside, with as few regions down as it takes."""
        for down in self._worlds():
            hit = self._look(down)
            self.walked.combinations += 1
            if hit is not None:
                return self._fewest(hit)
        return None

    def _worlds(self) -> Iterator[frozenset[RegionName]]:
        """Which regions are down: every combination, or where they are too many those that are likelier."""
        if self.walked.exhaustive:
            return gray(self._by_weight())
        inside = [
            frozenset(name for name, bit in zip(self._regions, self._bits, strict=True) if bit & mask)
            for mask in self._masks
        ]
        found = [frozenset(lost) for count in (0, 1, 2) for lost in combinations(self._regions, count)]
        return iter(dict.fromkeys((*found, *inside, frozenset(self._regions))))

    def _by_weight(self) -> Sequence[RegionName]:
        """The regions, those first that few rankings begin with: what toggles most often moves least."""
        (table,) = self._plan.steered.tables
        weight = [0.0] * len(self._regions)
        for ranked in table.rankings:
            for place, tier in enumerate(ranked.tiers):
                for region in tier:
                    weight[region] += 0.5**place
        return [self._regions[number] for number in sorted(range(len(weight)), key=weight.__getitem__)]

    def _look(self, down: frozenset[RegionName]) -> _Hit | None:
        before = self._published
        world = World(
            regions=dict.fromkeys(down, DOWN), last_known=before.last_known if before is not None else {}
        )
        self._published = publish(self._plan, world, 1, before)
        for view in self._views:
            found = self._first(self._published, *view)
            if found is not None:
                return _Hit(found[0], down, self._told(self._published, *view, *found))
        return None

    def _first(self, published: Published, slot: int, written: int) -> tuple[int, int] | None:
        """The first question that has an alternative outside, and that alternative."""
        runs = published.snapshot.groups[0].runs[slot]
        body, tally = (np.frombuffer(numbers, dtype=np.uint32) for numbers in (runs.body, runs.tally))
        bad = self._reader.outside(published.snapshot.bodies[written])[body] | self._outside[tally // REASONS]
        sums = np.zeros((len(bad) + 1, len(self._masks)), dtype=np.int32)
        np.cumsum(bad, axis=0, out=sums[1:])
        ranking, mask = self._questions.ranking, self._questions.mask
        first = np.frombuffer(runs.first, dtype=np.uint32)[ranking].astype(np.int64)
        count = np.frombuffer(runs.count, dtype=np.uint32)[ranking].astype(np.int64)
        self.walked.answers += int(count.sum())
        hits = sums[first + count, mask] != sums[first, mask]
        if not hits.any():
            return None
        question = int(np.argmax(hits))
        begin, number = int(first[question]), int(count[question])
        return question, begin + int(np.argmax(bad[begin : begin + number, int(mask[question])]))

    def _told(self, published: Published, slot: int, written: int, question: int, alternative: int) -> Told:
        runs = published.snapshot.groups[0].runs[slot]
        said = read(published.snapshot.bodies[written][runs.body[alternative]])
        mask = self._masks[int(self._questions.mask[question])]
        outside = [(text, regions) for text, regions in self._owners.of(said) if not regions & mask]
        regions = 0
        for _, owners in outside:
            regions |= owners
        number = runs.tally[alternative] // REASONS
        if not regions and number < len(self._bits):
            regions = self._bits[number]
        form = self._plan.forms[self._plan.written[written].form]
        return Told(
            _TYPES.get(slot) or type_text(form.type),
            (*said.addresses, *said.hosts),
            tuple(text for text, _ in outside),
            regions,
        )

    def _fewest(self, hit: _Hit) -> _Hit:
        """The same kind of crossing with regions returned as long as there is one."""
        for name in self._regions:
            if name in hit.down:
                hit = self._look(hit.down - {name}) or hit
        return hit


_TYPES = {SLOT_A: "A", SLOT_AAAA: "AAAA", SLOT_OTHER: "CNAME"}


def _views(whole: Plan, names: Sequence[ServiceName], group: int) -> Iterator[View]:
    """The views that answer these services: that is what leads to their names' answers."""
    bases = {service.base for service in whole.directory.layout.services if service.name in names}
    for view in whole.directory.views:
        if view.counter_base in bases:
            if view.group != group:
                raise ValueError(f"a name of {', '.join(names)} is answered by another service's tables")
            yield view


def gray(regions: Sequence[RegionName]) -> Iterator[frozenset[RegionName]]:
    """Every combination, each one region away from the one before."""
    down: set[RegionName] = set()
    yield frozenset()
    for step in range(1, 1 << len(regions)):
        down ^= {regions[(step & -step).bit_length() - 1]}
        yield frozenset(down)
