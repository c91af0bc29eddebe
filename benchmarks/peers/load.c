/* Asks a server on 127.0.0.1 and tells what became of it, as JSON.
 *
 *     load PORT FILE SECONDS RATE WINDOW SOCKETS PAUSE
 *
 * FILE holds messages, each behind its length in two octets (dnsperf -B). RATE is queries per second, sent
 * whether or not answers come; 0 keeps WINDOW queries under way instead. Latency is from just before the call
 * that sends to the kernel's time stamp of the answer (SO_TIMESTAMPNS of socket(7)), so that it holds even where
 * this program had to wait for a processor; `lag` tells how late it was at sending for that. A query without an
 * answer after a second is lost, and has that second as its latency: who drops what would have to wait is not
 * faster. With nothing to do it looks again at once, or after PAUSE microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { BATCH = 64, SIZE = 4096, IDS = 65536, MOST_SOCKETS = 64, BUFFER = 8 << 20 };
enum { STEPS = 64, BUCKETS = 64 * STEPS }; /* a logarithm and 64 steps in it: 1.6 % apart */
static const uint64_t SECOND = 1000000000, LOST = 1000000000;

struct client {
    int sock;
    uint16_t next, oldest;
    uint64_t sent[IDS]; /* when; 0: answered or not asked */
};

static struct client *clients[MOST_SOCKETS];
static uint64_t latencies[BUCKETS], lags[BUCKETS], rcodes[16];
static uint64_t sent, answered, lost, late, unsent;
static unsigned char *file, **queries;
static uint32_t *lengths, asked, at;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time); /* what the kernel stamps with */
    return time.tv_sec * SECOND + time.tv_nsec;
}

static void tally(uint64_t *histogram, uint64_t value) {
    int exponent = value < STEPS ? 0 : 63 - __builtin_clzll(value) - 5;
    uint64_t step = exponent ? (value >> (exponent - 1)) & (STEPS - 1) : value;
    histogram[exponent * STEPS + step]++;
}

static double quantile(const uint64_t *histogram, double share) {
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        total += histogram[i];
    for (int i = 0; i < BUCKETS; i++) {
        seen += histogram[i];
        if (histogram[i] && seen >= share * total) {
            int exponent = i / STEPS;
            uint64_t step = i % STEPS;
            return (exponent ? (STEPS + step) << (exponent - 1) : step) / 1000.0;
        }
    }
    return 0;
}

static void read_queries(const char *path) {
    FILE *stream = fopen(path, "rb");
    if (!stream || fseek(stream, 0, SEEK_END)) {
        perror(path);
        exit(1);
    }
    long size = ftell(stream), position = 0;
    rewind(stream);
    file = malloc(size);
    queries = malloc(sizeof *queries * (size / 2 + 1));
    lengths = malloc(sizeof *lengths * (size / 2 + 1));
    if (!file || !queries || !lengths || fread(file, 1, size, stream) != (size_t)size)
        exit(1);
    fclose(stream);
    while (position + 2 < size) {
        uint32_t length = file[position] << 8 | file[position + 1];
        if (length < 12 || position + 2 + (long)length > size)
            break;
        queries[asked] = file + position + 2;
        lengths[asked++] = length;
        position += 2 + length;
    }
    if (!asked) {
        fprintf(stderr, "%s holds no queries\n", path);
        exit(1);
    }
}

static void open_clients(int count, int port) {
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < count; i++) {
        int buffer = BUFFER, on = 1;
        clients[i] = calloc(1, sizeof *clients[i]);
        clients[i]->sock = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(clients[i]->sock, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
        setsockopt(clients[i]->sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        if (connect(clients[i]->sock, (struct sockaddr *)&server, sizeof server)) {
            perror("connect");
            exit(1);
        }
    }
}

/* Send up to `count` queries; how many left. */
static int send_some(struct client *client, int count) {
    static struct mmsghdr messages[BATCH];
    static struct iovec parts[BATCH];
    if (count > BATCH)
        count = BATCH;
    uint64_t time = now();
    for (int i = 0; i < count; i++) {
        unsigned char *query = queries[at];
        uint16_t id = client->next + i;
        query[0] = id >> 8;
        query[1] = id;
        parts[i] = (struct iovec){query, lengths[at]};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        at = at + 1 == asked ? 0 : at + 1;
        client->sent[id] = time;
    }
    int left = sendmmsg(client->sock, messages, count, 0);
    if (left < 0)
        left = 0;
    for (int i = left; i < count; i++)
        client->sent[(uint16_t)(client->next + i)] = 0;
    unsent += count - left;
    client->next += left;
    sent += left;
    return left;
}

/* When the kernel took the message, or `otherwise`. */
static uint64_t arrival(struct msghdr *message, uint64_t otherwise) {
    struct timespec stamp;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
            return stamp.tv_sec * SECOND + stamp.tv_nsec;
        }
    return otherwise;
}

