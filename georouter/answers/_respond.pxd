"""Query bytes in, answer bytes out, without the interpreter."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from georouter.answers._cookies cimport COOKIE_OPTION, Source
from georouter.answers._image cimport Image
from georouter.answers._parse cimport Asked, Query
from georouter.answers._tables cimport Desk, Tables

cdef enum:
    SILENT = 0
    PUNT = -1


cdef struct Job:
    const Image* image
    Desk* desk
    const uint8_t* query
    Source source
    double now
    uint8_t* out
    size_t space
    Query* read
    const Asked* asked
    uint8_t cookie[COOKIE_OPTION]
    uint32_t cookie_size
    bint proven
    uint64_t what
    int64_t key
    # One query while it is answered; `asked` is in `read`. `cookie` is the option for the response,
    # `cookie_size` 0 without one. `what` is what rate limiting expects it to be told, and `key` the bucket
    # for that.


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
    Query* known,
) noexcept nogil

cdef int cut_short(
    const Image* image, Desk* desk, const unsigned char* query, size_t size, const Source* source, double now,
    unsigned char* out, size_t space,
) noexcept nogil


cdef class NativeResponder:
    cdef Desk desk
    cdef readonly Tables tables
    cdef object _counters
