"""Octets inside Python objects that never change and that somebody keeps: read without the interpreter."""

from libc.stdint cimport uint8_t

from georouter.answers._flat cimport Octets

cdef extern from *:
    """
    #define georouter_octets(object) ((const unsigned char*)PyBytes_AS_STRING((PyObject*)(object)))
    #define georouter_size(object) ((size_t)PyBytes_GET_SIZE((PyObject*)(object)))
    """
    const uint8_t* _octets "georouter_octets" (void*) noexcept nogil
    size_t _size "georouter_size" (void*) noexcept nogil


cdef inline Octets octets_of(void* held) noexcept nogil:
    """The octets of a `bytes` object."""
    cdef Octets found
    found.at = _octets(held)
    found.count = _size(held)
    return found
