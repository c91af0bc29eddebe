"""Knot DNS with mod-geoip in its `geodb` mode, keyed by country.

Without mod-cookies: that answers BADCOOKIE to clients that do not show a server cookie yet, which is
another answer than everybody else gives. So Knot reads cookies and makes none.
"""

from benchmarks.peers.peer import Peer
from benchmarks.peers.world import DEFAULT, NAMES, REGIONS, TTL_S, ZONE, Site, countries

PROGRAM = "knotd"


def prepare(site: Site) -> list[str]:
    """Write zone, mapping and settings; the command that serves them in the foreground."""
    default = REGIONS[DEFAULT]
    zone = [
        f"$ORIGIN {ZONE}.",
        f"$TTL {TTL_S}",
        f"@ SOA ns1.{ZONE}. hostmaster.{ZONE}. 1 7200 900 1209600 60",
        f"@ NS ns1.{ZONE}.",
        "ns1 A 192.0.2.53",
        *(f"{name} {kind} {to}" for name in NAMES for kind, to in zip(("A", "AAAA"), default, strict=True)),
    ]
    (site.folder / f"{ZONE}.zone").write_text("\n".join(zone) + "\n")
    mapping: list[str] = []
    for name in NAMES:
        mapping.append(f"{name}.{ZONE}:")
        for row in countries():
            v4, v6 = REGIONS[row.region]
            mapping += [f'  - geo: "{row.code}"', f"    A: {v4}", f"    AAAA: {v6}"]
    (site.folder / "geo.conf").write_text("\n".join(mapping) + "\n")
    settings = site.folder / "knot.conf"
    settings.write_text(
        f"""\
server:
    rundir: "{site.folder}"
    listen: 127.0.0.1@{site.port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    edns-client-subnet: on
    udp-max-payload: 1232
log:
  - target: stderr
    any: warning
database:
    storage: "{site.folder}"
mod-geoip:
  - id: geo
    config-file: "{site.folder / "geo.conf"}"
    ttl: {TTL_S}
    mode: geodb
    geodb-file: "{site.database}"
    geodb-key: country/iso_code
zone:
  - domain: {ZONE}
    storage: "{site.folder}"
    file: {ZONE}.zone
    module: mod-geoip/geo
"""
    )
    return [PROGRAM, "--config", str(settings)]


PEER = Peer(
    name="Knot mod-geoip",
    program=PROGRAM,
    prepare=prepare,
    packages=("knot", "knot-module-geoip"),
    parts=("/usr/lib/*/knot/modules-*/geoip.so",),
)
