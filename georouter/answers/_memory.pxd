"""Memory that native tables stand in, freed with the Python object that owns it."""

from cpython.buffer cimport Py_buffer

from georouter.answers._flat cimport Halves, Longs, Octets, Words


cdef enum:
    HUGE_PAGE = 2097152  # from so many octets on a block asks for huge pages


cdef class Block:
    cdef void* at
    cdef readonly size_t size
    cdef size_t mapped


cdef class Numbers:
    cdef Py_buffer view
    cdef bint held
    cdef int gather(self) except -1
    cdef Octets octets(self)
    cdef Halves halves(self)
    cdef Words words(self)
    cdef Longs longs(self)
