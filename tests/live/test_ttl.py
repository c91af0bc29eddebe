"""TTLs of a running daemon: down at the first doubt and before a planned drain, up again afterwards."""

from pathlib import Path

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import LONDON, zone
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.wait import until

pytestmark = pytest.mark.live

STEADY, SUSPECT, DOWN, RAMP = 60, 8, 9, 7


def policy(port: int) -> str:
    """Two regions, of which one is checked: slowly confirmed, so that doubt lasts."""
    check = f"type: http, address: 127.0.0.1, port: {port}, path: /healthz, interval: 300ms, timeout: 200ms"
    return f"""
checks:
  web: {{{check}, confirm_interval: 300ms, fall: 8, rise: 1}}
regions:
  near: {{location: {{lat: 51, lon: 0}}, check: web, endpoints: [192.0.2.10]}}
  far: {{location: {{lat: 39, lon: -77}}, endpoints: [192.0.2.20]}}
services:
  web:
    regions: [near, far]
    ttl: {{steady: {STEADY}s, suspect: {SUSPECT}s, down: {DOWN}s, ramp: {RAMP}s}}
    chain: [nearest]
""" + zone(["www: {service: web}"])


def test_ttls_follow_doubts(tmp_path: Path) -> None:
    """Steady; a failing check; down; back; a planned drain; and the drain itself."""
    with RegionServer(tmp_path / "near") as near, Daemon(tmp_path / "daemon", policy(near.port)) as daemon:

        def seen() -> tuple[int | None, tuple[str, ...]]:
            reply = daemon.ask("www.example.com", "A", LONDON)
            return reply.ttl_s, reply.addresses

        assert seen() == (STEADY, ("192.0.2.10",))
        near.kill()
        until(lambda: seen() == (SUSPECT, ("192.0.2.10",)), "the first doubt", 10.0)
        until(lambda: seen() == (DOWN, ("192.0.2.20",)), "the failover", 20.0)
        near.start()
        until(lambda: seen() == (STEADY, ("192.0.2.10",)), "the return", 20.0)
        body = {"region": "near", "reason": "an upgrade", "author": "ada", "in_s": 4}
        daemon.post("/v1/drain", body)
        assert seen() == (RAMP, ("192.0.2.10",))
        until(lambda: seen() == (DOWN, ("192.0.2.20",)), "the drain", 20.0)
        daemon.post("/v1/undrain", {"region": "near", "reason": "done", "author": "ada"})
        assert seen() == (STEADY, ("192.0.2.10",))