/* Take what has arrived; how many answers it was. */
static int receive_some(struct client *client) {
    static unsigned char octets[BATCH][SIZE];
    static _Alignas(struct cmsghdr) char stamps[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    static struct mmsghdr messages[BATCH];
    static struct iovec parts[BATCH];
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){octets[i], SIZE};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        messages[i].msg_hdr.msg_control = stamps[i];
        messages[i].msg_hdr.msg_controllen = sizeof stamps[i];
    }
    int got = recvmmsg(client->sock, messages, BATCH, MSG_DONTWAIT, NULL), fresh = 0;
    if (got <= 0)
        return 0;
    uint64_t time = now();
    for (int i = 0; i < got; i++) {
        uint16_t id = octets[i][0] << 8 | octets[i][1];
        if (messages[i].msg_len < 12)
            continue;
        if (!client->sent[id]) {
            late++;
            continue;
        }
        uint64_t stamp = arrival(&messages[i].msg_hdr, time);
        tally(latencies, stamp > client->sent[id] ? stamp - client->sent[id] : 0);
        rcodes[octets[i][3] & 15]++;
        client->sent[id] = 0;
        fresh++;
    }
    answered += fresh;
    return fresh;
}

/* Give up what was asked before a second ago; how many under way that makes less. */
static int give_up(struct client *client, uint64_t time) {
    int gone = 0;
    while (client->oldest != client->next) {
        uint64_t then = client->sent[client->oldest];
        if (then && time < then + LOST)
            break;
        if (then) {
            client->sent[client->oldest] = 0;
            tally(latencies, LOST);
            lost++;
            gone++;
        }
        client->oldest++;
    }
    return gone;
}

static void write_json(double seconds) {
    printf("{\"sent\": %lu, \"answered\": %lu, \"lost\": %lu, \"late\": %lu, \"unsent\": %lu, \"seconds\": %.6f,\n",
           sent, answered, lost, late, unsent, seconds);
    const struct {
        const char *name;
        const uint64_t *histogram;
    } both[] = {{"latency_us", latencies}, {"lag_us", lags}};
    for (int i = 0; i < 2; i++)
        printf(" \"%s\": {\"p50\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"most\": %.2f},\n", both[i].name,
               quantile(both[i].histogram, 0.5), quantile(both[i].histogram, 0.99),
               quantile(both[i].histogram, 0.999), quantile(both[i].histogram, 1.0));
    printf(" \"rcodes\": [");
    for (int i = 0; i < 16; i++)
        printf(i ? ", %lu" : "%lu", rcodes[i]);
    printf("]}\n");
}

int main(int count, char **arguments) {
    if (count != 8) {
        fprintf(stderr, "usage: load PORT FILE SECONDS RATE WINDOW SOCKETS PAUSE\n");
        return 2;
    }
    double seconds = atof(arguments[3]), rate = atof(arguments[4]);
    struct timespec pause = {.tv_nsec = atol(arguments[7]) * 1000};
    int sockets = atoi(arguments[6]), window = atoi(arguments[5]) / (sockets > 0 ? sockets : 1), turn = 0;
    if (sockets < 1 || sockets > MOST_SOCKETS || (!rate && window < 1) || seconds <= 0)
        return 2;
    int under_way[MOST_SOCKETS] = {0};
    uint64_t planned = 0;
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    read_queries(arguments[2]);
    open_clients(sockets, atoi(arguments[1]));
    uint64_t begin = now(), time = begin, end = begin + (uint64_t)(seconds * SECOND), last = end;
    for (; time < end; time = now()) {
        int done = 0;
        if (rate) {
            uint64_t due = (uint64_t)((time - begin) / 1e9 * rate);
            if (due > planned) {
                int some = due - planned > BATCH ? BATCH : (int)(due - planned);
                tally(lags, time - begin - (uint64_t)(planned / rate * 1e9));
                done += send_some(clients[turn], some);
                planned += some;
                turn = turn + 1 == sockets ? 0 : turn + 1;
            }
        }
        for (int i = 0; i < sockets; i++) {
            int fresh = receive_some(clients[i]);
            under_way[i] -= fresh;
            done += fresh;
            under_way[i] -= give_up(clients[i], time);
            if (!rate && under_way[i] < window)
                under_way[i] += send_some(clients[i], window - under_way[i]);
        }
        if (!done && pause.tv_nsec)
            nanosleep(&pause, NULL);
    }
    for (last = now(); sent > answered + lost && now() < last + LOST;)
        for (int i = 0; i < sockets; i++) {
            receive_some(clients[i]);
            give_up(clients[i], now());
        }
    for (int i = 0; i < sockets; i++)
        give_up(clients[i], now() + LOST); /* those of the last moment, too */
    write_json((last - begin) / 1e9);
    return 0;
}
