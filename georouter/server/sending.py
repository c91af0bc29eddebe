"""Zone transfers under way: how many there may be, whose turn it is, and what became of them.

Rule 1. One message at a time, and after each a rest as long as it took to make: however many transfers
run, half of the loop's time is left to everybody else.
Rule 2. A transfer goes on only as fast as its client reads; who reads nothing is cut like any idle client.
Rule 3. At the limit the client is told SERVFAIL, which makes secondaries try again a little later.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from georouter.answers.outgoing import Outgoing
from georouter.telemetry.source import Sent
from georouter.wire.codes import RCODE_SERVFAIL

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """How many transfers at a time, altogether and per client (IPv4 address or IPv6 /64)."""

    transfers: int = 10
    transfers_per_client: int = 2


class Receiver(Protocol):
    """A connection that a transfer goes to."""

    client: tuple[int, int]

    def wants_more(self) -> bool:
        """Whether the client has read what it got."""
        ...

    def send(self, message: bytes) -> None:
        """One message of the transfer."""
        ...

    def done(self) -> None:
        """That was the last one."""
        ...

    def abandon(self) -> None:
        """There will be no more, and it is not whole."""
        ...


@dataclass(slots=True)
class _Task:
    """One transfer."""

    outgoing: Outgoing
    began: float
    messages: int = 0
    octets: int = 0
    waiting: bool = False
    """It is in the line."""


class Sender:
    """All transfers of a server, on its event loop. `told` hears of each that ended."""

    def __init__(
        self, limits: TransferLimits | None = None, told: Callable[[Sent], None] = lambda _: None
    ) -> None:
        self.limits = limits or TransferLimits()
        self._told = told
        self._tasks: dict[Receiver, _Task] = {}
        self._clients: Counter[tuple[int, int]] = Counter()
        self._line: deque[Receiver] = deque()
        self._turn: asyncio.TimerHandle | None = None
        self._free_at = 0.0
        """When the rest after the last message ends, on the loop's clock."""

    @property
    def active(self) -> int:
        """Transfers under way."""
        return len(self._tasks)

    def has_room(self, client: tuple[int, int]) -> bool:
        """Whether one more may begin for this client."""
        limits = self.limits
        return len(self._tasks) < limits.transfers and self._clients[client] < limits.transfers_per_client

    def begin(self, receiver: Receiver, outgoing: Outgoing) -> None:
        """Send a transfer to `receiver`, which has no other one."""
        self._tasks[receiver] = _Task(outgoing, time.monotonic())
        self._clients[receiver.client] += 1
        self.go_on(receiver)

    def refuse(self, client: tuple[int, int], outgoing: Outgoing) -> bytes:
        """Turn a transfer away for want of room."""
        self._tell(client, _Task(outgoing, time.monotonic()), "busy")
        return outgoing.refuse(RCODE_SERVFAIL, time.time())

    def go_on(self, receiver: Receiver) -> None:
        """The client has read: its transfer gets back in line."""
        task = self._tasks.get(receiver)
        if task is None or task.waiting:
            return
        task.waiting = True
        self._line.append(receiver)
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_at(self._free_at, self._next)

    def drop(self, receiver: Receiver) -> None:
        """The connection has ended; so has its transfer, if there was one."""
        if receiver in self._tasks:
            self._end(receiver, "cut")

    def _next(self) -> None:
        """One message for the first in line."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        receiver = self._line.popleft()
        task = self._tasks.get(receiver)
        if task is not None:
            task.waiting = False
            self._send(receiver, task)
        ended = loop.time()
        self._free_at = ended + (ended - began)
        self._turn = loop.call_at(self._free_at, self._next) if self._line else None

    def _send(self, receiver: Receiver, task: _Task) -> None:
        """The next message of a transfer."""
        try:
            message = task.outgoing.next(time.time())
        except Exception:  # the others go on
            log.exception("a transfer of %s failed", task.outgoing.zone)
            self._end(receiver, "failed")
            receiver.abandon()
            return
        if message is None:
            self._end(receiver, "sent")
            receiver.done()
            return
        task.messages += 1
        task.octets += len(message)
        receiver.send(message)
        if receiver in self._tasks and receiver.wants_more():
            task.waiting = True
            self._line.append(receiver)

    def _end(self, receiver: Receiver, result: str) -> None:
        task = self._tasks.pop(receiver)
        self._clients[receiver.client] -= 1
        if not self._clients[receiver.client]:
            del self._clients[receiver.client]
        self._tell(receiver.client, task, result)

    def _tell(self, client: tuple[int, int], task: _Task, result: str) -> None:
        outgoing = task.outgoing
        self._told(
            Sent(
                zone=outgoing.zone,
                kind=outgoing.kind,
                serial=outgoing.serial,
                client=client,
                key=outgoing.key,
                result=result,
                messages=task.messages,
                octets=task.octets,
                seconds=time.monotonic() - task.began,
            )
        )
