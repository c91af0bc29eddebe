"""Knot DNS, NSD and BIND as secondaries: they copy our zone, follow it, and serve what we serve."""

import base64
import contextlib
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdataclass
import dns.rdatatype
import dns.zone
import pytest

from benchmarks.harness.ask import ask
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.wait import free_port, until

pytestmark = pytest.mark.live

START_S = 30.0
SECRET = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(32)).decode()

KNOT = """\
server:
  rundir: "{folder}"
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: info
database:
  storage: "{folder}"
key:
  - id: xfr
    algorithm: hmac-sha256
    secret: "{secret}"
remote:
  - id: us
    address: 127.0.0.1@{primary}
{knot_key}
acl:
  - id: told
    address: 127.0.0.1
    action: notify
{knot_key}
  - id: seen
    address: 127.0.0.1
    action: transfer
zone:
  - domain: example.com
    storage: "{folder}"
    master: us
    acl: [told, seen]
"""
NSD = """\
server:
    ip-address: 127.0.0.1@{port}
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    database: ""
    logfile: "{folder}/log"
    pidfile: "{folder}/pid"
    xfrdfile: "{folder}/xfrd.state"
    zonelistfile: "{folder}/zone.list"
    xfrdir: "{folder}"
    verbosity: 2
    xfrd-reload-timeout: 0
    minimal-responses: yes
remote-control:
    control-enable: no
key:
    name: xfr
    algorithm: hmac-sha256
    secret: "{secret}"
zone:
    name: example.com
    zonefile: "{folder}/zone"
    request-xfr: 127.0.0.1@{primary} {nsd_key}
    allow-notify: 127.0.0.1 {nsd_key}
    provide-xfr: 127.0.0.1 NOKEY
"""
BIND = """\
options {{
    directory "{folder}"; pid-file none; session-keyfile none; recursion no; notify no; minimal-responses yes;
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; allow-transfer {{ 127.0.0.1; }};
}};
controls {{ }};
key "xfr" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "example.com" {{
    type secondary; file "{folder}/zone"; primaries {{ 127.0.0.1 port {primary} {bind_key}; }};
}};
"""
POLICY = """\
regions:
  us: {{location: {{lat: 39.0, lon: -77.5, country: US}}, endpoints: [192.0.2.10, "2001:db8::10"]}}
  eu: {{location: {{lat: 53.3, lon: -6.3, country: IE}}, endpoints: [192.0.2.20, "2001:db8::20"]}}
services:
  web: {{regions: [us, eu], chain: [nearest], https: {{alpn: [h2]}}}}
  fenced: {{regions: [us, eu], chain: [{{residency: {{clients: {{group: [EU]}}, regions: [eu]}}}}, nearest]}}
zones:
  example.com:
    file: example.com.zone
    transfer: {{allow: [{allow}], keys: [xfr], notify: [{notify}]}}
    records:
      www: {{service: web}}
      "*.app": {{service: web}}
      eu: {{service: fenced}}
  inner.example.com:
    ns: [ns1.inner.example.com]
    records: {{ns1: {{A: 192.0.2.81}}, www: {{A: 192.0.2.80}}}}
"""
ZONE = r"""
$TTL 300
@ NS ns1
@ MX 10 mail
@ TXT "v=spf1 -all" "second"
ns1 A 192.0.2.53
mail A 192.0.2.60
mail AAAA 2001:db8::60
*.wild TXT "star"
a.b.ent CNAME Mail.Example.COM.
d DNAME elsewhere.example.net.
sub NS ns.sub
sub NS ns.elsewhere.example.
sub DS 12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DEF2AE7F1D16EE0A29D0E2D9A1
ns.sub A 192.0.2.70
srv._tcp SRV 0 5 443 mail
caa CAA 0 issue "ca.example"
odd\.dot\000name TYPE65280 \# 4 0a000001
large TXT {large}
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
$GENERATE 0-1999 host$ A 192.0.2.77
""".replace("{large}", " ".join(['"' + "x" * 250 + '"'] * 50))
"""The largest record is smaller than the messages in which NSD hands zones on."""


