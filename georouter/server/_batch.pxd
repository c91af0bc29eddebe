"""How a native UDP worker works: receive, answer and send in batches, look at all sockets, wait.

What is published is loaded once per batch, in a round: see `_loop`.
"""

from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

from georouter.answers._ahead cimport Ahead, look_ahead
from georouter.answers._cookies cimport Source
from georouter.answers._respond cimport PUNT, answer, cut_short
from georouter.server._line cimport (
    BATCH,
    BUCKETS,
    BUSY,
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    CONTROL,
    DATAGRAM,
    FEW,
    LOOK_ROUND,
    MSG_DONTWAIT,
    RESTING_US,
    SAMPLE_EVERY,
    Line,
    Punted,
    Ring,
    Room,
    Served,
    acquire,
    add,
    eventfd_write,
    look,
    msghdr,
    order,
    poll,
    published_in,
    put,
    recvmmsg,
    release,
    seconds,
    sendmmsg,
    sockaddr_storage,
    source_in,
    turn_round,
    usleep,
)


cdef inline void work(Line *line) noexcept nogil:
    cdef uint64_t round = 1
    cdef int at
    cdef bint more = False
    while not acquire(&line.stopping):
        if not more or round % LOOK_ROUND == 1:
            _wait(line, 0 if more else -1)
        order(&line.round, round)
        more = False
        for at in range(line.sockets):
            if line.polled[at].revents:
                line.polled[at].revents = _turn(line, at) >= BUSY
                more = more or line.polled[at].revents
        if not more:
            order(&line.round, round + 1)
        round += 2
    order(&line.round, round)
    for at in range(line.sockets):
        while _turn(line, at) and seconds(CLOCK_MONOTONIC) < line.until:
            pass
    order(&line.round, round + 1)


cdef inline void _wait(Line *line, int timeout) noexcept nogil:
    """Find out which sockets have something; those known to have more keep it."""
    cdef int at
    if poll(line.polled, line.sockets + 1, timeout) < 0:
        for at in range(line.sockets):
            line.polled[at].revents = 0


cdef inline int _turn(Line *line, int at) noexcept nogil:
    """Answer at most a batch of what waits in a socket; how many there were."""
    cdef double began, took
    cdef uint64_t punted
    cdef int count, bucket = 0
    line.turns += 1
    if line.turns % SAMPLE_EVERY:
        return _batch(line, at)
    began = seconds(CLOCK_MONOTONIC)
    punted = line.ring.tail
    count = _batch(line, at)
    took = seconds(CLOCK_MONOTONIC) - began
    while bucket < BUCKETS - 1 and took > line.bounds[bucket]:
        bucket += 1
    punted = line.ring.tail - punted  # timed by who answers them
    add(&line.sampled[bucket], count - punted)
    add(&line.sampled_ns, <uint64_t>(took * 1e9) * (count - punted))
    return count


cdef inline int _batch(Line *line, int at) noexcept nogil:
    cdef Room *room = line.room
    cdef int fd = line.polled[at].fd
    cdef Served *served = <Served *>published_in(&line.published)
    cdef msghdr *header
    cdef double now
    cdef uint64_t high = 0, low = 0, waiting = line.ring.tail
    cdef int slot, length, family = 0, answers = 0
    cdef bint ahead
    cdef int count = recvmmsg(fd, room.received, BATCH, MSG_DONTWAIT, NULL)
    if count <= 0:
        if count < 0 and errno != EAGAIN and errno != EINTR:
            put(&line.fault, errno)
            add(&line.faults, 1)
            usleep(RESTING_US)
        return 0
    now = seconds(CLOCK_REALTIME)
    ahead = served.image.far and count > FEW
    if ahead:
        _look_ahead(room, served, count)
    for slot in range(count):
        header = &room.received[slot].msg_hdr
        # Nobody is at port 0: answers to it only ever serve to have us talk (RFC 6335 6).
        if source_in(&room.sender[slot], &family, &high, &low):
            length = answer(
                served.image, &served.desk, room.query[slot], room.received[slot].msg_len,
                high, low, family, now, room.reply[answers], DATAGRAM,
                &room.ahead[slot].read if ahead and room.ahead[slot].known else NULL,
            )
            if length == PUNT:
                length = _punt(line, served, at, slot, family, high, low, now, room.reply[answers])
            if length > 0:
                room.reply_at[answers].iov_len = length
                room.sent[answers].msg_hdr.msg_name = header.msg_name
                room.sent[answers].msg_hdr.msg_namelen = header.msg_namelen
                room.sent[answers].msg_hdr.msg_control = header.msg_control
                room.sent[answers].msg_hdr.msg_controllen = turn_round(
                    room.control[slot], header.msg_controllen
                )
                answers += 1
        header.msg_namelen = sizeof(sockaddr_storage)
        header.msg_controllen = CONTROL
    _flush(line, fd, answers)
    if line.ring.tail != waiting:
        eventfd_write(line.ring.ready, 1)
    return count


cdef inline void _look_ahead(Room *room, const Served *served, int count) noexcept nogil:
    """Have at hand what the answers to a batch will read."""
    cdef Ahead *ahead = room.ahead
    cdef int slot
    for slot in range(count):
        ahead.query, ahead.size = room.query[slot], room.received[slot].msg_len
        source_in(&room.sender[slot], &ahead.source.family, &ahead.source.high, &ahead.source.low)
        ahead += 1
    look_ahead(served.image, room.ahead, count)


cdef inline int _punt(
    Line *line,
    Served *served,
    int at,
    int slot,
    int family,
    uint64_t high,
    uint64_t low,
    double now,
    uint8_t *reply,
) noexcept nogil:
    """Leave a query to Python; the length of a reply where too many wait."""
    cdef Ring *ring = &line.ring
    cdef Room *room = line.room
    cdef msghdr *header = &room.received[slot].msg_hdr
    cdef Punted *place
    cdef Source source = Source(high=high, low=low, family=family)
    if ring.tail - acquire(&ring.head) >= look(&ring.limit):
        add(&ring.overflowed, 1)
        return cut_short(
            served.image, &served.desk, room.query[slot], room.received[slot].msg_len,
            &source, now, reply, DATAGRAM,
        )
    place = &ring.places[ring.tail % ring.capacity]
    place.socket, place.family, place.high, place.low = at, family, high, low
    place.name_size = header.msg_namelen
    place.control_size = turn_round(room.control[slot], header.msg_controllen)
    place.size = room.received[slot].msg_len
    place.sender = room.sender[slot]
    memcpy(place.control, room.control[slot], CONTROL)
    memcpy(place.query, room.query[slot], place.size)
    release(&ring.tail, ring.tail + 1)
    return 0


cdef inline void _flush(Line *line, int fd, int answers) noexcept nogil:
    """Send; an answer that the kernel will not take is left out, not the rest."""
    cdef int sent, start = 0
    while start < answers:
        sent = sendmmsg(fd, &line.room.sent[start], answers - start, 0)
        if sent > 0:
            start += sent
        elif errno != EINTR:
            add(&line.unsent, 1)
            start += 1
