/* Sends every datagram back, the QR bit set: what the socket API costs when nothing is decided.
 *
 *     echo PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { BATCH = 64, SIZE = 1500, BUFFER = 4 << 20 };

static unsigned char octets[BATCH][SIZE];
static struct sockaddr_in peers[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

int main(int count, char **arguments) {
    if (count != 2)
        return 2;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int sock = socket(AF_INET, SOCK_DGRAM, 0), buffer = BUFFER;
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (bind(sock, (struct sockaddr *)&here, sizeof here)) {
        perror("bind");
        return 1;
    }
    for (int i = 0; i < BATCH; i++) {
        parts[i].iov_base = octets[i];
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &peers[i];
    }
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            parts[i].iov_len = SIZE;
            messages[i].msg_hdr.msg_namelen = sizeof peers[i];
        }
        int got = recvmmsg(sock, messages, BATCH, MSG_WAITFORONE, NULL);
        if (got < 0 && errno != EINTR)
            return 1;
        for (int i = 0; i < got; i++) {
            parts[i].iov_len = messages[i].msg_len;
            octets[i][2] |= 0x80;
        }
        for (int sent = 0; sent < got;) {
            int now = sendmmsg(sock, messages + sent, got - sent, 0);
            sent += now > 0 ? now : 1; /* one that cannot be sent is left out */
        }
    }
}
