"""The published tables as native code reads them, and what a worker writes to."""

from libc.stdint cimport int64_t, uint64_t


cdef struct Image:
    uint64_t generation


cdef struct Desk:
    int64_t* counters
    size_t counters_size
    uint64_t slipped
    uint64_t dropped
    uint64_t faults


cdef class Tables:
    cdef Image* image
    cdef object _snapshot
