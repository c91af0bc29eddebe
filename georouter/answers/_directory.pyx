"""Builds the native image of a directory: names, nodes, static answers, tenants.

A million names take about a second, in pieces of `PIECE` names: between two of them the interpreter may
turn to other threads. Bodies of answers stay where they are, in Python's objects.
"""

from array import array

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from georouter.answers._flat cimport Octets, Words, cut, octet, word
from georouter.answers._image cimport (
    HEAD_SIZE,
    HEADS_SIZE,
    NODE_SIZE,
    NONE,
    Answer,
    Answers,
    Held,
    Node,
    Pin,
)
from georouter.answers._memory cimport Block, Numbers
from georouter.answers._names cimport ENTRY, ROOT_HASH, TAG_BITS, hash_label
from georouter.answers._objects cimport octets_of
from georouter.answers._tenants cimport CROWDED, EMPTY, MOST_ROWS, ROW, Sorted, Tenants, hash_tenant

from georouter.answers.careful import NOT_AUTHORITATIVE

cdef enum:
    PIECE = 4096
    PADDING = 8
    FAR = 4096
    LINE = 64
    LABEL = 64


if sizeof(Node) != NODE_SIZE:
    raise ImportError("a node does not fill a line of a cache")


cdef class DirectoryTables:
    """One directory. `source` is the Python object, whose buffers are pointed into."""

    def __cinit__(self, source):
        self.source = source
        self._kept = []
        self._build_nodes()
        self._build_tenants()
        self._build_pins()
        self.image.answers = lay_answers((*source.answers, NOT_AUTHORITATIVE), self._kept)
        self.image.outside = len(source.answers)
        self.image.no_zone = len(source.zones)
        self.image.responses_base = source.layout.responses_base

    @property
    def size(self):
        """Octets of the image, without what belongs to Python."""
        return sum(kept.size for kept in self._kept if isinstance(kept, Block))

    @property
    def crowded(self):
        """Buckets of tenants' labels that are looked up by bisection: see `_tenants`."""
        cdef size_t at
        cdef size_t bucket
        cdef size_t found = 0
        for at in range(self.image.tenants_count):
            for bucket in range(self.image.tenants[at].first.count):
                found += self.image.tenants[at].first.at[bucket] == CROWDED
        return found

    cdef int _build_names(self, Node* nodes, size_t count) except -1:
        """All names one behind the other, then a slot for each."""
        cdef bytes name
        cdef uint32_t node
        cdef size_t used = 1  # no name begins at 0: there a node has none
        cdef size_t room = used + PADDING
        cdef size_t done = 0
        cdef size_t size
        for name in self.source.index:
            room += ENTRY + PyBytes_GET_SIZE(name)
        cdef Block names = self._block(room)
        for name, node in self.source.index.items():
            size = PyBytes_GET_SIZE(name)
            if size == 0 or size > 255:
                raise ValueError(f"not a name: {name!r}")
            if used + ENTRY + size + PADDING > room:
                raise ValueError("the index changes")
            if nodes[_inside(node, count)].name:
                raise ValueError(f"two names of node {node}")
            nodes[node].name = used
            (<uint8_t*>names.at)[used] = <uint8_t>size
            memcpy(<uint8_t*>names.at + used + ENTRY, PyBytes_AS_STRING(name), size)
            used += ENTRY + size
            done += 1
            if done % PIECE == 0:
                _let_others_in()
        cdef size_t slots = 16
        while slots < done + done // 2:
            slots *= 2
        cdef Block table = self._block(slots * sizeof(uint64_t))
        cdef bint good
        with nogil:
            good = _fill(<uint64_t*>table.at, slots - 1, <uint8_t*>names.at, nodes, count)
        if not good:
            raise ValueError("the index holds what is no name")
        self.image.names.slots.at, self.image.names.slots.count = <uint64_t*>table.at, slots
        self.image.names.names.at, self.image.names.names.count = <uint8_t*>names.at, used
        self.image.far = done >= FAR
        return 0

    cdef int _build_nodes(self) except -1:
        """What belongs to a node in one place."""
        cdef size_t count = len(self.source.other)
        cdef size_t at
        cdef int fault = 0
        cdef Words sole = self._numbers(self.source.sole, "I").words()
        cdef Words other = self._numbers(self.source.other, "i").words()
        cdef Words wildcard = self._numbers(self.source.wildcard, "i").words()
        cdef Words zone = self._numbers(self.source.zone, "i").words()
        cdef Octets cut = self._numbers(self.source.cut, "B").octets()
        cdef Node* nodes = self._lines(count + 1)
        with nogil:
            for at in range(count):
                nodes[at].sole = word(&sole, at, &fault)
                nodes[at].other = <int32_t>word(&other, at, &fault)
                nodes[at].wildcard = <int32_t>word(&wildcard, at, &fault)
                nodes[at].zone = word(&zone, at, &fault)
                nodes[at].cut = octet(&cut, at, &fault) != 0
                nodes[at].pin = NONE
        if fault:
            raise ValueError("the directory's arrays have different lengths")
        for at in self.source.redirects:
            nodes[_inside(at, count)].redirected = True
        for number, at in enumerate(self.source.pins):
            nodes[_inside(at, count)].pin = number
        self.image.nodes.at, self.image.nodes.count = nodes, count + 1
        self._build_names(nodes, count)
        self._build_held(nodes, count)
        self._build_plain(nodes, count)
        return 0

    cdef int _build_held(self, Node* nodes, size_t count) except -1:
        """Refs by type, those of one node together."""
        cdef uint64_t key
        cdef int32_t ref
        cdef size_t at = 0
        cdef size_t total = len(self.source.rrsets)
        cdef Block keys = Block(total * sizeof(uint64_t))
        cdef Block refs = Block(total * sizeof(int32_t))
        cdef Block block = self._block(total * sizeof(Held))
        for key, ref in self.source.rrsets.items():
            _inside(key >> 16, count)
            (<uint64_t*>keys.at)[at] = key
            (<int32_t*>refs.at)[at] = ref
            at += 1
            if at % PIECE == 0:
                _let_others_in()
        with nogil:
            _sort_held(nodes, count, <uint64_t*>keys.at, <int32_t*>refs.at, total, <Held*>block.at)
        self.image.held.at, self.image.held.count = <Held*>block.at, total
        return 0

    cdef int _build_plain(self, Node* nodes, size_t count) except -1:
        """The heads and bodies of nodes that have one record set, and the zones' refs."""
        cdef size_t at
        cdef size_t most = max(self.source.heads, default=0)
        cdef Block heads = self._block((most + 1) * HEADS_SIZE)
        for at, found in self.source.heads.items():
            _put_heads(<uint8_t*>heads.at + at * HEADS_SIZE, found)
        self.image.heads.at, self.image.heads.count = <uint8_t*>heads.at, heads.size
        cdef bytes body
        for at, body in enumerate(self.source.bodies):
            if body is None:
                raise TypeError("bodies are bytes")
            nodes[_inside(at, count)].body = octets_of(<void*>body)
            if at % PIECE == 0:
                _let_others_in()
        nxdomain = array("i", [zone.nxdomain for zone in self.source.zones])
        self.image.nxdomain = self._numbers(nxdomain, "i").words()
        return 0

    cdef int _build_tenants(self) except -1:
        cdef Block block = self._block(len(self.source.tenants) * sizeof(Tenants))
        cdef Tenants* tenants = <Tenants*>block.at
        cdef size_t number
        for number, found in enumerate(self.source.tenants):
            tenants[number].sorted.shift = found.shift
            tenants[number].sorted.first = self._numbers(found.first, "I").words()
            tenants[number].sorted.start = self._numbers(found.start, "I").words()
            tenants[number].sorted.labels = self._numbers(found.labels, "B").octets()
            tenants[number].sorted.kind = self._numbers(found.kind, "I").words()
            self._lay_rows(tenants + number)
            self.image.far = self.image.far or tenants[number].sorted.kind.count >= FAR
        self.image.tenants, self.image.tenants_count = tenants, len(self.source.tenants)
        return 0

    cdef int _lay_rows(self, Tenants* to) except -1:
        """A row for each tenant, where its bucket is."""
        cdef int bits = 1
        cdef int fault = 0
        cdef size_t size
        while <size_t>1 << bits < to.sorted.kind.count:
            bits += 1
        to.shift = 64 - bits
        cdef Block first = self._block(sizeof(uint32_t) << bits)
        cdef Block counts = Block(<size_t>1 << bits)
        with nogil:
            _measure_rows(to, <uint32_t*>first.at, <uint8_t*>counts.at, &fault)
            size = _place_rows(<uint32_t*>first.at, <uint8_t*>counts.at, <size_t>1 << bits)
        if fault or size > 0xFFFFFFFF:
            raise ValueError("the directory's tenants have no room, or their arrays different lengths")
        cdef Block rows = self._block(size + PADDING)
        with nogil:
            _write_rows(to, <uint32_t*>first.at, <uint8_t*>rows.at, &fault)
        to.first.at, to.first.count = <uint32_t*>first.at, <size_t>1 << bits
        to.rows.at, to.rows.count = <uint8_t*>rows.at, size
        return 0

    cdef int _build_pins(self) except -1:
        cdef Block block = self._block(len(self.source.pins) * sizeof(Pin))
        cdef Pin* pins = <Pin*>block.at
        for number, found in enumerate(self.source.pins.values()):
            pins[number].tenants, pins[number].label = found.tenants, found.label
            pins[number].parent, pins[number].unknown = found.parent, found.unknown
            pins[number].homes.key = self._numbers(found.homes.key, "Q").longs()
            pins[number].homes.scale = self._numbers(found.homes.scale, "Q").longs()
            pins[number].homes.kind = self._numbers(found.homes.kind, "I").words()
            pins[number].known, pins[number].counter = found.known, found.counter
            pins[number].nxdomain, pins[number].nodata = found.nxdomain, found.nodata
        self.image.pins, self.image.pins_count = pins, len(self.source.pins)
        return 0

    cdef Block _block(self, size_t size):
        """Memory that goes with this object."""
        block = Block(size)
        self._kept.append(block)
        return block

    cdef Node* _lines(self, size_t count) except NULL:
        """Memory for so many nodes, each in a line of its own."""
        cdef Block block = self._block((count + 1) * sizeof(Node))
        return <Node*>(<size_t>block.at + NODE_SIZE - 1 & ~<size_t>(NODE_SIZE - 1))

    cdef Numbers _numbers(self, source, str code):
        """The numbers of an array that stays as long as this object."""
        numbers = Numbers(source, code)
        self._kept.append(numbers)
        return numbers


