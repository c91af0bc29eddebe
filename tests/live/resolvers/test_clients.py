"""What stands before resolvers: the C library, and a forwarder that adds its clients' networks."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import dns.exception
import dns.flags
import dns.query
import pytest

from benchmarks.harness.ask import question, read
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import AP_SOUTH, EU_WEST
from benchmarks.harness.wait import until
from tests.live.resolvers import unbound
from tests.live.resolvers.running import Resolver
from tests.live.resolvers.site import AUTHORITY, LONDON_RESOLVER, SINGAPORE_CLIENT

pytestmark = pytest.mark.live
LISTEN = "127.0.2.1"
INSIDE = 'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"'


@pytest.fixture(params=[None, False, True], ids=["direct", "lenient", "strict"])
def upstream(
    request: pytest.FixtureRequest, daemons: Daemon, start: Callable[[ModuleType, bool], Resolver]
) -> str:
    """Ourselves, or a resolver."""
    return AUTHORITY if request.param is None else start(unbound, request.param).address[0]


@pytest.mark.parametrize("options", ["attempts:1", "edns0 trust-ad", "use-vc", "single-request-reopen"])
def test_glibc(need: Callable[[str], str], upstream: str, tmp_path: Path, options: str) -> None:
    """As most programs ask, through a resolver and directly: both families, aliases, missing names."""
    configured, order = tmp_path / "resolv.conf", tmp_path / "nsswitch.conf"
    configured.write_text(f"nameserver {upstream}\noptions {options}\n")
    order.write_text("hosts: dns\n")
    enter = [need("unshare"), "--mount", "sh", "-c", INSIDE, "sh", str(configured), str(order)]

    def getent(*words: str) -> tuple[int, list[str]]:
        command = [*enter, need("getent"), "--no-addrconfig", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stdout.split()

    code, said = getent("ahostsv4", "alias.example.com")
    assert code == 0
    assert said[2] == "www.example.com"
    assert upstream == AUTHORITY or EU_WEST in said
    assert getent("ahostsv6", "mail.example.com")[1][0] == "2001:db8::60"
    assert {"192.0.2.60", "2001:db8::60"} <= set(getent("ahosts", "mail.example.com")[1])
    assert getent("ahosts", "nothing.example.com") == (2, [])
    assert getent("ahosts", "c.deep.example.com") == (2, [])
    assert "192.0.2.71" in getent("ahostsv4", "to-inner.example.com")[1]
    assert len(set(getent("ahostsv4", "any.crowd.example.com")[1])) > 50


@pytest.fixture
def dnsmasq(need: Callable[[str], str], upstream: str, tmp_path: Path) -> Iterator[None]:
    """A forwarder at `LISTEN`, to us or to a resolver that takes its word for it."""
    words = (
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        f"--pid-file={tmp_path}/pid",
        "--user=root",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        f"--listen-address={LISTEN}",
        f"--server={upstream}",
        "--add-subnet=24,56",
        "--log-facility=-",
    )

    def answers() -> bool:
        assert process.poll() is None, (tmp_path / "log").read_text()
        try:
            return forwarded("mail.example.com", LONDON_RESOLVER, timeout_s=0.1) == ("192.0.2.60",)
        except (OSError, dns.exception.Timeout):
            return False

    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [need("dnsmasq"), *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        until(answers, "dnsmasq")
        yield
    finally:
        process.terminate()
        process.wait(10)


def forwarded(name: str, client: str, *, timeout_s: float = 5.0) -> tuple[str, ...]:
    """What a client of the forwarder gets that asks from that address."""
    query = question(name, recurse=True)
    assert query.flags & dns.flags.RD
    return read(dns.query.udp(query, LISTEN, timeout=timeout_s, source=client)).addresses


def test_a_forwarder_that_adds_subnets(dnsmasq: None) -> None:
    """Each of its clients gets the answer for its own place."""
    for _ in range(2):
        for name in ("www.example.com", "any.app.example.com", "alias.example.com"):
            assert forwarded(name, LONDON_RESOLVER) == (EU_WEST,)
            assert forwarded(name, SINGAPORE_CLIENT) == (AP_SOUTH,)
