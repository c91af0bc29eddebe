"""The sockets and whoever answers on them: UDP workers in threads, TCP on the event loop.

bind() ─► publish(snapshot) ─► await start() ─► publish(snapshot) ... ─► await stop(grace)
"""

import asyncio
import os
import secrets
from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass, field, replace
from socket import socket

from georouter.answers.conduct import Conduct
from georouter.answers.debug import RATE as DEBUG_RATE
from georouter.answers.debug import Debug
from georouter.answers.layout import Layout
from georouter.answers.limits import Limits
from georouter.answers.networks import NOBODY, Networks
from georouter.answers.ratelimit import Buckets, Rate, RateLimiter
from georouter.answers.respond import Responder
from georouter.answers.tables import Snapshot
from georouter.server.aside import Aside, Know
from georouter.server.bind import (
    Address,
    Bound,
    ask_receive_buffer,
    bind_all,
    is_wildcard,
    receive_buffer,
    try_bind,
)
from georouter.server.books import Books, numbers
from georouter.server.drops import socket_drops
from georouter.server.path import AUTO, NATIVE, PacketPath, chosen
from georouter.server.python_path import PythonPath
from georouter.server.sending import Sender, TransferLimits
from georouter.server.tcp import TcpLimits, TcpServer
from georouter.telemetry.source import Durations, PathState, Sent

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Octets: about 5,000 queries that wait while a worker does not run."""
DEBUG_PLACES = 1 << 10
"""Of the table of who asked debug names lately; few may."""
WAITING = 256
"""Queries that wait for Python: what it answers within some ten milliseconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may change while sockets are open.

    With `rate`, responses over UDP are limited, all workers together. Networks in `debug` may ask
    debug names.
    """

    limits: Limits = field(default_factory=Limits)
    conduct: Conduct = field(default_factory=Conduct)
    rate: Rate | None = None
    debug: Networks = NOBODY
    receive_buffer_bytes: int = RECEIVE_BUFFER
    waiting: int = WAITING
    """Queries that may wait for Python where a native path leaves them to it."""
    tcp: TcpLimits = field(default_factory=TcpLimits)
    transfers: TransferLimits = field(default_factory=TransferLimits)


class Server:
    """Answers DNS on `listen`, `(numeric host, port)` pairs. All methods belong to one thread."""

    def __init__(
        self,
        listen: Sequence[Address],
        settings: Settings | None = None,
        *,
        given: Sequence[socket] = (),
        workers: int = 0,
        path: str = AUTO,
        know: Know | None = None,
        told: Callable[[Sent], None] = lambda _: None,
    ) -> None:
        """`workers` 0 means auto. `path` is `auto`, `native` or `python`; SourceError when it cannot be had.
        `given` sockets are answered on too, and in place of ones for the addresses they cover. `know`
        answers debug names; without it nobody may ask them. `told` hears of every zone transfer that ended.
        """
        self._listen = tuple(listen)
        self._given = tuple(given)
        self._settings = settings or Settings()
        self._buckets: Buckets | None = None
        self._limiters: list[RateLimiter] = []
        self._aside = Aside(know) if know else None
        self._debuggers: list[RateLimiter] = []
        self._path = open_path(chosen(path), workers, self._settings.waiting)
        self._bound: tuple[Bound, ...] = ()
        self._sender = Sender(self._settings.transfers, told)
        self._tcp = TcpServer(self._settings.tcp, self._sender)
        self._tcp_books = Books(numbers)
        self._tcp_using: list[int] | None = None
        self._snapshot: Snapshot | None = None
        self._drops = 0

    # -- life --------------------------------------------------------------------------------------

    def try_bind(self) -> None:
        """Find out whether all addresses are free. SourceError names the first that is not."""
        try_bind(self._listen, self._given)

    def bind(self) -> None:
        """Take all addresses. Queries wait in the sockets until `start`. SourceError when one is taken."""
        self._bound = bind_all(
            self._listen, self._path.workers, self._settings.receive_buffer_bytes, self._given
        )
        ports = [
            [(sock, is_wildcard(bound.address[0])) for bound in self._bound for sock in bound.udp[number]]
            for number in range(self._path.workers)
        ]
        self._path.open(ports, self._aside.take if self._aside is not None else None)
        if self._snapshot is not None:
            self.publish(self._snapshot)

    def adopt(self, settings: Settings) -> None:
        """Go by other settings: every worker from its next batch on, TCP from the next query on.

        Sockets stay as they are, but for the receive buffer, which the kernel is asked for again.
        """
        self._settings = settings
        self._path.adopt(settings.waiting)
        self._tcp.limits = settings.tcp
        self._sender.limits = settings.transfers
        for bound in self._bound:
            for own in bound.udp:
                for sock in own:
                    ask_receive_buffer(sock, settings.receive_buffer_bytes)
        if self._snapshot is not None:
            self.publish(self._snapshot)

    def publish(self, snapshot: Snapshot) -> None:
        """Answer from this snapshot: every worker from its next batch on, TCP from the next query on."""
        self._snapshot = snapshot
        self._set_rate(self._settings.rate)
        layout = snapshot.directory.layout
        limits = self._settings.limits
        *conducts, tcp_conduct = self._conducts()
        self._path.publish(snapshot, limits, conducts)
        self._tcp_using = self._tcp_books.open(layout)
        stay_s = 0.0 if self._tcp.draining else self._settings.tcp.idle_timeout_s
        tcp_conduct = replace(tcp_conduct, keepalive_s=stay_s)
        responder = Responder(snapshot, self._tcp_using, limits, tcp_conduct)
        self._tcp.respond, self._tcp.transfer = responder.respond, responder.transfer
        if self._aside is not None:
            self._aside.responder = responder
        self._settle()

    async def start(self) -> None:
        """Begin to answer. RuntimeError when nothing is bound or published."""
        if not self._bound or self._snapshot is None:
            raise RuntimeError("a server starts after bind() and publish()")
        if self._aside is not None:
            self._aside.start()
            self._tcp.take = self._aside.take
        for bound in self._bound:
            for sock in bound.tcp:
                self._tcp.listen(sock, given=bound.given)
        self._tcp.start()
        self._path.start()

    async def stop(self, grace_s: float) -> None:
        """Answer what has come in, for `grace_s` at most, and give all addresses back.

        UDP is answered until TCP has ended. TCP clients that ask how long they may stay are told to go.
        """
        self._tcp.draining = True
        if self._snapshot is not None:
            self.publish(self._snapshot)
        await self._tcp.stop(grace_s)
        self._path.stop(grace_s)
        await asyncio.to_thread(self._path.join)
        if self._aside is not None:
            await self._aside.stop()
        self._drops = self.drops()
        for bound in self._bound:
            bound.close()
        self._bound = ()

    # -- views -------------------------------------------------------------------------------------

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where we listen, with the ports that the kernel chose for port 0."""
        return tuple(dict.fromkeys(bound.address for bound in self._bound))

    @property
    def receive_buffer_bytes(self) -> int:
        """The smallest UDP receive buffer that the kernel granted."""
        sockets = [sock for bound in self._bound for own in bound.udp for sock in own]
        return min(map(receive_buffer, sockets), default=self._settings.receive_buffer_bytes)

    @property
    def tcp_connections(self) -> int:
        """Open TCP connections."""
        return self._tcp.connections

    @property
    def transfers(self) -> int:
        """Zone transfers under way."""
        return self._sender.active

    def counters(self) -> list[tuple[Layout, Sequence[int]]]:
        """Every writer's counters with their layouts, those of the published layout last.

        The lists are live: read them, do not keep them. Counters of earlier layouts come first.
        """
        every = self._settle()
        return [
            *(counted for books in every for counted in books.counters()[:-1]),
            *(counted for books in every for counted in books.counters()[-1:]),
        ]

    def census(self) -> tuple[Layout, list[int]] | None:
        """The published layout and every writer's census, added up; None before the first publication."""
        every = [books.census() for books in self._settle()]
        present = [counted for counted in every if counted is not None]
        if not present:
            return None
        layout = present[-1][0]
        return layout, [
            sum(column) for column in zip(*(counted[1][layout.size :] for counted in present), strict=True)
        ]

    def queries_total(self) -> int:
        """Queries received since the start."""
        return sum(sum(values[: layout.responses_base]) for layout, values in self.counters())

    def drops(self) -> int:
        """Datagrams that the kernel dropped because a receive buffer was full, since the start."""
        # workers may share a socket
        every = [sock for bound in self._bound for own in bound.udp for sock in own]
        sockets = {os.fstat(sock.fileno()).st_ino: sock for sock in every}
        return self._drops + sum(map(socket_drops, sockets.values()))

    def failures(self) -> int:
        """Queries answered with SERVFAIL because answering raised: faults of ours."""
        return self._tcp.failed + self._path.failed()

    def unsent(self) -> int:
        """Answers that the kernel would not take, to port 0 for example."""
        return self._path.unsent()

    def rate_limited(self) -> tuple[int, int]:
        """Responses that rate limiting made small, and those it dropped."""
        slipped, dropped = self._path.rate_limited()
        limiters = self._limiters
        return (
            slipped + sum(each.slipped for each in limiters),
            dropped + sum(each.dropped for each in limiters),
        )

    def debug_questions(self) -> dict[str, int]:
        """What became of questions for debug names, by outcome."""
        aside = self._aside
        return {
            "answered": aside.answered if aside else 0,
            "failed": aside.failed if aside else 0,
            "limited": sum(each.dropped for each in self._debuggers),
            "dropped": aside.dropped if aside else 0,
        }

    def request_durations(self) -> Durations | None:
        """From receive to send, per UDP query of the timed batches."""
        return self._path.durations()

    def path(self) -> PathState:
        """Which packet path runs, and how it is."""
        path, punted = self._path, self._path.punted()
        return PathState(path.name, path.workers, path.living(), punted.taken, punted.overflowed)

    def dead(self) -> Sequence[str]:
        """UDP workers that have ended without being asked to, or stand still."""
        return self._path.dead()

    # -- inside ------------------------------------------------------------------------------------

    def _conducts(self) -> list[Conduct]:
        """One for each responder of the packet path, and one for TCP, whose clients need no limits."""
        settings = self._settings
        conducts = [settings.conduct] * (self._path.responders + 1)
        if settings.rate:
            conducts[:-1] = [
                replace(conduct, limiter=limiter)
                for conduct, limiter in zip(conducts[:-1], self._limiters, strict=True)
            ]
        if not settings.debug or self._aside is None:
            return conducts
        if not self._debuggers:
            buckets = Buckets(secrets.randbits(62), DEBUG_PLACES)
            self._debuggers = [RateLimiter(DEBUG_RATE, buckets) for _ in conducts]
        return [
            replace(conduct, debug=Debug(settings.debug, limiter))
            for conduct, limiter in zip(conducts, self._debuggers, strict=True)
        ]

    def _set_rate(self, rate: Rate | None) -> None:
        """Limiters stay when they are not needed any more: what they counted counts."""
        if rate is None:
            return
        if self._buckets is None:
            self._buckets = Buckets(secrets.randbits(62))
        for limiter in self._limiters:
            limiter.adopt(rate)
        while len(self._limiters) < self._path.responders:
            self._limiters.append(RateLimiter(rate, self._buckets))

    def _settle(self) -> list[Books[MutableSequence[int]]]:
        """Every writer's books, as far as they can be folded; those of TCP last."""
        self._tcp_books.settle([] if self._tcp_using is None else [self._tcp_using])
        return [*self._path.settle(), self._tcp_books]


def open_path(name: str, workers: int, waiting: int) -> PacketPath:
    """The packet path of that name; `workers` 0 means auto."""
    if name == NATIVE:
        from georouter.server.native_path import NativePath  # noqa: PLC0415 - it may not be there

        return NativePath(workers, waiting)
    return PythonPath(workers)
