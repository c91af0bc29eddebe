"""Memory that native tables stand in: blocks of our own, and the buffers of Python objects."""

from array import array

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc

cdef dict SIZES = {"B": 1, "H": 2, "I": 4, "i": 4, "Q": 8}


cdef class Block:
    """So many octets, zero at first."""

    def __cinit__(self, size_t size):
        self.at = calloc(size or 1, 1)
        if self.at == NULL:
            raise MemoryError
        self.size = size

    def __dealloc__(self):
        free(self.at)

    cdef void* resize(self, size_t size) except? NULL:
        """More octets, or fewer; what is new is not zero. Where they are now."""
        cdef void* at = realloc(self.at, size or 1)
        if at == NULL:
            raise MemoryError
        self.at = at
        self.size = size
        return at


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
