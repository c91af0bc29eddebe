"""gdnsd with plugin_geoip: one map by continent and country, one resource for every name."""

from benchmarks.peers.peer import Peer
from benchmarks.peers.world import DEFAULT, NAMES, REGIONS, TTL_S, ZONE, Site, countries

PROGRAM = "gdnsd"


def prepare(site: Site) -> list[str]:
    """Write zone and settings; the command that serves them in the foreground."""
    zones = site.folder / "zones"
    zones.mkdir()
    zone = [
        f"@ SOA ns1.{ZONE}. hostmaster.{ZONE}. 1 7200 900 1209600 60",
        f"@ NS ns1.{ZONE}.",
        "ns1 A 192.0.2.53",
        *(f"{name} {TTL_S} DYNA geoip!web" for name in NAMES),
    ]
    (zones / ZONE).write_text("\n".join(zone) + "\n")
    continents: dict[str, list[str]] = {}
    for row in countries():
        continents.setdefault(row.continent, []).append(f"{row.code} => [{row.region}]")
    places = ",\n".join(f"        {name} => {{ {', '.join(rows)} }}" for name, rows in continents.items())
    order = [DEFAULT, *(region for region in REGIONS if region != DEFAULT)]
    centers = ", ".join(
        f"{region} => {{ addrs_v4 => {v4}, addrs_v6 => {v6} }}" for region, (v4, v6) in REGIONS.items()
    )
    (site.folder / "config").write_text(
        f"""\
options => {{
  listen => 127.0.0.1:{site.port}
  udp_threads => 1
  tcp_threads => 1
  run_dir => "{site.folder / "run"}"
  state_dir => "{site.folder / "state"}"
}}
plugins => {{
  geoip => {{
    maps => {{
      world => {{
        geoip2_db => "{site.database}"
        datacenters => [{", ".join(order)}]
        map => {{
        default => [{DEFAULT}],
{places}
        }}
      }}
    }}
    resources => {{
      web => {{ map => world, service_types => up, dcmap => {{ {centers} }} }}
    }}
  }}
}}
"""
    )
    return [PROGRAM, "-c", str(site.folder), "start"]


PEER = Peer(
    name="gdnsd geoip",
    program=PROGRAM,
    prepare=prepare,
    packages=("gdnsd",),
)
