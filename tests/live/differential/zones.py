"""Zones that would be tedious to write: of every type, of every size, and at random from few labels, so that
every construct meets every other.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dns.rdata

from georouter.policy.load import PolicyFile, load
from georouter.policy.refused import SIGNED
from georouter.wire.codes import TYPE_CNAME, TYPE_DNAME, TYPE_NS, TYPE_SOA, type_number
from georouter.words.errors import PolicyError, Severity
from tests.wire.test_rdata import EVERY_TYPE

FILES = {
    name: f"zones/{name.removesuffix('.test')}.zone"
    for name in ("files.test", "generated.test", "large.test", "types.test")
}
"""Zones that are read from files, and the files, from the policy's folder."""
WRITTEN = Path(__file__).parent / "files"
HOSTS = 40
HEAD = "$TTL 3600\n@ 3600 SOA ns1.elsewhere.test. root 3 3600 900 1209600 60\n@ 3600 NS ns1.elsewhere.test.\n"
GENERIC = frozenset(
    ("AMTRELAY", "AVC", "BRID", "CSYNC", "DLV", "DSYNC", "GPOS", "HHIT", "HIP", "ISDN", "NINFO")
)
GENERIC |= {"NSAP", "NSAP_PTR", "PX", "RESINFO", "SPF", "WALLET", "WKS", "X25"}
"""Types whose text not all servers read: they get the generic form (RFC 3597 5)."""

LABELS = ("a", "b", "c", "*", "D", r"e\.f")
ELSEWHERE = ("www.elsewhere.test.", "ns1.elsewhere.test.", "test.")
NAMES = (8, 24)
"""Owners of a zone: at least, and fewer than."""

PLACE = re.compile(r'zones\["([^"]+)"\]\.records(?:\["([^"]+)"\]|\.(\w+))(?:\.(\w+))?(?:\[\d+\])?')
"""Where a diagnostic says that a record is."""

Records = dict[str, Any]


def zone_texts() -> dict[str, str]:
    """The zone files of `FILES` and what they include, by path from the policy's folder."""
    texts = {path.name: path.read_text() for path in WRITTEN.glob("*.zone")}
    texts |= {"large.zone": "".join(large()), "types.zone": "".join(types())}
    return {f"zones/{name}": text for name, text in texts.items()}


def write_files(folder: Path) -> list[PolicyFile]:
    """`zone_texts` below `folder`."""
    written = []
    for name, text in zone_texts().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written.append(PolicyFile(str(path), text, zone=True))
    return written


def types() -> Iterator[str]:
    """Every type, alone, beside all others, and below a wildcard; names in mixed case."""
    yield HEAD
    for kind, text in EVERY_TYPE.items():
        number = type_number(kind.replace("_", "-"))
        if number in SIGNED or number in {TYPE_SOA, TYPE_CNAME, TYPE_DNAME, TYPE_NS}:
            continue
        mixed = text.replace("example.com.", "Mixed.Types.TEST.")
        wire = dns.rdata.from_text("IN", number, mixed).to_wire()
        assert wire is not None
        data = f"{kind} {mixed}" if kind not in GENERIC else f"TYPE{number} \\# {len(wire)} {wire.hex()}"
        for owner in (kind, "Every", "*.Wild"):
            yield f"{owner} 300 {data}\n"
    yield "to-every CNAME Every\nto-wild CNAME any.Wild\nd DNAME Wild\nmixed HINFO a b\n"


