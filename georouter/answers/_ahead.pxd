"""Looks ahead over a batch of queries, so that what their answers need is at hand when each is answered.

Among a million names hardly any is in the processor's caches: its slot, its node, its name and its answer
are each a wait for memory, one after the other. Here a batch goes through these together, and all wait at
once. Nothing is decided or counted: `answer` then does all of it, as if nobody had looked, but for reading
the query, which it finds done.

    slot ─► node ─► name, answer, refs, rate limit's bucket ─► ranges' index ─► starts ─► value
              └───► tenant's bucket ─► its row
"""

from libc.stdint cimport int32_t, uint32_t, uint64_t

from georouter.answers._cookies cimport Source
from georouter.answers._image cimport NONE, PLAIN_REF, Directory, Group, Image, Node, View
from georouter.answers._limit cimport TOLD_ANSWERS, foresee
from georouter.answers._lookup cimport at_node
from georouter.answers._names cimport NOT_OURS, TAG_BITS, Name
from georouter.answers._parse cimport HEADER_SIZE, Asked, Query, address_of, fold_query, read_query
from georouter.answers._ranges cimport FIRSTS_BITS, Ranges, locate
from georouter.answers._tenants cimport Tenants, hash_tenant

cdef extern from *:
    """
    #define georouter_expect(at) __builtin_prefetch((at), 0)
    """
    void expect "georouter_expect" (const void* at) noexcept nogil

cdef enum:
    PROBES = 4
    LINE = 64
    MOST_LINES = 12
    # So many slots are looked at, and so many lines of starts sent for: what is further is rare.


cdef struct Ahead:
    const unsigned char* query
    size_t size
    Source source
    uint64_t hash
    uint64_t above
    uint64_t label
    uint64_t address
    int family
    bint known
    bint told
    Query read
    int32_t node
    int32_t ref
    const Ranges* ranges
    const Tenants* tenants
    # One query, of which the first three are given. `read` is what it says, where that is `known`. `hash` is
    # its name's, `above` that of the name above and `label` that of its first label, where there are
    # `tenants`; `address` and `family` are those that steer it. `told`: there is something to look for.


cdef inline void look_ahead(const Image* image, Ahead* ahead, size_t count) noexcept nogil:
    """Send for what the answers to these queries will read."""
    cdef size_t at
    for at in range(count):
        _read(image, ahead + at)
    for at in range(count):
        _reach(image, ahead + at)
    for at in range(count):
        _unfold(image, ahead + at)
    for at in range(count):
        _aim(image, ahead + at)
    for at in range(count):
        _narrow(image, ahead + at)
    for at in range(count):
        _settle(ahead + at)


cdef inline void _read(const Image* image, Ahead* ahead) noexcept nogil:
    """What is asked for, and by whom; the slot is on its way."""
    cdef const Asked* asked = &ahead.read.asked
    cdef const Name* name = &ahead.read.name
    cdef size_t mask = image.directory.names.slots.count - 1
    ahead.node = NOT_OURS
    ahead.ref = 0
    ahead.ranges = NULL
    ahead.tenants = NULL
    ahead.known = ahead.told = False
    if ahead.size < HEADER_SIZE or ahead.query[2] & 0x80:
        return
    read_query(ahead.query, ahead.size, &ahead.read)
    ahead.known = True
    if not asked.question or asked.error:
        return
    ahead.told = True
    fold_query(&ahead.read)
    ahead.hash = name.hashes[0]
    ahead.above = name.hashes[1] if name.labels else ahead.hash
    ahead.label = hash_tenant(name.octets) if image.directory.tenants_count else 0
    expect(image.directory.names.slots.at + (ahead.hash & mask))
    if asked.subnet.given and asked.subnet.family:
        ahead.family = asked.subnet.family
        ahead.address = address_of(&asked.subnet)
    else:
        ahead.family = ahead.source.family
        ahead.address = ahead.source.low if ahead.family == 4 else ahead.source.high


cdef inline int32_t _probe(const Directory* directory, uint64_t value) noexcept nogil:
    """The node of a hash, most likely."""
    cdef size_t mask = directory.names.slots.count - 1
    cdef size_t at = value & mask
    cdef uint64_t slot
    cdef int step
    for step in range(PROBES):
        slot = directory.names.slots.at[(at + step) & mask]
        if slot == 0:
            break
        if (slot ^ value) >> TAG_BITS == 0 and <uint32_t>slot < directory.nodes.count:
            return <int32_t>(<uint32_t>slot - 1)
    return NOT_OURS


