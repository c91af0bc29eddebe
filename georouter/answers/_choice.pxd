"""Twin of `choice`: the choice among equal or weighted alternatives."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from georouter.answers._flat cimport Longs, Words, long_, word
from georouter.answers._ranges cimport bit_length

cdef enum:
    FRACTION = 24
    CELL_BITS = 10


cdef struct Runs:
    Words first
    Words count
    Words threshold
    Words body
    Words tally
    Longs key
    Longs scale
    Words extent
    Words cohort


cdef struct Run:
    uint32_t first
    uint32_t count
    # A part of `Runs`.


cdef struct Homes:
    Longs key
    Longs scale
    Words kind


cdef inline uint64_t network_key(uint64_t address, int family) noexcept nogil:
    """As `choice.network_key`."""
    return (address & ~(<uint64_t>0xFF)) | family


cdef inline uint32_t choose(uint64_t salt, uint64_t client, uint32_t ttl_s, double now) noexcept nogil:
    """As `choice.choose`."""
    cdef int64_t length_ms = <int64_t>ttl_s * 1000 if ttl_s else 1000
    cdef int64_t offset_ms = <int64_t>((client * 0x9E3779B1ULL) >> 8 & 0xFFFFFFFFULL) % length_ms
    cdef int64_t slot = (<int64_t>(now * 1000) + offset_ms) // length_ms
    return <uint32_t>(mix((salt ^ client) + <uint64_t>slot * 0x9E3779B97F4A7C15ULL) >> 32)


cdef inline uint32_t pick(const Runs* runs, Run run, uint32_t value, int* fault) noexcept nogil:
    """As `choice.pick`."""
    return above(&runs.threshold, value, run.first, <size_t>run.first + run.count - 1, fault)


cdef inline uint32_t above(
    const Words* table, uint32_t value, size_t low, size_t high, int* fault
) noexcept nogil:
    """`bisect_right` from `low` to `high`."""
    cdef size_t middle
    while low < high:
        middle = (low + high) >> 1
        if value < word(table, middle, fault):
            high = middle
        else:
            low = middle + 1
    return <uint32_t>low


cdef inline uint64_t lasting_key(uint64_t address, int family, int prefix) noexcept nogil:
    """As `choice.lasting_key`."""
    cdef int spare = (32 if family == 4 else 64) - prefix
    cdef uint64_t kept = 0 if spare >= 64 else address >> spare << spare
    return kept if family == 4 else ~kept


cdef inline uint64_t mix(uint64_t value) noexcept nogil:
    """The output function of splitmix64."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL
    return value ^ (value >> 31)


cdef inline Run divide(
    const Runs* runs, Run run, uint32_t cohort, uint64_t salt, uint64_t client, int* fault
) noexcept nogil:
    """As `choice.divide`; `cohort` is the bound."""
    cdef uint32_t extent = word(&runs.extent, run.first, fault)
    if mix(mix(salt ^ client) ^ long_(&runs.key, run.first, fault)) >> 32 < cohort:
        run.count = extent
        return run
    run.first += extent
    run.count = run.count - extent if run.count > extent else 0
    return run


cdef inline uint32_t stick(
    const Runs* runs, const Words* logarithms, Run run, uint64_t salt, uint64_t client, int* fault
) noexcept nogil:
    """As `choice.stick`."""
    cdef uint32_t index = run.first
    cdef uint32_t end = index + run.count
    cdef uint32_t best = index
    cdef uint32_t extent
    cdef uint64_t least = ~(<uint64_t>0)
    cdef uint64_t winner = 0
    cdef uint64_t drawn
    cdef uint64_t score
    cdef bint found = False
    client = mix(salt ^ client)
    while index < end and not fault[0]:
        drawn = mix(client ^ long_(&runs.key, index, fault))
        score = exponential(logarithms, <uint32_t>(drawn >> 32), fault) * long_(&runs.scale, index, fault)
        if score < least or not found:
            best, least, winner, found = index, score, drawn, True
        extent = word(&runs.extent, index, fault)
        if extent == 0:  # a table that would never end
            fault[0] = 1
        index += extent
    extent = word(&runs.extent, best, fault)
    if extent <= 1:
        return best
    return above(&runs.threshold, <uint32_t>winner, best, <size_t>best + extent - 1, fault)


cdef inline uint32_t settle(
    const Homes* homes, const Words* logarithms, const uint8_t* label, size_t size, int* fault
) noexcept nogil:
    """As `choice.settle`."""
    cdef uint64_t value = 0xCBF29CE484222325ULL
    cdef uint64_t least = ~(<uint64_t>0)
    cdef uint64_t score
    cdef size_t best = 0
    cdef size_t at
    cdef bint found = False
    for at in range(size):
        value = (value ^ label[at]) * 0x100000001B3ULL
    value = mix(value)
    for at in range(homes.key.count):
        score = exponential(logarithms, <uint32_t>(mix(value ^ long_(&homes.key, at, fault)) >> 32), fault)
        score *= long_(&homes.scale, at, fault)
        if score < least or not found:
            best, least, found = at, score, True
    return word(&homes.kind, best, fault)


cdef inline uint64_t exponential(const Words* logarithms, uint32_t uniform, int* fault) noexcept nogil:
    """As `choice.exponential`."""
    cdef uint64_t odd = <uint64_t>uniform << 1 | 1
    cdef int length = bit_length(odd)
    cdef uint32_t mantissa = <uint32_t>(odd << (33 - length) & 0xFFFFFFFFULL)
    cdef uint32_t cell = mantissa >> (32 - CELL_BITS)
    cdef uint64_t rest = mantissa & ((1UL << (32 - CELL_BITS)) - 1)
    cdef uint64_t low = word(logarithms, cell, fault)
    cdef uint64_t rise = word(logarithms, cell + 1, fault) - low
    return (<uint64_t>(34 - length) << FRACTION) - low - (rise * rest >> (32 - CELL_BITS))
