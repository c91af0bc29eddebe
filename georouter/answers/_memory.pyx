"""Memory that native tables stand in: blocks of our own, and the buffers of Python objects.

Large ones ask for huge pages, each of which takes one place among the processor's translations of addresses
instead of 512. Who asks for a name among a million otherwise waits for its translation as long as for its
octets. Where the kernel has none to give, nothing is lost.
"""

from array import array

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

cdef extern from *:
    """
    #include <sys/mman.h>
    #ifndef MADV_COLLAPSE
    #define MADV_COLLAPSE 25
    #endif
    #define GEOROUTER_HUGE ((size_t)1 << 21)

    /* Octets that are zero, from a multiple of GEOROUTER_HUGE on, `size` a multiple of any page's. */
    static void *georouter_map(size_t size)
    {
        size_t whole = size + GEOROUTER_HUGE, before;
        char *at = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            return NULL;
        before = -(size_t)at & (GEOROUTER_HUGE - 1);
        if (before)
            munmap(at, before);
        munmap(at + before + size, whole - before - size);
        madvise(at + before, size, MADV_HUGEPAGE);
        return at + before;
    }

    /* Moves what lies in whole huge pages into them (Linux 6.1). */
    static void georouter_gather(const void *at, size_t size)
    {
        size_t begin = ((size_t)at + GEOROUTER_HUGE - 1) & ~(GEOROUTER_HUGE - 1);
        size_t end = ((size_t)at + size) & ~(GEOROUTER_HUGE - 1);
        if (begin < end)
            madvise((void *)begin, end - begin, MADV_COLLAPSE);
    }
    """
    void* map_pages "georouter_map"(size_t size) noexcept nogil
    void unmap_pages "munmap"(void* at, size_t size) noexcept nogil
    void gather_pages "georouter_gather"(const void* at, size_t size) noexcept nogil

cdef enum:
    ANY_PAGE = 65536
    # A multiple of the size of every processor's pages.

cdef dict SIZES = {"B": 1, "H": 2, "I": 4, "i": 4, "Q": 8}
cdef bint _huge = True


def use_huge_pages(bint wanted):
    """Whether memory that is taken from now on asks for huge pages."""
    global _huge
    _huge = wanted


cdef class Block:
    """So many octets, zero at first."""

    def __cinit__(self, size_t size):
        self.mapped = 0
        if _huge and size >= HUGE_PAGE:
            self.mapped = (size + ANY_PAGE - 1) // ANY_PAGE * ANY_PAGE
            self.at = map_pages(self.mapped)
        else:
            self.at = calloc(size or 1, 1)
        if self.at == NULL:
            raise MemoryError
        self.size = size

    def __dealloc__(self):
        if self.at != NULL and self.mapped:
            unmap_pages(self.at, self.mapped)
        elif not self.mapped:
            free(self.at)


cdef class Numbers:
    """The buffer of an array, bytes, or whatever else has one, kept as long as this is.

    `code` is one of `array`'s: B, H, I, i or Q. An array of another size is copied; OverflowError for numbers
    that do not fit.
    """

    def __cinit__(self, source, str code):
        PyObject_GetBuffer(source, &self.view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)
        self.held = True
        if self.view.itemsize != SIZES[code]:
            PyBuffer_Release(&self.view)
            self.held = False
            PyObject_GetBuffer(array(code, source), &self.view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)
            self.held = True

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.view)

    cdef int gather(self) except -1:
        """Move a large buffer into huge pages. Who reads it meanwhile waits: only before it is published."""
        if _huge and <size_t>self.view.len >= HUGE_PAGE:
            with nogil:
                gather_pages(self.view.buf, self.view.len)
        return 0

    cdef Octets octets(self):
        cdef Octets table
        table.at, table.count = <const uint8_t*>self.view.buf, self.view.len
        return table

    cdef Halves halves(self):
        cdef Halves table
        table.at, table.count = <const uint16_t*>self.view.buf, self.view.len // 2
        return table

    cdef Words words(self):
        cdef Words table
        table.at, table.count = <const uint32_t*>self.view.buf, self.view.len // 4
        return table

    cdef Longs longs(self):
        cdef Longs table
        table.at, table.count = <const uint64_t*>self.view.buf, self.view.len // 8
        return table
