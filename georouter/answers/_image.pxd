"""What native code sees of the published tables: see `tables` for what each of them means.

An `Image` is written once, by `_tables`, and only read afterwards.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from georouter.answers._choice cimport Homes, Runs
from georouter.answers._cookies cimport Secrets
from georouter.answers._flat cimport Halves, Octets, Words
from georouter.answers._limit cimport Limiter
from georouter.answers._names cimport NameTable
from georouter.answers._ranges cimport RangePair
from georouter.answers._tenants cimport Tenants

cdef enum:
    HEAD_SIZE = 10
    HEADS_SIZE = 40
    KINDS = 512
    GROUP_SLOTS = 4
    NODE_SIZE = 64
    CRC_SIZE = 256
    NONE = -1
    PLAIN_REF = 0x40000000
    REDIRECTED_REF = -0x80000000


cdef struct Answer:
    uint8_t heads[HEADS_SIZE]
    Octets body
    Octets option
    uint32_t rcode


cdef struct Answers:
    const Answer* at
    size_t count


# -- directory ------------------------------------------------------------------------------------


cdef struct Node:
    Octets body
    uint64_t name
    uint32_t sole
    int32_t other
    int32_t wildcard
    uint32_t held
    uint32_t zone
    int32_t pin
    uint8_t cut
    uint8_t redirected
    uint8_t apart[14]
    # One line of a cache: NODE_SIZE octets. `body` is that of the node's only record set, `name` where in the
    # table of names its own begins, and its refs by type are `held` up to the next node's.


cdef struct Nodes:
    const Node* at
    size_t count
    # One more than there are nodes.


cdef struct Held:
    uint32_t kind
    int32_t ref


cdef struct HeldTable:
    const Held* at
    size_t count


cdef struct Pin:
    uint32_t tenants
    uint32_t label
    uint32_t parent
    int unknown
    Homes homes
    int32_t known
    int32_t nxdomain
    int32_t nodata
    int64_t counter


cdef struct Directory:
    NameTable names
    Nodes nodes
    HeldTable held
    Octets heads
    Words nxdomain
    Answers answers
    Tenants* tenants
    size_t tenants_count
    Pin* pins
    size_t pins_count
    uint32_t outside
    uint32_t no_zone
    int64_t responses_base
    bint far
    # `heads` has HEADS_SIZE octets for each number of records, and `nxdomain` a ref per zone. `outside` is
    # the ref of names that are not ours. `far`: too many names or tenants to be at hand when they are
    # asked for.


# -- what changes with health ---------------------------------------------------------------------


cdef struct Fences:
    bint given
    uint32_t count
    RangePair map
    Words meet
    Words restrict
    uint32_t bottom
    int32_t without_ecs


cdef struct Group:
    RangePair map
    uint32_t ttl_s
    Fences fences
    Runs runs[GROUP_SLOTS]
    bint sticky
    bint cohorts
    int lasting4
    int lasting6
    Halves slots
    Words rankings
    bint pinned_fenced
    RangePair pinned_fences


cdef struct View:
    uint32_t group
    uint32_t slot
    Answers bodies
    uint64_t salt
    int64_t counter_base
    bint subnets
    int64_t census
    int32_t tenant


# -- all of it ------------------------------------------------------------------------------------


cdef struct Image:
    uint64_t generation
    const Directory* directory
    const Group* groups
    size_t groups_count
    const View* views
    size_t views_count
    uint32_t udp_payload
    Secrets secrets
    Limiter limiter
    Octets nsid
    bint debug
    Words logarithms
    Words crc
    uint8_t slots[KINDS]
    uint32_t types
    uint32_t lanes
    uint32_t rcodes
    uint32_t slot_other
    bint far
    # `types`, `lanes` (of one zone) and `rcodes` are the strides of the counters; `slots` and `slot_other`
    # say which counter a type has. `far`: some table is larger than what a processor keeps at hand, see
    # `_ahead`.