cdef Answers lay_answers(tuple answers, list kept) except *:
    """Finished answers one behind the other. Their octets are Python's; who holds `kept` holds them."""
    cdef Answers laid
    cdef Octets octets
    cdef Block block = Block(len(answers) * sizeof(Answer))
    cdef Answer* to = <Answer*>block.at
    cdef bytes body
    cdef bytes option
    for number, answer in enumerate(answers):
        body, option = answer.body, answer.option
        _put_heads(to[number].heads, answer.head)
        to[number].body = octets_of(<void*>body)
        to[number].option = octets_of(<void*>option)
        to[number].rcode = answer.rcode
        if number % PIECE == 0:
            _let_others_in()
    kept += (block, answers)
    laid.at, laid.count = to, len(answers)
    return laid


cdef int _put_heads(uint8_t* to, tuple heads) except -1:
    cdef bytes head
    cdef size_t number
    for number, head in enumerate(heads):
        if number * HEAD_SIZE >= HEADS_SIZE or PyBytes_GET_SIZE(head) != HEAD_SIZE:
            raise ValueError("four heads of ten octets each")
        memcpy(to + number * HEAD_SIZE, PyBytes_AS_STRING(head), HEAD_SIZE)
    return 0


cdef bint _fill(
    uint64_t* slots, size_t mask, const uint8_t* names, const Node* nodes, size_t count
) noexcept nogil:
    """Enter all nodes that have a name into the table; whether these are names."""
    cdef size_t node
    cdef const uint8_t* name
    cdef size_t slot
    cdef uint64_t value
    for node in range(count):
        if nodes[node].name == 0:
            continue
        name = names + nodes[node].name
        if not _hash_name(name + ENTRY, name[0], &value):
            return False
        slot = value & mask
        while slots[slot]:
            slot = (slot + 1) & mask
        slots[slot] = (value >> TAG_BITS << TAG_BITS) | (node + 1)
    return True


