"""What an endpoint answers to a health check over HTTP.

The first octet says how the answer arrives: in how large pieces, and whether it goes on for ever. What must
hold: an outcome, or an error that the prober puts into words; bounded reading; no answer passes that is cut.
"""

from collections.abc import Iterator

import h11

from georouter.facts.endpoints import EndpointKey
from georouter.facts.health import Outcome
from georouter.facts.rules import HealthRule
from georouter.policy.model import CheckType
from georouter.probes.attempt import Attempt
from georouter.probes.http import LIMIT_BYTES, _exchange
from georouter.probes.reasons import bounded, describe
from georouter.probes.stream import RECEIVE_BYTES
from georouter.probes.target import Target
from georouter.words.ids import CheckName, RegionName
from tests.fuzz.target import About

ABOUT = About(
    longest=3000,
    is_text=True,
    words=(
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 ",
        b"\r\n\r\n",
        b"\r\n",
        b"Content-Length: 2\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 X\r\n",
        b"Connection: close\r\n",
        b"Upgrade: x\r\n",
        b"\n",
        b" ",
        b":",
        b"\0",
        b"ok",
    ),
    mutations=800,
)


class Answer:
    """A channel that gives the octets of an answer in pieces, over and over where it does not end."""

    def __init__(self, data: bytes, piece: int, *, endless: bool) -> None:
        self.data, self.piece, self.endless = data, piece, endless
        self.at = self.given = 0

    async def send(self, data: bytes) -> None:
        """The request is always the same."""
        assert data.startswith(b"GET /healthz HTTP/1.1\r\n")

    async def receive(self) -> bytes:
        """The next piece."""
        if self.at >= len(self.data):
            if not self.endless or not self.data:
                return b""
            self.at = len(self.data) // 2
        piece = self.data[self.at : self.at + self.piece]
        self.at += len(piece)
        self.given += len(piece)
        assert self.given <= LIMIT_BYTES + 2 * RECEIVE_BYTES, "no answer makes us read for ever"
        return piece


def target(body: str | None) -> Target:
    """What is asked."""
    return Target(
        key=EndpointKey(RegionName("eu"), "192.0.2.1", CheckName("web")),
        type=CheckType.HTTP,
        address="192.0.2.1",
        port=80,
        server_name="",
        host="web.example.com",
        path="/healthz",
        statuses=frozenset({200, 204}),
        body=body,
        verify=False,
        ca_file=None,
        rule=HealthRule(),
    )


def run(data: bytes) -> None:
    """One answer."""
    how = data[0] if data else 0
    pieces = (300, 1500, 4000, RECEIVE_BYTES) if how & 4 else (1, 7, 100, RECEIVE_BYTES)
    channel = Answer(data[1:], pieces[how & 3], endless=bool(how & 4))
    asked = target("ok" if how & 8 else None)
    attempt = object.__new__(Attempt)  # without clock
    try:
        outcome = _finish(_exchange(asked, attempt, channel))
    except (OSError, ValueError, h11.ProtocolError) as error:
        assert bounded(describe(error))
        return
    assert outcome.ok or outcome.reason
    if outcome.ok:
        assert data[1:].startswith(b"HTTP/")
        assert not how & 8 or b"ok" in data


def _finish(coroutine: object) -> Outcome:
    """Run to the end; nobody is waited for."""
    while True:
        try:
            coroutine.send(None)  # type: ignore[attr-defined]
        except StopIteration as stop:
            assert isinstance(stop.value, Outcome)
            return stop.value


def seeds() -> Iterator[bytes]:
    """Good answers, slow ones, cut ones."""
    head = b"HTTP/1.1 200 OK\r\n"
    answers = (
        head + b"Content-Length: 2\r\n\r\nok",
        head + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
        head + b"Connection: close\r\n\r\nit is ok",
        b"HTTP/1.0 204 No Content\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + head + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        head + b"Content-Length: 5\r\n\r\nok",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        b"",
    )
    for answer in answers:
        for how in (3, 8, 4, 12 + 3):
            yield bytes((how,)) + answer
