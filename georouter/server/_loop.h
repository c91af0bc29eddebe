/* What the native UDP worker needs of C: atomics, clocks, addresses. See _loop.pyx. */
#ifndef GEOROUTER_LOOP_H
#define GEOROUTER_LOOP_H

#include <endian.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#ifndef IPV6_PKTINFO
#define IPV6_PKTINFO 50
#endif

/* One thread writes, others look on: nothing else is ordered by these. */
static inline uint64_t look(const uint64_t *at) { return __atomic_load_n(at, __ATOMIC_RELAXED); }
static inline void add(uint64_t *at, uint64_t value) {
    __atomic_store_n(at, __atomic_load_n(at, __ATOMIC_RELAXED) + value, __ATOMIC_RELAXED);
}
static inline void put(uint64_t *at, uint64_t value) { __atomic_store_n(at, value, __ATOMIC_RELAXED); }

/* A ring's ends: what was written before `release` is seen after `acquire`. */
static inline uint64_t acquire(const uint64_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
static inline void release(uint64_t *at, uint64_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }

/* Publication: in one order for all threads. */
static inline uint64_t ordered(const uint64_t *at) { return __atomic_load_n(at, __ATOMIC_SEQ_CST); }
static inline void order(uint64_t *at, uint64_t value) {
    (void)__atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);
}
static inline void *published_in(void **at) { return __atomic_load_n(at, __ATOMIC_SEQ_CST); }
static inline void publish_in(void **at, void *value) {
    (void)__atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);
}

static inline double seconds(clockid_t which) {
    struct timespec now;
    clock_gettime(which, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Has the pages of a piece of memory now, not when a flood comes. */
static inline void touch(void *memory, size_t size) {
    volatile unsigned char *octets = (volatile unsigned char *)memory;
    for (size_t at = 0; at < size; at += 4096)
        octets[at] = octets[at];
}

/* The port (0 for nobody), family (4 or 6) and address of a sender; IPv4-mapped addresses are IPv4. */
static inline unsigned
source_in(const struct sockaddr_storage *name, int *family, uint64_t *high, uint64_t *low) {
    uint64_t halves[2];
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)name;
    if (name->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)name;
        *family = 4;
        *high = 0;
        *low = ntohl(v4->sin_addr.s_addr);
        return v4->sin_port;
    }
    memcpy(halves, &v6->sin6_addr, 16);
    *family = 6;
    *high = be64toh(halves[0]);
    *low = be64toh(halves[1]);
    if (*high == 0 && *low >> 32 == 0xFFFF) {
        *family = 4;
        *low &= 0xFFFFFFFFu;
    }
    return v6->sin6_port;
}

/* Makes received packet info fit for sending: from that address, by whatever way routing says. A
   link-local source needs its interface (RFC 4007 6). Gives the size of what is to be sent. */
static inline size_t turn_round(unsigned char *control, size_t size) {
    struct cmsghdr *head = (struct cmsghdr *)control;
    unsigned char *data = CMSG_DATA(head);
    if (size < sizeof *head)
        return 0;
    if (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_PKTINFO) {
        memset(data, 0, 4);
        return CMSG_SPACE(sizeof(struct in_pktinfo));
    }
    if (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_PKTINFO) {
        if (data[0] != 0xFE || (data[1] & 0xC0) != 0x80)
            memset(data + 16, 0, 4);
        return CMSG_SPACE(sizeof(struct in6_pktinfo));
    }
    return 0;
}

#endif