cdef inline void _reach(const Image* image, Ahead* ahead) noexcept nogil:
    """The name's node, or that of what covers it."""
    cdef const Directory* directory = image.directory
    cdef int32_t node, cover
    if not ahead.told:
        return
    node = _probe(directory, ahead.hash)
    if node == NOT_OURS:
        node = _probe(directory, ahead.above)
        if node == NOT_OURS:
            return
        _call(directory, directory.nodes.at + node, ahead)
        cover = directory.nodes.at[node].wildcard
        if 0 <= cover and <size_t>cover + 1 < directory.nodes.count:
            node = cover
    ahead.node = node
    expect(directory.nodes.at + node)


cdef inline void _call(const Directory* directory, const Node* node, Ahead* ahead) noexcept nogil:
    """The bucket of the tenant whose name is right below a node."""
    cdef const Tenants* tenants
    if node.pin == NONE or <size_t>node.pin >= directory.pins_count:
        return
    if directory.pins[node.pin].tenants < directory.tenants_count:
        tenants = directory.tenants + directory.pins[node.pin].tenants
        ahead.tenants = tenants
        expect(tenants.first.at + (ahead.label >> tenants.shift))


cdef inline void _unfold(const Image* image, Ahead* ahead) noexcept nogil:
    """What the node points at, and the bucket of the rate limit."""
    cdef const Directory* directory = image.directory
    cdef const Node* node
    if ahead.node == NOT_OURS:
        return
    if ahead.tenants != NULL:
        expect(ahead.tenants.rows.at + ahead.tenants.first.at[ahead.label >> ahead.tenants.shift])
    node = directory.nodes.at + ahead.node
    expect(directory.names.names.at + node.name)
    if node.body.count:
        expect(node.body.at)
    if node.held < directory.held.count:
        expect(directory.held.at + node.held)
    if image.limiter.given:
        foresee(&image.limiter, &ahead.source, <uint64_t>ahead.node << 2 | TOLD_ANSWERS)


cdef inline void _aim(const Image* image, Ahead* ahead) noexcept nogil:
    """The answer, or the ranges that lead to it, and their index."""
    cdef int fault = 0
    cdef const Ranges* ranges
    cdef const View* view
    cdef const Group* group
    if ahead.node == NOT_OURS:
        return
    ahead.ref = at_node(image.directory, ahead.node, ahead.read.asked.kind, &fault)
    if ahead.ref >= PLAIN_REF:
        return
    if ahead.ref >= 0:
        if <size_t>ahead.ref < image.directory.answers.count:
            expect(image.directory.answers.at + ahead.ref)
        return
    if <size_t>~ahead.ref >= image.views_count:
        return
    view = image.views + <size_t>~ahead.ref
    if view.group >= image.groups_count:
        return
    group = image.groups + view.group
    ranges = &group.map.v4 if ahead.family == 4 else &group.map.v6
    if ranges.firsts.count:
        ahead.ranges = ranges
        expect(ranges.firsts.at + (ahead.address >> (ranges.bits - FIRSTS_BITS)))


cdef inline void _narrow(const Image* image, Ahead* ahead) noexcept nogil:
    """The answer's octets, or the starts among which the address is."""
    cdef const Ranges* ranges = ahead.ranges
    cdef size_t bucket
    cdef size_t low
    cdef size_t high
    cdef size_t each
    cdef const char* at
    cdef const char* last
    if 0 <= ahead.ref < PLAIN_REF and <size_t>ahead.ref < image.directory.answers.count:
        expect(image.directory.answers.at[ahead.ref].body.at)
    if ranges == NULL:
        return
    bucket = ahead.address >> (ranges.bits - FIRSTS_BITS)
    if bucket + 1 >= ranges.firsts.count:
        ahead.ranges = NULL
        return
    low, high = ranges.firsts.at[bucket], ranges.firsts.at[bucket + 1]
    low -= low > 0
    each = 4 if ranges.bits == 32 else 8
    at = (<const char*>ranges.narrow.at if ranges.bits == 32 else <const char*>ranges.wide.at) + low * each
    last = at + min((high - low) * each, <size_t>(MOST_LINES * LINE))
    while at <= last:
        expect(at)
        at += LINE


cdef inline void _settle(Ahead* ahead) noexcept nogil:
    """What the range says."""
    cdef int fault = 0
    cdef size_t at
    if ahead.ranges != NULL:
        at = locate(ahead.ranges, ahead.address, &fault)
        if not fault:
            expect(ahead.ranges.values.at + at)
