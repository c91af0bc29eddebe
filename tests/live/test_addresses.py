"""A machine with many addresses and a small MTU, in a network of its own."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import dns.flags
import dns.message
import pytest

from benchmarks.harness.ask import question
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import EU_WEST, LONDON, three_regions
from benchmarks.harness.wait import until
from tests.live.machine import socket_beside, why_not

pytestmark = pytest.mark.live

MTU = 1280
"""The least that IPv6 allows, and IPv4 mostly has."""
LIMIT = 1232
IPV4 = ("127.0.0.1", "127.0.0.2", "10.99.0.1", "10.99.0.2")
ADDRESSES = (*IPV4, "::1", "2001:db8::1", "2001:db8::2", "fd00::7")
UP = f"""
ip link set lo up mtu {MTU}
for address in 10.99.0.1/32 10.99.0.2/32 2001:db8::1/128 2001:db8::2/128 fd00::7/128; do
    ip address add $address dev lo nodad
done
sysctl -qw net.ipv6.conf.all.disable_ipv6=0 || true
exec "$@"
"""
SIZES = range(900, 1300, 7)
"""Octets of a TXT record; with head, question and OPT the messages end up on both sides of the limit."""


def text(size: int) -> str:
    """A TXT record of about so many octets, as YAML."""
    strings = [f'\\"{"x" * min(255, size - at)}\\"' for at in range(0, size, 255)]
    return f't{size}: {{TXT: "{" ".join(strings)}"}}'


RECORDS = [text(size) for size in SIZES]
LISTENS = {
    "any address": '"0.0.0.0:53", "[::]:53"',
    "each address": ", ".join(f'"[{host}]:53"' if ":" in host else f'"{host}:53"' for host in ADDRESSES),
}


@pytest.fixture(scope="module", params=LISTENS.values(), ids=LISTENS.keys())
def daemon(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon in a network with all these addresses."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    daemon = Daemon(tmp_path_factory.mktemp("addresses"), three_regions(records=RECORDS))
    policy = daemon.config.read_text().replace(f'"127.0.0.1:{daemon.address[1]}"', request.param)
    daemon.config.write_text(policy)
    daemon.before = ("unshare", "--net", "bash", "-c", UP, "bash")
    daemon.launch()
    try:
        until(lambda: "server.answering" in daemon.output(), "the start", 60)
        yield daemon
        assert "Traceback" not in daemon.output()
    finally:
        daemon.stop()


def client(daemon: Daemon, host: str, kind: socket.SocketKind) -> socket.socket:
    """A socket beside the daemon, of the address's family."""
    sock = socket_beside(daemon.pid, socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    sock.settimeout(5)
    return sock


def over_udp(daemon: Daemon, host: str, query: bytes, source: str = "") -> tuple[bytes, str]:
    """The answer to a socket that takes them from anywhere, and where it came from."""
    with client(daemon, host, socket.SOCK_DGRAM) as sock:
        if source:
            sock.bind((source, 0))
        sock.sendto(query, (host, 53))
        answer, sender = sock.recvfrom(65535)
        return answer, sender[0]


def over_tcp(daemon: Daemon, host: str, query: bytes) -> bytes:
    """The answer on a connection of its own."""
    with client(daemon, host, socket.SOCK_STREAM) as sock, sock.makefile("rb") as answers:
        sock.connect((host, 53))
        sock.sendall(len(query).to_bytes(2, "big") + query)
        return answers.read(int.from_bytes(answers.read(2), "big"))


@pytest.mark.parametrize("host", ADDRESSES)
def test_answers_come_from_the_address_that_was_asked(daemon: Daemon, host: str) -> None:
    """Whatever address the client has, and over both transports (RFC 2181 4.1)."""
    query = question("www.example.com", "A", LONDON).to_wire()
    for source in ADDRESSES:
        if ip_address(source).version != ip_address(host).version:
            continue
        answer, sender = over_udp(daemon, host, query, source)
        assert sender == host
        assert dns.message.from_wire(answer).answer[0][0].address == EU_WEST
    assert over_tcp(daemon, host, query) == over_udp(daemon, host, query)[0]


@pytest.mark.parametrize("host", ["10.99.0.1", "2001:db8::1"])
@pytest.mark.parametrize("offered", [LIMIT, 4096])
def test_truncated_exactly_when_it_does_not_fit(daemon: Daemon, host: str, offered: int) -> None:
    """Up to the last octet of the limit; and nothing that was sent had to be cut into fragments."""
    largest = cut = 0
    for size in SIZES:
        query = dns.message.make_query(f"t{size}.example.com", "TXT", use_edns=0, payload=offered)
        query.flags &= ~dns.flags.RD
        wire = query.to_wire()
        whole = over_tcp(daemon, host, wire)
        answer, _ = over_udp(daemon, host, wire)
        if len(whole) <= LIMIT:
            assert answer == whole
            largest = max(largest, len(answer))
        else:
            assert dns.message.from_wire(answer).flags & dns.flags.TC
            cut += 1
    assert LIMIT - 7 < largest <= LIMIT
    assert cut > 5
    assert fragments(daemon) == 0


def fragments(daemon: Daemon) -> int:
    """How many the network of the daemon has made so far (snmp and snmp6 of proc(5))."""
    made = 0
    lines = Path(f"/proc/{daemon.pid}/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Ip:"))
    made += int(values[names.index("FragCreates")])
    for line in Path(f"/proc/{daemon.pid}/net/snmp6").read_text().splitlines():
        if line.startswith("Ip6FragCreates"):
            made += int(line.split()[1])
    return made
