"""What a native UDP worker stands on: the system's calls, the memory of a batch, and what it shares."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from georouter.answers._ahead cimport Ahead
from georouter.answers._image cimport Image
from georouter.answers._tables cimport Desk


cdef extern from "<poll.h>" nogil:
    struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd *descriptors, unsigned long count, int timeout)
    const short POLLIN


cdef extern from "<sys/socket.h>" nogil:
    struct iovec:
        void *iov_base
        size_t iov_len
    struct msghdr:
        void *msg_name
        uint32_t msg_namelen
        iovec *msg_iov
        size_t msg_iovlen
        void *msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    struct sockaddr_storage:
        pass
    int recvmmsg(int fd, mmsghdr *messages, unsigned int count, int flags, void *timeout)
    int sendmmsg(int fd, mmsghdr *messages, unsigned int count, int flags)
    ssize_t sendmsg(int fd, const msghdr *message, int flags)
    const int MSG_DONTWAIT


cdef extern from "<unistd.h>" nogil:
    int usleep(unsigned int microseconds)


cdef extern from "_loop.h" nogil:
    uint64_t look(const uint64_t *at)
    void add(uint64_t *at, uint64_t value)
    void put(uint64_t *at, uint64_t value)
    uint64_t acquire(const uint64_t *at)
    void release(uint64_t *at, uint64_t value)
    uint64_t ordered(const uint64_t *at)
    void order(uint64_t *at, uint64_t value)
    void *published_in(void **at)
    void publish_in(void **at, void *value)
    double seconds(int clock)
    unsigned int source_in(const sockaddr_storage *name, int *family, uint64_t *high, uint64_t *low)
    size_t turn_round(uint8_t *control, size_t size)
    void touch(void *memory, size_t size)
    int eventfd_write(int fd, uint64_t value)
    int eventfd_read(int fd, uint64_t *value)
    const int CLOCK_REALTIME
    const int CLOCK_MONOTONIC


cdef enum:
    BATCH = 64
    DATAGRAM = 4096
    STRIDE = 4096 + 64  # so that neighbours do not share the places of a cache
    CONTROL = 64
    SAMPLE_EVERY = 16
    FEW = 4  # queries are answered as they come; for more it pays to look ahead
    BUSY = 4  # while so many are answered, more arrive: looking again beats asking whether to
    LOOK_ROUND = 8  # rounds count by twos
    BUCKETS = 15
    RESTING_US = 50_000  # a fault that stays must not take the processor
    MOST_SOCKETS = 1024


cdef struct Room:
    # One batch. Headers of answers point at senders and control data of queries.
    mmsghdr received[BATCH]
    mmsghdr sent[BATCH]
    iovec query_at[BATCH]
    iovec reply_at[BATCH]
    sockaddr_storage sender[BATCH]
    uint8_t control[BATCH][CONTROL]
    uint8_t query[BATCH][STRIDE]
    uint8_t reply[BATCH][STRIDE]
    Ahead ahead[BATCH]


cdef struct Punted:
    # A query that waits for Python, and all that is needed to send its answer.
    int socket
    int family
    uint64_t high
    uint64_t low
    uint32_t name_size
    uint32_t control_size
    uint32_t size
    sockaddr_storage sender
    uint8_t control[CONTROL]
    uint8_t query[DATAGRAM]


cdef struct Ring:
    Punted *places
    uint64_t capacity
    uint64_t limit
    int ready               # an event descriptor
    uint64_t head           # written by the reader
    uint8_t apart[64]
    uint64_t tail           # written by the worker
    uint64_t overflowed


cdef struct Line:
    # What the control thread writes,
    void *published
    uint64_t stopping
    double until
    uint8_t apart[64]
    # and what the worker writes.
    uint64_t round
    uint64_t turns
    uint64_t unsent
    uint64_t faults
    uint64_t fault
    uint64_t sampled[BUCKETS]
    uint64_t sampled_ns
    double bounds[BUCKETS]
    int sockets
    Room *room
    pollfd *polled          # one per socket, then the waker
    Ring ring


cdef struct Served:
    const Image *image
    Desk desk
