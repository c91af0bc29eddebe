"""PowerDNS with its geoip backend: `%mp` maps a country to a region's records. Its caches are on.

Without its cookies: like Knot's, they mean BADCOOKIE instead of an answer for who shows none of ours yet.
"""

from benchmarks.peers.peer import Peer
from benchmarks.peers.world import DEFAULT, NAMES, REGIONS, TTL_S, ZONE, Site, countries

PROGRAM = "pdns_server"


def prepare(site: Site) -> list[str]:
    """Write zone and settings; the command that serves them in the foreground."""
    lines = [
        "domains:",
        f"- domain: {ZONE}",
        f"  ttl: {TTL_S}",
        "  records:",
        f"    {ZONE}:",
        f"      - soa: ns1.{ZONE} hostmaster.{ZONE} 1 7200 900 1209600 60",
        f"      - ns: ns1.{ZONE}",
        f"    ns1.{ZONE}:",
        "      - a: 192.0.2.53",
    ]
    for name in NAMES:
        for region, (v4, v6) in REGIONS.items():
            lines += [f"    {region}.{name}.{ZONE}:", f"      - a: {v4}", f"      - aaaa: {v6}"]
    lines.append("  services:")
    lines += [f"    {name}.{ZONE}: '%mp.{name}.{ZONE}'" for name in NAMES]
    lines += ["mapping_lookup_formats: ['%cc']", "custom_mapping:", f"  unknown: {DEFAULT}"]
    lines += [f"  '{row.code.lower()}': {row.region}" for row in countries()]
    zone = site.folder / "zones.yaml"
    zone.write_text("\n".join(lines) + "\n")
    (site.folder / "pdns.conf").write_text(
        "\n".join(
            (
                "launch=geoip",
                f"geoip-zones-file={zone}",
                f"geoip-database-files=mmdb:{site.database}",
                "edns-subnet-processing=yes",
                "local-address=127.0.0.1",
                f"local-port={site.port}",
                f"socket-dir={site.folder}",
                "receiver-threads=1",
                "distributor-threads=1",
                "signing-threads=1",
                "retrieval-threads=1",
                "security-poll-suffix=",
                "loglevel=3",
            )
        )
        + "\n"
    )
    return [PROGRAM, f"--config-dir={site.folder}", "--daemon=no", "--guardian=no", "--disable-syslog=yes"]


PEER = Peer(
    name="PowerDNS geoip",
    program=PROGRAM,
    prepare=prepare,
    packages=("pdns-server", "pdns-backend-geoip"),
    parts=("/usr/lib/*/pdns/libgeoipbackend.so",),
)
