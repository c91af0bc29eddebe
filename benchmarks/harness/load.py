"""A steady load of UDP queries, and what became of each of them."""

import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from benchmarks.harness.ask import question

TICK_S = 0.001
"""Queries are sent in bursts this far apart."""
LOST_AFTER_S = 2.0
BUFFER_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answered query. `address` is the first A record of the answer, or "" without one.

    `query` is the index of what was asked.
    """

    sent_s: float
    received_s: float
    rcode: int
    address: str
    query: int


def first_address(message: bytes) -> str:
    """The first A record after the question, whose name must be compressed or a plain one."""
    answers = struct.unpack_from("!H", message, 6)[0]
    position = _skip_name(message, 12) + 4
    for _ in range(answers):
        position = _skip_name(message, position)
        kind, _class, _ttl, length = struct.unpack_from("!HHIH", message, position)
        position += 10
        if kind == 1:
            return socket.inet_ntoa(message[position : position + 4])
        position += length
    return ""


def _skip_name(message: bytes, position: int) -> int:
    while message[position]:
        if message[position] >= 0xC0:
            return position + 2
        position += message[position] + 1
    return position + 1


class Load:
    """Sends `queries` in turn at `rate` per second from start to stop; times are monotonic seconds.

    `sock` is a UDP socket to use, of another network for example.
    """

    def __init__(
        self,
        server: tuple[str, int],
        queries: Sequence[tuple[str, str | None]],
        rate: int,
        sock: socket.socket | None = None,
    ) -> None:
        self._wires = [bytearray(question(name, "A", client).to_wire()) for name, client in queries]
        self._rate = rate
        self._socket = sock or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._socket.connect(server)
        self._socket.settimeout(0.2)
        self._sent: list[float] = []
        self._received: dict[int, tuple[float, bytes]] = {}
        self._stop = threading.Event()
        self._drained = threading.Event()
        self._threads = (threading.Thread(target=self._send), threading.Thread(target=self._receive))

    def _send(self) -> None:
        begin = time.monotonic()
        number = 0
        while not self._stop.is_set():
            due = int((time.monotonic() - begin) * self._rate)
            while number < due:
                wire = self._wires[number % len(self._wires)]
                wire[0], wire[1] = (number >> 8) & 0xFF, number & 0xFF
                self._sent.append(time.monotonic())
                try:
                    self._socket.send(wire)
                except ConnectionRefusedError:
                    self._socket.send(wire)
                number += 1
            time.sleep(TICK_S)

    def _receive(self) -> None:
        while not self._drained.is_set():
            try:
                message = self._socket.recv(4096)
            except (TimeoutError, ConnectionRefusedError):
                continue
            now = time.monotonic()
            last = len(self._sent) - 1
            number = last - ((last - (message[0] << 8 | message[1])) & 0xFFFF)
            self._received[number] = (now, message)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._threads[0].join()
        end = time.monotonic() + LOST_AFTER_S
        while len(self._received) < len(self._sent) and time.monotonic() < end:
            time.sleep(TICK_S)
        self._drained.set()
        self._threads[1].join()
        self._socket.close()

    @property
    def sent(self) -> int:
        """How many queries have left."""
        return len(self._sent)

    @property
    def lost(self) -> int:
        """Queries without an answer, once stopped."""
        return len(self._sent) - len(self._received)

    def outcomes(self) -> list[Outcome]:
        """Every answered query in the order of asking, once stopped."""
        return [
            Outcome(
                self._sent[number],
                received,
                message[3] & 0x0F,
                first_address(message),
                number % len(self._wires),
            )
            for number, (received, message) in sorted(self._received.items())
        ]

    def latest(self) -> str:
        """The first address of the newest answer; "" before there is one."""
        try:
            return first_address(self._received[next(reversed(self._received))][1])
        except (StopIteration, KeyError, RuntimeError):
            return ""
