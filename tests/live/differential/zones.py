"""Zones made at random from few labels, so that every construct meets every other."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

from georouter.policy.load import PolicyFile, load
from georouter.words.errors import PolicyError, Severity

LABELS = ("a", "b", "c", "*", "D", r"e\.f")
ELSEWHERE = ("www.elsewhere.test.", "ns1.elsewhere.test.", "test.")
NAMES = (8, 24)
"""Owners of a zone: at least, and fewer than."""

PLACE = re.compile(r'zones\["([^"]+)"\]\.records(?:\["([^"]+)"\]|\.(\w+))(?:\.(\w+))?(?:\[\d+\])?')
"""Where a diagnostic says that a record is."""

Records = dict[str, Any]


def random_zones(seed: int, count: int, before: str) -> str:
    """Entries for the `zones:` of a policy, which begins with `before`; every third zone has one inside it.

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
            load([PolicyFile("policy.yaml", before + text)])
        except PolicyError as error:
            refused = [found.path for found in error.diagnostics if found.severity is Severity.ERROR]
            for path in refused:
                take_out(made, path)
        else:
            return text


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
