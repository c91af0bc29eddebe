"""Flat tables, read so that no read leaves them.

Whatever native code reads is one of these, and is read here: an index outside gives 0 and sets `fault`,
and the packet is then left to Python. Nothing outside a table is touched.
"""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef struct Octets:
    const uint8_t* at
    size_t count


cdef struct Halves:
    const uint16_t* at
    size_t count


cdef struct Words:
    const uint32_t* at
    size_t count


cdef struct Longs:
    const uint64_t* at
    size_t count


cdef inline uint8_t octet(const Octets* table, size_t index, int* fault) noexcept nogil:
    """One of 8 bits."""
    if index < table.count:
        return table.at[index]
    fault[0] = 1
    return 0


cdef inline uint32_t half(const Halves* table, size_t index, int* fault) noexcept nogil:
    """One of 16 bits."""
    if index < table.count:
        return table.at[index]
    fault[0] = 1
    return 0


cdef inline uint32_t word(const Words* table, size_t index, int* fault) noexcept nogil:
    """One of 32 bits."""
    if index < table.count:
        return table.at[index]
    fault[0] = 1
    return 0


cdef inline uint64_t long_(const Longs* table, size_t index, int* fault) noexcept nogil:
    """One of 64 bits."""
    if index < table.count:
        return table.at[index]
    fault[0] = 1
    return 0


cdef inline Octets cut(const Octets* table, size_t start, size_t size, int* fault) noexcept nogil:
    """A part of some octets; empty and a fault where it does not lie inside."""
    cdef Octets part
    if start <= table.count and size <= table.count - start:
        part.at = table.at + start
        part.count = size
        return part
    fault[0] = 1
    part.at = table.at
    part.count = 0
    return part
