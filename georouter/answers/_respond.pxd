"""Query bytes in, answer bytes out, without the interpreter."""

from libc.stdint cimport int64_t, uint64_t

from georouter.answers._tables cimport Desk, Image

cdef enum:
    SILENT = 0
    PUNT = -1

cdef void open_desk(Desk* desk, int64_t* counters, size_t counters_size) noexcept nogil

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
) noexcept nogil

cdef int cut_short(
    const unsigned char* query, size_t size, unsigned char* out, size_t space
) noexcept nogil
