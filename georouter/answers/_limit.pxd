"""Twin of `ratelimit`: the same verdicts from the same table, which both may use at once."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from georouter.answers._cookies cimport Source
from georouter.answers._flat cimport Longs, long_

cdef extern from *:
    """
    #define georouter_fetch(at) __builtin_prefetch((at), 1)
    """
    void fetch "georouter_fetch" (void* at) noexcept nogil

cdef enum:
    VERDICT_ANSWER = 0
    VERDICT_SLIP = 1
    VERDICT_DROP = 2
    TOLD_ANSWERS = 0
    TOLD_MISSING = 1
    TOLD_ERRORS = 2

cdef enum:
    MODULUS_BITS = 61


cdef struct Limiter:
    bint given
    int64_t* tags
    double* due
    uint8_t* slips
    size_t mask
    uint64_t secret
    double cost_s
    double burst_s
    double longest_s
    int slip
    int shift4
    int shift6
    Longs exempt4
    Longs exempt6_high
    Longs exempt6_low
    # `secret` is the hash of the secret, as Python has it. The exempt networks' bounds are in order; those
    # of IPv6 are cut in two halves.


cdef inline int64_t foresee(const Limiter* limiter, const Source* source, uint64_t what) noexcept nogil:
    """The key for `judge`. The bucket is sent for: it is hardly ever near, and until it is needed there is
    time to do other things.
    """
    cdef int64_t key = key_of(limiter, source, what)
    cdef size_t at = <uint64_t>key & limiter.mask
    fetch(&limiter.tags[at])
    fetch(&limiter.due[at])
    fetch(&limiter.slips[at])
    return key


cdef inline int judge(
    const Limiter* limiter, const Source* source, int64_t key, double now, int* fault
) noexcept nogil:
    """As `RateLimiter.judge`, with the key of the bucket."""
    if _is_exempt(limiter, source, fault):
        return VERDICT_ANSWER
    cdef size_t at = <uint64_t>key & limiter.mask
    cdef double full
    if limiter.tags[at] != key:
        limiter.tags[at] = key
        limiter.due[at] = now + limiter.cost_s
        limiter.slips[at] = 0
        return VERDICT_ANSWER
    full = limiter.due[at]
    if not (now <= full and full <= now + limiter.longest_s):
        full = now
    full += limiter.cost_s
    if full <= now + limiter.burst_s:
        limiter.due[at] = full
        return VERDICT_ANSWER
    limiter.due[at] = full if full < now + limiter.longest_s else now + limiter.longest_s
    cdef int turn
    if limiter.slip:
        turn = (limiter.slips[at] + 1) % limiter.slip
        limiter.slips[at] = <uint8_t>turn
        if turn == 0:
            return VERDICT_SLIP
    return VERDICT_DROP


cdef inline bint _is_exempt(const Limiter* limiter, const Source* source, int* fault) noexcept nogil:
    """Whether an odd number of bounds is not above the address: see `networks`."""
    cdef size_t low = 0
    cdef size_t high
    cdef size_t middle
    cdef uint64_t bound
    cdef bint below
    high = limiter.exempt4.count if source.family == 4 else limiter.exempt6_high.count
    while low < high:
        middle = (low + high) >> 1
        if source.family == 4:
            below = long_(&limiter.exempt4, middle, fault) <= source.low
        else:
            bound = long_(&limiter.exempt6_high, middle, fault)
            if bound == source.high:
                below = long_(&limiter.exempt6_low, middle, fault) <= source.low
            else:
                below = bound < source.high
        if below:
            low = middle + 1
        else:
            high = middle
    return low & 1


# -- Python's hash of a tuple of three numbers ----------------------------------------------------
#
# The table is shared with `RateLimiter`, whose key is `hash((secret, network, what))`: numbers by their
# remainder for 2**61 - 1 (sys.hash_info.modulus), tuples by xxHash's rounds. `tests` compare.


cdef inline int64_t key_of(const Limiter* limiter, const Source* source, uint64_t what) noexcept nogil:
    """Which bucket it is."""
    cdef uint64_t value = 2870177450012600261ULL
    value = _lane(value, limiter.secret)
    value = _lane(value, _hash_network(limiter, source))
    value = _lane(value, what)
    value += 3 ^ (2870177450012600261ULL ^ 3527539ULL)
    if value == ~(<uint64_t>0):
        return 1546275796
    return <int64_t>value


cdef inline uint64_t _lane(uint64_t value, uint64_t hashed) noexcept nogil:
    value += hashed * 14029467366897019727ULL
    value = value << 31 | value >> 33
    return value * 11400714785074694791ULL


cdef inline uint64_t _hash_network(const Limiter* limiter, const Source* source) noexcept nogil:
    """Of the client network's number, which is negative for IPv6."""
    cdef uint64_t modulus = (1ULL << MODULUS_BITS) - 1
    cdef uint64_t high = 0
    cdef uint64_t low = 0
    cdef int shift
    if source.family == 4:
        return source.low >> limiter.shift4
    shift = limiter.shift6
    if shift == 0:
        high, low = source.high, source.low
    elif shift < 64:
        high, low = source.high >> shift, source.low >> shift | source.high << (64 - shift)
    elif shift < 128:
        low = source.high >> (shift - 64)
    low = (low & modulus) + (low >> MODULUS_BITS)
    high = (high & modulus) + (high >> MODULUS_BITS)  # and 2**64 is 8
    high = high % modulus << 3
    high = (high & modulus) + (high >> MODULUS_BITS)
    low = (low % modulus + high + 1) % modulus  # ~n is -(n + 1)
    return ~(<uint64_t>1) if low == 1 else -low
