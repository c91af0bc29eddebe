"""The published tables as native code reads them, and what a worker writes to."""

from libc.stdint cimport int64_t, uint64_t

from georouter.answers._directory cimport DirectoryTables
from georouter.answers._image cimport Directory, Fences, Group, Image, View
from georouter.answers._memory cimport Block, Numbers
from georouter.answers._parse cimport Query
from georouter.answers._ranges cimport RangePair, Ranges


cdef struct Desk:
    int64_t* counters
    size_t counters_size
    uint64_t slipped
    uint64_t dropped
    uint64_t faults
    int fault
    Query query
    # What one worker owns and nobody else writes to. `counters` belong to the layout of the image in use;
    # `slipped` and `dropped` are as those of `RateLimiter`; `faults` are reads out of range, which must
    # never happen. The rest is scratch.


cdef class Tables:
    cdef Image* image
    cdef readonly DirectoryTables directory
    cdef readonly object snapshot
    cdef list _kept
    cdef dict _firsts
    cdef int _take_over(self, Tables previous) except -1
    cdef int _build_groups(self) except -1
    cdef int _build_group(self, Group* group, source) except -1
    cdef int _build_fences(self, Fences* fences, source) except -1
    cdef int _build_views(self) except -1
    cdef int _build_conduct(self, conduct) except -1
    cdef int _build_limiter(self, limiter) except -1
    cdef int _build_counters(self) except -1
    cdef int _lay_pair(self, RangePair* pair, source) except -1
    cdef int _lay_ranges(self, Ranges* ranges, source, int bits) except -1
    cdef Block _index(self, Ranges* ranges, source)
    cdef void* _space(self, size_t size) except NULL
    cdef void* _shared(self, source, str code) except NULL
    cdef Numbers _numbers(self, source, str code)
