"""The native twin of `respond`: query bytes in, answer bytes out, without the interpreter.

    answer ─► parse_query ─► prove ─► look_up ─► steer ─► limit ─► write ─► count

It answers what is common over UDP with the same bytes as Python, counts the same, and is tested against
it. Everything else it leaves to Python (`PUNT`), and then it has changed nothing: neither a counter nor a
rate limiter's bucket. Left are: DNAMEs, signed requests, zone transfers, NOTIFY and UPDATE, debug names,
classes other than IN, IPv4-mapped client subnets, cookies without a question, and what is longer than its
client can take.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset

from georouter.answers._ahead cimport Ahead, look_ahead
from georouter.answers._cookies cimport Source, answer_cookie, cookie_well_formed
from georouter.answers._flat cimport Octets, cut
from georouter.answers._image cimport HEAD_SIZE, HEADS_SIZE, KINDS, PLAIN_REF, REDIRECTED_REF
from georouter.answers._image cimport Answer, Node, View
from georouter.answers._limit cimport TOLD_ANSWERS, TOLD_ERRORS, TOLD_MISSING, VERDICT_ANSWER, VERDICT_SLIP
from georouter.answers._limit cimport Limiter, foresee, judge
from georouter.answers._lookup cimport Found, look_up, node_of
from georouter.answers._memory cimport Numbers
from georouter.answers._parse cimport (
    HEADER_SIZE,
    OPCODE_QUERY,
    RCODE_BADCOOKIE,
    RCODE_FORMERR,
    RCODE_NOERROR,
    RCODE_NXDOMAIN,
    Query,
    address_of,
    fold_query,
    is_mapped,
    read_query,
)
from georouter.answers._steer cimport NO_SUBNET, Client, Steered, steer

cdef enum:
    CLASS_IN = 1
    TYPE_TXT = 16
    TYPE_IXFR = 251
    TYPE_AXFR = 252
    FLAG_TC = 0x0200
    FLAG_RD = 0x0100
    OPCODE_BITS = 0x7800
    OPT_SIZE = 11
    MIN_PAYLOAD = 512
    LARGEST = 4096

cdef uint64_t NOT_FORESEEN = ~(<uint64_t>0)


cdef struct Told:
    const uint8_t* heads
    Octets body
    Octets option
    uint32_t rcode
    int scope
    int64_t decision
    int64_t census
    # What an answer is made of, and where it counts; `decision` and `census` are -1 where nowhere.


cdef void open_desk(Desk* desk, int64_t* counters, size_t counters_size) noexcept nogil:
    """Begin with these counters, and everything else at nothing."""
    memset(desk, 0, sizeof(Desk))
    desk.counters = counters
    desk.counters_size = counters_size


cdef int answer(
    const Image* image, Desk* desk, const unsigned char* query, size_t size, uint64_t high, uint64_t low,
    int family, double now, unsigned char* out, size_t space, Query* known,
) noexcept nogil:
    """The octets of the answer in `out`; SILENT where silence is right, PUNT where Python must answer.

    The source address, `high` 0 for IPv4, and `family` are as in `respond`, `now` is in seconds; `known` is
    the query as `read_query` reads it, or NULL.
    """
    cdef Source source = Source(high=high, low=low, family=family)
    cdef Job job
    cdef int size_out
    _open_job(&job, image, desk, query, &source, now, out, space)
    if size < HEADER_SIZE or query[2] & 0x80:
        _count_request(&job, image.directory.no_zone, image.slot_other)
        return SILENT
    if space < MIN_PAYLOAD:
        return PUNT
    if known == NULL:
        read_query(query, size, &desk.query)
    else:
        job.read, job.asked = known, &known.asked
    size_out = _respond(&job)
    if desk.fault:
        desk.faults += 1
        return PUNT
    return size_out


cdef inline void _open_job(
    Job* job, const Image* image, Desk* desk, const unsigned char* query, const Source* source, double now,
    unsigned char* out, size_t space,
) noexcept nogil:
    job.image, job.desk, job.query, job.source = image, desk, query, source[0]
    job.now, job.out, job.space = now, out, space
    job.what, job.key = NOT_FORESEEN, 0
    job.read, job.asked = &desk.query, &desk.query.asked
    desk.fault = 0


cdef inline int _respond(Job* job) noexcept nogil:
    """As `CarefulResponder._respond`, for what could be read."""
    cdef const Asked* asked = job.asked
    cdef uint32_t error
    cdef Found found
    cdef Told told
    if _is_left(job):
        return PUNT
    error = _prove(job)
    if error:
        return _fail(job, error)
    if asked.question and asked.flags & OPCODE_BITS:
        return PUNT
    fold_query(job.read)
    found = look_up(job.image, &job.read.name, asked.kind, &job.desk.fault)
    job.what = <uint64_t>found.node << 2 | TOLD_ANSWERS
    if _is_limited(job):
        job.key = foresee(&job.image.limiter, &job.source, job.what)
    if not _find(job, &found, &told):
        return PUNT
    return _tell(job, &found, &told)


cdef inline bint _is_left(const Job* job) noexcept nogil:
    """Whether a query is one that is always left to Python."""
    cdef const Asked* asked = job.asked
    if asked.tsig or not (asked.question or asked.error):
        return True
    if asked.error:
        return False
    if asked.klass != CLASS_IN or asked.kind == TYPE_AXFR or asked.kind == TYPE_IXFR:
        return True
    return job.image.debug and asked.kind == TYPE_TXT and job.query[HEADER_SIZE + 1] == c"_"


cdef inline uint32_t _prove(Job* job) noexcept nogil:
    """As `CarefulResponder._prove`: the error, and what it says of the cookie in `job`."""
    cdef const Asked* asked = job.asked
    job.cookie_size = 0
    job.proven = False
    if asked.cookie == NULL or not job.image.secrets.given:
        return asked.error
    if not cookie_well_formed(asked.cookie_size):
        return asked.error if asked.error else RCODE_FORMERR
    job.proven = answer_cookie(
        &job.image.secrets,
        asked.cookie,
        asked.cookie_size,
        &job.source,
        job.now,
        job.cookie,
        &job.desk.fault,
    )
    job.cookie_size = COOKIE_OPTION
    return asked.error


# -- answers --------------------------------------------------------------------------------------


cdef inline bint _find(Job* job, const Found* found, Told* told) noexcept nogil:
    """What a ref stands for; false for what is left to Python."""
    cdef const Image* image = job.image
    cdef int32_t ref = found.ref
    cdef const Node* node
    cdef size_t at
    told.scope = 0
    told.decision = told.census = -1
    if ref == REDIRECTED_REF:
        return False
    if ref >= PLAIN_REF:
        at = ref - PLAIN_REF
        node = node_of(image.directory, at, &job.desk.fault)
        told.body = node.body
        at = (node.sole & 0xFFFF) * HEADS_SIZE
        told.heads = cut(&image.directory.heads, at, HEADS_SIZE, &job.desk.fault).at
        told.option.count = 0
        told.rcode = RCODE_NOERROR
        return True
    if ref >= 0:
        at = ref
        if at >= image.directory.answers.count:
            job.desk.fault = 1
            return False
        _use(image.directory.answers.at + at, told)
        return True
    at = ~ref
    if at >= image.views_count:
        job.desk.fault = 1
        return False
    return _steer(job, image.views + at, found.tenant, told)


cdef inline bint _steer(Job* job, const View* view, int32_t tenant, Told* told) noexcept nogil:
    """As `CarefulResponder._steer`; false for what is left to Python."""
    cdef const Asked* asked = job.asked
    cdef Client client
    cdef Steered steered
    steered.answer = NULL
    if asked.subnet.given and asked.subnet.family and view.subnets:
        if is_mapped(&asked.subnet):
            return False
        client.address = address_of(&asked.subnet)
        client.family = asked.subnet.family
        client.source = asked.subnet.source if asked.subnet.source < 64 else 64
        steered = steer(job.image, view, &client, job.now, tenant, &job.desk.fault)
        told.scope = steered.width
        if steered.answer == NULL:
            told.scope = steered.width if steered.width > asked.subnet.source else asked.subnet.source
    if steered.answer == NULL:
        client.address = job.source.low if job.source.family == 4 else job.source.high
        client.family = job.source.family
        client.source = NO_SUBNET
        steered = steer(job.image, view, &client, job.now, tenant, &job.desk.fault)
    if steered.answer == NULL:
        return False
    told.decision, told.census = steered.decision, steered.census
    _use(steered.answer, told)
    return True


cdef inline void _use(const Answer* found, Told* told) noexcept nogil:
    """A finished answer."""
    told.heads = <const uint8_t*>found.heads
    told.body, told.option, told.rcode = found.body, found.option, found.rcode


cdef inline int _tell(Job* job, const Found* found, const Told* told) noexcept nogil:
    """Limit, write and count an answer."""
    cdef const Asked* asked = job.asked
    cdef size_t options = 0
    cdef size_t size = asked.tail + told.body.count
    cdef int verdict = VERDICT_ANSWER
    cdef uint64_t what = TOLD_ERRORS
    if asked.opt:
        options = job.cookie_size + told.option.count
        options += asked.subnet.size if asked.subnet.given else 0
        options += job.image.nsid.count if asked.nsid else 0
        size += OPT_SIZE + options
    if size > _limit_of(job) or size > job.space or job.desk.fault:
        return PUNT
    if told.rcode == RCODE_NOERROR:
        what = job.what
    elif told.rcode == RCODE_NXDOMAIN:
        what = <uint64_t>found.zone << 2 | TOLD_MISSING
    verdict = _judge(job, what)
    if verdict != VERDICT_ANSWER:
        return _limited(job, verdict, found.zone)
    _write(job, told, <uint32_t>options)
    _count_request(job, found.zone, _slot_of(job))
    _count_response(job, found.zone, told.rcode)
    _count(job.desk, told.decision)
    _count(job.desk, told.census)
    _count(job.desk, found.tally)
    return <int>size


cdef inline size_t _limit_of(const Job* job) noexcept nogil:
    """As `CarefulResponder._limit`."""
    cdef uint32_t payload = job.asked.payload
    if not job.asked.opt or payload <= MIN_PAYLOAD:
        return MIN_PAYLOAD
    return payload if payload < job.image.udp_payload else job.image.udp_payload


cdef inline void _write(Job* job, const Told* told, uint32_t options) noexcept nogil:
    """The answer, which is known to fit."""
    cdef const Asked* asked = job.asked
    cdef uint8_t* out = job.out
    cdef uint32_t head = (2 if asked.flags & FLAG_RD else 0) | (1 if asked.opt else 0)
    memcpy(out, job.query, 2)
    memcpy(out + 2, told.heads + head * HEAD_SIZE, HEAD_SIZE)
    memcpy(out + HEADER_SIZE, job.query + HEADER_SIZE, asked.tail - HEADER_SIZE)
    out += asked.tail
    memcpy(out, told.body.at, told.body.count)
    out += told.body.count
    if not asked.opt:
        return
    out = _put_opt(job, out, told.rcode, options)
    if asked.subnet.given:
        memcpy(out, asked.subnet.option, asked.subnet.size)
        out[7] = <uint8_t>told.scope
        out += asked.subnet.size
    memcpy(out, job.cookie, job.cookie_size)
    out += job.cookie_size
    if asked.nsid:
        memcpy(out, job.image.nsid.at, job.image.nsid.count)
        out += job.image.nsid.count
    if told.option.count:
        memcpy(out, told.option.at, told.option.count)


cdef inline uint8_t* _put_opt(const Job* job, uint8_t* out, uint32_t rcode, uint32_t options) noexcept nogil:
    """Our OPT record (RFC 6891 6.1.1) up to its options, which take so many octets; where they begin."""
    memcpy(out, b"\0\0\x29\0\0\0\0\0\0\0\0", OPT_SIZE)
    _put16(out + 3, job.image.udp_payload)
    out[5] = <uint8_t>(rcode >> 4)
    out[7] = 0x80 if job.asked.dnssec_ok else 0
    _put16(out + 9, options)
    return out + OPT_SIZE


cdef inline void _put16(uint8_t* out, uint32_t number) noexcept nogil:
    out[0] = <uint8_t>(number >> 8)
    out[1] = <uint8_t>number


# -- errors and limits ----------------------------------------------------------------------------


cdef inline int _fail(Job* job, uint32_t rcode) noexcept nogil:
    """The answer to what cannot be answered."""
    cdef int verdict = _judge(job, TOLD_ERRORS)
    if verdict != VERDICT_ANSWER:
        return _limited(job, verdict, job.image.directory.no_zone)
    return _error(job, job.image.directory.no_zone, rcode, job.cookie_size, 0)


cdef inline int _judge(Job* job, uint64_t what) noexcept nogil:
    """What rate limiting says."""
    cdef const Limiter* limiter = &job.image.limiter
    if not _is_limited(job):
        return VERDICT_ANSWER
    if what != job.what:
        job.key = foresee(limiter, &job.source, what)
    return judge(limiter, &job.source, job.key, job.now, &job.desk.fault)


cdef inline bint _is_limited(const Job* job) noexcept nogil:
    """Who proved its address is not."""
    return job.image.limiter.given and not job.proven


cdef inline int _limited(Job* job, int verdict, uint32_t zone) noexcept nogil:
    """As `CarefulResponder._limited`."""
    if verdict == VERDICT_SLIP:
        job.desk.slipped += 1
        if job.cookie_size:
            return _error(job, zone, RCODE_BADCOOKIE, job.cookie_size, 0)
        return _error(job, zone, RCODE_NOERROR, 0, FLAG_TC)
    job.desk.dropped += 1
    _count_request(job, zone, _slot_in(job, zone))
    return SILENT


cdef inline int _error(
    Job* job, uint32_t zone, uint32_t rcode, uint32_t cookie_size, uint32_t flags
) noexcept nogil:
    """As `CarefulResponder._error`; at most MIN_PAYLOAD octets."""
    _count_request(job, zone, _slot_in(job, zone))
    _count_response(job, zone, rcode)
    return _write_bare(job, rcode, cookie_size, flags)


cdef inline int _write_bare(Job* job, uint32_t rcode, uint32_t cookie_size, uint32_t flags) noexcept nogil:
    """A message with no records but OPT; the question only where it could be read."""
    cdef const Asked* asked = job.asked
    cdef uint8_t* out = job.out
    cdef uint32_t kept = asked.flags & OPCODE_BITS
    if not kept:
        kept = asked.flags & FLAG_RD
    memcpy(out, job.query, 2)
    _put16(out + 2, 0x8000 | kept | flags | (rcode & 0xF))
    _put16(out + 4, asked.question)
    _put16(out + 6, 0)
    _put16(out + 8, 0)
    _put16(out + 10, asked.opt)
    memcpy(out + HEADER_SIZE, job.query + HEADER_SIZE, asked.tail - HEADER_SIZE)
    out += asked.tail
    if asked.opt:
        out = _put_opt(job, out, rcode, cookie_size)
        memcpy(out, job.cookie, cookie_size)
        out += cookie_size
    return <int>(out - job.out)


# -- counters -------------------------------------------------------------------------------------


cdef inline void _count(Desk* desk, int64_t at) noexcept nogil:
    """One more, nowhere for -1. Counters out of range are not ours: the tables are of another layout."""
    if 0 <= at < <int64_t>desk.counters_size:
        desk.counters[at] += 1


cdef inline void _count_request(Job* job, uint32_t zone, uint32_t slot) noexcept nogil:
    cdef uint64_t lane = <uint64_t>zone * job.image.lanes + (1 if job.source.family == 6 else 0)
    _count(job.desk, <int64_t>(lane * job.image.types + slot))


cdef inline void _count_response(Job* job, uint32_t zone, uint32_t rcode) noexcept nogil:
    if rcode == RCODE_BADCOOKIE:
        rcode = job.image.rcodes - 1
    _count(job.desk, job.image.directory.responses_base + <int64_t>zone * job.image.rcodes + rcode)


cdef inline uint32_t _slot_of(const Job* job) noexcept nogil:
    """The counter of the question's type."""
    return job.image.slots[job.asked.kind] if job.asked.kind < KINDS else job.image.slot_other


