"""The published tables: what the packet path reads. Built by `compiler`, never changed afterwards.

    question name --index--> node --rrsets / other--> ref
        ref >= 0: answers[ref], the same for every client (scope 0); from PLAIN on a node's `bodies`
        ref <  0: views[~ref], a steered name:
            client address --map of the view's group--> ranking id (+ exact scope)
            ranking id --runs[slot]--> candidates; one, or a hash picks by threshold --> bodies[...]

`Directory` (names, static answers, views) changes on reload; `groups` and `bodies` also change with
health. Everything behind the name is flat (ints in arrays, finished bytes), so that a native loop
can read the same tables.

Names that a wildcard stands for may be tenants' (the step `pin`). Then the name's place in the ranking
is the tenant's, and the client only cuts it:

    closest encloser --pins--> pin: label of the name --tenants--> kind (home, residency, ...)
        kind --pinned.rankings of the group--> ranking id
        client address --pinned.fences--> fence (+ exact scope) --fences.restrict--> ranking id
"""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from georouter.answers.layout import Layout


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer without its question.

    `head` is indexed by `(1 with RD) * 2 + (1 with OPT)` as `head_index` says and gives
    bytes 2..11 of the message (flags and the four counts, the OPT counted). `body` is answer,
    authority and additional sections; owner names are the pointer 0xC00C or uncompressed. `option`
    is a finished EDNS option (extended error, RFC 8914) for clients that speak EDNS, or empty.
    """

    head: tuple[bytes, ...]
    body: bytes
    option: bytes
    rcode: int
    least: "Answer | None" = None
    """The same without records that may be left out where space is short (RFC 9471 3.2), if there are any."""


@dataclass(frozen=True, slots=True)
class RangeTable:
    """Sorted first addresses (`I` for IPv4, `Q` for the top 64 bits of IPv6) and a value for each.

    `starts[0]` is 0. Neighbours have different values, but for the two halves of what would be one range
    and must not have scope 0.
    """

    starts: "array[int]"
    values: "array[int]"


LOCAL = 1 << 31
"""Added to the ranking id of private and reserved networks that nobody gave a place: a client subnet
in one says nothing, and its resolver's address decides."""


@dataclass(frozen=True, slots=True)
class RangeMap:
    """Ranking ids for both families, `LOCAL` added where it applies."""

    v4: RangeTable
    v6: RangeTable


@dataclass(frozen=True, slots=True)
class Fences:
    """For groups with residency: which fence a ranking lies in and what happens between fences.

    Fence ids are small ints; `meet[a * count + b]` is the fence that allows what both allow;
    `restrict[ranking * count + fence]` is the ranking with everything outside `fence` removed.
    `map` gives the fence id by address (merged, so fewer ranges than the ranking map); `bottom` is
    the meet of all. `without_ecs` is the fence applied to queries without client subnet, or -1.
    """

    count: int
    map: RangeMap
    meet: "array[int]"
    restrict: "array[int]"
    bottom: int
    without_ecs: int


SLOT_A, SLOT_AAAA, SLOT_OTHER, SLOT_BOUND = range(4)
"""Which of a group's `runs` a view reads. `SLOT_OTHER` is for types a CNAME endpoint answers, `SLOT_BOUND`
for HTTPS and SVCB: whatever a hash value takes there, A and AAAA take for it too."""


