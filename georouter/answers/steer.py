"""A steered name's answer for one client: address -> range -> ranking -> candidates -> bytes."""

from array import array
from bisect import bisect_right

from georouter.answers.choice import choose, divide, lasting_key, network_key, pick, stick
from georouter.answers.client import NO_SUBNET
from georouter.answers.ranges import locate, scope
from georouter.answers.tables import LOCAL, Answer, Fences, Pinned, RangeTable, Runs, Snapshot, Sticky

MAX_FENCE_RANGES = 1024
"""A client block over more ranges than this is not walked: it gets what every fence allows."""


class Steering:
    """One view of a snapshot, with everything it refers to at hand."""

    __slots__ = (
        "bodies",
        "body",
        "census",
        "cohort",
        "cohorts",
        "count",
        "counter_base",
        "fences",
        "first",
        "fixed",
        "pinned",
        "runs",
        "salt",
        "slots",
        "sticky",
        "subnets",
        "tally",
        "tenant",
        "ttl_s",
        "v4",
        "v6",
        "zone",
    )

    def __init__(self, snapshot: Snapshot, view_index: int, room: int = 0) -> None:
        """`room` is how many counters there are."""
        view = snapshot.directory.views[view_index]
        group = snapshot.groups[view.group]
        ranges = snapshot.maps[group.map]
        self.v4: RangeTable = ranges.v4
        self.v6: RangeTable = ranges.v6
        self.fences: Fences | None = group.fences
        self.sticky: Sticky | None = group.sticky
        self.cohorts: Sticky | None = group.cohorts
        self.pinned: Pinned | None = group.pinned
        self.tenant: int = view.tenant
        self.fixed: dict[int, tuple[Answer, int, int, int]] = {}
        """By kind of tenant, where everybody always gets the same."""
        self.ttl_s: int = group.ttl_s
        self.runs: Runs = group.runs[view.slot]
        self.first: array[int] = self.runs.first
        self.count: array[int] = self.runs.count
        self.cohort: array[int] = self.runs.cohort
        self.body: array[int] = self.runs.body
        self.tally: array[int] = self.runs.tally
        self.bodies: tuple[Answer, ...] = snapshot.bodies[view.bodies]
        self.salt: int = view.salt
        self.counter_base: int = view.counter_base
        # whoever counts decisions only, for one question, has no room for a census
        self.census: int = view.census if view.census < room else -1
        self.slots: array[int] = group.slots
        self.zone: int = view.zone
        self.subnets: bool = view.subnets

    def steer(
        self, address: int, family: int, source: int, now: float, tenant: int = -1
    ) -> tuple[Answer | None, int, int, int]:
        """The answer for a client, its exact scope, and the decision counter and that of the census to add
        one to, -1 for none.

        `address` is the first of the client's block as in `respond`, `family` 4 or 6, `source` the
        block's prefix length, or `NO_SUBNET` when the address is only the resolver's; then the scope
        means nothing. A block wider than the scope is answered for its first address. `tenant` is the kind
        of the tenant whose name it is, if it is one.

        No answer for a block in a private network: the resolver's address decides (`steer_resolver`),
        with a scope no wider than the client's block and the network's range, which is given.
        """
        if tenant >= 0 or self.tenant >= 0:
            fixed = self.fixed.get(tenant)
            if fixed is not None:
                return fixed
            return self._steer_tenant(address, family, source, now, tenant if tenant >= 0 else self.tenant)
        if family == 4:
            starts, bits = self.v4.starts, 32
            index = bisect_right(starts, address) - 1
            ranking = self.v4.values[index]
        else:
            starts, bits = self.v6.starts, 64
            index = bisect_right(starts, address) - 1
            ranking = self.v6.values[index]
        # `ranges.scope`, written out: the longer common prefix belongs to the smaller difference.
        after = index + 1
        if index and after < len(starts):
            before = address ^ starts[index] - 1
            beyond = address ^ starts[after]
            nearer = before if before < beyond else beyond  # noqa: FURB136 - min() costs three times as much
            width = bits + 1 - nearer.bit_length()
        else:
            width = scope(self.v4 if family == 4 else self.v6, index, address, bits)
        if ranking >= LOCAL:
            if source != NO_SUBNET:
                return None, width, 0, -1
            ranking -= LOCAL
        fences = self.fences
        if fences is not None and source < width:
            ranking = fenced(fences, ranking, address, family, source)
        census = self.census
        if census >= 0:
            census += self.slots[ranking]
        alternative, count = self.first[ranking], self.count[ranking]
        cohorts, sticky = self.cohorts, self.sticky
        if cohorts is not None:
            prefix = cohorts.ipv4 if family == 4 else cohorts.ipv6
            if self.cohort[alternative]:
                client = lasting_key(address, family, prefix)
                alternative, count = divide(self.runs, alternative, count, self.salt, client)
            width = max(width, prefix)
        if sticky is not None:
            prefix = sticky.ipv4 if family == 4 else sticky.ipv6
            if count > 1:
                client = lasting_key(address, family, prefix)
                alternative = stick(self.runs, alternative, count, self.salt, client)
            width = max(width, prefix)
        elif count > 1:
            value = choose(self.salt, network_key(address, family), self.ttl_s, now)
            alternative = pick(self.runs, alternative, count, value)
        return self.bodies[self.body[alternative]], width, self.counter_base + self.tally[alternative], census

    def _steer_tenant(
        self, address: int, family: int, source: int, now: float, tenant: int
    ) -> tuple[Answer | None, int, int, int]:
        """As `steer` for a name of this kind of tenant: the same for all clients of one fence."""
        ranking, width = self.rank_tenant(tenant, address, family, source)
        if ranking < 0:
            return None, width, 0, -1
        alternative, count = self.first[ranking], self.count[ranking]
        lasting = self.sticky or self.cohorts
        if count > 1 and lasting is not None:
            prefix = lasting.ipv4 if family == 4 else lasting.ipv6
            client = lasting_key(address, family, prefix)
            width = max(width, prefix)
            if self.cohorts is not None and self.cohort[alternative]:
                alternative, count = divide(self.runs, alternative, count, self.salt, client)
            if self.sticky is not None and count > 1:
                alternative = stick(self.runs, alternative, count, self.salt, client)
        if count > 1 and self.sticky is None:
            value = choose(self.salt, network_key(address, family), self.ttl_s, now)
            alternative = pick(self.runs, alternative, count, value)
        found = self.bodies[self.body[alternative]], width, self.counter_base + self.tally[alternative], -1
        if self.fences is None and self.count[ranking] == 1:
            self.fixed[tenant] = found
        return found

    def rank_tenant(self, tenant: int, address: int, family: int, source: int) -> tuple[int, int]:
        """The ranking for a kind of tenant and a client, and the scope of what it leads to.

        The ranking is -1 where a client subnet says nothing (see `steer`).
        """
        pinned, fences = self.pinned, self.fences
        assert pinned is not None  # noqa: S101 - there are tenants only where they are pinned
        ranking = pinned.rankings[tenant]
        if fences is None or pinned.fences is None:
            return ranking, 0
        table, bits = (pinned.fences.v4, 32) if family == 4 else (pinned.fences.v6, 64)
        index = locate(table, address)
        fence, width = table.values[index], scope(table, index, address, bits)
        if fence >= LOCAL:
            if source != NO_SUBNET:
                return -1, width
            fence -= LOCAL
        if source == NO_SUBNET:
            if fences.without_ecs >= 0:
                fence = fences.meet[fence * fences.count + fences.without_ecs]
        elif source < width:
            fence = _over(fences, address, family, source)
        return fences.restrict[ranking * fences.count + fence], width

    def steer_resolver(
        self, address: int, family: int, now: float, tenant: int = -1
    ) -> tuple[Answer, int, int]:
        """The answer for whoever asks through the resolver at `address`, and its counters."""
        answer, _, decision, census = self.steer(address, family, NO_SUBNET, now, tenant)
        assert answer is not None  # noqa: S101 - that is for client subnets only
        return answer, decision, census


