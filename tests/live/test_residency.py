"""A fence in a running daemon: who is refused is told why, counted, and ends in the audit log."""

import json
from pathlib import Path

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import LONDON, zone

pytestmark = pytest.mark.live

REFUSALS = "georouter_residency_refusals_total"
POLICY = """\
regions:
  us: {location: {lat: 39.0, lon: -77.5}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 53.3, lon: -6.3}, endpoints: [192.0.2.20]}
services:
  web:
    regions: [us, eu]
    chain:
      - residency: {clients: {country: [GB]}, regions: [eu], without_ecs: deny}
      - nearest
"""


def test_refusals_end_in_the_audit_log(tmp_path: Path) -> None:
    """In sum, and all of them once the daemon has stopped, however short it ran."""
    daemon = Daemon(tmp_path, POLICY + zone(["www: {service: web}"]))
    with daemon:
        assert daemon.ask("www.example.com", client=LONDON).addresses == ("192.0.2.20",)
        before = daemon.metric(REFUSALS, service="web")  # the harness has asked whether it answers
        for _ in range(3):
            assert daemon.ask("www.example.com").addresses == ()
        refused = daemon.metric(REFUSALS, service="web")
        assert refused == before + 3
        assert daemon.stop() == 0
    lines = [json.loads(line) for line in (daemon.state_dir / "audit.log").read_text().splitlines()]
    assert {line["action"] for line in lines} == {"residency.refused"}
    assert {line["service"] for line in lines} == {"web"}
    assert sum(line["queries"] for line in lines) == refused
    assert all(line["since"] <= line["at"] for line in lines)
