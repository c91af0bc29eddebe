"""georouter: one service, its `geo` chain by country, on every name."""

import sys
from pathlib import Path

from benchmarks.peers.world import DEFAULT, NAMES, REGIONS, TTL_S, ZONE, Site, countries

NAME = "georouter"
PROGRAM = str(Path(sys.executable).parent / "georouter")
PACKAGES: tuple[str, ...] = ()
PARTS: tuple[str, ...] = ()
"""Files that must be there besides the program."""


def prepare(site: Site) -> list[str]:
    """Write the policy; the command that serves it in the foreground."""
    lines = [
        "version: 1",
        f'server: {{listen: ["127.0.0.1:{site.port}"], admin: false, state_dir: {site.folder / "state"}}}',
        f"geo: {{database: {site.database}}}",
        "regions:",
        *(
            f'  {region}: {{location: {{lat: 0, lon: 0}}, endpoints: [{v4}, "{v6}"]}}'
            for region, (v4, v6) in REGIONS.items()
        ),
        "services:",
        "  web:",
        f"    regions: [{', '.join(REGIONS)}]",
        f"    ttl: {TTL_S}s",
        "    chain:",
        "      - geo:",
    ]
    for region in REGIONS:
        codes = ", ".join(f'"{row.code}"' for row in countries() if row.region == region)
        lines.append(f"          - {{match: {{country: [{codes}]}}, regions: [{region}]}}")
    lines += [
        f"          - {{regions: [{DEFAULT}]}}",
        "zones:",
        f"  {ZONE}:",
        f"    ns: [ns1.{ZONE}]",
        "    records:",
        "      ns1: {A: 192.0.2.53}",
        *(f"      {name}: {{service: web}}" for name in NAMES),
    ]
    policy = site.folder / "georouter.yaml"
    policy.write_text("\n".join(lines) + "\n")
    return [PROGRAM, "serve", "--config", str(policy)]
