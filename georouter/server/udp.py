"""A UDP worker: a thread that waits for datagrams and answers them from the published snapshot.

    wait ─► look at `published` ─► per ready socket: receive a batch, answer, send ─► wait

Publication is one attribute store by the control thread; the worker looks once per round. Under load,
the answers of one batch come from one snapshot. On the pure Python path one worker is right: more
would only hand the interpreter lock to each other. A thread that comes back from a system call waits
for that lock up to `sys.getswitchinterval()` (5 ms by default) while another thread computes; the
daemon sets a shorter one, 0.5 ms, which bounds what a compile adds to the wait of a query.
"""

import contextlib
import logging
import select
import socket
import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from georouter.server.channel import BATCH, Channel, Respond
from georouter.telemetry.source import DURATION_BOUNDS_S

log = logging.getLogger(__name__)

SAMPLE_EVERY = 16
"""One batch in so many is timed."""
COMPLAIN_EVERY_S = 10.0
"""At most one log record in this time, however much fails."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What a worker answers with: a responder of its own, and the counters that one adds to."""

    respond: Respond
    counters: list[int]


class Worker:
    """Answers on its channels until `stop`."""

    def __init__(self, name: str, channels: Sequence[Channel]) -> None:
        self.published: Publication | None = None
        """Set by the control thread, then `wake`."""
        self.using: Publication | None = None
        """What the worker answers from; set by the worker."""
        self.sampled = [0] * (len(DURATION_BOUNDS_S) + 1)
        """Queries of timed batches by how long receive to send took; `DURATION_BOUNDS_S`."""
        self.sampled_sum_s = 0.0
        self._channels = {channel.fileno(): channel for channel in channels}
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._drain_until: float | None = None
        self._complain_at = 0.0
        self._complained = 0
        self._turns = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to answer. Something must be published."""
        self._thread.start()

    def wake(self) -> None:
        """Have the worker look at `published` even when no query comes."""
        with contextlib.suppress(BlockingIOError):  # it has not read the last ones yet
            self._waker.send(b"!")

    def stop(self, grace_s: float) -> None:
        """Ask for the end: what waits in the sockets is answered first, for so long at most."""
        self._drain_until = time.monotonic() + grace_s
        self.wake()

    def join(self) -> None:
        """Wait for the end after `stop`; a worker that was never started has ended."""
        if self._thread.ident is not None:
            self._thread.join()
        self._waker.close()
        self._woken.close()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

    @property
    def ended(self) -> bool:
        """Whether it has ended without being asked to."""
        return self._drain_until is None and self._thread.ident is not None and not self.alive

    @property
    def failed(self) -> int:
        """Queries answered with SERVFAIL because answering raised."""
        return sum(channel.failed for channel in self._channels.values())

    def _run(self) -> None:
        poll = select.poll()
        for descriptor in (*self._channels, self._woken.fileno()):
            poll.register(descriptor, select.POLLIN)
        while self._drain_until is None:
            try:
                self._round([descriptor for descriptor, _ in poll.poll()])
            except Exception as error:  # noqa: BLE001 - the worker outlives whatever happens
                self._complain("a round of a UDP worker failed", error)
                time.sleep(0.05)  # a fault that stays must not take the processor
        self._drain(self._drain_until)

    def _round(self, ready: list[int]) -> None:
        using = self._renew()
        now = time.time()
        for descriptor in ready:
            channel = self._channels.get(descriptor)
            if channel is None:
                self._hush()
            else:
                self._turn(channel, using.respond, now)

    def _turn(self, channel: Channel, respond: Respond, now: float) -> None:
        self._turns += 1
        if self._turns % SAMPLE_EVERY:
            channel.turn(respond, now)
        else:
            began = time.perf_counter()
            count = channel.turn(respond, now)
            self._sample(count, time.perf_counter() - began)
        if channel.failure is not None:
            error, channel.failure = channel.failure, None
            self._complain("answering a query failed; the client got SERVFAIL", error)

    def _renew(self) -> Publication:
        using = self.using = self.published
        assert using is not None  # noqa: S101 - the server publishes before it starts workers
        return using

    def _hush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(BATCH):
                pass

    def _sample(self, count: int, took_s: float) -> None:
        self.sampled[bisect_left(DURATION_BOUNDS_S, took_s)] += count
        self.sampled_sum_s += count * took_s

    def _drain(self, until: float) -> None:
        using = self._renew()
        for channel in self._channels.values():
            try:
                while channel.turn(using.respond, time.time()) and time.monotonic() < until:
                    pass
            except Exception as error:  # noqa: BLE001 - the other channels are drained all the same
                self._complain("draining a socket failed", error)

    def _complain(self, what: str, error: BaseException) -> None:
        """One log record, unless there was one lately."""
        self._complained += 1
        now = time.monotonic()
        if now < self._complain_at:
            return
        self._complain_at = now + COMPLAIN_EVERY_S
        log.error("%s (%d so far)", what, self._complained, exc_info=error)