cdef bint _hash_name(const uint8_t* name, size_t size, uint64_t* value) noexcept nogil:
    """The hash of a name as `_names.fold` makes it; whether it is a name."""
    cdef uint8_t starts[256]
    cdef size_t labels = 0
    cdef size_t at = 0
    while at < size and name[at]:
        starts[labels] = <uint8_t>at
        labels += 1
        at += 1 + name[at]
    if at + 1 != size:
        return False
    value[0] = ROOT_HASH
    while labels:
        labels -= 1
        value[0] = hash_label(value[0], name + starts[labels])
    return True


cdef void _sort_held(
    Node* nodes, size_t count, const uint64_t* keys, const int32_t* refs, size_t total, Held* to
) noexcept nogil:
    """Count each node's refs, then put them where those of the nodes before it end."""
    cdef size_t at
    cdef uint32_t begin = 0
    cdef uint32_t size
    cdef Node* node
    for at in range(total):
        nodes[keys[at] >> 16].held += 1
    for at in range(count + 1):
        size = nodes[at].held
        nodes[at].held = begin
        begin += size
    for at in range(total):
        node = nodes + (keys[at] >> 16)
        to[node.held].kind = keys[at] & 0xFFFF
        to[node.held].ref = refs[at]
        node.held += 1
    for at in range(count, 0, -1):  # each has moved to where the next one begins
        nodes[at].held = nodes[at - 1].held
    nodes[0].held = 0


