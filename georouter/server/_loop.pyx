# cython: language_level=3, boundscheck=True, wraparound=False
"""The native UDP worker: receives, answers and sends in batches, without the interpreter's lock.

    round odd ─► load what is published ─► each socket: receive, answer, send ─► round even ─► poll

Publication is one atomic store. A worker's round is odd while it may hold what it has loaded, and changes
before every load; both are sequentially consistent. So what was published before may go once the round is
even, or another one than right after the store: see `Loop.settle`.

What the native answer function leaves to Python goes into a ring with one writer, the worker, and one
reader, a Python worker to which `Punts` is one more channel. When the ring is full, clients are told to
come over TCP.
"""

import os

from cpython.buffer cimport PyBUF_CONTIG, PyBuffer_Release, PyObject_GetBuffer
from libc.errno cimport errno
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free

from georouter.answers._memory cimport HUGE_PAGE, Block
from georouter.answers._respond cimport open_desk
from georouter.answers._tables cimport Tables
from georouter.server._batch cimport work
from georouter.server._line cimport (
    BATCH,
    BUCKETS,
    CLOCK_MONOTONIC,
    CONTROL,
    DATAGRAM,
    MOST_SOCKETS,
    MSG_DONTWAIT,
    POLLIN,
    Line,
    Punted,
    Ring,
    Room,
    Served,
    acquire,
    eventfd_read,
    eventfd_write,
    iovec,
    look,
    msghdr,
    ordered,
    pollfd,
    publish_in,
    put,
    release,
    seconds,
    sendmsg,
    sockaddr_storage,
    touch,
)

from georouter.answers.layout import Proto
from georouter.answers.respond import fail
from georouter.telemetry.source import DURATION_BOUNDS_S

UDP = Proto.UDP
if len(DURATION_BOUNDS_S) + 1 != BUCKETS:
    raise ImportError("_loop was built for other buckets of durations: build it again")


