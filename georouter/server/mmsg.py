"""Receiving and sending in batches: recvmmsg and sendmmsg through ctypes.

All memory is laid out once. The kernel writes queries, senders and destinations into fixed places, and
answers are sent from fixed places that share senders and destinations:

    slot n:  query room  <── header n (receive) ──> sender, destination <── header n (send) ──> answer room

Both calls let go of the interpreter lock, so that one batch takes it twice.
"""

import ctypes
import errno
import mmap
import socket
import struct
import sys
from collections.abc import Callable

from georouter.answers.layout import Proto
from georouter.answers.limits import MAX_PAYLOAD
from georouter.answers.respond import fail
from georouter.server.bind import IP_PKTINFO, IPV6_PKTINFO
from georouter.server.channel import BATCH, DATAGRAM, Channel, PlainChannel, Respond, Take, send_later
from georouter.server.given import takes_both

_VECTOR = struct.Struct("@PN")
"""struct iovec: base, length."""
_HEADER = struct.Struct("@PIPNPNi0PI0P")
"""struct mmsghdr: a msghdr (name and its size, vectors and how many, control and its size, flags) and
the octets received or sent; `0P` is the padding the C compiler puts there."""
_RECEIVED = struct.calcsize("@PIPNPNi0P")
_CONTROL_SIZE = struct.calcsize("@PIPNP")

# Sizes of sockaddr_in and sockaddr_in6, and where port and address stand in them.
_SENDER_4 = struct.Struct(">2xHI8x")
_SENDER_6 = struct.Struct(">2xH4xQQ4x")

# Room for one control message with in_pktinfo or in6_pktinfo, and where the interface index stands.
_CONTROL_4, _INTERFACE_4 = 32, 16
_CONTROL_6, _INTERFACE_6 = 40, 32
_DESTINATION_6 = 16
_DATA = 16
"""Where the data of a control message begins."""

_Call = Callable[..., int]


def open_channel(sock: socket.socket, *, wildcard: bool) -> Channel:
    """The fastest channel that works here. `wildcard` sockets must have asked for packet info."""
    calls = _calls()
    if calls is None or takes_both(sock):  # one layout of addresses per socket
        return PlainChannel(sock, wildcard=wildcard)
    channel = MmsgChannel(sock, calls, wildcard=wildcard)
    if not channel.works():
        return PlainChannel(sock, wildcard=wildcard)
    return channel


def _calls() -> tuple[_Call, _Call] | None:
    """The batch calls of the C library; None where it lacks them or lays headers out otherwise."""
    if sys.platform != "linux" or struct.calcsize("@P") != 8:
        return None
    library = ctypes.CDLL(None, use_errno=True)
    try:
        receive, send = library.recvmmsg, library.sendmmsg
    except AttributeError:
        return None
    receive.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
    send.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
    return receive, send