cdef size_t _label_at(const Sorted* tenants, size_t at, uint8_t* label, int* fault) noexcept nogil:
    """A tenant's label, its length before it, and its size: 0 for what is none and nobody can ask for."""
    cdef uint32_t start = word(&tenants.start, at, fault)
    cdef Octets found = cut(&tenants.labels, start, word(&tenants.start, at + 1, fault) - start, fault)
    if found.count >= LABEL:
        return 0
    label[0] = <uint8_t>found.count
    memcpy(label + 1, found.at, found.count)
    return found.count


cdef void _measure_rows(const Tenants* tenants, uint32_t* sizes, uint8_t* counts, int* fault) noexcept nogil:
    """How many rows each bucket has, and how many octets they take."""
    cdef uint8_t label[LABEL + PADDING]
    cdef size_t at
    cdef size_t size
    cdef size_t bucket
    for at in range(tenants.sorted.kind.count):
        size = _label_at(&tenants.sorted, at, label, fault)
        if size:
            bucket = hash_tenant(label) >> tenants.shift
            if counts[bucket] <= MOST_ROWS:
                counts[bucket] += 1
                sizes[bucket] += ROW + <uint32_t>size


cdef size_t _place_rows(uint32_t* first, const uint8_t* counts, size_t buckets) noexcept nogil:
    """Where each bucket's rows begin, instead of their size; the size of all."""
    cdef size_t used = CROWDED + 1
    cdef size_t bucket
    cdef size_t size
    for bucket in range(buckets):
        if counts[bucket] == 0:
            first[bucket] = EMPTY
        elif counts[bucket] > MOST_ROWS:
            first[bucket] = CROWDED
        else:
            size = first[bucket] + 1
            if size <= LINE and used % LINE + size > LINE:
                used += LINE - used % LINE
            first[bucket] = <uint32_t>used
            used += size
    return used + ROW  # who reads a row reads all of its head, of the last end too


cdef void _write_rows(
    const Tenants* tenants, const uint32_t* first, uint8_t* rows, int* fault
) noexcept nogil:
    """Each row behind those of its bucket that are there."""
    cdef uint8_t label[LABEL + PADDING]
    cdef uint32_t kind
    cdef size_t number
    cdef size_t size
    cdef size_t at
    for number in range(tenants.sorted.kind.count):
        size = _label_at(&tenants.sorted, number, label, fault)
        at = first[hash_tenant(label) >> tenants.shift] if size else CROWDED
        if at == CROWDED:
            continue
        while rows[at]:
            at += ROW + rows[at]
        kind = word(&tenants.sorted.kind, number, fault)
        rows[at] = <uint8_t>size
        memcpy(rows + at + 1, &kind, sizeof(kind))
        memcpy(rows + at + ROW, label + 1, size)


cdef size_t _inside(size_t at, size_t count) except? 0:
    if at >= count:
        raise ValueError(f"there is no node {at}")
    return at


cdef int _let_others_in() except -1:
    """Hand the interpreter over if somebody waits for it."""
    with nogil:
        pass
    return 0
