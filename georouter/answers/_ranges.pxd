"""Twin of `ranges`: where an address falls in a sorted range table, and how wide the answer may be cached."""

from libc.stdint cimport uint32_t, uint64_t

from georouter.answers._flat cimport Longs, Words, long_, word

cdef extern from *:
    """
    static inline int georouter_bit_length(unsigned long long value)
    {
        return value ? 64 - __builtin_clzll(value) : 0;
    }
    """
    int bit_length "georouter_bit_length"(unsigned long long value) noexcept nogil

cdef enum:
    FIRSTS_BITS = 16
    LOCAL_FLAG = 0x80000000


cdef struct Ranges:
    int bits
    size_t count
    Words narrow
    Longs wide
    Words values
    Words firsts
    # `bits` is 32 or 64, and `narrow` or `wide` has the first addresses. Large tables have in
    # `firsts[k]` how many of them are below k << (bits - FIRSTS_BITS).


cdef struct RangePair:
    Ranges v4
    Ranges v6


cdef struct Place:
    uint32_t value
    int width


cdef inline uint64_t start_of(const Ranges* table, size_t index, int* fault) noexcept nogil:
    """The first address of a range."""
    if table.bits == 32:
        return word(&table.narrow, index, fault)
    return long_(&table.wide, index, fault)


cdef inline size_t locate(const Ranges* table, uint64_t address, int* fault) noexcept nogil:
    """Index of the range that holds `address`."""
    cdef size_t low = 0
    cdef size_t high = table.count
    cdef size_t bucket
    if table.firsts.count:
        bucket = address >> (table.bits - FIRSTS_BITS)
        low = word(&table.firsts, bucket, fault)
        high = word(&table.firsts, bucket + 1, fault)
        low -= low > 0  # the range that reaches in from below
    if low >= high or high > table.count:
        fault[0] = 1
        return 0
    if table.bits == 32:
        return _last_32(table.narrow.at, low, high - low, <uint32_t>address)
    return _last_64(table.wide.at, low, high - low, address)


cdef inline size_t _last_32(
    const uint32_t* starts, size_t base, size_t count, uint32_t address
) noexcept nogil:
    """The last of `count` starts from `base` on that is not above `address`; the first is not.

    Without branches: which half it is cannot be foreseen, and a conditional move costs less than a
    wrong guess.
    """
    cdef size_t step
    while count > 1:
        step = count >> 1
        base = base + step if starts[base + step] <= address else base
        count -= step
    return base


cdef inline size_t _last_64(
    const uint64_t* starts, size_t base, size_t count, uint64_t address
) noexcept nogil:
    """As `_last_32`."""
    cdef size_t step
    while count > 1:
        step = count >> 1
        base = base + step if starts[base + step] <= address else base
        count -= step
    return base


cdef inline int scope(const Ranges* table, size_t index, uint64_t address, int* fault) noexcept nogil:
    """Length of the shortest prefix round `address` that lies inside range `index`: see `ranges.scope`."""
    cdef int shortest = table.bits + 1
    cdef int after
    if index:
        shortest = bit_length(address ^ (start_of(table, index, fault) - 1))
    elif table.count == 1:
        return 0
    if index + 1 < table.count:
        after = bit_length(address ^ start_of(table, index + 1, fault))
        if after < shortest:
            shortest = after
    return table.bits + 1 - shortest


cdef inline Place place(const Ranges* table, uint64_t address, int* fault) noexcept nogil:
    """The value of an address's range, and the scope."""
    cdef size_t index = locate(table, address, fault)
    cdef Place found
    found.value = word(&table.values, index, fault)
    found.width = scope(table, index, address, fault)
    return found