class MmsgChannel:
    """Receives and sends up to `BATCH` datagrams per call."""

    def __init__(self, sock: socket.socket, calls: tuple[_Call, _Call], *, wildcard: bool) -> None:
        self._sock = sock
        self._fd = sock.fileno()
        self._receive, self._send = calls
        self.failed = 0
        self.failure: BaseException | None = None
        self.unsent = 0
        self.take: Take | None = None
        ipv6 = sock.family == socket.AF_INET6
        self._family = 6 if ipv6 else 4
        self._sender = _SENDER_6 if ipv6 else _SENDER_4
        self._control_size = (_CONTROL_6 if ipv6 else _CONTROL_4) if wildcard else 0
        self._queries = mmap.mmap(-1, BATCH * DATAGRAM)
        self._replies = mmap.mmap(-1, BATCH * MAX_PAYLOAD)
        self._senders = bytearray(BATCH * self._sender.size)
        self._controls = bytearray(BATCH * self._control_size + 1)
        vectors = bytearray(2 * BATCH * _VECTOR.size)
        headers = bytearray(2 * BATCH * _HEADER.size)
        self._held = [
            ctypes.c_char.from_buffer(memory)
            for memory in (self._queries, self._replies, self._senders, self._controls, vectors, headers)
        ]
        queries, replies, senders, controls, vector_at, header_at = map(ctypes.addressof, self._held)
        for slot in range(BATCH):
            _VECTOR.pack_into(vectors, slot * _VECTOR.size, queries + slot * DATAGRAM, DATAGRAM)
            _VECTOR.pack_into(vectors, (BATCH + slot) * _VECTOR.size, replies + slot * MAX_PAYLOAD, 0)
            for half in (0, BATCH):
                _HEADER.pack_into(
                    headers,
                    (half + slot) * _HEADER.size,
                    senders + slot * self._sender.size,
                    self._sender.size,
                    vector_at + (half + slot) * _VECTOR.size,
                    1,
                    controls + slot * self._control_size if wildcard else 0,
                    self._control_size,
                    0,
                    0,
                )
        self._receive_at = header_at
        self._send_at = header_at + BATCH * _HEADER.size
        self._header_words = memoryview(headers).cast("I")
        self._header_longs = memoryview(headers).cast("L")
        self._vector_longs = memoryview(vectors).cast("L")
        self._all_senders = memoryview(self._senders)

    def fileno(self) -> int:
        """For polling."""
        return self._sock.fileno()

    def works(self) -> bool:
        """True where the kernel knows the call: an old or confined one may not. Takes no datagram."""
        if self._send(self._fd, self._send_at, 0, 0) >= 0:
            return True
        return ctypes.get_errno() not in {errno.ENOSYS, errno.EPERM, errno.EACCES}

    def turn(self, respond: Respond, now: float) -> int:
        """Answer at most `BATCH` waiting queries without blocking."""
        count = self._receive(self._fd, self._receive_at, BATCH, socket.MSG_DONTWAIT, None)
        if count <= 0:
            return 0
        size = self._sender.size
        senders = self._sender.iter_unpack(self._all_senders[: count * size])
        # Nobody is at port 0: answers to it only ever serve to have us talk (RFC 6335 6).
        if self._family == 4:
            sources = [source if port else -1 for port, source in senders]
        else:
            sources = [high << 64 | low if port else -1 for port, high, low in senders]
        silent = self._answer(sources, count, respond, now)
        if self._control_size:
            self._turn_round(count)
        if silent and self.take is not None:
            for slot in silent:
                if sources[slot] >= 0:
                    self._set_aside(slot, sources[slot], self.take)
        start = 0
        for slot in silent:
            self._flush(start, slot)
            start = slot + 1
        self._flush(start, count)
        return count

    def _answer(self, sources: list[int], count: int, respond: Respond, now: float) -> list[int]:
        """Fill the answer rooms; the slots that get no answer."""
        queries, replies, lengths = self._queries, self._replies, self._vector_longs
        received, family, udp = self._header_words, self._family, Proto.UDP
        silent: list[int] = []
        slot = -1
        while slot + 1 < count:
            # Entered again after a failure, with the slot after it.
            try:
                for slot in range(slot + 1, count):  # noqa: B020 - goes on where it stopped
                    at = slot * DATAGRAM
                    query = queries[at : at + received[slot * _WORDS + _RECEIVED_WORD]]
                    source = sources[slot]
                    reply = respond(query, source, family, udp, now) if source >= 0 else None
                    if reply is None:
                        silent.append(slot)
                        continue
                    at = slot * MAX_PAYLOAD
                    length = len(reply)
                    replies[at : at + length] = reply
                    lengths[2 * (BATCH + slot) + 1] = length
            except Exception as error:  # noqa: BLE001 - a fault in answering one query must not end the worker
                self.failed += 1
                self.failure = error
                at = slot * DATAGRAM
                reply = fail(queries[at : at + received[slot * _WORDS + _RECEIVED_WORD]])
                if reply is None:
                    silent.append(slot)
                else:
                    at = slot * MAX_PAYLOAD
                    replies[at : at + len(reply)] = reply
                    lengths[2 * (BATCH + slot) + 1] = len(reply)
        return silent

    def _set_aside(self, slot: int, source: int, take: Take) -> None:
        """Somebody else may know an answer: all that is needed to send it is taken out of the slot."""
        at = slot * DATAGRAM
        query = self._queries[at : at + self._header_words[slot * _WORDS + _RECEIVED_WORD]]
        sender = bytes(self._all_senders[slot * self._sender.size : (slot + 1) * self._sender.size])
        control = bytes(self._controls[slot * self._control_size : (slot + 1) * self._control_size])
        ancillary: list[tuple[int, int, bytes]] = []
        if self._family == 4:
            address: tuple[object, ...] = (socket.inet_ntoa(sender[4:8]), int.from_bytes(sender[2:4]))
            if control:
                ancillary = [(socket.IPPROTO_IP, IP_PKTINFO, control[_DATA : _DATA + 12])]
        else:
            host = socket.inet_ntop(socket.AF_INET6, sender[8:24])
            interface = int.from_bytes(sender[24:28], sys.byteorder)
            address = (host, int.from_bytes(sender[2:4]), 0, interface)
            if control:
                ancillary = [(socket.IPPROTO_IPV6, IPV6_PKTINFO, control[_DATA : _DATA + 20])]
        take(query, source, self._family, Proto.UDP, send_later(self._sock, ancillary, address))

    def _turn_round(self, count: int) -> None:
        """Make received packet info fit for sending: from that address, by whatever way routing says.

        A link-local source needs its interface (RFC 4007 6).
        """
        controls = self._controls
        for slot in range(count):
            at = slot * self._control_size
            self._header_longs[(slot * _HEADER.size + _CONTROL_SIZE) // 8] = self._control_size
            if self._family == 4:
                controls[at + _INTERFACE_4 : at + _INTERFACE_4 + 4] = bytes(4)
            elif controls[at + _DESTINATION_6] != 0xFE or controls[at + _DESTINATION_6 + 1] & 0xC0 != 0x80:
                controls[at + _INTERFACE_6 : at + _INTERFACE_6 + 4] = bytes(4)

    def _flush(self, start: int, stop: int) -> None:
        """Send the answers of these slots; one the kernel will not take is left out, not the rest."""
        while start < stop:
            sent = self._send(self._fd, self._send_at + start * _HEADER.size, stop - start, 0)
            if sent > 0:
                start += sent
            elif ctypes.get_errno() != errno.EINTR:
                self.unsent += 1
                start += 1


_WORDS = _HEADER.size // 4
_RECEIVED_WORD = _RECEIVED // 4
