"""Builds the native image of a snapshot: what points where, and little else.

The tables themselves stay in the buffers of Python's arrays and bytes. What an image needs besides, the
names above all, is taken over from the tables before, as far as it is the same.
"""

from array import array

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from georouter.answers._directory cimport lay_answers
from georouter.answers._flat cimport Words
from georouter.answers._image cimport CRC_SIZE, GROUP_SLOTS, KINDS, Answers
from georouter.answers._memory cimport Block, Numbers
from georouter.answers._objects cimport octets_of
from georouter.answers._ranges cimport FIRSTS_BITS

from georouter.answers.careful import SLOT_OF, SLOT_OTHER_TYPE
from georouter.answers.choice import LOGARITHMS
from georouter.answers.layout import FAMILIES, PROTOS, RCODES, TYPES
from georouter.wire.codes import OPTION_NSID
from georouter.wire.edns import make_option

cdef size_t LARGE = 8192
# From so many ranges on, a table of `1 << FIRSTS_BITS` places to begin at is worth its 256 KB.


def _remainders():
    """zlib's CRC-32 of every octet (ISO 3309)."""
    for octet in range(CRC_SIZE):
        value = octet
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        yield value


cdef Numbers REMAINDERS = Numbers(array("I", _remainders()), "I")
cdef Numbers LOGARITHM_CELLS = Numbers(array("I", LOGARITHMS), "I")


