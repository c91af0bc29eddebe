"""Resolved through unbound with its subnet cache: a recursor caches by our scopes."""

import subprocess
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import dns.exception
import pytest

from benchmarks.harness.ask import Reply, ask
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import AP_SOUTH, EU_WEST, LONDON, SINGAPORE
from benchmarks.harness.wait import free_port, until

pytestmark = pytest.mark.live
NAME = "www.example.com"
CONFIG = """
server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: "{folder}/pid"
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  use-syslog: no
  num-threads: 1
  module-config: "subnetcache iterator"
  send-client-subnet: 127.0.0.1
  client-subnet-zone: "example.com"
  client-subnet-always-forward: yes
  max-client-subnet-ipv4: 32
  do-not-query-localhost: no
  qname-minimisation: no
  target-fetch-policy: "0 0 0 0 0"
stub-zone:
  name: "example.com"
  stub-addr: 127.0.0.1@{authority}
remote-control:
  control-enable: no
"""


def resolve(recursor: tuple[str, int], name: str, type_: str = "A", client: str | None = None) -> Reply:
    """Ask as a stub resolver does."""
    return ask(recursor, name, type_, client, recurse=True, timeout_s=2.0)


@pytest.fixture
def recursor(need: Callable[[str], str], daemon: Daemon, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """An unbound that asks the daemon for example.com and passes client subnets on."""
    port = free_port()
    config = tmp_path / "unbound.conf"
    config.write_text(CONFIG.format(folder=tmp_path, port=port, authority=daemon.address[1]))
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([need("unbound"), "-d", "-c", str(config)], stdout=output, stderr=output)
    address = ("127.0.0.1", port)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return ask(address, "ns1.example.com", recurse=True, timeout_s=0.3).rcode == "NOERROR"
        except (OSError, dns.exception.Timeout):
            return False

    try:
        until(answers, "unbound")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def test_a_recursor_caches_by_our_scopes(daemon: Daemon, recursor: tuple[str, int]) -> None:
    """Inside the scope it answers from its cache; a client elsewhere is asked for anew."""

    def asked() -> float:
        return daemon.metric("georouter_dns_requests_total", type="A")

    scope = daemon.ask(NAME, client=LONDON).scope
    assert scope is not None
    before = asked()
    assert resolve(recursor, NAME, client=LONDON).addresses == (EU_WEST,)
    assert asked() == before + 1

    network = ip_network(LONDON.split("/")[0] + f"/{scope}", strict=False)
    for address in (network[0], network[-1]):
        assert resolve(recursor, NAME, client=f"{address}/32").addresses == (EU_WEST,)
    assert asked() == before + 1

    assert resolve(recursor, NAME, client=SINGAPORE).addresses == (AP_SOUTH,)
    assert asked() == before + 2


def test_a_recursor_caches_static_names_for_everybody(daemon: Daemon, recursor: tuple[str, int]) -> None:
    """Scope 0 is one cache entry for the whole Internet."""
    before = daemon.metric("georouter_dns_requests_total", type="A")
    for client in (LONDON, SINGAPORE):
        assert resolve(recursor, "mail.example.com", client=client).addresses == ("192.0.2.60",)
    assert daemon.metric("georouter_dns_requests_total", type="A") == before + 1


def test_a_recursor_believes_our_negative_answers(recursor: tuple[str, int]) -> None:
    """NXDOMAIN and NODATA pass through with the SOA."""
    missing = resolve(recursor, "nothing.example.com", client=LONDON)
    assert missing.rcode == "NXDOMAIN"
    assert resolve(recursor, NAME, "TXT", client=LONDON).rcode == "NOERROR"