@dataclass
class Secondary:
    """A running server."""

    name: str
    address: tuple[str, int]
    folder: Path

    def serial(self) -> int | None:
        """What it serves."""
        try:
            answer = ask(self.address, "example.com", "SOA", timeout_s=1.0).message.answer
        except (OSError, dns.exception.Timeout):
            return None
        return int(answer[0][0].serial) if answer else None

    def log(self) -> str:
        """What it printed."""
        return "\n".join(path.read_text(errors="replace") for path in self.folder.glob("*log"))


@contextlib.contextmanager
def secondary(
    name: str, program: str, folder: Path, primary: int, port: int, *, key: bool, secret: str = SECRET
) -> Iterator[Secondary]:
    """One of the three, with nothing to begin with."""
    folder.mkdir()
    config = {"knot": KNOT, "nsd": NSD, "bind": BIND}[name]
    command = {"knot": ["-c"], "nsd": ["-d", "-c"], "bind": ["-g", "-n", "1", "-c"]}[name]
    (folder / "conf").write_text(
        config.format(
            folder=folder,
            port=port,
            primary=primary,
            secret=secret,
            knot_key="    key: xfr" if key else "",
            nsd_key="xfr" if key else "NOKEY",
            bind_key="key xfr" if key else "",
        )
    )
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [program, *command, str(folder / "conf")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
        )
    try:
        yield Secondary(name, ("127.0.0.1", port), folder)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


PROGRAMS = {"knot": "knotd", "nsd": "nsd", "bind": "named"}


def make(folder: Path, notify: Sequence[str], allow: str = "127.0.0.1") -> Daemon:
    """Ours, with a zone of some size; not started."""
    folder.mkdir(exist_ok=True)
    (folder / "key").write_text(SECRET)
    (folder / "example.com.zone").write_text(ZONE)
    server = ", keys: {xfr: {secret_file: key}}"
    return Daemon(folder, POLICY.format(allow=allow, notify=", ".join(notify)), server=server)


def change(daemon: Daemon, old: str, new: str) -> None:
    """Edit the zone file."""
    file = daemon.folder / "example.com.zone"
    draft = file.with_suffix(".draft")
    draft.write_text(file.read_text().replace(old, new))
    draft.replace(file)


def copy_of(address: tuple[str, int], key: str = "") -> set[tuple[str, int, str]]:
    """Every record that a server gives away: owner, TTL, type and data."""
    name = dns.name.from_text("example.com")
    zone = dns.zone.Zone(name, relativize=False)
    query = dns.message.make_query(name, "AXFR")
    if key:
        query.use_tsig({dns.name.from_text("xfr"): base64.b64decode(key)}, algorithm="hmac-sha256")
    dns.query.inbound_xfr(address[0], zone, query, port=address[1], timeout=20, lifetime=60)
    return {
        (
            owner.to_text().lower(),
            rdataset.ttl,
            f"{dns.rdatatype.to_text(rdataset.rdtype)} {rdata.to_text().lower()}",
        )
        for owner, rdataset in zone.iterate_rdatasets()
        for rdata in rdataset
    }


def kinds(daemon: Daemon) -> list[str]:
    """The transfers that our log tells of."""
    return re.findall(r"transfer\.sent zone=example\.com kind=(\w+)", daemon.output())


