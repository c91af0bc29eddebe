"""Policies: YAML of one file or several, behind lines of `%%%`; those that begin with `$` are zone files.

What must hold: findings with places, or a policy; in bounded time and memory; a policy that loads can be
compiled and answers.
"""

from collections.abc import Iterator
from pathlib import Path

import georouter
from georouter.policy.files import PolicyFile
from georouter.policy.load import Loaded
from georouter.policy.zonefile.includes import zone_sources
from tests.fuzz.parts import FOLDER, SEPARATOR, split, try_load
from tests.fuzz.target import About
from tests.fuzz.zonefiles import compiled
from tests.policy import cases_lint, cases_parts, cases_shape, cases_yaml, cases_zones
from tests.policy.policies import SECTIONS, complete

ABOUT = About(
    longest=5000,
    is_text=True,
    words=(
        b"&a ",
        b"*a",
        b"<<: *a",
        b"!!str ",
        b"!!binary ",
        b"? ",
        b"- ",
        b": ",
        b"| ",
        b"> ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"'",
        b'"',
        b"#",
        b"null",
        b"true",
        b"~",
        b"0x10",
        b"1e3",
        b".inf",
        b".nan",
        b"2024-01-01",
        b"---\n",
        b"...\n",
        b"%YAML 1.1\n",
        b"\t",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xe2\x80\xa8",
        b"\x00",
        b"\x85",
        b"\r",
        b"file: zones/0.zone",
        b"service: web",
        b"chain:",
        b"nearest: {}",
        b"residency:",
        b"weighted:",
        b"failover:",
        b"geo:",
        b"sticky:",
        b"limit: {regions: 2}",
        b"when_all_down: ",
        b"last_known",
        b"servfail",
        b"fallback: [us]",
        b"endpoints:",
        b"labels:",
        b"location: {lat: 1, lon: 2}",
        b"30s",
        b"1h30m",
        b"200km",
        b"10.0.0.0/8",
        b"2001:db8::/33",
        b"networks:",
        b"overrides:",
        b"asn: 64500",
        b"country: [DE, FR]",
        b"tests:",
        b"expect: us",
        b'listen: ["[::1]:53"]',
        b"rate_limit:",
        b"cookies:",
        b"tcp:",
        b"soa: {serial: 1}",
        b"HTTPS: '1 . alpn=h2'",
        b"CNAME: www",
        b"NS: [ns.x]",
        b"DNAME: x",
        b'"*.x": ',
        b'"@": ',
        b"ttl: 0s",
        b"checks:",
        b"type: https",
        b"interval: 5s",
        b"${ENV}",
        b"..",
        b"%%%\n",
    ),
    mutations=700,
)


def run(data: bytes) -> None:
    """Load, and compile what was loaded."""
    files: list[PolicyFile] = []
    for number, text in enumerate(split(data)[:5]):
        is_zone = text.startswith("$")
        name = f"{FOLDER}/zones/{number}.zone" if is_zone else f"{FOLDER}/{number}.yaml"
        files.append(PolicyFile(name, text, zone=is_zone))
    zone_sources(files, FOLDER)
    loaded = try_load(files)
    if isinstance(loaded, Loaded):
        compiled(loaded.policy)


def seeds() -> Iterator[bytes]:
    """The examples, and everything wrong that the tests of `policy` know."""
    examples = Path(georouter.__file__).parent / "examples"
    for path in sorted(examples.glob("*.yaml")):
        text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
        yield text.encode()
    for module in (cases_yaml, cases_shape, cases_parts, cases_zones, cases_lint):
        for case in module.CASES:
            yield complete(case.text).encode("utf-8", "surrogatepass")
    yield "".join(SECTIONS.values()).encode()
    yield SEPARATOR.join(section.encode() for section in SECTIONS.values())
    beside = b"version: 1\nzones: {example.com: {file: zones/1.zone}}"
    yield beside + SEPARATOR + b"$TTL 1h\n@ SOA ns root 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
