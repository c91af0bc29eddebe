"""The brake in a running daemon: most regions gone at once are believed only when somebody says so."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import zone
from benchmarks.harness.wait import until

pytestmark = pytest.mark.live

COUNT = 6


@pytest.fixture
def regions() -> Iterator[list[socket.socket]]:
    """Six ports that take connections until they are closed."""
    with ExitStack() as stack:
        ports = (socket.create_server(("127.0.0.1", 0), backlog=1000) for _ in range(COUNT))
        yield [stack.enter_context(port) for port in ports]


def policy(regions: list[socket.socket]) -> str:
    """A service that goes to the first of them that is up."""
    lines = ["checks:"]
    lines += [
        f"  c{number}: {{type: tcp, address: 127.0.0.1, port: {region.getsockname()[1]}, "
        "interval: 300ms, timeout: 200ms, confirm_interval: 50ms, fall: 2, rise: 1}"
        for number, region in enumerate(regions)
    ]
    lines += ["regions:"]
    lines += [
        f"  r{number}: {{location: {{lat: 1, lon: 0}}, check: c{number}, endpoints: [192.0.2.{number + 1}]}}"
        for number in range(COUNT)
    ]
    order = ", ".join(f"r{number}" for number in range(COUNT))
    service = f"  web: {{regions: [{order}], ttl: 1s, chain: [{{failover: {{order: [{order}]}}}}]}}"
    return "\n".join((*lines, "services:", service, zone(["www: {service: web}"])))


def audit(daemon: Daemon) -> list[str]:
    """The actions in the audit log."""
    lines = (daemon.state_dir / "audit.log").read_text().splitlines()
    return [json.loads(line)["action"] for line in lines]


def test_frozen_until_somebody_says_otherwise(tmp_path: Path, regions: list[socket.socket]) -> None:
    """Answers stay, overrides act, a restart changes nothing, and the operator's word ends it."""
    with Daemon(tmp_path, policy(regions)) as daemon:

        def answer() -> str:
            return daemon.ask("www.example.com").addresses[0]

        def seen(state: str) -> int:
            return [item["observed"] for item in daemon.status()["regions"]].count(state)

        until(lambda: seen("up") == COUNT, "all up")
        assert answer() == "192.0.2.1"
        for region in regions[:5]:
            region.close()
        until(lambda: daemon.status()["brake"]["frozen"], "the brake")
        until(lambda: seen("down") == 5, "what is seen")
        assert answer() == "192.0.2.1"
        assert daemon.metric("georouter_brake_active") == 1
        assert daemon.metric("georouter_brake_freezes_total") == 1
        told = json.loads(daemon.get("/v1/explain?name=www.example.com&client=192.0.2.9&type=A")[1])
        assert told["steering"]["frozen_since"] == daemon.status()["brake"]["since"]
        daemon.post("/v1/drain", {"region": "r0", "reason": "an upgrade", "author": "ada"})
        assert answer() == "192.0.2.2"
        daemon.stop()
        daemon.start()
        until(lambda: daemon.get("/readyz")[0] == 200, "the admin port")
        assert daemon.status()["brake"]["frozen"]
        assert answer() == "192.0.2.2"
        code, body = daemon.post("/v1/unfreeze", {"reason": "they are down", "author": "ada"})
        assert (code, json.loads(body)["brake"]["frozen"]) == (200, False)
        assert answer() == "192.0.2.6"
        assert daemon.metric("georouter_brake_active") == 0
        assert daemon.post("/v1/unfreeze", {"reason": "again"})[0] == 400
        assert audit(daemon) == ["brake.frozen", "drain", "unfreeze"]