@dataclass(frozen=True, slots=True)
class Runs:
    """For one slot: ranking id -> the run of alternatives `first[r] .. first[r] + count[r] - 1`.

    `threshold[i]` is the exclusive upper bound (cumulative, scaled to 2**32 - 1 with the last one
    equal to it) of the hash values that take alternative `i`; `body[i]` indexes the view's bodies;
    `tally[i]` is added to the view's counter base.

    In sticky groups (`Group.sticky`) the run consists of bands, one per region, and thresholds begin anew in
    each. A band's first alternative has in `key` the region's 64 bits, in `scale` the inverse of its weight
    (see `choice.stick`), and in `extent` the number of alternatives in the band. Elsewhere these are empty.

    In groups with cohorts (`Group.cohorts`) a run may begin with a band for a cohort alone, followed by a run
    as above for all others; thresholds begin anew behind the band. Then the run's first alternative has in
    `cohort` the cohort's exclusive upper bound of the hash values of `choice.divide` (else 0), in `key` the
    region's 64 bits and in `extent` the number of alternatives in the band, sticky or not. Elsewhere
    `cohort` is empty.
    """

    first: "array[int]"
    count: "array[int]"
    threshold: "array[int]"
    body: "array[int]"
    tally: "array[int]"
    key: "array[int]" = field(default_factory=lambda: array("Q"))
    scale: "array[int]" = field(default_factory=lambda: array("Q"))
    extent: "array[int]" = field(default_factory=lambda: array("I"))
    cohort: "array[int]" = field(default_factory=lambda: array("I"))


@dataclass(frozen=True, slots=True)
class Sticky:
    """The prefix lengths of the client networks that keep their region (or cohort); no scope is wider."""

    ipv4: int
    ipv6: int


@dataclass(frozen=True, slots=True)
class Tenants:
    """A tenant directory: label (lower case) -> kind, the same for all who live alike.

    Entries are in buckets, those of one bucket in the order of their labels: `first[b] .. first[b + 1] - 1`
    with `b = crc32(label) >> shift`. Entry `i` has the label `labels[start[i]:start[i + 1]]`, which is
    compared, so that no label is taken for another one, and the kind `kind[i]`. `first` and `start` have
    one element more than there are buckets and entries.
    """

    shift: int
    first: "array[int]"
    start: "array[int]"
    labels: bytes
    kind: "array[int]"


UNKNOWN_CHAIN, UNKNOWN_HASH, UNKNOWN_NXDOMAIN = range(3)
"""What happens to names whose label is not in the directory: see `Pin.unknown`."""


@dataclass(frozen=True, slots=True)
class Homes:
    """Regions among which a rendezvous hash finds a home: `choice.settle`.

    `key[i]` has a region's 64 bits and `scale[i]` the inverse of its weight, as in `Runs`; `kind[i]` is the
    kind of those who find their home there.
    """

    key: "array[int]"
    scale: "array[int]"
    kind: "array[int]"


@dataclass(frozen=True, slots=True)
class Pin:
    """Names below a wildcard's parent that the wildcard stands for belong to tenants.

    `tenants` indexes `Directory.tenants`. The tenant's label is the `label`-th to the left of the parent,
    whose name has `parent` octets. `unknown` says what a label without tenant gets: what everybody gets
    (`UNKNOWN_CHAIN`), a home by hash among `homes`, or `nxdomain` (a ref); then names with fewer labels are
    between the zone and its tenants and get `nodata` (RFC 8020). Kinds below `known` are of the directory,
    the others of `homes`. Queries for tenants are counted in `counter`, those for unknown labels in the one
    after it.
    """

    tenants: int
    label: int
    parent: int
    unknown: int
    homes: Homes
    known: int
    nxdomain: int
    nodata: int
    counter: int


@dataclass(frozen=True, slots=True)
class Pinned:
    """For groups with a `pin`: the ranking of each kind of tenant.

    `fences` gives the fence by address where the group has fences, `LOCAL` added where it applies; None
    without fences, then the client does not matter.
    """

    rankings: "array[int]"
    fences: RangeMap | None


@dataclass(frozen=True, slots=True)
class Group:
    """Steering shared by every service with equal chain, regions, limits and overrides."""

    map: int
    """Index into `Snapshot.maps`."""
    ttl_s: int
    fences: Fences | None
    runs: tuple[Runs, ...]
    """One per slot."""
    sticky: Sticky | None = None
    slots: "array[int]" = field(default_factory=lambda: array("H"))
    """Per ranking its slot of the census (see `layout`); empty for services without one."""
    pinned: Pinned | None = None
    cohorts: Sticky | None = None
    """Whose networks a ramp moves one after the other; in sticky groups it equals `sticky`."""


