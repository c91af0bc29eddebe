"""Failing over and back for real: lag decides, a hook promotes, an operator lets the primary return."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.hooks import HookServer
from benchmarks.harness.policies import zone
from benchmarks.harness.processes import alive
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.wait import until
from georouter.cli.main import main as georouter

pytestmark = pytest.mark.live

PRIMARY, EAST, WEST = ADDRESSES = ("192.0.2.10", "192.0.2.20", "192.0.2.30")
NAMES = ("primary", "east", "west")
PACE = "interval: 200ms, timeout: 150ms, confirm_interval: 50ms, fall: 3, rise: 2"


def policy(ports: list[int], step: str) -> str:
    """A primary and two standbys whose answers say how far they lag behind."""
    lines = ["checks:"]
    for name, port in zip(NAMES, ports, strict=True):
        signal = "replication_lag_ms: {path: /lag_ms}"
        where = f"type: http, address: 127.0.0.1, port: {port}, path: /healthz"
        lines.append(f"  {name}: {{{where}, {PACE}, signals: {{{signal}}}}}")
    lines.append("regions:")
    for name, address in zip(NAMES, ADDRESSES, strict=True):
        lines.append(f"  {name}: {{location: {{lat: 1, lon: 1}}, check: {name}, endpoints: [{address}]}}")
    order = ", ".join(NAMES)
    chain = f"failover: {{order: [{order}], {step}}}"
    lines += ["services:", f"  db: {{regions: [{order}], ttl: 1s, chain: [{chain}]}}"]
    return "\n".join(lines) + "\n" + zone(["www: {service: db}"])


@dataclass
class Stage:
    """Three regions, a hook, and where the daemon will be."""

    folder: Path
    regions: dict[str, RegionServer]
    hooks: HookServer

    def lag(self, name: str, lag_ms: int) -> None:
        """The region lags so far behind from now on."""
        self.regions[name].say(json.dumps({"lag_ms": lag_ms}))

    def daemon(self, step: str) -> Daemon:
        """A daemon with this failover step."""
        return Daemon(self.folder / "daemon", policy([item.port for item in self.regions.values()], step))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """All regions up, the standbys 900 and 20 ms behind."""
    with ExitStack() as stack:
        regions = {name: RegionServer(tmp_path / name) for name in NAMES}
        made = Stage(tmp_path, regions, stack.enter_context(HookServer()))
        for name, lag_ms in zip(NAMES, (0, 900, 20), strict=True):
            made.lag(name, lag_ms)
        for region in regions.values():
            stack.enter_context(region)
        yield made


def answer(daemon: Daemon) -> str:
    """Who answers now."""
    (address,) = daemon.ask("www.example.com").addresses
    return address


def failover(daemon: Daemon) -> dict[str, Any]:
    """What status says of the service's failover."""
    (service,) = daemon.status()["services"]
    return dict(service["failover"])


def why(daemon: Daemon) -> str:
    """What explain says of the failover step."""
    told = json.loads(daemon.get("/v1/explain?name=www.example.com&client=192.0.2.0/24")[1])
    (step,) = (step for step in told["steering"]["steps"] if step["step"] == "failover")
    return str(step["reasons"][-1])


def run(daemon: Daemon, *words: str) -> tuple[int, str]:
    """One command against the daemon."""
    done = CliRunner().invoke(georouter, [*words, "--admin", "{}:{}".format(*daemon.admin)])
    return done.exit_code, done.output


