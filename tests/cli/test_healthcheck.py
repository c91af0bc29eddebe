"""The health check believes nothing but a good answer to its own question."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SERVER = """
version: 1
server: {listen: ["%s"], state_dir: ./state}
zones:
  example.com: {ns: [ns1.example.com], records: {ns1: {A: 192.0.2.53}}}
  example.net: {ns: [ns1.example.com]}
"""
Reply = Callable[[bytes], list[bytes]]
"""What a server sends back for a query."""
QR, AA, TC = 0x8000, 0x0400, 0x0200


def answer(query: bytes, flags: int = QR | AA, rcode: int = 0) -> bytes:
    """A response to `query` without records."""
    return query[:2] + (flags | rcode).to_bytes(2) + query[4:]


@contextmanager
def serving(udp: Reply, tcp: Reply | None = None) -> Iterator[str]:
    """A name server of ours; gives `HOST:PORT`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.bind(listener.getsockname())
            threads = [threading.Thread(target=_udp, args=(datagrams, udp))]
            if tcp is not None:
                threads.append(threading.Thread(target=_tcp, args=(listener, tcp)))
            for thread in threads:
                thread.start()
            host, port = listener.getsockname()
            try:
                yield f"{host}:{port}"
            finally:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stop:
                    stop.sendto(b"", (host, port))
                if tcp is not None:
                    socket.create_connection((host, port)).close()
                for thread in threads:
                    thread.join()


def _udp(sock: socket.socket, reply: Reply) -> None:
    while True:
        query, client = sock.recvfrom(512)
        if not query:
            return
        for message in reply(query):
            sock.sendto(message, client)


def _tcp(listener: socket.socket, reply: Reply) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            query = connection.recv(512)
            if not query:
                return
            for message in reply(query[2:]):
                connection.sendall(message)


def check(run: Run, server: str, *more: str) -> tuple[int, str]:
    """Exit code and everything printed."""
    done = run("healthcheck", "--server", server, "--name", "example.com", "--timeout", "2s", *more)
    return done.exit_code, done.output


def test_a_good_answer(run: Run) -> None:
    """One line and exit code 0; the question is the SOA of the name, without any flag."""
    asked: list[bytes] = []

    def reply(query: bytes) -> list[bytes]:
        asked.append(query)
        return [answer(query)]

    with serving(reply) as server:
        code, output = check(run, server)
    assert code == 0
    assert output.startswith(f"healthy: {server} answered for example.com in ")
    assert asked[0][2:] == bytes.fromhex("0000 0001 0000 0000 0000") + b"\7example\3com\0\0\6\0\1"


def test_ids_are_not_guessable(run: Run) -> None:
    """A new one each time."""
    asked: set[bytes] = set()
    with serving(lambda query: [asked.add(query[:2]) or answer(query)]) as server:
        for _ in range(4):
            check(run, server)
    assert len(asked) > 1


@pytest.mark.parametrize(
    ("flags", "rcode", "says"),
    [
        (QR | AA, 2, "answered SERVFAIL for example.com"),
        (QR | AA, 3, "answered NXDOMAIN for example.com"),
        (QR, 5, "answered REFUSED for example.com"),
        (QR, 0, "is no authority for example.com"),
    ],
)
def test_a_bad_answer(run: Run, flags: int, rcode: int, says: str) -> None:
    """Exit code 1 and what was wrong, in one line."""
    with serving(lambda query: [answer(query, flags, rcode)]) as server:
        assert check(run, server) == (1, f"unhealthy: {server} {says}\n")


def test_what_does_not_belong_to_the_question_is_left_aside(run: Run) -> None:
    """Another id, another question, a query, a stump: none is taken for the answer that follows."""

    def reply(query: bytes) -> list[bytes]:
        other_id = bytes((query[0] ^ 1, query[1]))
        good = answer(query)
        noise = [other_id + good[2:], good.replace(b"\3com", b"\3net"), query, good[:12], b"\0", good[:-1]]
        return [*noise, answer(query, QR | AA, 3)]

    with serving(reply) as server:
        assert check(run, server) == (1, f"unhealthy: {server} answered NXDOMAIN for example.com\n")


def test_a_lost_answer_is_asked_for_again(run: Run) -> None:
    """The first query meets silence, the second an answer."""
    asked: list[bytes] = []

    def reply(query: bytes) -> list[bytes]:
        asked.append(query)
        return [answer(query)] if len(asked) > 1 else []

    with serving(reply) as server:
        assert check(run, server)[0] == 0


