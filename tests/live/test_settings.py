"""Settings of the server section and secrets change while it answers; what cannot is named."""

import threading
from pathlib import Path
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import three_regions
from benchmarks.harness.wait import until

pytestmark = pytest.mark.live
ONE, TWO = "e5e973e5a6b2a43f48e7dc849e37bfcf", "445536bcd2513298075a5d379663c962"
CLIENT = bytes(range(8))


class Changing(Daemon):
    """A daemon whose server section the test writes."""

    def set(self, server: str) -> None:
        """Write the policy with these keys beside the usual ones, and wait until it is in use."""
        self._server = server
        before = self.metric("georouter_config_reloads_total", result="success")
        self.write(three_regions())
        until(lambda: self.metric("georouter_config_reloads_total", result="success") > before, "a reload")

    def told(self, *options: dns.edns.Option, kind: str = "A", klass: str = "IN", name: str = "") -> Any:
        """An answer over UDP."""
        query = dns.message.make_query(
            name or "www.example.com", kind, klass, use_edns=0, options=list(options)
        )
        return dns.query.udp(query, *self.address[:1], port=self.address[1], timeout=2)

    def cookie(self) -> bytes:
        """The server cookie that a new client gets."""
        (found,) = (
            item
            for item in self.told(dns.edns.GenericOption(10, CLIENT)).options
            if isinstance(item, dns.edns.CookieOption)
        )
        return bytes(found.server)


@pytest.fixture
def daemon(tmp_path: Path) -> Any:
    """One that starts with defaults."""
    with Changing(tmp_path, three_regions()) as running:
        yield running


def test_everything_that_needs_no_socket(daemon: Changing) -> None:
    """Names, payload, cookies, rate limits; a steady stream of queries loses none of its answers."""
    lost: list[str] = []
    stop = threading.Event()

    def stream() -> None:
        while not stop.is_set():
            try:
                if daemon.ask("www.example.com", timeout_s=2.0).rcode != "NOERROR":
                    lost.append("rcode")
            except Exception as error:  # noqa: BLE001 - whatever it is, it is an answer lost
                lost.append(repr(error))

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        daemon.set(', nsid: ams1, identity: here, version: "1", cookies: false, limits: {udp_payload: 1400}')
        told = daemon.told(dns.edns.GenericOption(3, b""), dns.edns.GenericOption(10, CLIENT))
        assert [item.to_wire() for item in told.options] == [b"ams1"]
        assert told.payload == 1400
        for name, text in (("id.server", '"here"'), ("version.bind", '"1"')):
            assert [str(item) for item in daemon.told(kind="TXT", klass="CH", name=name).answer[0]] == [text]
        daemon.set("")
        assert daemon.told(dns.edns.GenericOption(3, b"")).options == ()
        assert daemon.told(kind="TXT", klass="CH", name="id.server").rcode() == dns.rcode.REFUSED
        assert daemon.cookie()
    finally:
        stop.set()
        thread.join()
    assert lost == []
    assert daemon.status()["server"]["restart_needed"] == []


def test_rate_limiting(daemon: Changing) -> None:
    """On, with this machine exempt, and off."""

    def truncated() -> int:
        return sum(bool(daemon.told().flags & dns.flags.TC) for _ in range(10))

    assert truncated() == 0
    daemon.set(", rate_limit: {responses_per_second: 2, slip: 1}")
    assert truncated() >= 5
    daemon.set(", rate_limit: {responses_per_second: 2, slip: 1, exempt: 127.0.0.0/8}")
    assert truncated() == 0
    assert daemon.metric("georouter_dns_rate_limited_total", action="slip") >= 5


def test_a_secret_file_alone_changes(daemon: Changing) -> None:
    """The policy is the same: a reload reads the file all the same."""
    file = daemon.folder / "secrets"
    file.write_text(f"{ONE}\n")
    daemon.set(f", cookie_secret_file: {file}")
    first = dns.edns.GenericOption(10, CLIENT + daemon.cookie())
    file.write_text(f"{TWO}\n{ONE}\n")
    assert daemon.post("/v1/reload", {})[0] == 200
    made, kept = daemon.cookie(), daemon.told(first)
    assert kept.rcode() == dns.rcode.NOERROR
    file.write_text(f"{TWO}\n")
    assert daemon.post("/v1/reload", {})[0] == 200
    (again,) = daemon.told(dns.edns.GenericOption(10, CLIENT + made)).options
    assert bytes(again.server) == made  # young and made with the first secret: it comes back as it is
    (other,) = daemon.told(first).options
    assert bytes(other.server) != first.data[8:]


def test_what_waits_for_a_restart(daemon: Changing) -> None:
    """By name, in the log, in `status`, until the policy says what is in use again."""
    daemon.set(", workers: 3, nsid: ams1")
    assert daemon.status()["server"]["restart_needed"] == ["workers"]
    assert "server.restart_needed settings=workers" in daemon.output()
    assert daemon.told(dns.edns.GenericOption(3, b"")).options
    daemon.set("")
    assert daemon.status()["server"]["restart_needed"] == []
