"""`georouter healthcheck`: ask the running server one DNS question, for containers and load balancers.

Reads the policy only for what the options leave open. Nothing heavy is imported otherwise: a container
engine runs this every few seconds.
"""

import secrets
import socket
import time
from typing import TYPE_CHECKING, Any

import click
from dnslib import QTYPE, DNSError, DNSHeader, DNSLabel, DNSQuestion, DNSRecord

from georouter.cli.config import ANY_ADDRESS
from georouter.cli.durations import Duration
from georouter.wire.codes import RCODE_NOERROR, rcode_text
from georouter.wire.names import labels, name_text, parse_name

if TYPE_CHECKING:
    from georouter.policy.model import Policy

RESEND_S = 0.5
"""A query or its answer may be dropped where a buffer is full: ask again after so long."""
LARGEST_MESSAGE = 65535

Address = tuple[str, int]


class Unhealthy(click.ClickException):
    """The server did not answer as a healthy one does. Exit code 1."""

    def show(self, file: Any = None) -> None:
        """One line, without click's "Error: "."""
        click.echo(f"unhealthy: {self.format_message()}", file=file, err=file is None)


@click.command()
@click.option(
    "--server", metavar="HOST:PORT", help="Where to ask, otherwise the policy's first server.listen."
)
@click.option("--name", metavar="NAME", help="What to ask the SOA of, otherwise the policy's first zone.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Duration(),
    metavar="DURATION",
    default=2.0,
    help="Patience; 2s by default.",
)
@click.option(
    "--config",
    "-c",
    metavar="PATH",
    type=click.Path(),
    help="Policy file or folder, otherwise $GEOROUTER_CONFIG and the usual places.",
)
def healthcheck(*, server: str | None, name: str | None, timeout_s: float, config: str | None) -> None:
    """Ask the running server a DNS question; exit 0 if it answers well.

    The question goes over UDP, and over TCP if the answer is truncated. Give --server and --name to
    do without reading the policy.
    """
    address = _address(server) if server is not None else None
    wire = _wire_name(name) if name is not None else None
    if address is None or wire is None:
        policy = _policy(config)
        address = address or _reachable(policy.server.listen[0])
        wire = wire or next(iter(policy.zones.values())).apex
    began = time.monotonic()
    ask(address, wire, timeout_s)
    took_ms = (time.monotonic() - began) * 1000
    click.echo(f"healthy: {_shown(address)} answered for {name_text(wire)} in {took_ms:.1f} ms")


def ask(address: Address, name: bytes, timeout_s: float) -> None:
    """Ask for the SOA of `name` (wire format). Unhealthy unless a good answer comes within `timeout_s`."""
    query = _query(name)
    end = time.monotonic() + timeout_s
    try:
        answer = _over_udp(address, query, end)
        if answer.header.tc:
            answer = _over_tcp(address, query, end)
    except TimeoutError as error:
        raise Unhealthy(f"{_shown(address)} did not answer within {timeout_s:g} s") from error
    except OSError as error:
        raise Unhealthy(f"{_shown(address)}: {error.strerror or error}") from error
    rcode = int(answer.header.rcode)
    if rcode != RCODE_NOERROR:
        raise Unhealthy(f"{_shown(address)} answered {rcode_text(rcode)} for {name_text(name)}")
    if not answer.header.aa:
        raise Unhealthy(f"{_shown(address)} is no authority for {name_text(name)}")


def _over_udp(address: Address, query: bytes, end: float) -> DNSRecord:
    """The answer to `query`; whatever else arrives is left aside. OSError (TimeoutError) without one."""
    with socket.socket(_family(address), socket.SOCK_DGRAM) as sock:
        sock.connect(address)  # so that the kernel tells of a closed port, and filters the sender
        while True:
            sock.send(query)
            again = min(end, time.monotonic() + RESEND_S)
            while (left := again - time.monotonic()) > 0:
                sock.settimeout(left)
                try:
                    message = sock.recv(LARGEST_MESSAGE)
                except TimeoutError:
                    break
                if (answer := _read(query, message)) is not None:
                    return answer
            if time.monotonic() >= end:
                raise TimeoutError


def _over_tcp(address: Address, query: bytes, end: float) -> DNSRecord:
    """As `_over_udp`, behind two octets of length (RFC 1035 4.2.2)."""
    with socket.create_connection(address, timeout=_left(end)) as sock:
        sock.sendall(len(query).to_bytes(2) + query)
        answer = _read(query, _exactly(sock, int.from_bytes(_exactly(sock, 2, end)), end))
    if answer is None:
        raise ConnectionError("what came over TCP is no answer to the question")
    return answer


def _exactly(sock: socket.socket, size: int, end: float) -> bytes:
    data = b""
    while len(data) < size:
        sock.settimeout(_left(end))
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError("the TCP connection was closed before the answer was complete")
        data += more
    return data


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _query(name: bytes) -> bytes:
    """A query for the SOA of `name` without any flag, with a random id."""
    question = DNSQuestion(DNSLabel(list(labels(name))), QTYPE.SOA)
    return bytes(DNSRecord(DNSHeader(id=secrets.randbelow(1 << 16), rd=0), q=question).pack())


def _read(query: bytes, message: bytes) -> DNSRecord | None:
    """The response in `message` if it has the id and the question of `query` (RFC 5452 9.1)."""
    try:
        asked, answer = DNSRecord.parse(query), DNSRecord.parse(message)
    except (DNSError, ValueError, IndexError):
        return None
    same = answer.header.id == asked.header.id and answer.questions == asked.questions
    return answer if same and answer.header.qr else None


def _policy(config: str | None) -> "Policy":
    from georouter.cli.config import served_policy  # noqa: PLC0415 - pydantic is slow to import
    from georouter.words.errors import SourceError  # noqa: PLC0415 - as above

    try:
        _, policy = served_policy(config)
    except SourceError as error:
        raise Unhealthy(f"{error}; or give --server and --name") from error
    if policy is None or not policy.zones:
        raise Unhealthy("the policy has no zone to ask for; give --server and --name")
    return policy


def _address(text: str) -> Address:
    """`127.0.0.1:5300` or `[::1]:5300`, to ask there; a usage error otherwise."""
    from georouter.policy.resolve import sockets  # noqa: PLC0415 - only when it is given

    try:
        return _reachable(sockets.parse(text))
    except ValueError as error:
        raise click.UsageError(f"--server: {error}") from error


def _wire_name(text: str) -> bytes:
    try:
        return parse_name(text)
    except ValueError as error:
        raise click.UsageError(f"--name: {error}") from error


def _reachable(address: Address) -> Address:
    """Who listens everywhere is asked on loopback."""
    host, port = address
    return ANY_ADDRESS.get(host, host), port


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def _shown(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
