"""Knot DNS and NSD on loopback, serving the zones of a policy of ours."""

import contextlib
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from benchmarks.harness.ask import ask
from benchmarks.harness.wait import free_port, until
from georouter.policy.model import Binding, Policy, RecordSet, Region, Zone
from georouter.wire.codes import TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_HTTPS, TYPE_NS, TYPE_SOA, TYPE_SVCB
from georouter.wire.names import is_below, parse_name
from georouter.wire.rdata import soa_rdata
from georouter.wire.svcb import hints, service_rdata

START_S = 30.0
PORT = re.compile(r"127\.0\.0\.1@(\d+)")

KNOT = """\
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    tcp-max-clients: 50
    udp-max-payload: {payload}
log:
  - target: stderr
    any: warning
database:
    storage: "{folder}"
template:
  - id: default
    storage: "{folder}"
    file: "%s.zone"
    semantic-checks: off
    journal-content: none
    zonefile-sync: -1
zone:
{zones}"""

NSD = """\
server:
    ip-address: 127.0.0.1@{port}
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "{zones_folder}"
    database: ""
    logfile: "{folder}/log"
    pidfile: "{folder}/pid"
    xfrdfile: "{folder}/xfrd.state"
    zonelistfile: "{folder}/zone.list"
    xfrdir: "{folder}"
    ipv4-edns-size: {payload}
    hide-version: yes
    refuse-any: no
    minimal-responses: yes
    round-robin: no
    confine-to-zone: no
    rrl-ratelimit: 0
    tcp-count: 50
remote-control:
    control-enable: no
{zones}"""


def zone_files(policy: Policy, folder: Path, own: Mapping[str, Path]) -> dict[str, Path]:
    """Write every zone that has no file of its `own` as RFC 1035 text; file by zone name."""
    files: dict[str, Path] = {}
    for number, zone in enumerate(policy.zones.values()):
        if zone.name in own:
            files[zone.name] = own[zone.name]
            continue
        files[zone.name] = folder / f"{number}.zone"
        files[zone.name].write_text("".join(f"{line}\n" for line in zone_lines(policy, zone)))
    return files


def expanded(program: str, zone: str, file: Path) -> Path:
    """The zone file as BIND's named-compilezone writes it out, without directives."""
    out = file.with_suffix(".expanded")
    command = [program, "-q", "-i", "none", "-k", "ignore", "-o", str(out), zone, str(file)]
    subprocess.run(command, check=True, timeout=START_S, cwd=file.parent)
    return out


def dotted(zone: str) -> str:
    """Its absolute name."""
    return f"{zone.removesuffix('.')}."


def zone_lines(policy: Policy, zone: Zone) -> Iterator[str]:
    """One record per line. A steered name has what its service's only region has; a zone below another
    of ours is delegated there, where the policy does not say so itself.
    """
    soa = zone.soa
    assert soa.serial is not None, "the peers do not know how we number"
    timers = (soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, soa.negative_ttl_s)
    data = soa_rdata(parse_name(soa.mname), parse_name(soa.rname), *timers)
    yield from _lines(RecordSet(zone.apex, TYPE_SOA, soa.ttl_s, (data,)))
    for records in zone.records:
        yield from _lines(records)
    for steered in zone.steered:
        service = policy.services[steered.service]
        (region,) = service.regions
        for endpoint in policy.regions[region].endpoints:
            kind = {4: TYPE_A, 6: TYPE_AAAA, 0: TYPE_CNAME}[endpoint.family]
            text = endpoint.address if endpoint.family else f"{endpoint.address}."
            rdata = dns.rdata.from_text("IN", dns.rdatatype.RdataType.make(kind), text).to_wire()
            assert rdata is not None
            yield from _lines(RecordSet(steered.owner, kind, service.ttl_s, (rdata,)))
        for kind, bindings in ((TYPE_HTTPS, service.https), (TYPE_SVCB, service.svcb)):
            rdatas = tuple(_with_hints(binding, policy.regions[region]) for binding in bindings)
            if rdatas:
                yield from _lines(RecordSet(steered.owner, kind, service.ttl_s, rdatas))
    said = {records.owner for records in zone.records if records.type == TYPE_NS}
    for inner in policy.zones.values():
        if inner.apex != zone.apex and is_below(inner.apex, zone.apex) and inner.apex not in said:
            yield from (
                line
                for records in inner.records
                if records.owner == inner.apex and records.type == TYPE_NS
                for line in _lines(records)
            )


def _with_hints(binding: Binding, region: Region) -> bytes:
    """The record with the region's addresses."""
    by_family = (
        [ip_address(end.address).packed for end in region.endpoints if end.family == family]
        for family in (4, 6)
    )
    return service_rdata(
        binding.priority, binding.target, (*binding.params, *(hints(*by_family) if binding.hints else ()))
    )


def _lines(records: RecordSet) -> Iterator[str]:
    owner = dns.name.from_wire(records.owner, 0)[0].to_text()
    kind = dns.rdatatype.RdataType.make(records.type)
    for rdata in records.rdatas:
        text = dns.rdata.from_wire(dns.rdataclass.IN, kind, rdata, 0, len(rdata)).to_text()
        yield f"{owner} {records.ttl_s} IN {dns.rdatatype.to_text(kind)} {text}"


@contextlib.contextmanager
def knot(program: str, files: Mapping[str, Path], folder: Path, payload: int) -> Iterator[tuple[str, int]]:
    """Knot DNS; its address. `payload` is the largest answer over UDP."""
    zones = "".join(f'  - domain: "{dotted(name)}"\n    file: "{file}"\n' for name, file in files.items())
    config = KNOT.format(folder=folder, port=free_port(), payload=payload, zones=zones)
    with _serve(folder, config, lambda path: [program, "-c", str(path)], files) as address:
        yield address


@contextlib.contextmanager
def nsd(
    program: str, files: Mapping[str, Path], folder: Path, payload: int, includes: Path
) -> Iterator[tuple[str, int]]:
    """NSD; its address. `payload` is the largest answer over UDP; what `$INCLUDE` names is in `includes`."""
    zones = "".join(
        f'zone:\n    name: "{dotted(name)}"\n    zonefile: "{file}"\n' for name, file in files.items()
    )
    config = NSD.format(folder=folder, port=free_port(), payload=payload, zones=zones, zones_folder=includes)
    with _serve(folder, config, lambda path: [program, "-d", "-c", str(path)], files) as address:
        yield address


@contextlib.contextmanager
def _serve(
    folder: Path, config: str, command: Callable[[Path], list[str]], files: Mapping[str, Path]
) -> Iterator[tuple[str, int]]:
    folder.mkdir()
    found = PORT.search(config)
    assert found is not None
    address = ("127.0.0.1", int(found[1]))
    path, log = folder / "conf", folder / "output"
    path.write_text(config)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(path), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder
        )

    def serves(zone: str) -> bool:
        said = "\n".join(file.read_text(errors="replace") for file in (log, folder / "log") if file.exists())
        assert process.poll() is None, said
        try:
            return bool(ask(address, zone, "SOA", timeout_s=0.3).message.answer)
        except (OSError, dns.exception.Timeout):
            return False

    try:
        for zone in files:
            until(
                lambda zone=zone: serves(zone), f"{zone} from {command(path)[0]}: {log.read_text()}", START_S
            )
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
