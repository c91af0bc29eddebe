"""The native image of `tables.Directory`, shared by all snapshots that have the same one."""

from georouter.answers._image cimport Answers, Directory, Node
from georouter.answers._memory cimport Block, Numbers
from georouter.answers._tenants cimport Tenants


cdef class DirectoryTables:
    cdef Directory image
    cdef readonly object source
    cdef list _kept
    cdef int _build_names(self, Node* nodes, size_t count) except -1
    cdef int _build_nodes(self) except -1
    cdef int _build_held(self, Node* nodes, size_t count) except -1
    cdef int _build_plain(self, Node* nodes, size_t count) except -1
    cdef int _build_tenants(self) except -1
    cdef int _lay_rows(self, Tenants* to) except -1
    cdef int _build_pins(self) except -1
    cdef Block _block(self, size_t size)
    cdef Node* _lines(self, size_t count) except NULL
    cdef Numbers _numbers(self, source, str code)


cdef Answers lay_answers(tuple answers, list kept) except *
