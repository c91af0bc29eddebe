"""The counter-example of a proof, in words: who asks what, while what is down, and gets what from where."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import numpy as np

from georouter.analysis.fencing import Expected, Fence, bits
from georouter.analysis.questions import How, Questions
from georouter.analysis.residents import Residents
from georouter.geo.map import GeoMap, Network
from georouter.policy.model import Policy
from georouter.routing.match import meets, undecided
from georouter.wire.names import name_text
from georouter.words.ids import RegionName, ServiceName


@dataclass(frozen=True, slots=True)
class Crossing:
    """An answer from outside of a fence. `client` is a single address or a block that straddles fences.

    `inside` is an address of the client that the fence is for, `place` where the map has it.
    `answer` is all that the answer holds, `outside` the part that only regions outside have (empty where the
    decision names a region outside whose addresses are all shared).
    """

    name: str
    type: str
    client: Network
    how: How
    inside: str
    place: str
    down: tuple[RegionName, ...]
    answer: tuple[str, ...]
    outside: tuple[str, ...]
    regions: tuple[str, ...]
    allowed: tuple[str, ...]
    fence: str


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered: its type, everything in it, and the parts that lie outside with their regions."""

    type: str
    answer: tuple[str, ...]
    outside: tuple[str, ...]
    regions: int


def describe(  # noqa: PLR0917 - everything that is known of it
    policy: Policy,
    geo: GeoMap,
    expectation: Expected,
    questions: Questions,
    question: int,
    service: ServiceName,
    down: frozenset[RegionName],
    told: Told,
    tenants: Residents | None = None,
) -> Crossing:
    """The crossing behind one of the questions, for names of `tenants` too."""
    client = questions.client(question)
    how = How(int(questions.how[question]))
    fence, number, row = _which(geo, expectation, client, told.regions)
    allowed = expectation.masks[int(questions.mask[question])]
    text = fence.text if fence is not None else "without_ecs"
    name, kind = _name(policy, service), int(questions.kind[question])
    if tenants is not None and kind >= 0:
        name, residency = tenants.name(kind), tenants.kinds[kind].residency
        if residency is not None and told.regions & ~bits(policy, residency):
            text = f'residency of tenant "{tenants.label(kind)}"'
    return Crossing(
        name=name,
        type=told.type,
        client=client,
        how=how,
        inside=str(_address(client, number)),
        place=_place(geo, row),
        down=tuple(name for name in policy.regions if name in down),
        answer=told.answer,
        outside=told.outside,
        regions=_names(policy, told.regions),
        allowed=_names(policy, allowed),
        fence=text,
    )


def _which(
    geo: GeoMap, expectation: Expected, client: Network, regions: int
) -> tuple[Fence | None, int, int]:
    """The first fence that keeps `regions` out, an address of the client that it is for, and its place."""
    if isinstance(client, IPv4Network):
        starts, places, shift = geo.starts4.astype(np.uint64), geo.place4, 0
    else:
        starts, places, shift = geo.starts6, geo.place6, 64
    low = int(client.network_address) >> shift
    high = int(client.broadcast_address) >> shift
    at = int(np.searchsorted(starts, np.uint64(low), side="right")) - 1
    end = int(np.searchsorted(starts, np.uint64(high), side="right")) - 1
    rows = places[at : end + 1]
    for fence in expectation.fences:
        met, unknown = meets(fence.clients, geo.places), undecided(fence.clients, geo.places)
        keeps_out = met if fence.regions & regions != regions else np.zeros_like(met)
        if fence.undecided is not None and fence.undecided & regions != regions:
            keeps_out = keeps_out | unknown
        hit = np.flatnonzero(keeps_out[rows])
        if len(hit):
            index = at + int(hit[0])
            return fence, max(low, int(starts[index])), int(places[index])
    return None, low, int(rows[0])


def _address(client: Network, number: int) -> object:
    return client.network_address.__class__(number << (0 if client.version == 4 else 64))


def _place(geo: GeoMap, row: int) -> str:
    country = geo.places.country[row].decode()
    return geo.places.subdivision[row].decode() or country or "no known place"


def _names(policy: Policy, regions: int) -> tuple[str, ...]:
    return tuple(name for number, name in enumerate(policy.regions) if regions >> number & 1)


def _name(policy: Policy, service: ServiceName) -> str:
    """A name that the service answers, the first one."""
    found: Sequence[str] = [
        name_text(steered.owner)
        for zone in policy.zones.values()
        for steered in zone.steered
        if steered.service == service
    ]
    return found[0] if found else service
