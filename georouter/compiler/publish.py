"""`publish`: a plan and the world of a moment -> `Snapshot`, touching only what moved.

Rule 1: a group whose regions' facts are as before is the same object as before.
Rule 2: finished answers are made once; a group that moved takes those it had (see `contents`).
"""

from array import array
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace

from georouter.answers.tables import (
    SLOT_A,
    SLOT_AAAA,
    SLOT_BOUND,
    SLOT_OTHER,
    Answer,
    Group,
    RangeMap,
    RangeTable,
    Runs,
    Snapshot,
    Sticky,
)
from georouter.compiler.bodies import SLOT_FAMILY, Writer
from georouter.compiler.contents import Content, Contents
from georouter.compiler.pairs import NOTHING_PAIRED, Paired, Side, pair
from georouter.compiler.plan import Plan
from georouter.compiler.report import Answering, Change, answering, changes, last_known, moved
from georouter.compiler.runs import NOTHING_LAID, TOP, Laid, make_runs
from georouter.compiler.selections import Before, Selections, select_all
from georouter.compiler.steering import SLOT_FAMILIES, Steering, Table
from georouter.facts.aliases import Addresses, AliasKey
from georouter.facts.plan import Shares
from georouter.facts.world import Known, RegionFacts, World
from georouter.routing.select import LastKnown, able, known_last, planned
from georouter.routing.steps.failover import stand
from georouter.routing.steps.weighted import ramped
from georouter.routing.ttl import Ttl, ttl
from georouter.words.ids import ServiceName

__all__ = ["Answering", "Change", "GroupState", "Published", "publish"]


NETWORKS = Sticky(24, 56)
"""Whom a cohort is made of where no step says it: those of `choice.network_key`."""
EVERYBODY = RangeMap(
    RangeTable(array("I", [0]), array("I", [0])), RangeTable(array("Q", [0]), array("I", [0]))
)
"""One range with one ranking: for what is the same for every client but changes now and then."""
_ONE = Runs(array("I", [0]), array("I", [1]), array("I", [TOP]), array("I", [0]), array("I", [0]))


@dataclass(frozen=True, slots=True, eq=False)
class GroupState:
    """One group as published, with what it was made of."""

    facts: tuple[RegionFacts, ...]
    last_known: LastKnown
    shares: Shares | None
    """What the capacity plan said of the group's rankings."""
    usable: tuple[frozenset[int] | None, ...]
    """Per slot the regions that could answer it, None for all."""
    ttl: Ttl
    group: Group
    contents: tuple[tuple[Content, ...], ...]
    """Per slot, what the bodies of the group's views say, in order."""
    selections: tuple[Selections, ...]
    """Per slot; those of `SLOT_OTHER` regard all regions, whatever records they have."""
    laid: tuple[Laid, ...]
    """Per slot but `SLOT_BOUND`, which is `paired`."""
    paired: Paired
    answering: Answering


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """A snapshot, and what it means. Hand it to the next `publish` as `previous`.

    `last_known` covers services with `when_all_down: last_known`: put it into the next `World`.
    """

    snapshot: Snapshot
    changes: tuple[Change, ...]
    services: Mapping[ServiceName, Answering]
    last_known: Mapping[ServiceName, Known]
    plan: Plan
    states: tuple[GroupState, ...] = field(repr=False)
    aliases: Mapping[AliasKey, Addresses] = field(default_factory=dict, repr=False)


def publish(plan: Plan, world: World, generation: int, previous: Published | None = None) -> Published:
    """Select for every ranking and finish the tables. Milliseconds when one region changed.

    `previous` may come from another plan; then only what both share is taken over.
    """
    works = _Works(plan, world, previous)
    states = tuple(works.state(index) for index in range(len(plan.steered.steerings)))
    services = {name: states[group].answering for name, group in plan.steered.group_of.items()}
    maps = tuple(table.map for table in plan.steered.tables)
    groups = tuple(state.group for state in states)
    if plan.flats:
        groups += (Group(len(maps), 0, None, (_ONE, _ONE, _ONE)),)
        maps += (EVERYBODY,)
    kept = previous if previous is not None and previous.plan.written is plan.written else None
    writer = Writer(plan.authorities, plan.targets, plan.ends, world.aliases)
    snapshot = Snapshot(
        generation=generation,
        directory=plan.directory,
        maps=maps,
        groups=groups,
        bodies=_bodies(plan, states, writer, kept) + _flat_bodies(plan, writer, kept),
    )
    return Published(
        snapshot=snapshot,
        changes=() if previous is None else _changes(plan, states, services, previous),
        services=services,
        last_known=_last_known(plan, states, world, previous),
        plan=plan,
        states=states,
        aliases=world.aliases,
    )