def large() -> Iterator[str]:
    """Answers and referrals of many sizes round the limits of UDP."""
    yield HEAD
    for count in (20, 28, 29, 75, 250):
        yield from (f"a{count} 60 A 192.0.2.{number}\n" for number in range(count))
        yield f"to-a{count} 60 CNAME a{count}\n"
    for count in (28, 60):
        yield from (f"*.w{count} 60 A 192.0.2.{number}\n" for number in range(count))
        yield f"to-w{count} 60 CNAME Any.Thing.w{count}\nd{count} DNAME w{count}\n"
    for count in (16, 17, 42, 140):
        yield from (f"aaaa{count} 60 AAAA 2001:db8::{number:x}\n" for number in range(count))
    for size in (430, 440, 450, 460, 470, 1180, 1190, 1200, 1205, 2000, 4040, 4050, 4070):
        strings = " ".join(f'"{"x" * min(255, size - at)}"' for at in range(0, size, 256))
        yield f"txt{size} 60 TXT {strings}\n"
    for count in (5, 14, 15, 41, 150):
        yield from (f"mx{count} 60 MX {number} host{number % HOSTS}\n" for number in range(count))
    for count in (15, 41):
        yield from (f"srv{count} 60 SRV 1 2 {number} host{number}\n" for number in range(count))
        yield from (f"ptr{count} 60 PTR host{number}.mx{count}\n" for number in range(count))
    for count in (3, 8, 13, 14, HOSTS):
        yield from _delegations(count)
    yield from (f"host{number} A 198.51.100.{number}\n" for number in range(HOSTS))
    yield from (f"host{number} AAAA 2001:db8:1::{number:x}\n" for number in range(0, HOSTS, 2))


def _delegations(count: int) -> Iterator[str]:
    """To so many servers: inside, beside, elsewhere, and both inside and beside."""
    for number in range(count):
        inside = f"ns{number}.in{count}"
        yield f"in{count} 60 NS {inside}\n"
        yield f"{inside} 60 A 192.0.2.{number}\n{inside} 60 AAAA 2001:db8::{number:x}\n"
        yield f"by{count} 60 NS host{number}\nout{count} 60 NS ns{number}.elsewhere.test.\n"
        if number % 2:
            inside = f"ns{number}.mixed{count}"
            yield f"mixed{count} 60 NS {inside}\n{inside} 60 A 192.0.2.{number}\n"
        else:
            yield f"mixed{count} 60 NS host{number}\n"
    yield f"by{count} 60 DS 1 13 2 {'ab' * 32}\nin{count} 60 DS 1 13 4 {'cd' * 48}\n"
    yield f"to-in{count} CNAME www.in{count}\n"


def random_zones(seed: int, count: int, before: str, beside: Sequence[PolicyFile]) -> str:
    """Entries for the `zones:` of a policy, which begins with `before` and has zone files `beside` it; every
    third zone has one inside it.

    What the policy refuses is taken out again.
    """
    chance = random.Random(seed)
    apexes = [f"z{number}.test" for number in range(count)]
    inner = [f"{'.'.join(chance.choices('abn', k=chance.choice((1, 2))))}.{apex}" for apex in apexes[::3]]
    every = [*apexes, *inner]
    made = {apex: zone(apex, every, chance) for apex in every}
    while True:
        text = "".join(f"  {apex}: {json.dumps(written)}\n" for apex, written in made.items())
        try:
            load([PolicyFile(policy_name(beside), before + text), *beside])
        except PolicyError as error:
            refused = [found.path for found in error.diagnostics if found.severity is Severity.ERROR]
            for path in refused:
                take_out(made, path)
        else:
            return text


def policy_name(beside: Sequence[PolicyFile]) -> str:
    """A file for a policy in the folder above its zone files."""
    return str(Path(beside[0].name).parent.parent / "georouter.yaml")


def take_out(zones: Records, path: str) -> None:
    """Remove the records of one type at one name, or the name."""
    found = PLACE.fullmatch(path)
    assert found, f"{path} is refused, and not because of one record"
    apex, quoted, plain, kind = found.groups()
    records = zones[apex]["records"]
    held = records.get(quoted or plain, {})
    held.pop(kind, None)
    if not held or kind is None:
        records.pop(quoted or plain, None)