@pytest.mark.parametrize("key", [False, True], ids=["by address", "signed"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_zone_follows(name: str, key: bool, tmp_path: Path, need: Callable[[str], str]) -> None:
    """The whole zone at first, then the differences, as soon as it is told of them; both serve the same."""
    program, port = need(PROGRAMS[name]), free_port()
    told = f'{{address: "127.0.0.1:{port}"{", key: xfr" if key else ""}}}'
    daemon = make(tmp_path / "us", [told], allow="192.0.2.1" if key else "127.0.0.1")
    with (
        daemon,
        secondary(name, program, tmp_path / name, daemon.address[1], port, key=key) as there,
    ):
        serial = daemon.ask("example.com", "SOA").message.answer[0][0].serial
        until(lambda: there.serial() == serial, f"{name} to have the zone: {there.log()}", START_S)
        ours = copy_of(daemon.address, SECRET if key else "")
        assert len(ours) > 2020
        assert copy_of(there.address) == ours
        assert {answer(there.address, question) for question in QUESTIONS} == {
            answer(daemon.address, question) for question in QUESTIONS
        }
        until(lambda: state(daemon) == "acknowledged", "the secondary to know", START_S)
        for old, new in (("mail A 192.0.2.60", "mail A 192.0.2.61"), ('TXT "star"', 'TXT "moon"')):
            before = there.serial()
            change(daemon, old, new)
            until(
                lambda before=before: there.serial() not in (None, before), f"{name}: {there.log()}", START_S
            )
            assert copy_of(there.address) == copy_of(daemon.address, SECRET if key else "")
        assert kinds(daemon).count("IXFR") >= 2, daemon.output()
        until(lambda: state(daemon) == "acknowledged", "the secondary to know of the last change", START_S)
        assert SECRET not in daemon.output() + str(daemon.status())


QUESTIONS = (
    ("example.com", "MX"),
    ("mail.example.com", "AAAA"),
    ("x.wild.example.com", "TXT"),
    ("a.b.ent.example.com", "A"),
    ("ent.example.com", "A"),
    ("host1999.example.com", "A"),
    ("nothing.example.com", "A"),
    ("large.example.com", "TXT"),
    ("x.d.example.com", "A"),
    ("x.sub.example.com", "A"),
    ("sub.example.com", "DS"),
)


def answer(address: tuple[str, int], question: tuple[str, str]) -> tuple[object, ...]:
    """Response code, answer and authority."""
    message = ask(address, *question, tcp=True).message
    sections = [
        sorted(line for item in part for line in str(item).lower().splitlines())
        for part in (message.answer, message.authority)
    ]
    return question, message.rcode(), str(sections)


def state(daemon: Daemon) -> str:
    """What the only secondary said of what it was told last."""
    (zone,) = daemon.status()["transfers"]["zones"]
    (entry,) = zone["notify"]
    assert entry["serial"] == zone["serial"]
    return str(entry["state"])


def test_a_key_that_is_wrong(tmp_path: Path, need: Callable[[str], str]) -> None:
    """No zone for the secondary, and a word for its operator."""
    program, port = need("knotd"), free_port()
    daemon = make(tmp_path / "us", [f'"127.0.0.1:{port}"'], allow="192.0.2.1")
    with (
        daemon,
        secondary(
            "knot", program, tmp_path / "knot", daemon.address[1], port, key=True, secret=OTHER
        ) as there,
    ):
        until(lambda: "no usable master" in there.log(), "a refusal", START_S)
        assert there.serial() is None
        until(lambda: state(daemon) == "refused", "the refusal of an unsigned word", START_S)
        assert kinds(daemon) == []
        assert daemon.metric("georouter_notify_total", zone="example.com", result="refused") >= 1


def test_serials_and_restarts(tmp_path: Path) -> None:
    """A restart changes no serial, a change while we are down does; drains and health change none."""
    daemon = make(tmp_path, [])

    def serial() -> int:
        return int(daemon.ask("example.com", "SOA").message.answer[0][0].serial)

    with daemon:
        first = serial()
        code, body = daemon.post("/v1/drain", {"region": "us", "reason": "test"})
        assert code == 200, body
        until(lambda: daemon.ask("www.example.com").addresses == ("192.0.2.20",), "the drain", START_S)
        assert serial() == first
        assert ("www.example.com.", 30, "A 192.0.2.10") in copy_of(daemon.address)
    daemon.launch()
    daemon.wait_ready()
    assert serial() == first
    daemon.stop()
    change(daemon, "192.0.2.60", "192.0.2.61")
    with daemon:
        second = serial()
        assert second > first
    (tmp_path / "example.com.zone").write_text(ZONE)
    for cached in (tmp_path / "state" / "cache").iterdir():
        cached.unlink()
    with daemon:
        assert serial() > second


def dug(dig: Callable[..., str], daemon: Daemon, *words: str) -> str:
    """What dig says."""
    return dig(daemon.address, "example.com", *words)


def test_dig(tmp_path: Path, dig: Callable[..., str]) -> None:
    """With and without a key, over UDP, with a wrong key; with differences and without."""
    daemon = make(tmp_path, [], allow="192.0.2.1")
    key = ("-y", f"hmac-sha256:xfr:{SECRET}")
    with daemon:
        assert "Transfer failed." in dug(dig, daemon, "AXFR")
        assert re.search(r"XFR size: 20\d\d records", dug(dig, daemon, "AXFR", *key))
        assert "Couldn't verify signature" in dug(dig, daemon, "SOA", "-y", f"hmac-sha256:xfr:{OTHER}")
        assert "status: NOTAUTH" in dug(dig, daemon, "SOA", "-y", f"hmac-sha256:xfr:{OTHER}")
        assert "status: NOERROR" in dug(dig, daemon, "SOA", *key)
        assert "TSIG could not be validated" not in dug(dig, daemon, "SOA", *key)
        first = daemon.ask("example.com", "SOA").message.answer[0][0].serial
        change(daemon, "192.0.2.60", "192.0.2.61")
        until(lambda: daemon.ask("mail.example.com").addresses == ("192.0.2.61",), "the change", START_S)
        changed = dug(dig, daemon, f"IXFR={first}", *key)
        assert "XFR size: 6 records" in changed
        assert "192.0.2.60" in changed
        assert "192.0.2.61" in changed
        over_udp = dug(dig, daemon, f"IXFR={first}", "+notcp", *key)
        assert "192.0.2.61" in over_udp
        assert "(UDP)" in over_udp
        now = daemon.ask("example.com", "SOA").message.answer[0][0].serial
        assert "XFR size: 1 records" in dug(dig, daemon, f"IXFR={now}", *key)


def test_answers_go_on_during_a_transfer(tmp_path: Path) -> None:
    """Others are answered while a large zone is on its way, and a client that does not read costs little."""
    daemon = make(tmp_path, [])
    file = daemon.folder / "example.com.zone"
    file.write_text(file.read_text() + "$GENERATE 1-100000 many$ A 192.0.2.78\n")
    query = dns.message.make_query("example.com", "AXFR")
    with daemon:
        before = daemon.metric("process_resident_memory_bytes")
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                sleeper = stack.enter_context(socket.socket())
                sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sleeper.connect(daemon.address)
                wire = query.to_wire()
                sleeper.sendall(len(wire).to_bytes(2) + wire)
            until(lambda: daemon.status()["transfers"]["active"] == 2, "both transfers", START_S)
            for _ in range(20):
                assert ask(daemon.address, "www.example.com", timeout_s=1.0).rcode == "NOERROR"
                assert ask(daemon.address, "www.example.com", tcp=True, timeout_s=1.0).rcode == "NOERROR"
            assert ask(daemon.address, "example.com", "AXFR", tcp=True).rcode == "SERVFAIL"  # a third one
        until(lambda: daemon.status()["transfers"]["active"] == 0, "both to end", START_S)
        assert daemon.metric("georouter_zone_transfers_total", result="cut") == 2
        assert len(copy_of(daemon.address)) > 100_000
        assert daemon.metric("process_resident_memory_bytes") - before < 40e6