class _Works:
    """Makes group states; remembers selections, which groups with different TTLs share."""

    def __init__(self, plan: Plan, world: World, previous: Published | None) -> None:
        self.steered = plan.steered
        self.world = world
        self.previous = previous
        self.known: dict[Hashable, Selections] = {}

    def state(self, index: int) -> GroupState:
        """The state of group `index`: the previous one, if nothing it depends on has changed."""
        steering = self.steered.steerings[index]
        table = self.steered.tables[steering.table]
        names = tuple(region.name for region in steering.regions)
        facts = stand(steering.stands, names, self.world)
        facts = ramped(steering.rule.ramp, steering.rule.ramps, names, facts, self.world)
        last = self._last_known(steering)
        shares = planned(steering.rule, names, self.world)
        lasting = ttl(steering, names[: steering.own], self.world, steering.rule.ramps)
        old = _predecessor(self.previous, index, steering, table)
        if old is not None and old.facts == facts and old.last_known == last and old.shares == shares:
            return old if old.ttl == lasting else replace(old, ttl=lasting)
        selections: list[Selections] = []
        laid: list[Laid] = []
        contents: list[tuple[Content, ...]] = []
        usables: list[frozenset[int] | None] = []
        for slot in SLOT_FAMILIES:
            alike = old is not None and old.last_known == last and not old.shares and not shares
            before = Before(old.facts, old.selections[slot]) if old and alike else None
            usable = steering.usable[slot]
            if slot != SLOT_OTHER:
                usable = able(steering.regions, facts, SLOT_FAMILIES[slot], usable)
            if before is not None and old is not None and usable != old.usable[slot]:
                before = None
            usables.append(usable)
            selections.append(self._select(steering, facts, usable, last, before, shares))
            if slot in steering.slots:
                listed = Contents(steering, slot, facts)
                laid.append(
                    make_runs(selections[slot], listed, old.laid[slot].pieces if before and old else None)
                )
                contents.append(tuple(listed.items))
            else:
                laid.append(NOTHING_LAID)
                contents.append(())
        paired = NOTHING_PAIRED
        if SLOT_BOUND in steering.slots:
            a, aaaa = (
                Side(selections[slot], laid[slot].pieces, contents[slot]) for slot in (SLOT_A, SLOT_AAAA)
            )
            paired = pair(steering, a, aaaa, old.paired if old else None)
        runs = (*(item.runs for item in laid), paired.laid.runs)
        return GroupState(
            facts=facts,
            last_known=last,
            shares=shares,
            usable=tuple(usables),
            ttl=lasting,
            group=Group(
                steering.table,
                steering.ttl_s,
                table.fences,
                runs,
                _sticky(steering),
                _slots(steering, table),
                table.pinned,
                _cohorts(steering),
            ),
            contents=(*contents, paired.contents),
            selections=tuple(selections),
            laid=tuple(laid),
            paired=paired,
            answering=answering(names, table, selections[SLOT_OTHER]),
        )

    def _last_known(self, steering: Steering) -> LastKnown:
        if steering.sole is None:
            return frozenset()
        return known_last(steering.sole, [region.name for region in steering.regions], self.world)

    def _select(  # noqa: PLR0917 - as `select_all`
        self,
        steering: Steering,
        facts: tuple[RegionFacts, ...],
        usable: frozenset[int] | None,
        last: LastKnown,
        before: Before | None,
        shares: Shares | None,
    ) -> Selections:
        key = (
            steering.table,
            steering.rule,
            steering.stands,
            usable,
            last,
            id(before.selections) if before else 0,
        )
        made = self.known.get(key)
        if made is None:
            table = self.steered.tables[steering.table]
            made = self.known[key] = select_all(table, steering, facts, usable, last, before, shares)
        return made


def _slots(steering: Steering, table: Table) -> "array[int]":
    return table.slots if steering.rule.capacity else array("H")


def _sticky(steering: Steering) -> Sticky | None:
    step = steering.rule.sticky
    return None if step is None else Sticky(step.ipv4, step.ipv6)


def _cohorts(steering: Steering) -> Sticky | None:
    return None if steering.rule.ramp is None else _sticky(steering) or NETWORKS


