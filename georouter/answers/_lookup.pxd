"""Twin of `lookup` and `tenants`: from a question to the answer that stands for it."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from georouter.answers._choice cimport settle
from georouter.answers._flat cimport Octets, cut, long_, word
from georouter.answers._image cimport (
    NONE,
    PLAIN_REF,
    REDIRECTED_REF,
    Directory,
    Image,
    Node,
    Pin,
)
from georouter.answers._names cimport ENTRY, NOT_OURS, TAG_BITS, Name, NameTable
from georouter.answers._tenants cimport NOBODY, look_up_label

cdef enum:
    TYPE_ANY = 255
    UNKNOWN_CHAIN = 0
    UNKNOWN_HASH = 1


cdef struct Found:
    int32_t node
    int32_t ref
    int32_t tenant
    int64_t tally
    uint32_t zone
    # `node` and `zone` are where the query counts; `tally` is -1 where no tenants are.


cdef inline const Node* node_of(const Directory* directory, size_t node, int* fault) noexcept nogil:
    """A node; behind the last one a fault, and the first."""
    if node + 1 < directory.nodes.count:
        return directory.nodes.at + node
    fault[0] = 1
    return directory.nodes.at


cdef inline int find(
    const Directory* directory, const Name* name, uint32_t label, int* fault
) noexcept nogil:
    """The node of the name from one of its labels on, or NOT_OURS."""
    cdef const NameTable* table = &directory.names
    cdef uint64_t value = name.hashes[label]
    cdef const uint8_t* octets = name.octets + name.starts[label]
    cdef size_t size = name.size - name.starts[label]
    cdef size_t mask = table.slots.count - 1
    cdef size_t at = value & mask
    cdef uint64_t slot
    cdef uint32_t node
    cdef Octets entry
    cdef size_t steps = 0
    while steps <= mask:
        slot = long_(&table.slots, at, fault)
        if slot == 0:
            return NOT_OURS
        if (slot ^ value) >> TAG_BITS == 0:
            node = <uint32_t>slot - 1
            entry = cut(&table.names, node_of(directory, node, fault).name, ENTRY + size, fault)
            if entry.count and entry.at[0] == size and memcmp(entry.at + ENTRY, octets, size) == 0:
                return <int>node
        at = (at + 1) & mask
        steps += 1
    return NOT_OURS


cdef inline Found look_up(const Image* image, const Name* name, uint32_t kind, int* fault) noexcept nogil:
    """As `CarefulResponder._look_up`."""
    cdef const Directory* directory = image.directory
    cdef const Node* at
    cdef Found found
    found.tenant = NOBODY
    found.tally = NONE
    found.node = find(directory, name, 0, fault)
    if found.node != NOT_OURS:
        found.ref = at_node(directory, found.node, kind, fault)
        found.zone = node_of(directory, found.node, fault).zone
        return found
    found.node = closest_encloser(directory, name, fault)
    if found.node == NOT_OURS:
        found.ref = directory.outside
        found.zone = directory.no_zone
        return found
    at = node_of(directory, found.node, fault)
    found.zone = at.zone
    found.ref = below(directory, at, kind, fault)
    if at.pin != NONE:
        if <size_t>at.pin >= directory.pins_count:
            fault[0] = 1
            return found
        pinned(image, directory.pins + at.pin, name, &found, fault)
    return found


cdef inline int closest_encloser(const Directory* directory, const Name* name, int* fault) noexcept nogil:
    """As `lookup.closest_encloser`."""
    cdef uint32_t label
    cdef int node
    for label in range(1, name.labels + 1):
        node = find(directory, name, label, fault)
        if node != NOT_OURS:
            return node
    return NOT_OURS


cdef inline int32_t below(
    const Directory* directory, const Node* node, uint32_t kind, int* fault
) noexcept nogil:
    """As `lookup.below`."""
    if node.cut:
        return node.other
    if node.redirected:
        return REDIRECTED_REF
    if node.wildcard >= 0:
        return at_node(directory, node.wildcard, kind, fault)
    return <int32_t>word(&directory.nxdomain, node.zone, fault)


cdef inline int32_t at_node(
    const Directory* directory, size_t node, uint32_t kind, int* fault
) noexcept nogil:
    """As `lookup.at_node`."""
    cdef const Node* at = node_of(directory, node, fault)
    cdef uint32_t held = at.held
    if at.sole and (at.sole >> 16 == kind or kind == TYPE_ANY):
        return <int32_t>(PLAIN_REF + node)
    while held < (at + 1).held:
        if held >= directory.held.count:
            fault[0] = 1
            break
        if directory.held.at[held].kind == kind:
            return directory.held.at[held].ref
        held += 1
    return at.other


# -- tenants --------------------------------------------------------------------------------------


cdef inline void pinned(
    const Image* image, const Pin* pin, const Name* name, Found* found, int* fault
) noexcept nogil:
    """As `tenants.pinned` and `tenants.tally_of`."""
    cdef Octets label = label_of(pin, name)
    if label.count:
        if pin.tenants >= image.directory.tenants_count:
            fault[0] = 1
            return
        found.tenant = look_up_label(
            image.directory.tenants + pin.tenants, &image.crc, &label, fault
        )
    if found.tenant == NOBODY and pin.unknown != UNKNOWN_CHAIN:
        if pin.unknown != UNKNOWN_HASH:
            found.ref = pin.nxdomain if label.count else pin.nodata
        elif label.count:
            found.tenant = settle(&pin.homes, &image.logarithms, label.at, label.count, fault)
    found.tally = pin.counter if 0 <= found.tenant < pin.known else pin.counter + 1


cdef inline Octets label_of(const Pin* pin, const Name* name) noexcept nogil:
    """As `tenants.label_of`."""
    cdef Octets label
    cdef uint32_t count = 0
    label.at = <const uint8_t*>name.octets
    label.count = 0
    if pin.parent >= name.size:
        return label
    while count < name.labels and name.starts[count] < name.size - pin.parent:
        count += 1
    if pin.label == 0 or count < pin.label:
        return label
    label.at = name.octets + name.starts[count - pin.label] + 1
    label.count = name.octets[name.starts[count - pin.label]]
    return label
