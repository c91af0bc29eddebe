"""Cookies: dig thinks ours are good, and NSD's with the same secret are ours."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.edns
import dns.exception
import dns.message
import dns.query
import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.wait import free_port, until
from georouter.answers.cookies import Cookies

pytestmark = pytest.mark.live
SECRET = "e5e973e5a6b2a43f48e7dc849e37bfcf"
CLIENT = bytes(range(8))
LOOPBACK = 0x7F000001
NSD = """\
server:
    ip-address: 127.0.0.1@{port}
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    logfile: "{folder}/log"
    pidfile: "{folder}/pid"
    xfrdfile: "{folder}/xfrd.state"
    zonelistfile: "{folder}/zone.list"
    xfrdir: "{folder}"
    answer-cookie: yes
    cookie-secret: "{secret}"
    cookie-secret-file: ""
remote-control:
    control-enable: no
"""


def asked(port: int, cookie: bytes) -> bytes:
    """The cookie that comes back for this one."""
    option = dns.edns.GenericOption(10, cookie)
    query = dns.message.make_query("example.com", "SOA", use_edns=0, options=[option])
    told = dns.query.udp(query, "127.0.0.1", port=port, timeout=1)
    (found,) = (item for item in told.options if isinstance(item, dns.edns.CookieOption))
    return bytes(found.client) + bytes(found.server)


@pytest.fixture
def nsd(need: Callable[[str], str], tmp_path: Path) -> Iterator[int]:
    """The port of an NSD that shares our secret."""
    port = free_port()
    config = tmp_path / "nsd.conf"
    config.write_text(NSD.format(port=port, folder=tmp_path, secret=SECRET))
    with subprocess.Popen([need("nsd"), "-d", "-c", str(config)], stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(port), "NSD", 30.0)
            yield port
        finally:
            process.terminate()
            process.wait(10)


def answers(port: int) -> bool:
    """Whether somebody does there."""
    try:
        return bool(asked(port, CLIENT))
    except (OSError, dns.exception.Timeout):
        return False


def test_nsd_and_we_agree(nsd: int) -> None:
    """Each takes the other's cookie for its own, and NSD refuses to for another secret's."""
    ours = Cookies((bytes.fromhex(SECRET),))
    theirs = asked(nsd, CLIENT)
    option, proven = ours.answer(theirs, LOOPBACK, 4, time.time())
    assert proven
    assert option[4:] == theirs
    mine = ours.answer(CLIENT, LOOPBACK, 4, time.time() - 60)[0][4:]
    assert asked(nsd, mine) == mine
    other = Cookies((bytes(16),)).answer(CLIENT, LOOPBACK, 4, time.time() - 60)[0][4:]
    assert asked(nsd, other) != other


def test_dig_likes_our_cookies(dig: Callable[..., str], daemon: Daemon) -> None:
    """It sends one by default, checks that its own part comes back, and takes the rest for good."""
    assert "(good)" in dig(daemon.address, "www.example.com")