def _predecessor(
    previous: Published | None, index: int, steering: Steering, table: Table
) -> GroupState | None:
    """The previous state of the same group over the same table."""
    if previous is None:
        return None
    before = previous.plan.steered
    if index >= len(before.steerings) or before.steerings[index] is not steering:
        return None
    return previous.states[index] if before.tables[steering.table] is table else None


def _bodies(
    plan: Plan, states: tuple[GroupState, ...], writer: Writer, kept: Published | None
) -> tuple[tuple[Answer, ...], ...]:
    """One tuple of answers per entry of `plan.written`, those of `kept` where they say the same."""
    moving = _moving_hosts(plan, writer, kept)
    bodies = []
    for index, written in enumerate(plan.written):
        contents, ttl_s = states[written.group].contents[written.slot], states[written.group].ttl.seconds
        form = plan.forms[written.form]
        known: dict[Content, Answer] = {}
        if kept is not None and kept.states[written.group].ttl.seconds == ttl_s:
            old = kept.states[written.group].contents[written.slot]
            moved = {content for content in old if content.target in moving} if form.flat and moving else ()
            if not moved and (old is contents or old == contents):
                bodies.append(kept.snapshot.bodies[index])
                continue
            pairs = zip(old, kept.snapshot.bodies[index], strict=True)
            known = {content: answer for content, answer in pairs if content not in moved}
        bodies.append(
            tuple(
                known.get(content) or writer.write(content, form, written.slot, ttl_s) for content in contents
            )
        )
    return tuple(bodies)


def _moving_hosts(plan: Plan, writer: Writer, kept: Published | None) -> frozenset[bytes]:
    """Hostnames of endpoints that lead to names outside our zones whose addresses are no longer those of
    `kept`.
    """
    if kept is None or kept.aliases is writer.aliases or not plan.ends:
        return frozenset()
    changed = {
        name
        for name, family in kept.aliases.keys() | writer.aliases.keys()
        if kept.aliases.get((name, family)) != writer.aliases.get((name, family))
    }
    return frozenset(host for host, end in plan.ends.items() if end.outside in changed)


def _flat_bodies(plan: Plan, writer: Writer, kept: Published | None) -> tuple[tuple[Answer, ...], ...]:
    """One answer per entry of `plan.flats`, that of `kept` where the same addresses are known."""
    if kept is None:
        return tuple((writer.outside(flat.target, plan.forms[flat.form], flat.slot),) for flat in plan.flats)
    old = kept.snapshot.bodies[len(plan.written) :]
    if kept.aliases is writer.aliases:
        return old
    bodies = []
    for index, flat in enumerate(plan.flats):
        key = (flat.target, SLOT_FAMILY[flat.slot])
        if kept.aliases.get(key) == writer.aliases.get(key):
            bodies.append(old[index])
        else:
            bodies.append((writer.outside(flat.target, plan.forms[flat.form], flat.slot),))
    return tuple(bodies)


def _changes(
    plan: Plan,
    states: tuple[GroupState, ...],
    services: Mapping[ServiceName, Answering],
    previous: Published,
) -> tuple[Change, ...]:
    """What differs from `previous`, per service."""
    shares: dict[int, float | None] = {}
    for index, state in enumerate(states):
        steering = plan.steered.steerings[index]
        table = plan.steered.tables[steering.table]
        old = _predecessor(previous, index, steering, table)
        if old is None:
            shares[index] = None
        elif old is not state:
            shares[index] = moved(table, old.selections[SLOT_OTHER], state.selections[SLOT_OTHER])
    moved_of = {name: shares[group] for name, group in plan.steered.group_of.items() if group in shares}
    return tuple(changes(previous.services, services, moved_of))


def _last_known(
    plan: Plan, states: tuple[GroupState, ...], world: World, previous: Published | None
) -> dict[ServiceName, Known]:
    """Per service what was answered when last anything was up."""
    known: dict[ServiceName, Known] = {}
    for index, (steering, state) in enumerate(zip(plan.steered.steerings, states, strict=True)):
        if steering.sole is not None:
            before = world.last_known.get(steering.sole, {})
            if (
                previous is not None
                and previous.plan is plan
                and previous.states[index] is state
                and previous.last_known[steering.sole] == before
            ):
                known[steering.sole] = before
                continue
            names = tuple(region.name for region in steering.regions)
            every = state.selections[SLOT_OTHER]
            table = plan.steered.tables[steering.table]
            known[steering.sole] = last_known(names, table, every, state.facts, before)
    return known