cdef inline uint32_t _slot_in(const Job* job, uint32_t zone) noexcept nogil:
    """As `CarefulResponder._slot`."""
    if not job.asked.question or (zone == job.image.directory.no_zone and job.asked.error):
        return job.image.slot_other
    return _slot_of(job)


# -- for who has no time to ask Python ------------------------------------------------------------


cdef int cut_short(
    const Image* image, Desk* desk, const unsigned char* query, size_t size, const Source* source, double now,
    unsigned char* out, size_t space,
) noexcept nogil:
    """"Ask again over TCP" (TC) with question, OPT and cookie; 0 for what is no query with one question.

    Counts nothing. The arguments are those of `answer`.
    """
    cdef Job job
    if size < HEADER_SIZE or query[2] & 0xF8 or space < MIN_PAYLOAD:
        return 0
    _open_job(&job, image, desk, query, source, now, out, space)
    read_query(query, size, &desk.query)
    if not job.asked.question:
        return 0
    _prove(&job)
    return _write_bare(&job, RCODE_NOERROR, job.cookie_size, FLAG_TC)


cdef class NativeResponder:
    """`Responder.respond` in native code, for whoever is in Python."""

    def __cinit__(self, snapshot, counters, limits, conduct, Tables previous=None):
        """`counters` is an array of `q` that holds what `Responder`'s list would."""
        cdef Numbers numbers = Numbers(counters, "Q")
        if counters.typecode != "q":
            raise TypeError("counters are an array of 'q'")
        self._counters = numbers
        self.tables = Tables(snapshot, limits, conduct, previous)
        open_desk(&self.desk, <int64_t*>numbers.view.buf, numbers.view.len // 8)

    @property
    def limited(self):
        """Responses that rate limiting made small, and those it dropped."""
        return self.desk.slipped, self.desk.dropped

    @property
    def faults(self):
        """Reads of tables out of range: there are none."""
        return self.desk.faults

    def respond(self, bytes query, source, int family, proto, double now):
        """As `Responder.respond`; -1 where Python must answer."""
        cdef unsigned char out[LARGEST]
        cdef uint64_t high = 0 if family == 4 else source >> 64
        cdef uint64_t low = source & 0xFFFFFFFFFFFFFFFF
        cdef const unsigned char* at = <const unsigned char*>PyBytes_AS_STRING(query)
        cdef size_t size = PyBytes_GET_SIZE(query)
        cdef int made
        if proto:
            return PUNT
        with nogil:
            made = answer(self.tables.image, &self.desk, at, size, high, low, family, now, out, LARGEST, NULL)
        if made == PUNT:
            return PUNT
        return None if made == SILENT else PyBytes_FromStringAndSize(<char*>out, made)

    def expect(self, bytes query, source, int family):
        """Look ahead to this query, as the native worker does for a batch."""
        cdef Ahead ahead
        ahead.query = <const unsigned char*>PyBytes_AS_STRING(query)
        ahead.size = PyBytes_GET_SIZE(query)
        ahead.source.high = 0 if family == 4 else source >> 64
        ahead.source.low, ahead.source.family = source & 0xFFFFFFFFFFFFFFFF, family
        with nogil:
            look_ahead(self.tables.image, &ahead, 1)

    def cut_short(self, bytes query, source, int family, double now):
        """TC for a query, or None."""
        cdef unsigned char out[LARGEST]
        cdef const unsigned char* at = <const unsigned char*>PyBytes_AS_STRING(query)
        cdef uint64_t high = 0 if family == 4 else source >> 64
        cdef Source asker = Source(high=high, low=source & 0xFFFFFFFFFFFFFFFF, family=family)
        cdef int made = cut_short(self.tables.image, &self.desk, at, len(query), &asker, now, out, LARGEST)
        return PyBytes_FromStringAndSize(<char*>out, made) if made else None
