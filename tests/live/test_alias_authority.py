"""Alias targets in a zone that Knot DNS serves: they change, become a chain, go away, are silent, return."""

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.edns
import dns.exception
import dns.rcode
import pytest

from benchmarks.harness.ask import ask
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.wait import free_port, until

pytestmark = pytest.mark.live

START_S = 30.0
KNOT = """\
server:
  rundir: "{folder}"
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "{folder}"
zone:
  - domain: vendor.test
    storage: "{folder}"
    file: zone
    semantic-checks: off
"""
HEAD = """\
$ORIGIN vendor.test.
$TTL 1
@ SOA ns.vendor.test. hostmaster.vendor.test. {serial} 60 60 3600 1
@ NS ns.vendor.test.
ns A 127.0.0.1
"""
POLICY = """\
zones:
  example.com:
    ns: [ns.elsewhere.test]
    records:
      "@": [{alias: lb.vendor.test.}, {MX: "10 mail"}]
      "*.w": {alias: lb.vendor.test.}
      mail: {A: 192.0.2.60}
"""


class Knot:
    """Knot DNS with one zone, at a port of its own."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        self._program = program
        self._folder = folder
        self._serial = 0
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        (folder / "conf").write_text(KNOT.format(folder=folder, port=self.port))

    def serve(self, *records: str) -> None:
        """The zone has these records from now on."""
        self._serial += 1
        (self._folder / "zone").write_text(HEAD.format(serial=self._serial) + "\n".join(records) + "\n")
        if self._process is None:
            with (self._folder / "log").open("ab") as log:
                command = [self._program, "-c", str(self._folder / "conf")]
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        else:
            self.tell(signal.SIGHUP)
        until(self._is_served, "the zone", START_S)

    def tell(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """Leave the port to nobody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def _is_served(self) -> bool:
        with contextlib.suppress(OSError, dns.exception.Timeout):
            soa = ask(("127.0.0.1", self.port), "vendor.test", "SOA", timeout_s=0.3).message.answer
            return bool(soa) and soa[0][0].serial == self._serial
        return False


@pytest.fixture
def knot(need: Callable[[str], str], tmp_path: Path) -> Iterator[Knot]:
    """It serves one address of each family."""
    made = Knot(need("knotd"), tmp_path / "knot")
    try:
        made.serve("lb A 198.51.100.1", "lb AAAA 2001:db8:99::1")
        yield made
    finally:
        made.stop()


def test_a_target_and_its_fortunes(tmp_path: Path, knot: Knot) -> None:
    """Followed by its TTL while there are addresses; the last ones are kept while there are none."""
    server = f", resolver: {{addresses: '127.0.0.1:{knot.port}', timeout: 300ms, min_ttl: 1s}}"
    with Daemon(tmp_path / "us", POLICY, server=server, ready="mail.example.com") as daemon:

        def answers(*addresses: str, kind: str = "A") -> None:
            for name in ("example.com", "any.w.example.com"):
                until(
                    lambda name=name: daemon.ask(name, kind).addresses == addresses, f"{addresses} at {name}"
                )

        def state() -> tuple[str, str]:
            (found,) = daemon.status()["aliases"]
            return found["state"], found["reason"]

        def stale(reason: str) -> None:
            until(lambda: state()[0] == "stale" and reason in state()[1], reason)
            for name in ("example.com", "any.w.example.com"):
                reply = daemon.ask(name, client="192.0.2.0/24")
                assert reply.addresses == ("198.51.100.2",)
                assert any(
                    isinstance(item, dns.edns.EDEOption) and item.code == dns.edns.EDECode.STALE_ANSWER
                    for item in reply.message.options
                )
            assert daemon.ask("example.com", "MX").message.answer

        answers("198.51.100.1")
        answers("2001:db8:99::1", kind="AAAA")
        knot.serve("lb CNAME edge", "edge CNAME pool", "pool A 198.51.100.2")
        answers("198.51.100.2")
        answers(kind="AAAA")
        knot.serve("other A 198.51.100.9")
        stale("no such name")
        knot.serve("lb A 198.51.100.2")
        until(lambda: state() == ("fresh", ""), "the name again")
        knot.tell(signal.SIGSTOP)
        stale("timeout")
        knot.tell(signal.SIGCONT)
        until(lambda: state() == ("fresh", ""), "an answer again")
        knot.stop()
        stale("timeout")
        knot.serve("lb A 198.51.100.3")
        answers("198.51.100.3")
        assert daemon.output().count("alias.failing") == 3
        assert daemon.output().count("alias.recovered") == 3
