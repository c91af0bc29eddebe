"""Addresses that somebody else has: one clear sentence, exit code 1, and nothing left behind."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness.daemon import PROGRAM
from benchmarks.harness.policies import three_regions
from benchmarks.harness.wait import free_port

pytestmark = pytest.mark.live

UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM


@contextlib.contextmanager
def taken(host: str, port: int, kind: socket.SocketKind, *, shared: bool = False) -> Iterator[None]:
    """Somebody else's socket; `shared` ones would let others bind beside them."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as sock:
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        if kind == TCP:
            sock.listen()
        yield


def serve(folder: Path, dns: str, admin: str) -> subprocess.CompletedProcess[str]:
    """Try to start a daemon on these addresses, to its end."""
    config = folder / "georouter.yaml"
    config.write_text(
        f'version: 1\nserver: {{listen: ["{dns}"], admin: "{admin}", state_dir: {folder / "state"}}}\n'
        + three_regions()
    )
    environment = {**os.environ, "NO_COLOR": "1"}
    command = [PROGRAM, "serve", "--config", str(config)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=folder, env=environment
    )


def is_free(host: str, port: int) -> bool:
    """Whether both transports can be had again."""
    for kind in (UDP, TCP):
        try:
            with taken(host, port, kind):
                pass
        except OSError:
            return False
    return True


@pytest.mark.parametrize(
    ("host", "kind", "shared"),
    [
        ("127.0.0.1", UDP, False),
        ("127.0.0.1", UDP, True),
        ("127.0.0.1", TCP, False),
        ("127.0.0.1", TCP, True),
        ("::1", UDP, False),
        ("::1", TCP, False),
    ],
    ids=["udp", "udp, shared", "tcp", "tcp, shared", "udp of IPv6", "tcp of IPv6"],
)
def test_a_taken_dns_address(tmp_path: Path, host: str, kind: socket.SocketKind, shared: bool) -> None:
    """Half of an address is not enough. The sentence has the address, the transport and what to do."""
    port, admin = free_port(), free_port()
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with taken(host, port, kind, shared=shared):
        done = serve(tmp_path, shown, f"127.0.0.1:{admin}")
    transport = "UDP" if kind == UDP else "TCP"
    assert_refused(done, f"cannot listen on {shown} ({transport}): the address is taken", "server.listen")
    assert is_free(host, port)
    assert is_free("127.0.0.1", admin)
    assert not list(tmp_path.glob("state/.*")), "a temporary file"


def test_a_taken_admin_address(tmp_path: Path) -> None:
    """Noticed before a single query is answered."""
    port, admin = free_port(), free_port()
    with taken("127.0.0.1", admin, TCP):
        done = serve(tmp_path, f"127.0.0.1:{port}", f"127.0.0.1:{admin}")
    assert_refused(done, f"admin address 127.0.0.1:{admin} is taken", "server.admin")
    assert "server.answering" not in done.stderr
    assert is_free("127.0.0.1", port)


def test_the_second_of_two_addresses(tmp_path: Path) -> None:
    """The one that is taken is named, and the other one is free again."""
    first, second = free_port(), free_port()
    with taken("127.0.0.1", second, UDP):
        done = serve(tmp_path, f'127.0.0.1:{first}", "127.0.0.1:{second}', f"127.0.0.1:{free_port()}")
    assert_refused(done, f"cannot listen on 127.0.0.1:{second} (UDP)", "server.listen")
    assert is_free("127.0.0.1", first)


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 1, one sentence with all `words`, no traceback."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    sentence = done.stderr.splitlines()[-1]
    for word in words:
        assert word in sentence