class Steerings(dict[int, Steering]):
    """The steerings of a snapshot's views by their index, each made when it is first asked for.

    Not methods of who uses them: nothing here refers back, so a snapshot goes when its last user does.
    """

    __slots__ = ("_room", "_snapshot")

    def __init__(self, snapshot: Snapshot, room: int) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._room = room

    def __missing__(self, view_index: int) -> Steering:
        found = self[view_index] = Steering(self._snapshot, view_index, self._room)
        return found


def fenced(fences: Fences, ranking: int, address: int, family: int, source: int) -> int:
    """The ranking with everything removed that a fence over any part of the client's block forbids.

    A block inside one ranking range needs none of this: all of its addresses have that ranking, so
    it lies inside the fences of all of them.
    """
    if source == NO_SUBNET:
        fence = fences.without_ecs
        return ranking if fence < 0 else fences.restrict[ranking * fences.count + fence]
    return fences.restrict[ranking * fences.count + _over(fences, address, family, source)]


def _over(fences: Fences, address: int, family: int, source: int) -> int:
    """The fence that allows what the fences over all parts of a block allow."""
    table, bits = (fences.map.v4, 32) if family == 4 else (fences.map.v6, 64)
    at = locate(table, address)
    last = locate(table, address | ((1 << (bits - source)) - 1))
    return table.values[at] if at == last else _meet(fences, table, at, last)


def _meet(fences: Fences, table: RangeTable, at: int, last: int) -> int:
    """The fence that allows what all fences of these ranges allow."""
    if last - at >= MAX_FENCE_RANGES:
        return fences.bottom
    fence = table.values[at]
    for other in table.values[at + 1 : last + 1]:
        fence = fences.meet[fence * fences.count + other]
        if fence == fences.bottom:
            break
    return fence