cdef class Tables:
    """One snapshot, and the limits and the conduct that it is answered with, as native code reads them.

    For any number of workers; never changed. `previous` are the last ones, which this one shares what it
    can with. Cookie secrets and the rate are copied; the rate limiter's buckets are shared with Python.
    """

    def __cinit__(self, snapshot, limits, conduct, Tables previous=None):
        self._kept = []
        self._firsts = {}
        self.image = <Image*>self._space(sizeof(Image))
        self.snapshot = snapshot
        self.image.generation = snapshot.generation
        self.image.udp_payload = limits.udp_payload
        self._take_over(previous)
        self._build_groups()
        self._build_views()
        self._build_conduct(conduct)
        self._build_counters()
        self.image.far = self.image.directory.far or len(self._firsts) > 0

    @property
    def size(self):
        """Octets of memory beside the Python tables; what is shared with other tables is counted, too."""
        blocks = [kept.size for kept in self._kept if isinstance(kept, Block)]
        return self.directory.size + sum(blocks) + sum(block.size for _, block in self._firsts.values())

    @property
    def far(self):
        """Whether some table is so large that a worker looks ahead over a batch: see `_ahead`."""
        return self.image.far

    cdef int _take_over(self, Tables previous) except -1:
        """The directory is the same until a reload; so are most maps."""
        if previous is not None:
            self._firsts.update(previous._firsts)
        if previous is not None and previous.snapshot.directory is self.snapshot.directory:
            self.directory = previous.directory
        else:
            self.directory = DirectoryTables(self.snapshot.directory)
        self.image.directory = &self.directory.image
        return 0

    cdef int _build_groups(self) except -1:
        groups = self.snapshot.groups
        cdef Group* at = <Group*>self._space(len(groups) * sizeof(Group))
        self.image.groups, self.image.groups_count = at, len(groups)
        for source in groups:
            self._build_group(at, source)
            at += 1
        used = {id(table.starts) for pair in self._maps() for table in (pair.v4, pair.v6)}
        self._firsts = {key: kept for key, kept in self._firsts.items() if key in used}
        return 0

    def _maps(self):
        """All range maps of the snapshot."""
        yield from self.snapshot.maps
        for group in self.snapshot.groups:
            if group.fences is not None:
                yield group.fences.map
            if group.pinned is not None and group.pinned.fences is not None:
                yield group.pinned.fences

    cdef int _build_group(self, Group* group, source) except -1:
        self._lay_pair(&group.map, self.snapshot.maps[source.map])
        group.ttl_s = source.ttl_s
        if source.fences is not None:
            self._build_fences(&group.fences, source.fences)
        for slot, runs in enumerate(source.runs[:GROUP_SLOTS]):
            group.runs[slot].first = self._numbers(runs.first, "I").words()
            group.runs[slot].count = self._numbers(runs.count, "I").words()
            group.runs[slot].threshold = self._numbers(runs.threshold, "I").words()
            group.runs[slot].body = self._numbers(runs.body, "I").words()
            group.runs[slot].tally = self._numbers(runs.tally, "I").words()
            group.runs[slot].key = self._numbers(runs.key, "Q").longs()
            group.runs[slot].scale = self._numbers(runs.scale, "Q").longs()
            group.runs[slot].extent = self._numbers(runs.extent, "I").words()
            group.runs[slot].cohort = self._numbers(runs.cohort, "I").words()
        lasting = source.sticky or source.cohorts
        if lasting is not None:
            group.sticky, group.cohorts = source.sticky is not None, source.cohorts is not None
            group.lasting4, group.lasting6 = lasting.ipv4, lasting.ipv6
        group.slots = self._numbers(source.slots, "H").halves()
        if source.pinned is not None:
            group.rankings = self._numbers(source.pinned.rankings, "I").words()
            if source.pinned.fences is not None:
                group.pinned_fenced = True
                self._lay_pair(&group.pinned_fences, source.pinned.fences)
        return 0

    cdef int _build_fences(self, Fences* fences, source) except -1:
        fences.given = True
        fences.count, fences.bottom, fences.without_ecs = source.count, source.bottom, source.without_ecs
        fences.meet = self._numbers(source.meet, "I").words()
        fences.restrict = self._numbers(source.restrict, "I").words()
        self._lay_pair(&fences.map, source.map)
        return 0

    cdef int _build_views(self) except -1:
        """Views that have the same answers share them."""
        views = self.snapshot.directory.views
        cdef View* at = <View*>self._space(len(views) * sizeof(View))
        self.image.views, self.image.views_count = at, len(views)
        cdef Block laid = Block(len(self.snapshot.bodies) * sizeof(at.bodies))
        for number, bodies in enumerate(self.snapshot.bodies):
            (<Answers*>laid.at)[number] = lay_answers(bodies, self._kept)
        for view in views:
            at.group, at.slot = view.group, view.slot
            at.bodies = (<Answers*>laid.at)[_inside(view.bodies, len(self.snapshot.bodies))]
            at.salt, at.counter_base, at.census = view.salt, view.counter_base, view.census
            at.subnets, at.tenant = view.subnets, view.tenant
            at += 1
        return 0

    cdef int _build_conduct(self, conduct) except -1:
        cdef bytes nsid = make_option(OPTION_NSID, conduct.nsid) if conduct.nsid else b""
        self._kept.append(nsid)
        self.image.nsid = octets_of(<void*>nsid)
        self.image.debug = conduct.debug is not None
        if conduct.cookies is not None:
            halves = [
                int.from_bytes(secret[at : at + 8], "little")
                for secret in conduct.cookies.secrets
                for at in (0, 8)
            ]
            self.image.secrets.given = True
            self.image.secrets.halves = self._numbers(array("Q", halves), "Q").longs()
        if conduct.limiter is not None:
            self._build_limiter(conduct.limiter)
        return 0

    cdef int _build_limiter(self, limiter) except -1:
        """Its numbers, and its buckets' memory."""
        rate, buckets = limiter.rate, limiter.buckets
        image = &self.image.limiter
        image.given = True
        image.tags = <int64_t*>self._shared(buckets.tags, "Q")
        image.due = <double*>self._shared(buckets.due, "Q")
        image.slips = <uint8_t*>self._shared(buckets.slips, "B")
        image.mask = len(buckets.tags) - 1
        image.secret = hash(buckets.secret)
        image.cost_s, image.burst_s, image.longest_s = limiter.cost_s, limiter.burst_s, limiter.longest_s
        image.slip = rate.slip
        image.shift4, image.shift6 = 32 - rate.ipv4, 128 - rate.ipv6
        # nothing is above a bound behind the last address, which has no room in 128 bits either
        bounds = [bound for bound in rate.exempt.v6 if not bound >> 128]
        image.exempt4 = self._numbers(array("Q", rate.exempt.v4), "Q").longs()
        image.exempt6_high = self._numbers(array("Q", [bound >> 64 for bound in bounds]), "Q").longs()
        low = [bound & 0xFFFFFFFFFFFFFFFF for bound in bounds]
        image.exempt6_low = self._numbers(array("Q", low), "Q").longs()
        return 0

    cdef int _build_counters(self) except -1:
        """Where things are counted: see `layout`."""
        self.image.types, self.image.rcodes = TYPES, RCODES
        self.image.lanes = PROTOS * FAMILIES
        self.image.slot_other = SLOT_OTHER_TYPE
        for kind in range(KINDS):
            self.image.slots[kind] = SLOT_OF.get(kind, SLOT_OTHER_TYPE)
        self.image.crc = REMAINDERS.words()
        self.image.logarithms = LOGARITHM_CELLS.words()
        return 0

    cdef int _lay_pair(self, RangePair* pair, source) except -1:
        self._lay_ranges(&pair.v4, source.v4, 32)
        self._lay_ranges(&pair.v6, source.v6, 64)
        return 0

    cdef int _lay_ranges(self, Ranges* ranges, source, int bits) except -1:
        cdef Block firsts
        cdef Numbers starts = self._numbers(source.starts, "I" if bits == 32 else "Q")
        cdef Numbers values = self._numbers(source.values, "I")
        ranges.bits = bits
        ranges.count = len(source.starts)
        if bits == 32:
            ranges.narrow = starts.words()
        else:
            ranges.wide = starts.longs()
        ranges.values = values.words()
        if ranges.count >= LARGE:
            if id(source.starts) not in self._firsts:  # nobody reads it yet
                starts.gather()
                values.gather()
            firsts = self._index(ranges, source.starts)
            ranges.firsts.at, ranges.firsts.count = <uint32_t*>firsts.at, (1 << FIRSTS_BITS) + 1
        return 0

    cdef Block _index(self, Ranges* ranges, source):
        """How many starts are below each multiple of 2 ** (bits - FIRSTS_BITS); made once per table."""
        cdef Block block
        cdef uint32_t* to
        cdef size_t bucket
        cdef size_t at = 0
        cdef int shift = ranges.bits - FIRSTS_BITS
        if id(source) in self._firsts:
            return self._firsts[id(source)][1]
        block = Block(((1 << FIRSTS_BITS) + 1) * sizeof(uint32_t))
        to = <uint32_t*>block.at
        with nogil:
            for bucket in range(<size_t>1 << FIRSTS_BITS):
                while at < ranges.count and _start(ranges, at) >> shift < bucket:
                    at += 1
                to[bucket] = <uint32_t>at
            to[1 << FIRSTS_BITS] = <uint32_t>ranges.count
        self._firsts[id(source)] = (source, block)
        return block

    cdef void* _space(self, size_t size) except NULL:
        """Memory that goes with this object."""
        cdef Block block = Block(size)
        self._kept.append(block)
        return block.at

    cdef void* _shared(self, source, str code) except NULL:
        """The memory of an array that stays as long as this object, to be written to."""
        return self._numbers(source, code).view.buf

    cdef Numbers _numbers(self, source, str code):
        """The numbers of an array that stays as long as this object."""
        numbers = Numbers(source, code)
        self._kept.append(numbers)
        return numbers


cdef inline uint64_t _start(const Ranges* ranges, size_t at) noexcept nogil:
    return ranges.narrow.at[at] if ranges.bits == 32 else ranges.wide.at[at]


cdef size_t _inside(size_t at, size_t count) except? 0:
    if at >= count:
        raise ValueError(f"there are no bodies {at}")
    return at
