"""100,000 packets that no client should send: what deserves an answer gets one, and nothing else happens."""

import itertools
import socket
from collections.abc import Callable, Iterable, Iterator

import dns.exception
import dns.message
import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import EU_WEST, LONDON, three_regions
from benchmarks.harness.processes import open_files, resident_mib
from benchmarks.harness.wait import until
from tests.live.conftest import RECORDS, SERVICES
from tests.live.hostile import deserves_an_answer, packets

pytestmark = pytest.mark.live

SEED = 20_260_101
UDP_PACKETS, TCP_MESSAGES = 100_000, 50_000
BATCH = 200
"""Packets under way at once; well below what a receive buffer of 4 MiB holds."""
ANSWER_S = 5.0
GROWTH_MIB = 2.0
"""Allocator noise over a run; 100,000 leaked objects of any kind would be more."""
PAYLOAD = 1232
"""What we offer, and so the largest answer over UDP."""
SERVFAIL = 2
OPCODE = 0x78
NO_FAMILY = "unsupported family"
"""dnspython's reading of a client subnet of family 0, which we echo as RFC 7871 7.1.2 has it for /0."""
READ_EVERY = 10
"""One answer in so many is read by dnspython, which takes longer than everything else."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that has seen some junk already, so that its memory is what it will be."""
    with Daemon(
        tmp_path_factory.mktemp("hostile"), three_regions(records=RECORDS, services=SERVICES)
    ) as daemon:
        udp(daemon, packets(SEED - 1, 4000))
        tcp(daemon, packets(SEED - 1, 4000))
        yield daemon


def test_udp(target: Daemon) -> None:
    """Answers where they are due and only there, none too large, no fault of ours; memory stays flat."""
    assert_untroubled(target, lambda: udp(target, packets(SEED, UDP_PACKETS)))


def test_tcp(target: Daemon) -> None:
    """The same, in order, on connections that end at the first message that deserves no answer."""
    assert_untroubled(target, lambda: tcp(target, packets(SEED + 1, TCP_MESSAGES)))


def assert_untroubled(daemon: Daemon, attack: Callable[[], None]) -> None:
    """What must be true of every attack, beside the answers."""
    memory, files, log = resident_mib(daemon.pid), open_files(daemon.pid), daemon.output()
    attack()
    assert resident_mib(daemon.pid) - memory < GROWTH_MIB
    until(lambda: open_files(daemon.pid) <= files, "the last connection to be closed")
    assert daemon.output() == log, "the attack was worth a line in the log"
    assert daemon.metric("georouter_kernel_receive_drops_total") == 0
    assert daemon.ask("www.example.com", client=LONDON).addresses == (EU_WEST,)


def udp(daemon: Daemon, attack: Iterable[bytes]) -> None:
    """Send all, a batch at a time; every answer must be the answer to a packet that deserved one."""
    numbers = itertools.cycle(range(0x10000))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.connect(daemon.address)
        sock.settimeout(ANSWER_S)
        for batch in batches(attack):
            waiting: dict[int, bytes] = {}
            for mutated in batch:
                number = next(numbers)
                packet = number.to_bytes(2, "big")[: len(mutated)] + mutated[2:]
                if deserves_an_answer(packet):
                    waiting[number] = packet
                sock.send(packet)
            while waiting:
                try:
                    answer = sock.recv(0x10000)
                except TimeoutError:
                    pytest.fail(f"no answer to {[packet.hex() for packet in waiting.values()]}")
                query = waiting.pop(int.from_bytes(answer[:2], "big"), None)
                assert query is not None, f"an answer to what deserves none: {answer.hex()}"
                judge(query, answer)
                assert len(answer) <= PAYLOAD
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(0x10000)


def tcp(daemon: Daemon, attack: Iterable[bytes]) -> None:
    """Pipeline messages up to one that deserves no answer, which must end the connection."""
    for group in connections(attack):
        with socket.create_connection(daemon.address, ANSWER_S) as sock, sock.makefile("rb") as answers:
            sock.sendall(b"".join(len(packet).to_bytes(2, "big") + packet for packet in group))
            for packet in group:
                size = int.from_bytes(answers.read(2), "big")
                if not deserves_an_answer(packet):
                    assert size == 0, f"an answer to what deserves none: {packet.hex()}"
                    break
                assert size, f"no answer to {packet.hex()}"
                judge(packet, answers.read(size))


def judge(query: bytes, answer: bytes) -> None:
    """An answer to this query, well-formed, and not an apology for a fault of ours."""
    assert answer[:2] == query[:2]
    assert answer[2] & 0x80
    assert answer[3] & 0x0F != SERVFAIL, query.hex()
    if query[1] % READ_EVERY == 0 and not query[2] & OPCODE:  # dnspython reads an UPDATE by other rules
        try:
            dns.message.from_wire(answer)
        except dns.exception.FormError as error:
            assert str(error) == NO_FAMILY, f"{error}: {query.hex()} {answer.hex()}"  # noqa: PT017


def batches(attack: Iterable[bytes]) -> Iterator[list[bytes]]:
    """`BATCH` at a time."""
    every = iter(attack)
    while batch := list(itertools.islice(every, BATCH)):
        yield batch


def connections(attack: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Each ends with a message that deserves no answer, or after `BATCH` messages."""
    group: list[bytes] = []
    for packet in attack:
        group.append(packet)
        if len(group) == BATCH or not deserves_an_answer(packet):
            yield group
            group = []
    if group:
        yield group