def test_silence(run: Run) -> None:
    """Patience ends when it was said to end."""
    with serving(lambda _: []) as server:
        done = run("healthcheck", "--server", server, "--name", "example.com", "--timeout", "300ms")
    assert (done.exit_code, done.output) == (1, f"unhealthy: {server} did not answer within 0.3 s\n")


def test_a_closed_port(run: Run) -> None:
    """Said at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{reserved.getsockname()[1]}"
    assert check(run, server) == (1, f"unhealthy: {server}: Connection refused\n")


def framed(message: bytes) -> list[bytes]:
    """For TCP, in two pieces."""
    data = len(message).to_bytes(2) + message
    return [data[:1], data[1:]]


def test_a_truncated_answer_is_asked_for_over_tcp(run: Run) -> None:
    """The answer over TCP counts, good or bad."""
    truncated: Reply = lambda query: [answer(query, QR | AA | TC)]  # noqa: E731 - a table of behaviours
    with serving(truncated, lambda query: framed(answer(query))) as server:
        assert check(run, server)[0] == 0
    with serving(truncated, lambda query: framed(answer(query, rcode=2))) as server:
        assert check(run, server) == (1, f"unhealthy: {server} answered SERVFAIL for example.com\n")


@pytest.mark.parametrize(
    ("tcp", "says"),
    [
        (lambda _: [], "the TCP connection was closed before the answer was complete"),
        (lambda query: [b"\0\xff" + query], "the TCP connection was closed before the answer was complete"),
        (lambda query: framed(query), "what came over TCP is no answer to the question"),  # noqa: PLW0108
    ],
)
def test_bad_manners_over_tcp(run: Run, tcp: Reply, says: str) -> None:
    """No answer, half an answer, something else."""
    with serving(lambda query: [answer(query, QR | AA | TC)], tcp) as server:
        assert check(run, server) == (1, f"unhealthy: {server}: {says}\n")


def test_the_policy_says_where_and_what(run: Run, tmp_path: Path) -> None:
    """The first address and the first zone; an address for everybody is asked on loopback."""
    config = tmp_path / "georouter.yaml"
    with serving(lambda query: [answer(query)]) as server:
        config.write_text(SERVER % server)
        assert run("healthcheck").output.startswith(f"healthy: {server} answered for example.com in ")
        config.write_text(SERVER % server.replace("127.0.0.1", "0.0.0.0"))
        assert run("healthcheck").output.startswith(f"healthy: {server} answered for example.com in ")
        anywhere = run("healthcheck", "--server", server, "--config", str(config))
        assert anywhere.exit_code == 0
        assert run("healthcheck", "--name", "example.net").output.startswith(f"healthy: {server} ")


def test_without_a_usable_policy(run: Run, tmp_path: Path) -> None:
    """No policy, an invalid one, one without zones: what is missing can be given."""
    for text in (None, "version: 1\nnonsense: 1\n", "version: 1\n"):
        if text is not None:
            (tmp_path / "georouter.yaml").write_text(text)
        done = run("healthcheck")
        assert done.exit_code == 1
        assert "--server and --name" in done.output


@pytest.mark.parametrize(
    "words",
    [
        ("--server", "localhost"),
        ("--server", "127.0.0.1"),
        ("--name", "a..b"),
        ("--timeout", "2"),
        ("--timeout", "0s"),
    ],
)
def test_what_was_typed_wrongly(run: Run, words: tuple[str, str]) -> None:
    """A usage error that names the option."""
    given = dict((("--server", "127.0.0.1:1"), ("--name", "example.com"), words))
    done = run("healthcheck", *(word for pair in given.items() for word in pair))
    assert done.exit_code == 2
    assert words[0] in done.output


def test_it_imports_little() -> None:
    """With --server and --name, nothing that takes time to load: it runs every few seconds."""
    code = """
import sys
from georouter.cli.main import main
try:
    main(["healthcheck", "--server", "127.0.0.1:1", "--name", "example.com"], standalone_mode=False)
except Exception as verdict:
    print(type(verdict).__name__)
print(sorted({"aiohttp", "asyncio", "dns", "httpx", "numpy", "pydantic", "rich", "yaml"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == ["Unhealthy", "[]"]
