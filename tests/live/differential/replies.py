"""What a server said, in a form that can be compared; asking many questions of many servers at once."""

import select
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import dns.flags
import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.rrset

WINDOW = 32
"""Questions under way at one server: fewer than any receive buffer holds."""
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """Owner and data in lower case where DNS compares them so; `data` is text."""

    owner: str
    type: str
    ttl_s: int
    data: str


Section = frozenset[Record]


@dataclass(frozen=True, slots=True)
class Reply:
    """`flags` are the words of dig's flags line; `question` is as the server wrote it."""

    rcode: str
    flags: frozenset[str]
    question: str
    answer: Section
    authority: Section
    additional: Section
    edns: tuple[int, int, bool] | None
    """Version, payload size and DO of the OPT record."""
    size: int = field(compare=False)
    """In octets; compression decides it."""

    def __str__(self) -> str:
        lines = [f"{self.rcode} {' '.join(sorted(self.flags))} edns={self.edns} {self.size} octets"]
        for name in ("answer", "authority", "additional"):
            lines += (
                f"    {name:10} {record.owner} {record.ttl_s} {record.type} {record.data}"
                for record in sorted(getattr(self, name))
            )
        return "\n".join(lines)


@lru_cache(maxsize=8)  # ours is compared with each peer, and they often say the same
def read(wire: bytes) -> Reply:
    """Raises dns.exception.DNSException where the message is malformed."""
    message = dns.message.from_wire(wire)
    flags = frozenset(dns.flags.to_text(message.flags).split())
    edns = (
        (message.edns, message.payload, bool(message.ednsflags & dns.flags.DO)) if message.edns >= 0 else None
    )
    return Reply(
        rcode=dns.rcode.to_text(message.rcode()),
        flags=flags,
        question=" ".join(question.to_text() for question in message.question),
        answer=_section(message.answer),
        authority=_section(message.authority),
        additional=_section(message.additional),
        edns=edns,
        size=len(wire),
    )


def _section(rrsets: Sequence[dns.rrset.RRset]) -> Section:
    return frozenset(
        Record(
            rrset.name.to_text().lower(),
            dns.rdatatype.to_text(rrset.rdtype),
            rrset.ttl,
            rdata.to_digestable().hex() if rrset.rdtype not in READABLE else _readable(rdata),
        )
        for rrset in rrsets
        for rdata in rrset
    )


READABLE = frozenset(
    map(
        dns.rdatatype.from_text,
        ("A", "AAAA", "NS", "CNAME", "DNAME", "SOA", "MX", "PTR", "DS", "LP", "SVCB", "HTTPS"),
    )
)
"""Types that are compared as text in lower case: some of them are better to read, and in names of the others
NSD changes the case."""


def _readable(rdata: dns.rdata.Rdata) -> str:
    return rdata.to_text().lower()


def exchange(servers: Sequence[tuple[str, int]], queries: Sequence[bytes], *, tcp: bool) -> list[list[bytes]]:
    """Every server's replies to all queries, whose ids are their positions modulo 65536."""
    lines = [(Stream if tcp else Datagrams)(server, queries) for server in servers]
    try:
        waiting = {line.fileno(): line for line in lines}
        while waiting:
            for line in list(waiting.values()):
                line.push()
            ready, _, _ = select.select(list(waiting), [], [], PATIENCE_S)
            if not ready:
                line = next(iter(waiting.values()))
                raise TimeoutError(f"{line.server} left a question without answer: {line.missing()}")
            for number in ready:
                waiting[number].pull()
                if waiting[number].done:
                    del waiting[number]
        return [line.replies() for line in lines]
    finally:
        for line in lines:
            line.close()


class Line:
    """The questions to one server, a window of them under way."""

    kind = socket.SOCK_DGRAM

    def __init__(self, server: tuple[str, int], queries: Sequence[bytes]) -> None:
        self.server = server
        self._queries = queries
        self._sent = 0
        self._got: dict[int, bytes] = {}
        self._socket = socket.socket(socket.AF_INET, self.kind)
        self._socket.connect(server)

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    @property
    def done(self) -> bool:
        """Whether everything was answered."""
        return len(self._got) == len(self._queries)

    def push(self) -> None:
        """Fill the window."""
        while self._sent < len(self._queries) and self._sent - len(self._got) < WINDOW:
            self._send(self._sent.to_bytes(2) + self._queries[self._sent][2:])
            self._sent += 1

    def missing(self) -> str:
        """One question that was not answered."""
        index = next(index for index in range(self._sent) if index not in self._got)
        return dns.message.from_wire(self._queries[index]).to_text()

    def replies(self) -> list[bytes]:
        """In the order of the questions."""
        return [self._got[index] for index in range(len(self._queries))]

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()

    def pull(self) -> None:
        """Take what has come."""
        raise NotImplementedError

    def _send(self, query: bytes) -> None:
        raise NotImplementedError

    def _take(self, reply: bytes) -> None:
        index = int.from_bytes(reply[:2])
        assert index in range(self._sent), f"{self.server} answered what nobody asked"
        assert index not in self._got, f"{self.server} answered twice"
        self._got[index] = reply


class Datagrams(Line):
    """UDP."""

    def pull(self) -> None:
        """One datagram."""
        self._take(self._socket.recv(65535))

    def _send(self, query: bytes) -> None:
        self._socket.send(query)


class Stream(Line):
    """TCP: one connection, many questions in it (RFC 7766 6.2.1.1)."""

    kind = socket.SOCK_STREAM

    def __init__(self, server: tuple[str, int], queries: Sequence[bytes]) -> None:
        super().__init__(server, queries)
        self._buffer = b""

    def pull(self) -> None:
        """Whole messages."""
        octets = self._socket.recv(65535)
        if not octets:
            raise ConnectionError(f"{self.server} closed the connection; unanswered: {self.missing()}")
        self._buffer += octets
        for message in self._messages():
            self._take(message)

    def _messages(self) -> Iterator[bytes]:
        while len(self._buffer) >= 2:
            (length,) = struct.unpack_from("!H", self._buffer)
            if len(self._buffer) < 2 + length:
                return
            message, self._buffer = self._buffer[2 : 2 + length], self._buffer[2 + length :]
            yield message

    def _send(self, query: bytes) -> None:
        self._socket.sendall(len(query).to_bytes(2) + query)
