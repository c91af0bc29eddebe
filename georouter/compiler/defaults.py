"""Default answers: what a steered name has where nobody steers, in a transferred zone.

It is the answer for a client that nobody can place, through a resolver that nobody can place either,
while every region is up. Of several candidates it is the heaviest, the first of these in the order of
the policy. Where the service has fences only regions count that all of them allow, because a secondary
gives the same answer to everybody; where that leaves none, the name is left out.

Neither health nor round trips nor the geo database have a say, so nothing but the policy changes it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from georouter.answers.tables import SLOT_A, SLOT_AAAA, SLOT_OTHER
from georouter.compiler.bodies import bound
from georouter.compiler.contents import Content, Contents
from georouter.compiler.flatten import flatten
from georouter.compiler.steering import Steered
from georouter.compiler.tree import Tree
from georouter.facts.world import World
from georouter.geo.map import Places
from georouter.policy.fences import for_everybody
from georouter.policy.model import Alias, Binding, Policy, RecordSet
from georouter.routing.decide import Family, decide
from georouter.routing.scene import universe
from georouter.wire.codes import TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_HTTPS, TYPE_SVCB
from georouter.wire.names import lower
from georouter.words.ids import ServiceName

_EVERYBODY = World()
"""No facts: every region is up, and no round trip is known."""
_FAMILIES = {SLOT_OTHER: Family.ANY, SLOT_A: Family.A, SLOT_AAAA: Family.AAAA}


def _nowhere() -> Places:
    """One place of which nothing is known."""
    return Places(
        country=np.array([b""], dtype="S2"),
        continent=np.array([b""], dtype="S2"),
        subdivision=np.array([b""], dtype="S6"),
        city=np.zeros(1, dtype=np.int32),
        lat=np.full(1, np.nan, dtype=np.float32),
        lon=np.full(1, np.nan, dtype=np.float32),
        asn=np.zeros(1, dtype=np.uint32),
        network_set=np.zeros(1, dtype=np.int32),
    )


@dataclass(slots=True)
class Defaults:
    """The default answers of a policy's services, made when they are first asked for."""

    policy: Policy
    steered: Steered
    _known: dict[ServiceName, dict[int, tuple[bytes, ...]]] = field(default_factory=dict)

    def sets(self, tree: Tree, zone: int) -> Iterator[RecordSet]:
        """What the steered names and the aliases of a zone have."""
        names = tuple(tree.index)
        for node, alias in tree.aliases.items():
            if tree.zone[node] == zone:
                yield from self._flat(tree, node, alias)
        for node, service in tree.services.items():
            if tree.zone[node] == zone:
                ttl_s = self.policy.services[service].ttl_s
                for kind, rdatas in self.of(service).items():
                    yield RecordSet(names[node], kind, ttl_s, rdatas)

    def _flat(self, tree: Tree, node: int, alias: Alias) -> Iterator[RecordSet]:
        """The addresses of an alias whose target is ours; what only a resolver knows is left out."""
        end = flatten(tree, alias.target, alias.ttl_s)
        sets: dict[int, tuple[bytes, ...]] = {kind: held.rdatas for kind, held in end.sets.items()}
        service = end.service
        if service is not None:
            most_s = self.policy.services[service].ttl_s
            end = replace(end, ttl_s=most_s if end.ttl_s is None else min(end.ttl_s, most_s))
            sets = self.of(service)
            if TYPE_CNAME in sets:
                end = flatten(tree, lower(sets[TYPE_CNAME][0]), end.ttl_s)
                sets = {kind: held.rdatas for kind, held in end.sets.items()}
        own = tree.sets(node)
        for kind, rdatas in sets.items():
            if kind not in own:
                yield RecordSet(alias.owner, kind, end.ttl_s or 0, rdatas)

    def of(self, service: ServiceName) -> dict[int, tuple[bytes, ...]]:
        """The data by record type: addresses, or one CNAME, or nothing."""
        if service not in self._known:
            self._known[service] = self._make(service)
        return self._known[service]

    def _make(self, name: ServiceName) -> dict[int, tuple[bytes, ...]]:
        policy, service = self.policy, self.policy.services[name]
        allowed = for_everybody(service)
        within = None
        if allowed is not None:
            within = frozenset(at for at, region in enumerate(universe(service)) if region in allowed)
        decision = decide(policy, service, _nowhere(), _EVERYBODY, within=within)
        steering = self.steered.steerings[self.steered.group_of[name]]

        def chosen(slot: int) -> Content | None:
            candidates = decision.selections[_FAMILIES[slot]].candidates
            if not candidates or slot not in steering.slots:
                return None
            listed = Contents(steering, slot, decision.facts)
            best = max(candidates, key=lambda candidate: candidate.weight)
            number, _ = max(listed.alternatives(best), key=lambda alternative: alternative[1])
            return tuple(listed.items)[number]

        return _records(chosen, {TYPE_HTTPS: service.https, TYPE_SVCB: service.svcb})


def _records(
    chosen: Callable[[int], Content | None], bindings: Mapping[int, tuple[Binding, ...]]
) -> dict[int, tuple[bytes, ...]]:
    """A hostname is a CNAME, which stands alone; HTTPS and SVCB have hints of the same addresses."""
    alone = chosen(SLOT_OTHER)
    if alone is not None and alone.target is not None:
        return {TYPE_CNAME: (alone.target,)}
    both = {TYPE_A: chosen(SLOT_A), TYPE_AAAA: chosen(SLOT_AAAA)}
    found = {kind: content.rdatas for kind, content in both.items() if content is not None and content.rdatas}
    addresses = Content(rdatas=found.get(TYPE_A, ()), further=found.get(TYPE_AAAA, ()))
    for kind, items in bindings.items():
        if found and items:
            found[kind] = tuple(bound(item, addresses) for item in items)
    return found
