"""The `http` and `https` checks: one GET on a new connection, judged by status and body.

Rule 1. The answer counts once it is complete, or its first `BODY_LIMIT_BYTES` are here.
Rule 2. A status that was not expected fails at once; a redirect is a status like any other.
Rule 3. `body` must occur in those first bytes.
Rule 4. A head above `HEAD_LIMIT_BYTES` fails; no answer makes us read more than `LIMIT_BYTES`.
Rule 5. Parts are counted too: reading a thousand tiny ones computes for 10 ms, in which no other probe runs.
Rule 6. Signals are read from a whole body in JSON; one that goes on after those first bytes has none.
Rule 7. Neither proxies nor credentials from the environment are used.
"""

import asyncio

import h11

from georouter import __version__
from georouter.facts.health import Outcome
from georouter.policy.model import CheckType
from georouter.probes import readings
from georouter.probes.attempt import Attempt
from georouter.probes.stream import Channel, Plain, Tls, connect
from georouter.probes.target import Target

BODY_LIMIT_BYTES = 64 * 1024
HEAD_LIMIT_BYTES = 64 * 1024
LIMIT_BYTES = HEAD_LIMIT_BYTES + 2 * BODY_LIMIT_BYTES
"""Of everything received: informational answers (1xx), head, body and its chunk headers."""
PARTS_LIMIT = 1000
"""Informational answers and chunks. No health answer has so many; 192 KiB can hold 30,000."""

CUT_SHORT = "not a good HTTP answer: it ends within its head"


async def check(target: Target, attempt: Attempt) -> Outcome:
    """Ask `target`. OSError (`ssl.SSLError` is one), ValueError for names that TLS cannot carry and
    `h11.ProtocolError` are failures that the caller puts into words.
    """
    with await connect(target, attempt) as sock:
        channel: Channel = Plain(sock)
        if target.type is CheckType.HTTPS:
            attempt.phase = "in the TLS handshake"
            tls = Tls(Plain(sock), attempt.trust.context(target), target.server_name)
            await tls.handshake()
            channel = tls
        attempt.phase = "waiting for the answer"
        return await _exchange(target, attempt, channel)


async def _exchange(target: Target, attempt: Attempt, channel: Channel) -> Outcome:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT_BYTES)
    await channel.send(_request(target, connection))
    received = parts = 0
    answered = False
    body = bytearray()
    while True:
        event = connection.next_event()
        parts += event is not h11.NEED_DATA
        if event is h11.NEED_DATA or parts > PARTS_LIMIT:
            if received > LIMIT_BYTES or parts > PARTS_LIMIT:
                return (
                    _judge_body(target, body, whole=False)
                    if body
                    else Outcome(ok=False, reason="endless answer")
                )
            await asyncio.sleep(0)  # bytes that are here already are received without a turn for others
            data = await channel.receive()
            if not data and not answered:
                return Outcome(
                    ok=False, reason=CUT_SHORT if received else "connection closed without an answer"
                )
            received += len(data)
            connection.receive_data(data)
        elif isinstance(event, h11.Response):
            answered = True
            attempt.phase = "reading the body"
            if event.status_code not in target.statuses:
                return Outcome(ok=False, reason=f"status {event.status_code}")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) >= BODY_LIMIT_BYTES:
                return _judge_body(target, body, whole=False)
        elif isinstance(event, h11.EndOfMessage):
            return _judge_body(target, body)
        elif not isinstance(event, h11.InformationalResponse):
            return Outcome(ok=False, reason="not a good HTTP answer")


def _request(target: Target, connection: h11.Connection) -> bytes:
    named = {name.lower() for name, _ in target.headers}
    ours = (
        ("Host", target.host),
        ("User-Agent", f"georouter/{__version__}"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),  # `body` is looked for in what arrives
        ("Connection", "close"),
    )
    request = h11.Request(
        method="GET",
        target=target.path,
        headers=[*(field for field in ours if field[0].lower() not in named), *target.headers],
    )
    return (connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b"")


def _judge_body(target: Target, body: bytearray, *, whole: bool = True) -> Outcome:
    if target.body is not None and target.body.encode() not in body[:BODY_LIMIT_BYTES]:
        return Outcome(ok=False, reason="body does not hold the expected text")
    signals = target.rule.signals
    return Outcome(ok=True, values=readings.read(signals, bytes(body), whole=whole) if signals else None)
