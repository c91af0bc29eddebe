"""A ramp for real: networks move and stay, a bad signal stops it, it steps back, and operators have a say."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import zone
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.wait import until
from georouter.cli.main import main as georouter

pytestmark = pytest.mark.live

STABLE, CANARY = "192.0.2.10", "192.0.2.20"
PACE = "interval: 200ms, timeout: 150ms, confirm_interval: 50ms, fall: 1, rise: 1"
NETWORKS = tuple(f"198.51.{number}.0/24" for number in range(60))


def policy(ports: dict[str, int], ramp: str) -> str:
    """A stable region and a canary that tells its error rate."""
    lines = ["checks:"]
    for name, port in ports.items():
        signal = "error_rate: {path: /error_rate}"
        where = f"type: http, address: 127.0.0.1, port: {port}, path: /healthz"
        lines.append(f"  {name}: {{{where}, {PACE}, signals: {{{signal}}}}}")
    lines.append("regions:")
    for name, address in (("stable", STABLE), ("canary", CANARY)):
        lines.append(f"  {name}: {{location: {{lat: 1, lon: 1}}, check: {name}, endpoints: [{address}]}}")
    step = f"weighted: {{ramp: {{region: canary, {ramp}}}}}"
    service = f"regions: [stable, canary], ttl: {{steady: 30s, ramp: 1s}}, chain: [{step}]"
    return "\n".join([*lines, "services:", f"  web: {{{service}}}"]) + "\n" + zone(["www: {service: web}"])


@dataclass
class Stage:
    """Both regions, and where the daemon will be."""

    folder: Path
    regions: dict[str, RegionServer]

    def errors(self, rate: float) -> None:
        """The canary's error rate from now on."""
        self.regions["canary"].say(json.dumps({"error_rate": rate}))

    def daemon(self, ramp: str) -> Daemon:
        """A daemon with this ramp."""
        ports = {name: item.port for name, item in self.regions.items()}
        return Daemon(self.folder / "daemon", policy(ports, ramp))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Both regions up and well."""
    with ExitStack() as stack:
        made = Stage(tmp_path, {name: RegionServer(tmp_path / name) for name in ("stable", "canary")})
        for region in made.regions.values():
            region.say(json.dumps({"error_rate": 0.001}))
            stack.enter_context(region)
        yield made


def moved(daemon: Daemon) -> set[str]:
    """The networks that get the canary."""
    return {
        network
        for network in NETWORKS
        if daemon.ask("www.example.com", client=network).addresses == (CANARY,)
    }


def ramp(daemon: Daemon) -> dict[str, Any]:
    """What status says of it."""
    (service,) = daemon.status()["services"]
    return dict(service["ramp"])


def order(daemon: Daemon, action: str) -> str:
    """`georouter ramp`, which must succeed."""
    words = ["ramp", action, "web", "--reason", "test", "--admin", "{}:{}".format(*daemon.admin)]
    done = CliRunner().invoke(georouter, words)
    assert done.exit_code == 0, done.output
    return done.output


def audited(stage: Stage) -> list[str]:
    """The actions in the audit log."""
    lines = (stage.folder / "daemon" / "state" / "audit.log").read_text().splitlines()
    return [json.loads(line)["action"] for line in lines]


def test_networks_move_and_stay(stage: Stage) -> None:
    """Within its time everybody has moved, and nobody ever went back; then the TTL is the steady one."""
    with stage.daemon("from: 5%, over: 6s") as daemon:
        before: set[str] = set()
        while ramp(daemon)["phase"] == "running":
            now = moved(daemon)
            assert before <= now
            before = now
        assert moved(daemon) == set(NETWORKS)
        assert ramp(daemon)["part"] == 1.0
        assert daemon.metric("georouter_ramp_part", service="web", region="canary") == 1.0
        assert daemon.status()["services"][0]["ttl"] == {"seconds": 30, "because": "steady"}
        assert "ramp.done" in audited(stage)


def test_a_bad_signal_stops_it_and_leads_back(stage: Stage) -> None:
    """It pauses while the canary has errors, keeps who has moved, and steps back when that lasts."""
    gate = 'pause_if: {degraded: canary, signals: {error_rate: ">0.02"}}, step_back: {after: 2s, to: 0%}'
    with stage.daemon(f"from: 20%, over: 60s, {gate}") as daemon:
        until(lambda: ramp(daemon)["part"] > 0.2, "the first step")
        assert daemon.status()["services"][0]["ttl"]["because"] == "ramp"
        stage.errors(0.5)
        until(lambda: ramp(daemon)["phase"] == "paused", "the pause")
        stopped = ramp(daemon)
        assert stopped["why"] == "error_rate of canary is 0.5 (> 0.02)"
        assert moved(daemon)
        until(lambda: ramp(daemon)["phase"] == "stepped_back", "the way back")
        assert ramp(daemon)["part"] == 0.0
        assert moved(daemon) == set()
        stage.errors(0.001)
        errors = {"region": "canary", "signal": "error_rate"}
        until(lambda: daemon.metric("georouter_region_signal", **errors) < 0.02, "fewer errors")
        assert order(daemon, "resume").startswith("the ramp of web is running: canary gets 20.0%")
        assert moved(daemon)
        actions = audited(stage)
        assert [item for item in actions if item.startswith("ramp.")][-3:] == [
            "ramp.paused",
            "ramp.stepped_back",
            "ramp.resume",
        ]


def test_orders_and_a_restart(stage: Stage) -> None:
    """What was held stays held, with the same networks; abort and complete act at once."""
    with stage.daemon("from: 30%, over: 1h") as daemon:
        order(daemon, "pause")
        held = moved(daemon)
        assert 0 < len(held) < len(NETWORKS)
    with stage.daemon("from: 30%, over: 1h") as daemon:
        assert ramp(daemon)["phase"] == "held"
        assert moved(daemon) == held
        told = json.loads(daemon.get(f"/v1/explain?name=www.example.com&client={min(held)}")[1])
        assert told["steering"]["ramp"]["moved"] is True
        assert told["steering"]["ramp"]["turn"] < 0.3
        order(daemon, "abort")
        assert moved(daemon) == set()
        order(daemon, "complete")
        assert moved(daemon) == set(NETWORKS)
