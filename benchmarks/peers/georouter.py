"""georouter: one service, its `geo` chain by country, on every name."""

import importlib
import importlib.util
import sys
from pathlib import Path

from benchmarks.peers.peer import Peer
from benchmarks.peers.world import DEFAULT, NAMES, REGIONS, TTL_S, ZONE, Site, countries

PROGRAM = str(Path(sys.executable).parent / "georouter")
NATIVE = "georouter.answers.native"
"""Knows whether the compiled packet path is there."""
RATE_LIMIT = 1_000_000
"""Responses of one kind per second to one network: all is counted and nothing withheld."""


LIMITED = f", rate_limit: {{responses_per_second: {RATE_LIMIT}}}"
"""More of the `server` section: rate limiting that withholds nothing."""


def policy(database: Path, *, zone_file: str | None = None) -> str:
    """Everything behind `version` and `server`; a zone file stands beside the steered names."""
    lines = [
        f"geo: {{database: {database}}}",
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
    lines += [f"          - {{regions: [{DEFAULT}]}}", "zones:", f"  {ZONE}:"]
    if zone_file is None:
        lines += [f"    ns: [ns1.{ZONE}]", "    records:", "      ns1: {A: 192.0.2.53}"]
    else:
        lines += [f"    file: {zone_file}", "    records:"]
    lines += [f"      {name}: {{service: web}}" for name in NAMES]
    return "\n".join(lines) + "\n"


def command(site: Site, *, limited: bool = True, workers: int = 1, rules: str | None = None) -> list[str]:
    """Write `rules` (or the `policy` of all peers); the command that serves them in the foreground."""
    limit = LIMITED if limited else ""
    own = f"workers: {workers}, state_dir: {site.folder / 'state'}{limit}"
    head = f'version: 1\nserver: {{listen: ["127.0.0.1:{site.port}"], admin: false, {own}}}\n'
    file = site.folder / "georouter.yaml"
    file.write_text(head + (policy(site.database) if rules is None else rules))
    return [PROGRAM, "serve", "--config", str(file)]


def limited(site: Site) -> list[str]:
    """With everything on: cookies, counters and rate limiting."""
    return command(site, limited=True)


def unlimited(site: Site) -> list[str]:
    """As the others are: without rate limiting."""
    return command(site, limited=False)


def two_workers(site: Site) -> list[str]:
    """As `limited`, on two sockets."""
    return command(site, limited=True, workers=2)


def is_built() -> str | None:
    """What is missing for the native packet path."""
    if importlib.util.find_spec(NATIVE) is not None and importlib.import_module(NATIVE).available():
        return None
    return "it was not built: a C compiler, then pip install again"


ENVIRONMENT = {"GEOROUTER_PATH": "native"}
NATIVE_PEER = Peer("georouter", PROGRAM, limited, environment=ENVIRONMENT, missing=is_built)
NO_LIMIT = Peer("georouter, no rate limit", PROGRAM, unlimited, environment=ENVIRONMENT, missing=is_built)
TWO_WORKERS = Peer("georouter, two workers", PROGRAM, two_workers, environment=ENVIRONMENT, missing=is_built)
"""For a processor more, see workers.py."""
PYTHON = Peer("georouter in Python", PROGRAM, limited, environment={"GEOROUTER_PATH": "python"})


def best() -> Peer:
    """The native path where it was built, else the Python one."""
    return PYTHON if NATIVE_PEER.absent() else NATIVE_PEER
