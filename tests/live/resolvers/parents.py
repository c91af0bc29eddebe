"""The root and the zones above ours on loopback: signed, served by NSD, our zones delegated without DS.

So a validating resolver walks the way it walks on the Internet, and is told by a signed denial that
our zones are not signed.
"""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.dnssec
import dns.exception
import dns.name
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.reversename
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.dnssectypes import Algorithm, DSDigest
from dns.rdtypes.ANY.DNSKEY import DNSKEY

from benchmarks.harness.ask import ask
from benchmarks.harness.wait import until
from tests.live.resolvers.site import AUTHORITY, AUTHORITY6, AUTHORITY_TOO, AUTHORITY_TOO6, ROOT, SECOND, TOP

START_S = 30.0
TTL_S = 3600
KEY_FLAGS = 257
HEAD = """\
$TTL 3600
@ SOA {server} hostmaster.{server} 1 7200 900 1209600 60
@ NS {server}
"""
ROOT_SERVER, TOP_SERVER = "root-server.", "top-server."
ROOT_TEXT = HEAD.format(server=ROOT_SERVER) + f"{ROOT_SERVER} A {ROOT}\n{TOP_SERVER} A {TOP}\n"
REVERSE = {
    AUTHORITY: "ns1.example.com.",
    AUTHORITY6: "ns1.example.com.",
    AUTHORITY_TOO: "ns2.example.com.",
    AUTHORITY_TOO6: "ns2.example.com.",
    SECOND: "ns.far.example.com.",
}
TOPS = {
    "arpa": "".join(
        f"{dns.reversename.from_address(address)} PTR {name}\n" for address, name in REVERSE.items()
    ),
    "com": f"""\
example NS ns1.example
example NS ns2.example
ns1.example A {AUTHORITY}
ns1.example AAAA {AUTHORITY6}
ns2.example A {AUTHORITY_TOO}
ns2.example AAAA {AUTHORITY_TOO6}
""",
    "org": """\
example NS ns1.example.com.
example NS ns2.example.com.
""",
    "net": f"""\
www.elsewhere A 203.0.113.80
target.elsewhere 5 A 203.0.113.81
target.elsewhere 5 AAAA 2001:db8:113::81
many.elsewhere TXT "{"x" * 200}" "{"y" * 200}" "{"z" * 200}" "{"x" * 200}" "{"y" * 200}" "{"z" * 200}"
""",
}
NSD = """\
server:
    ip-address: {root}@53
    ip-address: {top}@53
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    database: ""
    logfile: "{folder}/log"
    pidfile: ""
    xfrdfile: "{folder}/xfrd.state"
    zonelistfile: "{folder}/zone.list"
    xfrdir: "{folder}"
    rrl-ratelimit: 0
remote-control:
    control-enable: no
"""


@dataclass(frozen=True, slots=True)
class Parents:
    """Files for resolvers: where the root is, and its key."""

    hints: Path
    anchor: Path


def _sign(origin: str, text: str) -> tuple[str, DNSKEY]:
    """A zone signed with a key of its own, as text."""
    zone = dns.zone.from_text(text, dns.name.from_text(origin), relativize=False)
    private = ec.generate_private_key(ec.SECP256R1())
    algorithm = Algorithm.ECDSAP256SHA256
    key = dns.dnssec.make_dnskey(private.public_key(), algorithm, flags=KEY_FLAGS)
    start = datetime.now(UTC) - timedelta(hours=1)  # nobody's clock is exact
    dns.dnssec.sign_zone(
        zone,
        keys=[(private, key)],
        add_dnskey=True,
        dnskey_ttl=TTL_S,
        inception=start,
        expiration=start + timedelta(days=1),
    )
    return zone.to_text(relativize=False), key


def _zones() -> tuple[Mapping[str, str], DNSKEY]:
    """Signed text by zone name, and the root's key."""
    texts: dict[str, str] = {}
    root = ROOT_TEXT
    for top, delegations in TOPS.items():
        texts[top], key = _sign(f"{top}.", HEAD.format(server=TOP_SERVER) + delegations)
        ds = dns.dnssec.make_ds(dns.name.from_text(top), key, DSDigest.SHA256)
        root += f"{top}. NS {TOP_SERVER}\n{top}. DS {ds.to_text()}\n"
    texts["."], key = _sign(".", root)
    return texts, key


@contextlib.contextmanager
def parents(program: str, folder: Path) -> Iterator[Parents]:
    """`program` is NSD's."""
    folder.mkdir()
    texts, key = _zones()
    config = NSD.format(folder=folder, root=ROOT, top=TOP)
    for number, (name, text) in enumerate(texts.items()):
        (folder / f"{number}.zone").write_text(text)
        config += f'zone:\n    name: "{name}"\n    zonefile: "{number}.zone"\n'
    (folder / "conf").write_text(config)
    told = Parents(hints=folder / "hints", anchor=folder / "anchor")
    told.hints.write_text(f". 3600000 NS {ROOT_SERVER}\n{ROOT_SERVER} 3600000 A {ROOT}\n")
    told.anchor.write_text(f". 3600 IN DNSKEY {key.to_text()}\n")

    def serves() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        with contextlib.suppress(OSError, dns.exception.Timeout):
            return all(ask((ROOT, 53), name, "SOA", timeout_s=0.3).message.answer for name in texts)
        return False

    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [program, "-d", "-c", str(folder / "conf")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        until(serves, "NSD with the root", START_S)
        yield told
    finally:
        process.terminate()
        process.wait(10)