NOT_COUNTED = -1
"""The `counter_base` of views without a service: what they answer is no routing decision."""


@dataclass(frozen=True, slots=True)
class View:
    """A steered (owner form, slot) of a service, or the addresses of an alias target outside our zones.

    `salt` (64 bits) makes services choose independently; `bodies` indexes `Snapshot.bodies`;
    `counter_base` is where this service's decision counters begin, or `NOT_COUNTED` (then all tallies of
    the group are 0).
    """

    group: int
    slot: int
    bodies: int
    salt: int
    counter_base: int
    zone: int
    subnets: bool = True
    """Whether client subnets count; without, every query is answered by its resolver's address."""
    census: int = -1
    """Where the service's census begins in a writer's counters, -1 without one."""
    tenant: int = -1
    """The kind of the tenant that an alias leads to, or -1."""


@dataclass(frozen=True, slots=True)
class ZoneTable:
    """`nxdomain` is the answer for names that do not exist; `name` is for people and metrics."""

    name: str
    nxdomain: int
    """Index into `Directory.answers`."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """A DNAME (RFC 6672): names below its owner are names below `target` (uncompressed, case as written)."""

    target: bytes
    ttl_s: int


PLAIN = 1 << 30
"""The ref of a node's only record set is this plus the node."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Names and static answers.

    `index` maps every existing owner name (lower-case wire format; empty non-terminals and
    delegation points too, nothing below a delegation) to its node; nodes are numbered in its order. A
    node with one record set and nothing else, as most are, has it in `sole` (type << 16 | number of
    records; 0 for all other nodes), its bytes in `bodies` and its heads in `heads`, by the number of
    records. The others have refs in `rrsets[node << 16 | type]`, and of `ANY` that of one type.
    `other[node]` is the ref for every type not listed (NODATA, a CNAME chain, a referral, or a steered
    name with CNAME endpoints). `wildcard[node]` is the node of the name's `*` child, or -1. `cut[node]`
    is 1 for delegation points. `zone[node]` indexes `zones`. `redirects` are the DNAMEs by node,
    `pins` the pins by the parent of their wildcard.
    """

    index: Mapping[bytes, int]
    rrsets: Mapping[int, int]
    sole: "array[int]"
    bodies: tuple[bytes, ...]
    heads: Mapping[int, tuple[bytes, ...]]
    other: "array[int]"
    wildcard: "array[int]"
    cut: bytes
    zone: "array[int]"
    zones: tuple[ZoneTable, ...]
    answers: tuple[Answer, ...]
    views: tuple[View, ...]
    layout: Layout
    redirects: Mapping[int, Redirect] = field(default_factory=dict)
    tenants: tuple[Tenants, ...] = ()
    pins: Mapping[int, Pin] = field(default_factory=dict)

    def __reduce__(self) -> "tuple[Callable[..., Directory], tuple[object, ...]]":
        from georouter.answers import freight  # noqa: PLC0415 - it packs what is defined here

        packed: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        packed["index"] = freight.pack_index(self.index)
        packed["rrsets"] = freight.pack_numbers(self.rrsets)
        packed["answers"] = freight.pack_answers(self.answers)
        packed["bodies"] = freight.pack_bodies(self.bodies)
        return _unpack, (packed,)


def _unpack(packed: dict[str, Any]) -> Directory:
    from georouter.answers import freight  # noqa: PLC0415 - as above

    packed["index"] = freight.unpack_index(packed["index"])
    packed["rrsets"] = freight.unpack_numbers(packed["rrsets"])
    packed["answers"] = freight.unpack_answers(packed["answers"])
    packed["bodies"] = freight.unpack_bodies(packed["bodies"])
    return Directory(**packed)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one publication makes visible, all at once."""

    generation: int
    directory: Directory
    maps: tuple[RangeMap, ...]
    groups: tuple[Group, ...]
    bodies: tuple[tuple[Answer, ...], ...]
