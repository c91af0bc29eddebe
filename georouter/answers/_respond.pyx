"""The native twin of `respond`: the common packets answered without the interpreter, the others punted."""

from libc.string cimport memset


cdef void open_desk(Desk* desk, int64_t* counters, size_t counters_size) noexcept nogil:
    memset(desk, 0, sizeof(Desk))
    desk.counters = counters
    desk.counters_size = counters_size


cdef int answer(
    const Image* image,
    Desk* desk,
    const unsigned char* query,
    size_t size,
    uint64_t high,
    uint64_t low,
    int family,
    double now,
    unsigned char* out,
    size_t space,
) noexcept nogil:
    return PUNT


cdef int cut_short(
    const unsigned char* query, size_t size, unsigned char* out, size_t space
) noexcept nogil:
    return 0
