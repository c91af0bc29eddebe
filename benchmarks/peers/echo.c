/* Sends every datagram back, the QR bit set: what the socket API costs when nothing is decided.
 *
 *     echo PORT [WORKERS]
 *
 * Each worker is a thread with a socket of its own; the kernel deals out to them what comes (SO_REUSEPORT).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { BATCH = 64, SIZE = 1500, BUFFER = 4 << 20, MOST = 64 };

struct worker {
    int sock;
    unsigned char octets[BATCH][SIZE];
    struct sockaddr_in peers[BATCH];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
};

static int open_socket(int port) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int sock = socket(AF_INET, SOCK_DGRAM, 0), buffer = BUFFER, on = 1;
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    setsockopt(sock, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(sock, (struct sockaddr *)&here, sizeof here)) {
        perror("bind");
        exit(1);
    }
    return sock;
}

static void *work(void *given) {
    struct worker *me = given;
    for (int i = 0; i < BATCH; i++) {
        me->parts[i].iov_base = me->octets[i];
        me->messages[i].msg_hdr.msg_iov = &me->parts[i];
        me->messages[i].msg_hdr.msg_iovlen = 1;
        me->messages[i].msg_hdr.msg_name = &me->peers[i];
    }
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            me->parts[i].iov_len = SIZE;
            me->messages[i].msg_hdr.msg_namelen = sizeof me->peers[i];
        }
        int got = recvmmsg(me->sock, me->messages, BATCH, MSG_WAITFORONE, NULL);
        if (got < 0 && errno != EINTR)
            exit(1);
        for (int i = 0; i < got; i++) {
            me->parts[i].iov_len = me->messages[i].msg_len;
            me->octets[i][2] |= 0x80;
        }
        for (int sent = 0; sent < got;) {
            int now = sendmmsg(me->sock, me->messages + sent, got - sent, 0);
            sent += now > 0 ? now : 1; /* one that cannot be sent is left out */
        }
    }
    return NULL;
}

int main(int count, char **arguments) {
    int workers = count > 2 ? atoi(arguments[2]) : 1;
    pthread_t threads[MOST];
    if (count < 2 || count > 3 || workers < 1 || workers > MOST)
        return 2;
    for (int i = 0; i < workers; i++) {
        struct worker *worker = calloc(1, sizeof *worker);
        worker->sock = open_socket(atoi(arguments[1]));
        if (pthread_create(&threads[i], NULL, work, worker))
            return 1;
    }
    pthread_join(threads[0], NULL);
    return 0;
}
