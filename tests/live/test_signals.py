"""Signals of real servers: a region that lags sheds, one that lags too much is out, and all say why."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import LONDON, zone
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.wait import until

pytestmark = pytest.mark.live

NEAR, FAR = "192.0.2.10", "192.0.2.20"
PACE = "interval: 200ms, timeout: 150ms, confirm_interval: 100ms"


def policy(ports: list[int]) -> str:
    """Two equal regions whose answers say how far they lag behind."""
    lines = ["checks:"]
    for name, port in zip(("near", "far"), ports, strict=True):
        signal = 'lag: {path: /db/lag_ms, degraded: ">1000", down: ">30000"}'
        where = f"type: http, address: 127.0.0.1, port: {port}, path: /healthz"
        lines.append(f"  {name}: {{{where}, {PACE}, signals: {{{signal}}}}}")
    lines += [
        "regions:",
        f"  near: {{location: {{lat: 51, lon: 0}}, check: near, endpoints: [{NEAR}]}}",
        f"  far: {{location: {{lat: 51, lon: 1}}, check: far, endpoints: [{FAR}]}}",
        "services:",
        "  web: {regions: [near, far], ttl: 1s}",
    ]
    return "\n".join(lines) + "\n" + zone(["www: {service: web}"])


def says(server: RegionServer, lag_ms: int) -> None:
    """The server's replication lag from now on."""
    server.say(json.dumps({"db": {"lag_ms": lag_ms}}))


def told(daemon: Daemon) -> dict[str, Any]:
    """What explain says of the decision."""
    text = daemon.get(f"/v1/explain?name=www.example.com&client={LONDON}")[1]
    return dict(json.loads(text)["steering"])


def shares(daemon: Daemon) -> dict[str, float]:
    """What a client's choice is made by."""
    return {share["regions"][0]: round(share["share"], 3) for share in told(daemon)["candidates"]}


def test_from_a_little_late_to_too_late(tmp_path: Path) -> None:
    """Half the weight while degraded; out of the answers while down; back when it has caught up."""
    with RegionServer(tmp_path / "near") as near, RegionServer(tmp_path / "far") as far:
        says(near, 10)
        says(far, 20)
        with Daemon(tmp_path / "daemon", policy([near.port, far.port])) as daemon:
            assert shares(daemon) == {"near": 0.5, "far": 0.5}
            until(
                lambda: daemon.metric("georouter_region_signal", region="far", signal="lag") == 20,
                "the gauge",
            )
            says(far, 5000)
            until(lambda: shares(daemon) == {"near": 0.667, "far": 0.333}, "half the weight")
            assert daemon.metric("georouter_region_health_ratio", region="far") == 0.5
            (signal,) = next(item["signals"] for item in told(daemon)["regions"] if item["name"] == "far")
            assert (signal["value"], signal["grade"]) == (5000, "degraded")
            generation = daemon.status()["generation"]
            says(far, 6000)
            until(lambda: daemon.metric("georouter_region_signal", region="far", signal="lag") == 6000, "it")
            assert daemon.status()["generation"] == generation
            says(far, 40000)
            until(lambda: shares(daemon) == {"near": 1.0}, "the other region alone")
            (region,) = (item for item in daemon.status()["regions"] if item["name"] == "far")
            assert region["endpoints"][0]["reason"] == "lag is 40,000: down at > 30,000"
            assert region["endpoints"][0]["signals"][0]["grade"] == "down"
            says(far, 15)
            until(lambda: shares(daemon) == {"near": 0.5, "far": 0.5}, "its return")
            assert "Traceback" not in daemon.output()