def test_the_whole_sequence_and_the_way_back(stage: Stage) -> None:
    """Down, the standby that misses least is promoted, answers move, people hear; back when asked."""
    (stage.folder / "token").write_text("open sesame\n")
    step = (
        "failback: manual, choose: least_lag, max_lag: 5000, "
        f'promote: {{url: "{stage.hooks.url}/promote", headers: {{Authorization: {{file: ../token}}}}, '
        f'body: {{cluster: main}}}}, notify: {{url: "{stage.hooks.url}/notify"}}'
    )
    with stage.daemon(step) as daemon:
        assert answer(daemon) == PRIMARY
        assert why(daemon) == "primary is the first of the order"
        stage.regions["primary"].kill()
        until(lambda: answer(daemon) == WEST, "the failover")
        (asked,) = stage.hooks.calls("promote")
        assert (asked["from"], asked["to"], asked["cluster"]) == ("primary", "west", "main")
        assert asked["headers"]["Authorization"] == "open sesame"
        assert asked["headers"]["Idempotency-Key"] == asked["id"]
        until(lambda: failover(daemon)["last"]["notice"] == "sent", "the notice")
        (told,) = stage.hooks.calls("switched")
        assert (told["id"], told["path"]) == (asked["id"], "/notify")
        last = failover(daemon)["last"]
        moments = [
            last[f"{name}_at"]
            for name in ("detected", "confirmed", "chosen", "promoting", "promoted", "switched", "notified")
        ]
        assert moments == sorted(moments)
        assert moments[0] < moments[1]
        code, text = run(daemon, "status")
        assert code == 0
        assert "last" in text
        assert daemon.metric("georouter_failover_region", service="db", region="west") == 1
        assert daemon.metric("georouter_failover_switches_total", service="db", kind="failover") == 1
        assert daemon.metric("georouter_failover_promotions_total", service="db", reply="accepted") == 1
        assert "open sesame" not in daemon.output() + text + (daemon.state_dir / "state.json").read_text()

        code, text = run(daemon, "failback", "db", "--reason", "too soon")
        assert code == 1
        assert "primary is down" in text
        stage.regions["primary"].start()
        until(lambda: region(daemon, "primary") == "up", "the primary to be up")
        assert answer(daemon) == WEST
        assert "failback is manual" in why(daemon)
        code, text = run(daemon, "failback", "db", "--reason", "repaired", "--author", "ada")
        assert code == 0, text
        until(lambda: answer(daemon) == PRIMARY, "the failback")
        assert [call["to"] for call in stage.hooks.calls("promote")] == ["west", "primary"]
        audit = daemon.state_dir / "audit.log"
        until(lambda: audit.read_text().count("\n") >= 4, "what is written down after the answers moved")
        assert sorted(json.loads(line)["action"] for line in audit.read_text().splitlines()) == [
            "failback",
            "failback.refused",
            "failover.failback",
            "failover.failover",
        ]
        assert "Traceback" not in daemon.output()


def region(daemon: Daemon, name: str) -> str:
    """What checks say of a region."""
    (found,) = (item for item in daemon.status()["regions"] if item["name"] == name)
    return str(found["observed"])


def test_nobody_takes_over_with_too_much_to_lose(stage: Stage) -> None:
    """Both standbys lag: the primary's address stays, all say why; one that has caught up takes over."""
    stage.lag("west", 60000)
    stage.lag("east", 70000)
    with stage.daemon("failback: auto, hold_down: 1m, max_lag: 5000") as daemon:
        stage.regions["primary"].kill()
        until(lambda: failover(daemon)["phase"] == "blocked", "the refusal")
        assert answer(daemon) == PRIMARY
        assert failover(daemon)["held"]
        assert "east has replication_lag_ms 70000, more than max_lag 5000" in why(daemon)
        until(
            lambda: daemon.metric(
                "georouter_routing_decisions_total", service="db", region="primary", reason="held"
            ),
            "the counter",
        )
        stage.lag("west", 100)
        until(lambda: answer(daemon) == WEST, "the standby that caught up")
        stage.regions["primary"].start()
        until(lambda: failover(daemon)["phase"] == "detected", "the return to be seen")
        assert answer(daemon) == WEST


def test_a_refusal_and_then_a_yes(stage: Stage) -> None:
    """Asked again after `retry` with another id, and the answers stay meanwhile."""
    stage.hooks.status = 409
    step = f'promote: {{url: "{stage.hooks.url}", retry: 500ms}}, hold_down: 1m'
    with stage.daemon(step) as daemon:
        stage.regions["primary"].kill()
        until(lambda: len(stage.hooks.calls("promote")) >= 2, "the second question")
        assert answer(daemon) == PRIMARY
        assert failover(daemon)["sequence"]["said"] == "409 not in sync"
        stage.hooks.status = 200
        until(lambda: answer(daemon) == EAST, "the failover")
        ids = [call["id"] for call in stage.hooks.calls("promote")]
        assert len(set(ids)) == len(ids)


def test_a_daemon_that_dies_while_it_asks(stage: Stage) -> None:
    """The next one asks the same question with the same id, and the answers stay until it is answered."""
    stage.hooks.status = None
    daemon = stage.daemon(f'promote: {{url: "{stage.hooks.url}", timeout: 20s}}, failback: manual')
    with daemon:
        stage.regions["primary"].kill()
        until(lambda: stage.hooks.calls("promote"), "the question")
        daemon.signal(SIGKILL)
        until(lambda: not alive(daemon.pid), "the daemon's end")
    stage.hooks.status = 200
    stage.hooks.release()
    with daemon:
        until(lambda: answer(daemon) == EAST, "the failover")
        assert {call["id"] for call in stage.hooks.calls("promote")} == {stage.hooks.asked[0]["id"]}
        assert len(stage.hooks.calls("promote")) == 2
    stage.regions["primary"].start()
    with daemon:
        assert answer(daemon) == EAST  # who was promoted is known for good