def zone(apex: str, apexes: list[str], chance: random.Random) -> Records:
    """One zone, as the policy writes it."""
    below = tuple(f".{other}." for other in apexes if other != apex and other.endswith(f".{apex}"))
    owners = {owner(chance) for _ in range(chance.randrange(*NAMES))}
    owners = {name for name in owners if not f".{name}.{apex}.".lower().endswith(below)}
    records = unique({name: contents(name, apex, apexes, chance) for name in sorted(owners)})
    for name in [name for name, held in records.items() if "DNAME" in held]:
        if any(inside.endswith(f".{name}.{apex}.".lower()) for inside in below):
            del records[name]  # nothing may stand below it, and there a zone does
    cuts = [name for name, held in records.items() if "NS" in held]
    for name, held in records.items():
        if "service" in held and any(f".{name}".lower().endswith(f".{cut}".lower()) for cut in cuts):
            records[name] = {"A": address(chance)}
    for name in cuts:
        add_glue(records, name, chance)
    redirected = tuple(f".{name}".lower() for name, held in records.items() if "DNAME" in held)
    records = {name: held for name, held in records.items() if not name.lower().endswith(redirected)}
    soa = {"serial": chance.randrange(1, 1000), "negative_ttl": f"{chance.randrange(600)}s", "ttl": "5m"}
    servers = ["ns1.elsewhere.test", "ns2.elsewhere.test"]
    return {"soa": soa, "ttl": f"{chance.randrange(1, 4000)}s", "ns": servers, "records": records}


def unique(records: Records) -> Records:
    """Owners that differ in case alone are one name: the first stands."""
    found: dict[str, str] = {}
    for name in records:
        found.setdefault(name.lower(), name)
    return {name: records[name] for name in found.values()}


def add_glue(records: Records, cut: str, chance: random.Random) -> None:
    """Addresses for servers inside the zone that they serve."""
    folded = {name.lower(): name for name in records}
    for server in records[cut]["NS"]:
        if server == cut:
            records[cut] |= dict(addresses(chance))
        elif server.lower().endswith(f".{cut}".lower()) and server.lower() not in folded:
            records[server] = dict(addresses(chance))


def owner(chance: random.Random) -> str:
    """Up to three labels."""
    return ".".join(chance.choices(LABELS, k=chance.choice((1, 1, 2, 2, 3))))


def contents(name: str, apex: str, apexes: list[str], chance: random.Random) -> Records:
    """What one name has."""
    match chance.randrange(14):
        case 0 | 1 | 2:
            return {"CNAME": target(apex, apexes, chance)}
        case 3 | 4 if not name.startswith("*"):
            servers = [chance.choice((f"ns.{name}", name, target(apex, apexes, chance))) for _ in "123"]
            held: Records = {"NS": list(dict.fromkeys(servers))}
            if chance.random() < 0.4:
                held["DS"] = f"{chance.randrange(65536)} 13 2 {chance.randbytes(32).hex()}"
            return held
        case 5:
            return {"service": chance.choice(("web", "old"))}
        case 6:
            return {"MX": f"10 {target(apex, apexes, chance)}", "A": address(chance)}
        case 7:
            return {"TXT": "text", "TYPE65280": r"\# 3 010203", "CAA": '0 issue ";"'}
        case 8 if not name.startswith("*"):
            return {"DNAME": target(apex, apexes, chance)}
        case 9:
            return {"SRV": f"1 2 3 {target(apex, apexes, chance)}"}
        case _:
            return dict(addresses(chance))


def addresses(chance: random.Random) -> Iterator[tuple[str, Any]]:
    """A, AAAA or both."""
    which = chance.randrange(1, 4)
    if which & 1:
        yield "A", list({address(chance) for _ in "12"})
    if which & 2:
        yield "AAAA", f"2001:db8::{chance.randrange(1, 65536):x}"


def address(chance: random.Random) -> str:
    """One of the documentation's (RFC 5737)."""
    return f"192.0.2.{chance.randrange(256)}"


def target(apex: str, apexes: list[str], chance: random.Random) -> str:
    """A name in this zone, in another one, or elsewhere."""
    match chance.randrange(8):
        case 0:
            return chance.choice(ELSEWHERE)
        case 1 | 2:
            return f"{owner(chance)}.{chance.choice(apexes)}."
        case 3:
            return f"{apex}."
        case _:
            return owner(chance)
