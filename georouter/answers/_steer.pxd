"""Twin of `steer`: a steered name's answer for one client."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from georouter.answers._choice cimport Run, Runs, choose, divide, lasting_key, network_key, pick, stick
from georouter.answers._flat cimport half, word
from georouter.answers._image cimport GROUP_SLOTS, NONE, Answer, Fences, Group, Image, View
from georouter.answers._ranges cimport LOCAL_FLAG, Place, Ranges, locate, place

cdef enum:
    NO_SUBNET = -1
    MAX_FENCE_RANGES = 1024


cdef struct Client:
    uint64_t address
    int family
    int source
    # As the arguments of `Steering.steer`.


cdef struct Steered:
    const Answer* answer
    int width
    int64_t decision
    int64_t census
    # No answer where the resolver's address decides; then only `width` means something.


cdef inline Steered steer(
    const Image* image, const View* view, const Client* client, double now, int32_t tenant, int* fault
) noexcept nogil:
    """As `Steering.steer`."""
    cdef Steered steered
    cdef const Group* group
    cdef Place found
    cdef uint32_t ranking
    steered.answer = NULL
    steered.width = 0
    steered.decision = steered.census = NONE
    if view.group >= image.groups_count or view.slot >= GROUP_SLOTS:
        fault[0] = 1
        return steered
    group = image.groups + view.group
    if tenant < 0:
        tenant = view.tenant
    if tenant >= 0:
        found = rank_tenant(group, tenant, client, fault)
        steered.width = found.width
        if found.value & LOCAL_FLAG:
            return steered
        ranking = found.value
    else:
        found = place(&group.map.v4 if client.family == 4 else &group.map.v6, client.address, fault)
        steered.width = found.width
        ranking = found.value
        if ranking & LOCAL_FLAG:
            if client.source != NO_SUBNET:
                return steered
            ranking ^= LOCAL_FLAG
        if group.fences.given and client.source < found.width:
            ranking = fenced(&group.fences, ranking, client, fault)
        if view.census >= 0:
            steered.census = view.census + half(&group.slots, ranking, fault)
    select(image, view, group, client, ranking, now, tenant >= 0, &steered, fault)
    return steered


cdef inline void select(
    const Image* image,
    const View* view,
    const Group* group,
    const Client* client,
    uint32_t ranking,
    double now,
    bint tenant,
    Steered* steered,
    int* fault,
) noexcept nogil:
    """The alternative of a ranking that this client gets."""
    cdef const Runs* runs = &group.runs[view.slot]
    cdef Run run
    cdef uint32_t alternative
    cdef uint32_t cohort
    cdef int prefix
    cdef uint64_t key = 0
    run.first = word(&runs.first, ranking, fault)
    run.count = word(&runs.count, ranking, fault)
    if (group.sticky or group.cohorts) and (run.count > 1 or not tenant):
        prefix = group.lasting4 if client.family == 4 else group.lasting6
        key = lasting_key(client.address, client.family, prefix)
        if steered.width < prefix:
            steered.width = prefix
        cohort = word(&runs.cohort, run.first, fault) if group.cohorts else 0
        if cohort:
            run = divide(runs, run, cohort, view.salt, key, fault)
    alternative = run.first
    if run.count > 1:
        if group.sticky:
            alternative = stick(runs, &image.logarithms, run, view.salt, key, fault)
        else:
            key = network_key(client.address, client.family)
            alternative = pick(runs, run, choose(view.salt, key, group.ttl_s, now), fault)
    cdef uint32_t body = word(&runs.body, alternative, fault)
    if body >= view.bodies.count:
        fault[0] = 1
        return
    steered.answer = view.bodies.at + body
    steered.decision = view.counter_base + word(&runs.tally, alternative, fault)


cdef inline Place rank_tenant(
    const Group* group, int32_t tenant, const Client* client, int* fault
) noexcept nogil:
    """As `Steering.rank_tenant`; `LOCAL_FLAG` for a client subnet that says nothing."""
    cdef const Fences* fences = &group.fences
    cdef uint32_t ranking = word(&group.rankings, tenant, fault)
    cdef uint32_t fence
    cdef Place found
    if not (fences.given and group.pinned_fenced):
        found.value = ranking
        found.width = 0
        return found
    found = place(
        &group.pinned_fences.v4 if client.family == 4 else &group.pinned_fences.v6, client.address, fault
    )
    fence = found.value
    if fence & LOCAL_FLAG:
        if client.source != NO_SUBNET:
            return found
        fence ^= LOCAL_FLAG
    if client.source == NO_SUBNET:
        if fences.without_ecs >= 0:
            fence = word(&fences.meet, <size_t>fence * fences.count + fences.without_ecs, fault)
    elif client.source < found.width:
        fence = over(fences, client, fault)
    found.value = word(&fences.restrict, <size_t>ranking * fences.count + fence, fault)
    return found


cdef inline uint32_t fenced(
    const Fences* fences, uint32_t ranking, const Client* client, int* fault
) noexcept nogil:
    """As `steer.fenced`."""
    cdef uint32_t fence
    if client.source != NO_SUBNET:
        fence = over(fences, client, fault)
    elif fences.without_ecs < 0:
        return ranking
    else:
        fence = fences.without_ecs
    return word(&fences.restrict, <size_t>ranking * fences.count + fence, fault)


cdef inline uint32_t over(const Fences* fences, const Client* client, int* fault) noexcept nogil:
    """The fence that allows what the fences over all parts of a block allow."""
    cdef const Ranges* table = &fences.map.v4 if client.family == 4 else &fences.map.v6
    cdef int spare = table.bits - client.source
    cdef uint64_t rest = ~(<uint64_t>0) if spare >= 64 else (<uint64_t>1 << spare) - 1
    cdef size_t at = locate(table, client.address, fault)
    cdef size_t last = locate(table, client.address | rest, fault)
    cdef uint32_t fence = word(&table.values, at, fault)
    if at == last:
        return fence
    if last - at >= MAX_FENCE_RANGES:
        return fences.bottom
    while at < last and fence != fences.bottom:
        at += 1
        fence = word(&fences.meet, <size_t>fence * fences.count + word(&table.values, at, fault), fault)
    return fence
