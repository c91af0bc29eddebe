"""The native packet path: threads of `_loop`, and one worker in Python for what they leave to it.

    sockets ─► Loop, one thread each ─► answers
                  └─ ring ─► Punts ─► one Python worker ─► answers

A thread holds the interpreter's lock never. What it answers from is built once for all threads; each has
counters of its own.
"""

import errno
import logging
import os
import threading
import time
from collections.abc import MutableSequence, Sequence
from socket import socket

from georouter.answers.conduct import Conduct
from georouter.answers.limits import Limits
from georouter.answers.native import Tables, use_huge_pages
from georouter.answers.tables import Snapshot
from georouter.server import _loop
from georouter.server.books import Books, words
from georouter.server.channel import Take
from georouter.server.path import NATIVE, Ports, Punted, huge_pages
from georouter.server.python_path import Scribe, sum_durations
from georouter.telemetry.source import Durations

log = logging.getLogger(__name__)

PLACES = 512
"""Of all rings together (2 MB): the most that may be set as the number of queries that wait for Python."""
STILL_S = 5.0
"""A worker that is at work on one batch for so long is stuck."""


class _Native:
    """One thread, its books, and what was last seen of it."""

    def __init__(self, number: int, sockets: Sequence[socket], places: int, waiting: int) -> None:
        self.name = f"udp-{number}"
        self.loop = _loop.Loop(sockets, places=places, limit=waiting)
        self.books = Books(words)
        self.punts = _loop.Punts(self.loop)
        self.thread = threading.Thread(target=self.loop.run, name=self.name, daemon=True)
        self.stopping = False
        self._faults = 0
        self._seen = (0, 0.0)

    def publish(self, tables: Tables, snapshot: Snapshot) -> None:
        self.loop.publish(_loop.Publication(tables, self.books.open(snapshot.directory.layout)))

    def settle(self) -> Books[MutableSequence[int]]:
        self.loop.settle()
        self.books.settle(self.loop.counters)
        faults, last = self.loop.faults
        if faults != self._faults:
            log.error("receiving failed (%d so far): %s", faults, errno.errorcode.get(last, last))
            self._faults = faults
        return self.books

    def dead(self, now: float) -> bool:
        if self.thread.ident is None or self.stopping:
            return False
        seen = self.loop.round
        if seen % 2 == 0 or seen != self._seen[0]:
            self._seen = (seen, now)
        return not self.thread.is_alive() or now - self._seen[1] > STILL_S


class NativePath:
    """See `PacketPath`."""

    name = NATIVE
    responders = 1

    def __init__(self, workers: int, waiting: int) -> None:
        """`workers` 0 means one for each core that we may use. At most `waiting` queries wait for Python."""
        use_huge_pages(huge_pages())
        self.workers = workers or len(os.sched_getaffinity(0))
        self._waiting = waiting
        self._natives: list[_Native] = []
        self._scribe: Scribe | None = None
        self._tables: Tables | None = None

    def open(self, ports: Ports, take: Take | None) -> None:
        """One thread for each core, and one for Python."""
        for number, own in enumerate(ports):
            sockets = [sock for sock, _ in own]
            self._natives.append(_Native(number, sockets, self._share(PLACES), self._share(self._waiting)))
        punts = [each.punts for each in self._natives]
        for channel in punts:
            channel.take = take
        self._scribe = Scribe("udp-python", punts)

    def publish(self, snapshot: Snapshot, limits: Limits, conducts: Sequence[Conduct]) -> None:
        """The same tables for all threads; Python has its own."""
        if self._scribe is None:
            return
        self._scribe.publish(snapshot, limits, conducts[0])
        self._tables = Tables(snapshot, limits, conducts[0], self._tables)
        for each in self._natives:
            each.publish(self._tables, snapshot)

    def start(self) -> None:
        """Begin to answer."""
        for each in self._natives:
            each.thread.start()
        if self._scribe is not None:
            self._scribe.worker.start()

    def stop(self, grace_s: float) -> None:
        """The threads first; what they leave to Python meanwhile is answered after that."""
        self._grace_until = time.monotonic() + grace_s
        for each in self._natives:
            each.stopping = True
            each.loop.stop(grace_s)

    def join(self) -> None:
        """Wait for the threads, then for Python."""
        for each in self._natives:
            if each.thread.ident is not None:
                each.thread.join()
        if self._scribe is not None:
            self._scribe.worker.stop(max(0.0, self._grace_until - time.monotonic()))
            self._scribe.worker.join()

    def adopt(self, waiting: int) -> None:
        """From the next query on."""
        self._waiting = waiting
        for each in self._natives:
            each.loop.set_limit(self._share(waiting))

    def settle(self) -> Sequence[Books[MutableSequence[int]]]:
        """Of all threads, and of Python."""
        books: list[Books[MutableSequence[int]]] = [each.settle() for each in self._natives]
        return books if self._scribe is None else [*books, self._scribe.settle()]

    def dead(self) -> Sequence[str]:
        """Threads that ended or stand still, and Python's worker if it ended."""
        now = time.monotonic()
        names = [each.name for each in self._natives if each.dead(now)]
        return [*names, self._scribe.name] if self._scribe and self._scribe.worker.ended else names

    def living(self) -> int:
        """Threads that run; Python's is not counted."""
        return sum(each.thread.is_alive() for each in self._natives)

    def failed(self) -> int:
        """Only Python raises; what a thread would have read out of bounds counts as well."""
        own = sum(each.loop.misreads for each in self._natives)
        return own + (self._scribe.worker.failed if self._scribe else 0)

    def unsent(self) -> int:
        """Of the threads and of Python."""
        return sum(each.loop.unsent + each.punts.unsent for each in self._natives)

    def rate_limited(self) -> tuple[int, int]:
        """By the threads."""
        counted = [each.loop.rate_limited for each in self._natives]
        return sum(slipped for slipped, _ in counted), sum(dropped for _, dropped in counted)

    def punted(self) -> Punted:
        """Of all threads."""
        loops = [each.loop for each in self._natives]
        return Punted(sum(loop.punted for loop in loops), sum(loop.overflowed for loop in loops))

    def durations(self) -> Durations:
        """Of the threads and of Python."""
        found = sum_durations([self._scribe.worker] if self._scribe else [])
        counts, total_s = list(found.counts), found.sum_s
        for each in self._natives:
            counts = [have + more for have, more in zip(counts, each.loop.sampled, strict=True)]
            total_s += each.loop.sampled_sum_s
        return Durations(tuple(counts), total_s)

    def _share(self, whole: int) -> int:
        return max(1, min(whole, PLACES) // self.workers)