cdef class Publication:
    """What one worker answers with, and the 64-bit counters that it alone adds to."""

    cdef readonly object counters
    cdef Tables tables
    cdef Py_buffer view
    cdef Served served

    def __init__(self, Tables tables not None, counters):
        """`counters` is an `array("q")` of the tables' layout; nothing is written before it is published."""
        if counters.typecode != "q":
            raise TypeError("counters are 64-bit numbers")
        self.tables = tables
        self.counters = counters
        PyObject_GetBuffer(counters, &self.view, PyBUF_CONTIG)
        self.served.image = tables.image
        open_desk(&self.served.desk, <int64_t *>self.view.buf, self.view.len // sizeof(int64_t))

    def __dealloc__(self):
        PyBuffer_Release(&self.view)


cdef class Loop:
    """One worker: its sockets, its memory, and `run`, its thread. All else belongs to the control thread, but
    for the ring's reading end, which is `Punts`'.
    """

    cdef Line line
    cdef list sockets
    cdef Block room
    cdef Publication current
    cdef list retired
    cdef int waker
    cdef uint64_t slipped, dropped, misread  # of publications that are gone

    def __cinit__(self):
        self.waker = self.line.ring.ready = -1

    def __init__(self, sockets, *, int places, int limit):
        """`sockets` are bound, and ask for packet info where they listen on every address. At most `limit` of
        `places` queries wait for Python.
        """
        cdef int slot
        cdef Line *line = &self.line
        if not 0 < len(sockets) <= MOST_SOCKETS or not 0 < limit <= places:
            raise ValueError("a worker has some sockets, and room for some queries that wait")
        self.sockets = list(sockets)
        self.retired = []
        self.waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        line.ring.ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        line.sockets = len(self.sockets)
        self.room = Block(max(sizeof(Room), <size_t>HUGE_PAGE))  # queries are pages apart, and in one so
        line.room = <Room *>self.room.at
        line.polled = <pollfd *>calloc(line.sockets + 1, sizeof(pollfd))
        line.ring.places = <Punted *>calloc(places, sizeof(Punted))
        if not line.polled or not line.ring.places:
            raise MemoryError
        touch(line.room, sizeof(Room))
        touch(line.ring.places, places * sizeof(Punted))
        line.ring.capacity = places
        line.ring.limit = limit
        for slot in range(line.sockets):
            line.polled[slot].fd = self.sockets[slot].fileno()
            line.polled[slot].events = POLLIN
        line.polled[line.sockets].fd = self.waker
        line.polled[line.sockets].events = POLLIN
        for slot in range(BUCKETS - 1):
            line.bounds[slot] = DURATION_BOUNDS_S[slot]
        _lay_out(line.room)

    def __dealloc__(self):
        for descriptor in (self.waker, self.line.ring.ready):
            if descriptor >= 0:
                os.close(descriptor)
        free(self.line.polled)
        free(self.line.ring.places)

    def run(self):
        """Answer until `stop`, then what waits. Something must be published."""
        if self.current is None:
            raise RuntimeError("a worker starts after something was published")
        with nogil:
            work(&self.line)

    def stop(self, double grace_s):
        """Ask for the end: what waits in the sockets is answered first, for so long at most."""
        self.line.until = seconds(CLOCK_MONOTONIC) + grace_s
        release(&self.line.stopping, 1)
        eventfd_write(self.waker, 1)

    def publish(self, Publication publication not None):
        """Answer from this one: from the next look at it on. What was published before stays until it is let
        go by `settle`.
        """
        before = self.current
        self.current = publication
        publish_in(&self.line.published, &publication.served)
        if before is not None:
            self.retired.append((before, ordered(&self.line.round)))
        self.settle()

    def settle(self):
        """Let go of publications that the worker has left. How many it may still use, without the present
        one.
        """
        cdef uint64_t round = ordered(&self.line.round)
        cdef Publication publication
        staying = []
        for publication, seen in self.retired:
            if seen & 1 and seen == round:
                staying.append((publication, seen))
            else:
                self.slipped += look(&publication.served.desk.slipped)
                self.dropped += look(&publication.served.desk.dropped)
                self.misread += look(&publication.served.desk.faults)
        self.retired = staying
        return len(staying)

    @property
    def counters(self):
        """The counters that the worker may be adding to."""
        staying = [publication.counters for publication, _ in self.retired]
        return staying if self.current is None else [*staying, self.current.counters]

    @property
    def rate_limited(self):
        """Responses that rate limiting made small, and those it dropped."""
        cdef Publication publication
        slipped, dropped = self.slipped, self.dropped
        for publication in self._publications():
            slipped += look(&publication.served.desk.slipped)
            dropped += look(&publication.served.desk.dropped)
        return slipped, dropped

    @property
    def misreads(self):
        """Reads out of a table's bounds that were kept from happening: faults of ours."""
        cdef Publication publication
        return self.misread + sum(
            [look(&publication.served.desk.faults) for publication in self._publications()]
        )

    @property
    def sampled(self):
        """Queries of timed batches by how long receive to send took (`DURATION_BOUNDS_S`)."""
        cdef int slot
        return [look(&self.line.sampled[slot]) for slot in range(BUCKETS)]

    @property
    def sampled_sum_s(self):
        """The time that the queries of timed batches took, in seconds."""
        return look(&self.line.sampled_ns) / 1e9

    @property
    def unsent(self):
        """Answers that the kernel would not take."""
        return look(&self.line.unsent)

    @property
    def overflowed(self):
        """Queries that found no place among those that wait for Python."""
        return look(&self.line.ring.overflowed)

    @property
    def punted(self):
        """Queries that were left to Python."""
        return acquire(&self.line.ring.tail)

    @property
    def faults(self):
        """How often receiving failed, and the last error's number."""
        return look(&self.line.faults), look(&self.line.fault)

    @property
    def round(self):
        """Odd while the worker is at work; changes with every batch."""
        return ordered(&self.line.round)

    def set_limit(self, uint64_t limit):
        """Let at most so many queries wait for Python, as far as there is room."""
        put(&self.line.ring.limit, min(limit, self.line.ring.capacity))

    def _publications(self):
        return [*(publication for publication, _ in self.retired), *([self.current] if self.current else [])]


cdef class Punts:
    """The queries that a native worker leaves to Python: a `Channel` of a Python worker."""

    cdef Loop loop
    cdef public object failure, take
    cdef public uint64_t failed, unsent

    def __init__(self, Loop loop not None):
        self.loop = loop

    def fileno(self):
        """For polling."""
        return self.loop.line.ring.ready

    def kernel_drops(self):
        """None: the worker's sockets count them."""
        return 0

    def turn(self, respond, double now):
        """Answer at most a batch of what waits; how many there were."""
        cdef Ring *ring = &self.loop.line.ring
        cdef Punted *place
        cdef uint64_t ignored
        cdef int count
        eventfd_read(ring.ready, &ignored)
        for count in range(BATCH):
            if ring.head == acquire(&ring.tail):
                return count
            place = &ring.places[ring.head % ring.capacity]
            try:
                self._answer(place, respond, now)
            finally:
                release(&ring.head, ring.head + 1)
        eventfd_write(ring.ready, 1)  # there may be more
        return BATCH

    cdef _answer(self, Punted *place, respond, double now):
        query = (<const char *>place.query)[:place.size]
        source = (<object>place.high) << 64 | place.low
        try:
            reply = respond(query, source, place.family, UDP, now)
        except Exception as error:
            self.failed += 1
            self.failure = error
            reply = fail(query)
        if reply is not None:
            if not _send(self.loop.line.polled[place.socket].fd, place, reply):
                self.unsent += 1
        elif self.take is not None:
            self.take(query, source, place.family, UDP, Later.after(place, self.loop))


cdef class Later:
    """Sends an answer to who asked, from another thread."""

    cdef Punted place
    cdef object socket

    @staticmethod
    cdef Later after(Punted *place, Loop loop):
        cdef Later later = Later()
        later.place = place[0]
        later.socket = loop.sockets[place.socket]
        return later

    def __call__(self, bytes reply):
        """OSError when the kernel would not take it."""
        if not _send(self.socket.fileno(), &self.place, reply):
            raise OSError(errno, os.strerror(errno))


cdef bint _send(int fd, Punted *place, bytes reply):
    cdef iovec vector
    cdef msghdr header
    vector.iov_base = <char *>reply
    vector.iov_len = len(reply)
    header.msg_name = &place.sender
    header.msg_namelen = place.name_size
    header.msg_iov = &vector
    header.msg_iovlen = 1
    header.msg_control = place.control if place.control_size else NULL
    header.msg_controllen = place.control_size
    header.msg_flags = 0
    return sendmsg(fd, &header, MSG_DONTWAIT) >= 0


cdef void _lay_out(Room *room):
    cdef int slot
    for slot in range(BATCH):
        room.query_at[slot].iov_base = room.query[slot]
        room.query_at[slot].iov_len = DATAGRAM
        room.reply_at[slot].iov_base = room.reply[slot]
        room.received[slot].msg_hdr.msg_iov = &room.query_at[slot]
        room.received[slot].msg_hdr.msg_iovlen = 1
        room.received[slot].msg_hdr.msg_name = &room.sender[slot]
        room.received[slot].msg_hdr.msg_namelen = sizeof(sockaddr_storage)
        room.received[slot].msg_hdr.msg_control = room.control[slot]
        room.received[slot].msg_hdr.msg_controllen = CONTROL
        room.sent[slot].msg_hdr.msg_iov = &room.reply_at[slot]
        room.sent[slot].msg_hdr.msg_iovlen = 1
