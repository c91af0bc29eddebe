"""Names: read from the wire, in lower case, and found in a hash table.

A name's hash is made from its end on, label by label, so that the hashes of all names above it come with
it: the closest encloser costs no more than the name itself.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from georouter.answers._flat cimport Longs, Octets

cdef enum:
    MAX_NAME = 255
    MAX_LABEL = 63
    MAX_LABELS = 127
    PADDED = 264
    ENTRY = 1
    NOT_OURS = -1
    TAG_BITS = 32


cdef struct Name:
    uint8_t octets[PADDED]
    uint64_t hashes[MAX_LABELS + 1]
    uint8_t starts[MAX_LABELS + 1]
    uint32_t size
    uint32_t labels
    # `octets` in lower case with the zero at the end; label i begins at `starts[i]`, and `hashes[i]` is that
    # of the name from there on. The root, too, has a start and a hash.


cdef struct NameTable:
    Longs slots
    Octets names
    # Open addressing. A slot is 0 or the upper TAG_BITS of a hash and, in the lower ones, the node plus 1.
    # The node knows where in `names` its own begins: length (1 octet), name.


cdef inline bint read_name(const uint8_t* query, size_t size, size_t at, Name* name) noexcept nogil:
    """Take over the uncompressed name at an offset; whether it is well formed (RFC 1035 3.1)."""
    cdef size_t begin = at
    cdef uint32_t labels = 0
    cdef uint8_t length
    while True:
        if at >= size or at - begin >= MAX_NAME:
            return False
        length = query[at]
        name.starts[labels] = <uint8_t>(at - begin)
        at += 1 + length
        if length == 0:
            break
        if length > MAX_LABEL:
            return False
        labels += 1
    name.labels = labels
    name.size = <uint32_t>(at - begin)
    memset(name.octets + (name.size & ~7), 0, 8)
    memcpy(name.octets, query + begin, name.size)
    return True


cdef inline void fold(Name* name) noexcept nogil:
    """Lower case (RFC 4343), eight octets at a time, and the hashes."""
    cdef uint32_t at = 0
    cdef uint64_t octets
    while at < name.size:
        memcpy(&octets, name.octets + at, 8)
        octets = lower(octets)
        memcpy(name.octets + at, &octets, 8)
        at += 8
    cdef uint64_t value = ROOT_HASH
    cdef uint32_t label = name.labels
    name.hashes[label] = value
    while label > 0:
        label -= 1
        value = hash_label(value, name.octets + name.starts[label])
        name.hashes[label] = value


cdef enum:
    ROOT_HASH = 0x9E3779B9


cdef inline uint64_t lower(uint64_t octets) noexcept nogil:
    """Eight octets with `A` to `Z` in lower case; all others stay."""
    cdef uint64_t ones = 0x0101010101010101ULL
    cdef uint64_t heptets = octets & (0x7F * ones)
    cdef uint64_t at_least_a = heptets + (0x80 - 0x41) * ones
    cdef uint64_t beyond_z = heptets + (0x7F - 0x5A) * ones
    return octets | (((at_least_a ^ beyond_z) & ~octets & (0x80 * ones)) >> 2)


cdef inline uint64_t hash_label(uint64_t value, const uint8_t* label) noexcept nogil:
    """The hash of a name from the one behind its first label. Eight octets behind it can be read."""
    cdef uint32_t size = label[0] + 1
    cdef uint64_t octets
    while size > 8:
        memcpy(&octets, label, 8)
        value = stir(value ^ octets)
        label += 8
        size -= 8
    memcpy(&octets, label, 8)
    return stir(value ^ (octets & (~(<uint64_t>0) >> (64 - 8 * size))))


cdef inline uint64_t stir(uint64_t value) noexcept nogil:
    """A bijection on 64 bits."""
    value = (value ^ (value >> 32)) * 0xD6E8FEB86659FD93ULL
    return value ^ (value >> 32)
