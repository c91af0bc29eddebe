"""Twin of `cookies`: server cookies made and proven (RFC 7873, 9018)."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from georouter.answers._flat cimport Longs, long_

cdef enum:
    CLIENT_SIZE = 8
    COOKIE_SIZE = 24
    COOKIE_SMALLEST = 16
    COOKIE_LARGEST = 40
    COOKIE_OPTION = 28
    GOOD_FOR_S = 3600
    AHEAD_S = 300
    RENEW_AFTER_S = 1800


cdef struct Source:
    uint64_t high
    uint64_t low
    int family


cdef struct Secrets:
    bint given
    Longs halves
    # Two numbers for each secret, its octets in little-endian order; the first secret makes cookies.


cdef inline bint cookie_well_formed(size_t size) noexcept nogil:
    """Whether the option's data has a length that it may have (RFC 7873 5.2.2)."""
    return size == CLIENT_SIZE or COOKIE_SMALLEST <= size <= COOKIE_LARGEST


cdef inline bint answer_cookie(
    const Secrets* secrets,
    const uint8_t* cookie,
    size_t size,
    const Source* source,
    double now,
    uint8_t* option,
    int* fault,
) noexcept nogil:
    """Whether the cookie (well formed) proves its source; `option` gets the COOKIE_OPTION octets to send."""
    cdef uint8_t text[COOKIE_SMALLEST + 16]
    cdef size_t text_size = COOKIE_SMALLEST + _put_address(source, text + COOKIE_SMALLEST)
    cdef uint32_t time = <uint32_t>(<int64_t>now)
    cdef bint proven = False
    cdef bint fresh = False
    cdef int64_t age
    cdef uint64_t sent
    cdef size_t at
    memcpy(option, b"\0\x0a\0\x18", 4)
    if size == COOKIE_SIZE and cookie[8] == 1:
        age = <int64_t>(<uint32_t>(time - _big(cookie + 12) + AHEAD_S)) - AHEAD_S
        if age <= GOOD_FOR_S:
            memcpy(text, cookie, COOKIE_SMALLEST)
            memcpy(&sent, cookie + COOKIE_SMALLEST, 8)
            for at in range(0, secrets.halves.count, 2):
                if siphash(secrets, at, text, text_size, fault) == sent:
                    proven = True
                    fresh = at == 0 and age <= RENEW_AFTER_S
                    break
    if fresh:
        memcpy(option + 4, cookie, COOKIE_SIZE)
        return True
    memcpy(text, cookie, CLIENT_SIZE)
    memcpy(text + CLIENT_SIZE, b"\1\0\0\0", 4)
    text[12] = <uint8_t>(time >> 24)
    text[13] = <uint8_t>(time >> 16)
    text[14] = <uint8_t>(time >> 8)
    text[15] = <uint8_t>time
    sent = siphash(secrets, 0, text, text_size, fault)
    memcpy(option + 4, text, COOKIE_SMALLEST)
    memcpy(option + 4 + COOKIE_SMALLEST, &sent, 8)
    return proven


cdef inline size_t _put_address(const Source* source, uint8_t* to) noexcept nogil:
    """The address in network order; how many octets."""
    cdef int at
    if source.family == 4:
        for at in range(4):
            to[at] = <uint8_t>(source.low >> (24 - 8 * at))
        return 4
    for at in range(8):
        to[at] = <uint8_t>(source.high >> (56 - 8 * at))
        to[8 + at] = <uint8_t>(source.low >> (56 - 8 * at))
    return 16


cdef inline uint32_t _big(const uint8_t* at) noexcept nogil:
    return <uint32_t>at[0] << 24 | <uint32_t>at[1] << 16 | <uint32_t>at[2] << 8 | at[3]


# -- SipHash-2-4 (Aumasson, Bernstein 2012) -------------------------------------------------------


cdef struct _Sip:
    uint64_t a
    uint64_t b
    uint64_t c
    uint64_t d


cdef inline uint64_t siphash(
    const Secrets* secrets, size_t which, const uint8_t* text, size_t size, int* fault
) noexcept nogil:
    """The hash of some octets with the secret whose halves begin at `which`."""
    cdef uint64_t first = long_(&secrets.halves, which, fault)
    cdef uint64_t second = long_(&secrets.halves, which + 1, fault)
    cdef _Sip state
    cdef uint64_t octets
    cdef size_t left = size
    state.a = first ^ 0x736F6D6570736575ULL
    state.b = second ^ 0x646F72616E646F6DULL
    state.c = first ^ 0x6C7967656E657261ULL
    state.d = second ^ 0x7465646279746573ULL
    while left >= 8:
        memcpy(&octets, text, 8)
        _absorb(&state, octets)
        text += 8
        left -= 8
    octets = 0
    memcpy(&octets, text, left)
    _absorb(&state, octets | <uint64_t>size << 56)
    state.c ^= 0xFF
    _round(&state)
    _round(&state)
    _round(&state)
    _round(&state)
    return state.a ^ state.b ^ state.c ^ state.d


cdef inline void _absorb(_Sip* state, uint64_t octets) noexcept nogil:
    state.d ^= octets
    _round(state)
    _round(state)
    state.a ^= octets


cdef inline uint64_t _turn(uint64_t value, int bits) noexcept nogil:
    return value << bits | value >> (64 - bits)


cdef inline void _round(_Sip* state) noexcept nogil:
    state.a += state.b
    state.b = _turn(state.b, 13) ^ state.a
    state.a = _turn(state.a, 32)
    state.c += state.d
    state.d = _turn(state.d, 16) ^ state.c
    state.a += state.d
    state.d = _turn(state.d, 21) ^ state.a
    state.c += state.b
    state.b = _turn(state.b, 17) ^ state.c
    state.c = _turn(state.c, 32)
