"""Zone files in a running daemon: changed, broken, repaired, restarted; and read as BIND reads them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import dns.name
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.zone
import pytest

from benchmarks.harness.daemon import PROGRAM, Daemon
from benchmarks.harness.wait import until
from georouter.policy.load import load
from georouter.sources import policy_files

pytestmark = pytest.mark.live

POLICY = """\
regions:
  us: {location: {lat: 39.0, lon: -77.5, country: US}, endpoints: [192.0.2.10]}
services:
  web: {regions: [us]}
zones:
  example.com: {file: zones/example.com.zone, records: {www: {service: web}}}
"""
ZONE = """\
$TTL 300
@ SOA ns1 hostmaster 2026050401 7200 900 1209600 60
@ NS ns1
ns1 A 192.0.2.53
$INCLUDE more.zone
legacy DNAME @
"""
OLD, NEW, LATER = "192.0.2.101", "192.0.2.102", "192.0.2.103"


def put(file: Path, text: str) -> None:
    """As an operator's tool would: by rename."""
    file.parent.mkdir(exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


def make(folder: Path) -> Daemon:
    """A daemon with a zone file that includes another one; not started."""
    put(folder / "zones" / "example.com.zone", ZONE)
    put(folder / "zones" / "more.zone", f"marker A {OLD}\n")
    return Daemon(folder, POLICY)


def marker(daemon: Daemon) -> str:
    """Which zone is served."""
    return daemon.ask("marker.example.com").addresses[0]


def refused(daemon: Daemon) -> list[str]:
    """What is wrong with the files on disk, empty while they are served."""
    last = daemon.status()["config"]["last_reload"]
    return [] if last["ok"] else list(last["problems"])


def test_steered_and_static_names_stand_side_by_side(tmp_path: Path) -> None:
    """Through the included file and a DNAME, too; the serial is the file's."""
    with make(tmp_path) as daemon:
        assert marker(daemon) == OLD
        assert daemon.ask("www.example.com").addresses == ("192.0.2.10",)
        assert daemon.ask("marker.legacy.example.com").addresses == (OLD,)
        assert daemon.ask("www.legacy.example.com").addresses == ("192.0.2.10",)
        soa = daemon.ask("example.com", "SOA").message.answer[0][0]
        assert soa.serial == 2026050401


def test_changes_are_served_and_mistakes_are_not(tmp_path: Path) -> None:
    """Without being told: of the file, of what it includes; a mistake keeps the last good zone."""
    with make(tmp_path) as daemon:
        more, zone = tmp_path / "zones" / "more.zone", tmp_path / "zones" / "example.com.zone"
        put(more, f"marker A {NEW}\n")
        until(lambda: marker(daemon) == NEW, "the new record")
        put(more, f"marker A {LATER}\nother A 192.0.2.\n")
        (problem,) = until(lambda: refused(daemon), "the refusal")
        assert problem.startswith(f"{more}:2: '192.0.2.' is not A data")
        assert marker(daemon) == NEW
        zone.unlink()
        until(lambda: "cannot be read: No such file" in "".join(refused(daemon)), "the missing file")
        assert marker(daemon) == NEW
        put(more, f"marker A {LATER}\n")
        put(zone, ZONE)
        until(lambda: marker(daemon) == LATER, "the repaired zone")
        assert refused(daemon) == []


def test_a_restart_with_a_broken_zone_file(tmp_path: Path) -> None:
    """The last good policy comes back with its zone files, also after a kill; then the repaired one."""
    daemon = make(tmp_path)
    more = tmp_path / "zones" / "more.zone"
    daemon.start()
    until((tmp_path / "state" / "last-good-policy.json").exists, "the last good policy")
    assert daemon.stop() == 0
    put(more, "marker A 192.0.2.\n")
    with daemon:
        assert marker(daemon) == OLD
        assert daemon.ask("www.example.com").addresses == ("192.0.2.10",)
        assert daemon.status()["config"]["serving_last_good"]
        put(more, f"marker A {NEW}\n")
        until(lambda: marker(daemon) == NEW, "the repaired zone")
        assert not daemon.status()["config"]["serving_last_good"]


def test_check_names_file_and_line(tmp_path: Path) -> None:
    """All problems of all files at once, exit code 1."""
    daemon = make(tmp_path)
    put(
        tmp_path / "zones" / "more.zone",
        "a A x\n\nb MX 10 alias\nalias CNAME www\nwww TXT fine\nwww A 192.0.2.1\n",
    )
    command = [PROGRAM, "check", "--config", str(daemon.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    found = [line.removeprefix("zones/") for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert [line.split(": ")[0] for line in found] == ["more.zone:1", "more.zone:3", "more.zone:6"]


TRICKY = r"""
$TTL 1h30m
@	IN	SOA	ns1 dns\.admin ( 2026050401 ; serial
		2h 15m ; refresh, retry
		2w 1m )
	NS	ns1
	IN NS	ns2.example.net.
	300 IN	MX	10 mail
	IN 300	MX	20 Mail.Example.NET.
ns1	A	192.0.2.53
	AAAA	2001:db8::53
$ORIGIN Sub
@	TXT	"one; two" three ( "four five"
  six )
a\.b	A	192.0.2.1
\*c	A	192.0.2.2
*	CNAME	a\.b
\097bc	TYPE65280	\# 4 ( 0a00 0001 )
$INCLUDE more.zone deep
here	A	192.0.2.3
$GENERATE 0-6/3 g-${4,3,x} A 192.0.2.$
$GENERATE 1-2 ${0,5,n}.rev 7 IN PTR \$host-$.example.net.
@	HTTPS	1 . alpn="h2,h3" ipv4hint=192.0.2.1
srv._tcp	SRV	0 5 443 here
caa	CAA	0 issue "ca.example; validationmethods=dns-01"
loc	LOC	52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
naptr	NAPTR	100 10 "U" "E2U+sip" "!^.*$!sip:info@example.com!" .
d	DNAME	elsewhere.example.net.
del	NS	ns.del
del	DS	12345 13 2 ( 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE
		F2AE7F1D16EE0A29D0E2D9A1 )
ns.del	A	192.0.2.9
"""
MORE = '@ A 192.0.2.4\n\tTXT "in\\032cluded"\n$TTL 60\nx A 192.0.2.5\n'


def test_zone_files_are_read_as_bind_reads_them(tmp_path: Path, need: Callable[[str], str]) -> None:
    """Every record with its TTL, from `named-compilezone`."""
    program = need("named-compilezone")
    (tmp_path / "example.com.zone").write_text(TRICKY)
    (tmp_path / "more.zone").write_text(MORE)
    command = [program, "-q", "-i", "none", "-k", "ignore", "-o", "-", "example.com", "example.com.zone"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "p.yaml").write_text("version: 1\nzones: {example.com: {file: example.com.zone}}\n")
    (zone,) = load(policy_files.read(tmp_path / "p.yaml")).policy.zones.values()
    ours = {
        (dns.name.from_wire(item.owner, 0)[0], item.type, item.ttl_s, rdata)
        for item in zone.records
        for rdata in item.rdatas
    }
    theirs = set()
    for line in done.stdout.splitlines():
        owner, ttl, _, kind, data = line.split(None, 4)
        rdata = dns.rdata.from_text("IN", kind, data, origin=dns.name.root, relativize=False)
        theirs.add((dns.name.from_text(owner), int(rdata.rdtype), int(ttl), rdata.to_wire()))
    soa = {row for row in theirs if row[1] == dns.rdatatype.SOA}
    assert ours == theirs - soa
    assert {row[2] for row in soa} == {zone.soa.ttl_s} == {5400}
    assert (zone.soa.mname, zone.soa.rname) == ("ns1.example.com", r"dns\.admin.example.com")
