"""Twin of `tenants.look_up`: the kind of a label, by two reads of memory.

    label ─hash─► first ─► rows: length, kind, label │ length, kind, label │ 0

The rows of a bucket stand together, in one line of a cache if they fit into one. At most `MOST_ROWS` are
compared: a bucket that somebody filled on purpose has none, and its labels are looked up as in Python.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from georouter.answers._flat cimport Octets, Words, cut, octet, word
from georouter.answers._names cimport ROOT_HASH, hash_label

cdef enum:
    NOBODY = -1
    ROW = 5
    MOST_ROWS = 8
    EMPTY = 0
    CROWDED = 1


cdef struct Sorted:
    int shift
    Words first
    Words start
    Octets labels
    Words kind
    # As in `tables.Tenants`.


cdef struct Tenants:
    int shift
    Words first
    Octets rows
    Sorted sorted
    # A label's bucket is its hash >> `shift`. `first` says where in `rows` those of a bucket begin, or
    # CROWDED. A row is the label's length (1 octet), its kind (4) and the label; an octet 0 ends a bucket,
    # and the one at EMPTY all those that have no rows. Eight octets behind `rows` can be read.


cdef inline uint64_t hash_tenant(const uint8_t* label) noexcept nogil:
    """Of a label with its length before it. Eight octets behind it can be read."""
    return hash_label(ROOT_HASH, label)


cdef inline int32_t look_up_label(
    const Tenants* tenants, const Words* remainders, const Octets* label, int* fault
) noexcept nogil:
    """As `tenants.look_up`. The label stands in a `Name`."""
    cdef size_t at = word(&tenants.first, hash_tenant(label.at - 1) >> tenants.shift, fault)
    cdef Octets row
    cdef int32_t kind
    if at == CROWDED:
        return look_up_sorted(&tenants.sorted, remainders, label, fault)
    while True:
        row = cut(&tenants.rows, at, ROW + <size_t>octet(&tenants.rows, at, fault), fault)
        if row.count <= ROW:
            return NOBODY
        if row.at[0] == label.count and same(row.at + ROW, label.at, label.count):
            memcpy(&kind, row.at + 1, sizeof(kind))
            return kind
        at += row.count


cdef inline bint same(const uint8_t* one, const uint8_t* other, size_t size) noexcept nogil:
    """Whether so many octets (at least one) are the same. Eight behind them can be read."""
    cdef uint64_t left
    cdef uint64_t right
    while size > 8:
        memcpy(&left, one, 8)
        memcpy(&right, other, 8)
        if left != right:
            return False
        one, other = one + 8, other + 8
        size -= 8
    memcpy(&left, one, 8)
    memcpy(&right, other, 8)
    return (left ^ right) & (~(<uint64_t>0) >> (64 - 8 * size)) == 0


cdef inline int32_t look_up_sorted(
    const Sorted* tenants, const Words* remainders, const Octets* label, int* fault
) noexcept nogil:
    """As `tenants.look_up`, by the tables that it reads."""
    cdef uint32_t bucket = crc32(remainders, label, fault) >> tenants.shift if tenants.shift < 32 else 0
    cdef uint32_t low = word(&tenants.first, bucket, fault)
    cdef uint32_t high = word(&tenants.first, bucket + 1, fault)
    cdef uint32_t middle
    cdef uint32_t start
    cdef Octets found
    cdef int order
    while low < high and not fault[0]:
        middle = low + ((high - low) >> 1)
        start = word(&tenants.start, middle, fault)
        found = cut(&tenants.labels, start, word(&tenants.start, middle + 1, fault) - start, fault)
        order = memcmp(found.at, label.at, min(found.count, label.count))
        if order == 0 and found.count == label.count:
            return <int32_t>word(&tenants.kind, middle, fault)
        if order < 0 or (order == 0 and found.count < label.count):
            low = middle + 1
        else:
            high = middle
    return NOBODY


cdef inline uint32_t crc32(const Words* remainders, const Octets* octets, int* fault) noexcept nogil:
    """That of zlib and IEEE 802.3, by the table of `_tables`."""
    cdef uint32_t value = 0xFFFFFFFF
    cdef size_t at
    for at in range(octets.count):
        value = word(remainders, (value ^ octets.at[at]) & 0xFF, fault) ^ (value >> 8)
    return ~value
