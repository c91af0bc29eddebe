"""Builds the native image of a snapshot."""

from libc.stdlib cimport calloc, free


cdef class Tables:
    """One snapshot, the limits and the conduct that it is answered with, as native code reads them."""

    def __cinit__(self, snapshot, limits, conduct, Tables previous=None):
        self.image = <Image*>calloc(1, sizeof(Image))
        if self.image == NULL:
            raise MemoryError
        self._snapshot = snapshot
        self.image.generation = snapshot.generation

    def __dealloc__(self):
        free(self.image)
