"""The packet path in Python: `Worker`s that answer on their channels."""

from collections.abc import Iterable, MutableSequence, Sequence

from georouter.answers.conduct import Conduct
from georouter.answers.limits import Limits
from georouter.answers.respond import Responder
from georouter.answers.tables import Snapshot
from georouter.server.books import Books, numbers
from georouter.server.channel import Channel, Take
from georouter.server.mmsg import open_channel
from georouter.server.path import PYTHON, Ports, Punted
from georouter.server.udp import Publication, Worker
from georouter.telemetry.source import DURATION_BOUNDS_S, Durations

AUTO_WORKERS = 1
"""Threads of pure Python take turns; a second one adds nothing but the handing over."""


class Scribe:
    """A worker in Python with its books and its name."""

    def __init__(self, name: str, channels: Sequence[Channel]) -> None:
        self.name = name
        self.channels = channels
        self.worker = Worker(name, channels)
        self.books = Books(numbers)

    def publish(self, snapshot: Snapshot, limits: Limits, conduct: Conduct) -> None:
        """Answer from this from the next batch on."""
        counters = self.books.open(snapshot.directory.layout)
        responder = Responder(snapshot, counters, limits, conduct)
        self.worker.published = Publication(responder.respond, counters)
        self.worker.wake()

    def settle(self) -> Books[MutableSequence[int]]:
        """The books, folded as far as the worker has moved on."""
        using = self.worker.using
        self.books.settle([] if using is None else [using.counters])
        return self.books


class PythonPath:
    """See `PacketPath`."""

    name = PYTHON

    def __init__(self, workers: int) -> None:
        """`workers` 0 means auto."""
        self.workers = self.responders = workers or AUTO_WORKERS
        self._scribes: list[Scribe] = []
        self._channels: list[Channel] = []

    def open(self, ports: Ports, take: Take | None) -> None:
        """One channel for each socket."""
        for number, own in enumerate(ports):
            channels = [open_channel(sock, wildcard=wildcard) for sock, wildcard in own]
            for channel in channels:
                channel.take = take
            self._scribes.append(Scribe(f"udp-{number}", channels))
            self._channels += channels

    def publish(self, snapshot: Snapshot, limits: Limits, conducts: Sequence[Conduct]) -> None:
        """Every worker has a responder of its own."""
        for scribe, conduct in zip(self._scribes, conducts, strict=False):
            scribe.publish(snapshot, limits, conduct)

    def start(self) -> None:
        """Begin to answer."""
        for scribe in self._scribes:
            scribe.worker.start()

    def stop(self, grace_s: float) -> None:
        """All at once."""
        for scribe in self._scribes:
            scribe.worker.stop(grace_s)

    def join(self) -> None:
        """Wait for all."""
        for scribe in self._scribes:
            scribe.worker.join()

    def adopt(self, waiting: int) -> None:
        """Nothing waits here."""

    def settle(self) -> Sequence[Books[MutableSequence[int]]]:
        """One for each worker."""
        return [scribe.settle() for scribe in self._scribes]

    def dead(self) -> Sequence[str]:
        """Workers outlive what happens to them; this says so if one did not."""
        return [scribe.name for scribe in self._scribes if scribe.worker.ended]

    def living(self) -> int:
        """Workers that run."""
        return sum(scribe.worker.alive for scribe in self._scribes)

    def failed(self) -> int:
        """Of all workers."""
        return sum(scribe.worker.failed for scribe in self._scribes)

    def unsent(self) -> int:
        """Of all channels."""
        return sum(channel.unsent for channel in self._channels)

    def rate_limited(self) -> tuple[int, int]:
        """Rate limiters in Python count for themselves."""
        return 0, 0

    def punted(self) -> Punted:
        """Nothing is."""
        return Punted()

    def durations(self) -> Durations:
        """Of all workers."""
        return sum_durations(scribe.worker for scribe in self._scribes)


def sum_durations(workers: Iterable[Worker]) -> Durations:
    """What these have sampled."""
    counts = [0] * (len(DURATION_BOUNDS_S) + 1)
    total_s = 0.0
    for worker in workers:
        counts = [have + more for have, more in zip(counts, worker.sampled, strict=True)]
        total_s += worker.sampled_sum_s
    return Durations(tuple(counts), total_s)
