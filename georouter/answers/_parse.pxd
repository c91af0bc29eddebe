"""Twin of `wire.message` and `wire.edns`: a query, read with care. The rules stand there."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp

from georouter.answers._names cimport MAX_LABEL, Name, fold, read_name

cdef enum:
    HEADER_SIZE = 12
    OPCODE_QUERY = 0
    OPCODE_NOTIFY = 4
    OPCODE_UPDATE = 5
    RCODE_NOERROR = 0
    RCODE_FORMERR = 1
    RCODE_NXDOMAIN = 3
    RCODE_NOTIMP = 4
    RCODE_BADVERS = 16
    RCODE_BADCOOKIE = 23
    TYPE_OPT = 41
    TYPE_TSIG = 250
    OPTION_NSID = 3
    OPTION_ECS = 8
    OPTION_COOKIE = 10
    DO_BIT = 0x8000


cdef struct Subnet:
    bint given
    int family
    int source
    const uint8_t* option
    uint32_t size
    # `family` is 4 or 6, or 0 where the option gives no address. `option` is the whole option, whose
    # address begins 8 octets behind its start; `size` counts all of it.


cdef struct Asked:
    uint32_t flags
    bint question
    uint32_t kind
    uint32_t klass
    uint32_t tail
    bint opt
    uint32_t payload
    bint dnssec_ok
    uint32_t error
    Subnet subnet
    const uint8_t* cookie
    uint32_t cookie_size
    bint nsid
    bint tsig
    # `tail` is where the question section ends, `cookie` NULL where there is none. `tsig`: a record of
    # that type was seen, whatever it says.


cdef struct Query:
    Asked asked
    Name name
    bint folded
    # A query that was read. `folded`: its name is in lower case, and has its hashes.


cdef inline void read_query(const uint8_t* octets, size_t size, Query* query) noexcept nogil:
    """As `message.parse_query`, for what has a full header and is no response."""
    query.folded = False
    parse_query(octets, size, &query.asked, &query.name)


cdef inline void fold_query(Query* query) noexcept nogil:
    """Have the name in lower case, with its hashes."""
    if not query.folded:
        fold(&query.name)
        query.folded = True


cdef inline uint32_t big16(const uint8_t* at) noexcept nogil:
    """Two octets in network order."""
    return <uint32_t>at[0] << 8 | at[1]


cdef inline void parse_query(const uint8_t* query, size_t size, Asked* asked, Name* name) noexcept nogil:
    """As `message.parse_query`, for what has a full header and is no response."""
    cdef uint32_t opcode
    asked.flags = big16(query + 2)
    asked.question = asked.opt = asked.dnssec_ok = asked.subnet.given = asked.nsid = asked.tsig = False
    asked.kind = asked.klass = asked.payload = 0
    asked.tail = HEADER_SIZE
    asked.subnet.option = asked.cookie = NULL
    asked.subnet.family = asked.subnet.source = 0
    asked.subnet.size = asked.cookie_size = 0
    asked.error = RCODE_NOERROR
    opcode = asked.flags >> 11 & 0xF
    _read_sections(query, size, asked, name)
    if opcode != OPCODE_QUERY:
        if opcode != OPCODE_NOTIFY and opcode != OPCODE_UPDATE:
            asked.error = RCODE_NOTIMP
        elif not asked.question and asked.error == RCODE_NOERROR:
            asked.error = RCODE_FORMERR


cdef inline void _read_sections(const uint8_t* query, size_t size, Asked* asked, Name* name) noexcept nogil:
    """As `message._sections`."""
    cdef uint32_t questions = big16(query + 4)
    cdef size_t end
    if questions > 1:
        asked.error = RCODE_FORMERR
        return
    if questions == 1:
        if not read_name(query, size, HEADER_SIZE, name) or HEADER_SIZE + name.size + 4 > size:
            asked.error = RCODE_FORMERR
            return
        end = HEADER_SIZE + name.size
        asked.question = True
        asked.kind = big16(query + end)
        asked.klass = big16(query + end + 2)
        asked.tail = <uint32_t>end + 4
    _read_records(query, size, asked)
    if questions == 0 and asked.error == RCODE_NOERROR and asked.cookie == NULL:
        asked.error = RCODE_FORMERR


cdef inline void _read_records(const uint8_t* query, size_t size, Asked* asked) noexcept nogil:
    """As `message._records`, but for what only transfers and signed requests need."""
    cdef uint32_t before = big16(query + 6) + big16(query + 8)
    cdef uint32_t total = before + big16(query + 10)
    cdef uint32_t error = RCODE_NOERROR
    cdef uint32_t opt_error = RCODE_NOERROR
    cdef uint32_t index
    cdef uint32_t kind
    cdef size_t at = asked.tail
    cdef size_t owner
    cdef size_t stop
    for index in range(total):
        owner = at
        at = _skip_name(query, size, at)
        if at == 0 or at + 10 > size:
            asked.error = RCODE_FORMERR
            return
        kind = big16(query + at)
        stop = at + 10 + big16(query + at + 8)
        if stop > size:
            asked.error = RCODE_FORMERR
            return
        if kind == TYPE_OPT:
            if asked.opt or index < before or query[owner] != 0:
                error = RCODE_FORMERR
            if not asked.opt:
                opt_error = _read_opt(query, at, stop, asked)
        elif kind == TYPE_TSIG:
            asked.tsig = True
        at = stop
    if at != size:
        error = RCODE_FORMERR
    asked.error = error if error else opt_error


cdef inline size_t _skip_name(const uint8_t* query, size_t size, size_t at) noexcept nogil:
    """The offset after a name that may end in a compression pointer, or 0 when there is none."""
    cdef size_t start = at
    cdef size_t stop
    cdef uint8_t length
    while at < size:
        length = query[at]
        if length == 0 or length >= 0xC0:
            stop = at + (2 if length else 1)
            return stop if stop <= size and stop - start <= 255 else 0
        if length > MAX_LABEL:
            return 0
        at += 1 + length
    return 0


# -- options --------------------------------------------------------------------------------------


cdef inline uint32_t _read_opt(const uint8_t* query, size_t at, size_t end, Asked* asked) noexcept nogil:
    """As `edns.parse_opt`, for an OPT record whose type stands at an offset; the error it earned."""
    cdef uint32_t code
    cdef size_t stop
    asked.opt = True
    asked.payload = big16(query + at + 2)
    asked.dnssec_ok = (query[at + 6] & 0x80) != 0
    if query[at + 5]:
        return RCODE_BADVERS
    at += 10
    while at < end:
        if at + 4 > end:
            return _damaged(asked)
        code = big16(query + at)
        stop = at + 4 + big16(query + at + 2)
        if stop > end:
            return _damaged(asked)
        if code == OPTION_ECS:
            if asked.subnet.given or not _read_subnet(query + at, stop - at, &asked.subnet):
                return _damaged(asked)
        elif code == OPTION_COOKIE:
            if asked.cookie == NULL:
                asked.cookie = query + at + 4
                asked.cookie_size = <uint32_t>(stop - at - 4)
        elif code == OPTION_NSID:
            asked.nsid = True
        at = stop
    return RCODE_NOERROR


cdef inline uint32_t _damaged(Asked* asked) noexcept nogil:
    """Nothing that options say counts."""
    asked.subnet.given = asked.nsid = False
    asked.cookie = NULL
    asked.cookie_size = 0
    return RCODE_FORMERR


cdef inline bint _read_subnet(const uint8_t* option, size_t size, Subnet* subnet) noexcept nogil:
    """As `edns.parse_subnet`, for a whole option; whether it is well formed."""
    cdef uint32_t family
    cdef uint32_t source
    if size < 8:
        return False
    family = big16(option + 4)
    source = option[6]
    if family > 2 or source > _width(family) or option[7] != 0 or size - 8 != (source + 7) // 8:
        return False
    if source & 7 and option[size - 1] & (0xFF >> (source & 7)):
        return False
    subnet.given = True
    subnet.family = 0 if source == 0 else (4 if family == 1 else 6)
    subnet.source = <int>source
    subnet.option = option
    subnet.size = <uint32_t>size
    return True


cdef inline uint32_t _width(uint32_t family) noexcept nogil:
    """Of the family's addresses, in bits; none of family 0."""
    return 32 if family == 1 else (128 if family == 2 else 0)


cdef inline bint is_mapped(const Subnet* subnet) noexcept nogil:
    """Whether it is an IPv4-mapped IPv6 block (RFC 4291 2.5.5.2)."""
    return (
        subnet.family == 6
        and subnet.size >= 20
        and memcmp(subnet.option + 8, b"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0
    )


cdef inline uint64_t address_of(const Subnet* subnet) noexcept nogil:
    """The first address of the block: 32 bits for IPv4, the top 64 bits for IPv6."""
    cdef uint32_t octets = 4 if subnet.family == 4 else 8
    cdef uint32_t at
    cdef uint64_t address = 0
    for at in range(octets):
        address <<= 8
        if at + 8 < subnet.size:
            address |= subnet.option[at + 8]
    return address
