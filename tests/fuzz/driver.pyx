# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""libFuzzer over the native packet path, `look_ahead` and `answer`: see `native` for what inputs are and what
must hold, and `compiled` for how this is built. An input takes microseconds, for only some of them go to Python.
"""

import traceback

from libc.stdint cimport uint8_t, uint64_t
from libc.stdio cimport fprintf, stderr
from libc.stdlib cimport abort, free, malloc
from libc.string cimport memcmp, memcpy, memset

from georouter.answers._ahead cimport Ahead, look_ahead
from georouter.answers._cookies cimport Source
from georouter.answers._image cimport Image
from georouter.answers._limit cimport Limiter
from georouter.answers._parse cimport Query
from georouter.answers._respond cimport PUNT, SILENT, NativeResponder, answer, cut_short
from georouter.answers._tables cimport Desk

cdef extern from *:
    """
    extern int LLVMFuzzerRunDriver(int *, char ***, int (*)(const unsigned char *, size_t));
    """
    int LLVMFuzzerRunDriver(int*, char***, int (*)(const unsigned char*, size_t) noexcept) except *

cdef enum:
    HEADER_SIZE = 12
    MIN_PAYLOAD = 512
    SPACE = 4096
    MOST_SETUPS = 8
    MOST_TIMES = 4
    MOST_ARGUMENTS = 64
    IPV6 = 0x08
    COOKIE_GROWS = 16
    FIRST = 4000
    EVERY = 256


cdef struct Setup:
    const Image* image
    Desk* desk


cdef struct Packet:
    uint64_t high
    uint64_t low
    int family
    double now
    uint8_t* message
    size_t size


cdef struct Reply:
    int made
    uint8_t* out


cdef Setup[MOST_SETUPS] setups
cdef size_t setups_count = 0
cdef int times = 0
cdef double started = 0, step_s = 0
cdef uint64_t calls = 0
cdef object in_python = None
cdef Ahead[2] batch


def run(list responders, check, int repeat, double now, double step, list arguments):
    """Fuzz until libFuzzer ends the process. `check` runs one input over both paths; it sees the first
    `FIRST` and every `EVERY`-th. `repeat`, `now` and `step` are as in `native`.
    """
    global setups_count, times, started, step_s, in_python
    cdef NativeResponder responder
    cdef (char*)[MOST_ARGUMENTS] given
    cdef char** at = given
    cdef int count = len(arguments)
    if len(responders) > MOST_SETUPS or repeat > MOST_TIMES or count > MOST_ARGUMENTS:
        raise ValueError("more than there is room for")
    for number, responder in enumerate(responders):
        setups[number].image, setups[number].desk = responder.tables.image, &responder.desk
    for number, argument in enumerate(arguments):
        given[number] = argument
    setups_count, times, started, step_s, in_python = len(responders), repeat, now, step, check
    LLVMFuzzerRunDriver(&count, &at, one)


cdef int one(const unsigned char* data, size_t size) noexcept:
    """One input."""
    global calls
    cdef uint8_t head = data[0] if size else 0
    cdef size_t width = 16 if head & IPV6 else 4
    cdef size_t crowded = head >> 4
    cdef const Setup* setup = &setups[head % 8 % setups_count]
    cdef uint8_t[16] address
    cdef Packet packet
    cdef Query* known
    memset(address, 0, 16)
    if size > 2:
        memcpy(address, data + 2, min(width, size - 2))
    packet.family = 6 if head & IPV6 else 4
    packet.high = _number(address, 8) if packet.family == 6 else 0
    packet.low = _number(address + 8, 8) if packet.family == 6 else _number(address, 4)
    packet.now = started + step_s * (data[1] if size > 1 else 0)
    packet.size = size - 2 - width if size > 2 + width else 0
    packet.message = <uint8_t*>malloc(packet.size)  # no longer than it is: a read beyond it is seen
    if packet.size:
        memcpy(packet.message, data + 2 + width, packet.size)
    known = _look_ahead(setup, &packet)
    _ask(setup, &packet, 500 + 12 * (crowded - 8) * (crowded - 8) if crowded > 7 else SPACE, known)
    _cut_short(setup, &packet)
    if packet.size and memcmp(packet.message, data + 2 + width, packet.size):
        _fail(b"the query was written to")
    free(packet.message)
    calls += 1
    if calls < FIRST or calls % EVERY == 0:
        try:
            in_python(data[:size])
        except BaseException:
            traceback.print_exc()
            abort()
    return 0


cdef uint64_t _number(const uint8_t* octets, size_t count) noexcept:
    cdef uint64_t number = 0
    for at in range(count):
        number = number << 8 | octets[at]
    return number


cdef Query* _look_ahead(const Setup* setup, const Packet* packet) noexcept:
    """To a batch of the packet and all but the last octet of it; the packet as it was read then, if it was."""
    for at in range(2):
        batch[at].query = packet.message
        batch[at].size = packet.size - at if packet.size else 0
        batch[at].source.high, batch[at].source.low = packet.high, packet.low
        batch[at].source.family = packet.family
    look_ahead(setup.image, batch, 2)
    return &batch[0].read if batch[0].known else NULL


cdef void _ask(const Setup* setup, const Packet* packet, size_t space, Query* known) noexcept:
    """With all space; and with less and as it was `known` ahead, which gives the same or is left to Python."""
    cdef Reply[MOST_TIMES] replies
    cdef Reply other
    cdef int count = times if setup.image.limiter.given else 1
    cdef int made = 0
    _forget(&setup.image.limiter)
    while made < count:
        replies[made] = _reply(setup, packet, SPACE, NULL)
        made += 1
        if replies[made - 1].made == PUNT:
            break
    if space < SPACE:
        _forget(&setup.image.limiter)
        for at in range(made):
            other = _reply(setup, packet, space, known)
            if other.made > 0 and memcmp(other.out, replies[at].out, other.made):
                _fail(b"other octets where there is less space")
            free(other.out)
            if other.made == PUNT:
                break
            if other.made != replies[at].made:
                _fail(b"another answer where there is less space")
    for at in range(made):
        free(replies[at].out)


cdef Reply _reply(const Setup* setup, const Packet* packet, size_t space, Query* known) noexcept:
    """The answer, which is to be freed."""
    cdef Reply reply
    cdef Desk* desk = setup.desk
    cdef uint64_t limited = desk.slipped + desk.dropped
    cdef const uint8_t* message = packet.message
    reply.out = <uint8_t*>malloc(space)
    reply.made = answer(
        setup.image, desk, message, packet.size, packet.high, packet.low, packet.family, packet.now,
        reply.out, space, known,
    )
    if desk.faults or desk.fault:
        _fail(b"a table was read out of range")
    if reply.made == PUNT:
        if desk.slipped + desk.dropped != limited:
            _fail(b"what is left to Python was limited")
    elif reply.made != SILENT:
        if reply.made < HEADER_SIZE or <size_t>reply.made > space:
            _fail(b"the answer is no message, or longer than the space for it")
        if <size_t>reply.made > max(MIN_PAYLOAD, setup.image.udp_payload):
            _fail(b"the answer is longer than we send")
        if <size_t>reply.made > MIN_PAYLOAD and not message[10] and not message[11]:
            _fail(b"the answer is longer than a client without EDNS takes")
        if memcmp(reply.out, message, 2) or not reply.out[2] & 0x80:
            _fail(b"the answer is none to the query")
    return reply


cdef void _cut_short(const Setup* setup, const Packet* packet) noexcept:
    """TC with as much space as is needed, and with one octet too few."""
    cdef uint8_t* out
    cdef int made
    cdef Source source = Source(high=packet.high, low=packet.low, family=packet.family)
    for space in (MIN_PAYLOAD, MIN_PAYLOAD - 1):
        out = <uint8_t*>malloc(space)
        made = cut_short(
            setup.image, setup.desk, packet.message, packet.size, &source, packet.now, out, space
        )
        free(out)
        if setup.desk.fault:
            _fail(b"a table was read out of range")
        if made < 0 or (made and <size_t>made > packet.size + COOKIE_GROWS):
            _fail(b"an answer cut short is longer than the query, but for the cookie")
        if made and space < MIN_PAYLOAD:
            _fail(b"an answer cut short takes more than the space for it")


cdef void _forget(const Limiter* limiter) noexcept:
    """Let every bucket be full."""
    if limiter.given:
        memset(limiter.tags, 0, 8 * (limiter.mask + 1))
        memset(limiter.due, 0, 8 * (limiter.mask + 1))
        memset(limiter.slips, 0, limiter.mask + 1)


cdef void _fail(const char* why) noexcept:
    fprintf(stderr, b"\n%s\n", why)
    abort()
