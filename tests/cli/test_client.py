"""Talking to a daemon that is not there, or that is something else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from georouter.cli.client import AdminClient, NoDaemonError, RefusedError
from tests.admin.desks import STATUS, FakeDesk
from tests.cli.conftest import Run
from tests.cli.daemons import open_door


def test_an_answer() -> None:
    """A view as a dictionary."""
    with open_door(FakeDesk()) as port:
        assert AdminClient(f"http://127.0.0.1:{port}/").get("/v1/status") == STATUS


def test_a_refusal() -> None:
    """The daemon's own words and status."""
    with open_door(FakeDesk()) as port, pytest.raises(RefusedError, match="not an address") as refused:
        AdminClient(f"http://127.0.0.1:{port}").get("/v1/explain", {"name": "a.test", "client": "nonsense"})
    assert refused.value.status == 400


@pytest.fixture
def nobody() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


def test_nobody_there(nobody: int, run: Run) -> None:
    """Every command says where it asked, what to start and how to ask elsewhere; the exit code is 1."""
    with pytest.raises(NoDaemonError):
        AdminClient(f"http://127.0.0.1:{nobody}").get("/v1/status")
    for args in (
        ("status",),
        ("reload",),
        ("drain", "eu", "--reason", "x"),
        ("undrain", "eu", "--reason", "x"),
    ):
        done = run(*args, "--admin", f"127.0.0.1:{nobody}")
        assert done.exit_code == 1
        for part in (f"http://127.0.0.1:{nobody}", "georouter serve", "--admin"):
            assert part in done.stderr


def test_proxies_are_not_used(nobody: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy for the web is no way to a daemon on this machine."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{nobody}")
    with open_door(FakeDesk()) as port:
        assert AdminClient(f"http://127.0.0.1:{port}").get("/v1/status") == STATUS


def test_authorities_are_for_tls(nobody: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without certificates of authorities plain HTTP works all the same; over TLS it says why not."""

    def missing(**_settings: object) -> None:
        raise FileNotFoundError("no certificates here")

    monkeypatch.setattr("ssl.create_default_context", missing)
    with open_door(FakeDesk()) as port:
        assert AdminClient(f"http://127.0.0.1:{port}").get("/v1/status") == STATUS
    with pytest.raises(NoDaemonError, match="no certificates here"):
        AdminClient(f"https://127.0.0.1:{nobody}").get("/v1/status")


@contextmanager
def stranger(answer: bytes) -> Iterator[int]:
    """A port where one connection gets `answer`, whatever it asks."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", RefusedError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", RefusedError),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", RefusedError),
        (b"SSH-2.0-OpenSSH_9.2\r\n", NoDaemonError),
        (b"", NoDaemonError),
    ],
)
def test_something_else_there(answer: bytes, error: type[Exception]) -> None:
    """Another program on the port is named as such, not shown as a status."""
    with stranger(answer) as port, pytest.raises(error, match=r"not a georouter|no daemon answers"):
        AdminClient(f"http://127.0.0.1:{port}").get("/v1/status")
