"""The daemon over its sockets, its own explanation and what is simulated for the state it tells: never apart.

A slice of `tests/analysis/test_explain_agreement.py`: such policies, in states that overrides make.
"""

import json
from collections import Counter
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import dns.rcode
import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.wait import until
from georouter.analysis.traffic import Side, flow
from georouter.cli.internet import internet
from georouter.cli.present import world_of
from georouter.geo.locate import locate
from georouter.policy.load import load
from georouter.policy.model import AllDown
from georouter.routing.decide import WITHIN, Family
from georouter.sources import policy_files
from tests.analysis.guesses import REGIONS, Asked, question, write

pytestmark = pytest.mark.live

STATES, QUESTIONS = 4, 75
KINDS = ("plain", "geo", "order", "managed", "pinned", "fenced")
"""All but those with a plan: the daemon's own follows who asks, see `test_capacity`."""
HERE = IPv4Address("127.0.0.1")


def changed(daemon: Daemon, draw: Random) -> dict[str, Any]:
    """Other overrides; the status once every failover has come to rest."""
    for region in REGIONS:
        daemon.post("/v1/clear", {"region": region, "reason": "a test"})
    for region in draw.sample(REGIONS, draw.randint(1, 4)):
        path, more = draw.choice((("drain", {}), ("force", {"state": "down"}), ("force", {"state": "up"})))
        code, said = daemon.post(f"/v1/{path}", {"region": region, "reason": "a test", **more})
        assert code == 200, said
    return until(lambda: steady(daemon), "failovers at rest")


def steady(daemon: Daemon) -> dict[str, Any] | None:
    """The status, unless a failover is on its way."""
    status: dict[str, Any] = json.loads(daemon.get("/v1/status")[1])
    phases = [service["failover"]["phase"] for service in status["services"] if service["failover"]]
    return status if set(phases) <= {"steady", "blocked"} else None


def test_three_hundred_triples(tmp_path: Path) -> None:
    """Each is asked over UDP, explained over HTTP and simulated."""
    draw = Random(1)
    written = write(draw, ttl="1d", kinds=KINDS)
    (tmp_path / "tenants.csv").write_text(written.tenants)
    seen: Counter[str] = Counter()
    with Daemon(tmp_path, written.yaml, ready="plain.example.com") as daemon:
        policy = load(policy_files.read(daemon.config)).policy
        geo = internet(policy)
        for _ in range(STATES):
            side = Side(policy, geo, world_of(changed(daemon, draw), policy))
            for _ in range(QUESTIONS):
                asked = question(draw, KINDS)
                seen[compared(daemon, side, asked)] += 1
    assert seen.total() == STATES * QUESTIONS
    assert seen["simulated"] > QUESTIONS


def compared(daemon: Daemon, side: Side, asked: Asked) -> str:
    """What could be compared. The resolver is this test."""
    client = None if asked.client is None else str(asked.client)
    message = daemon.ask(asked.name, asked.type, client).message
    words = {"name": asked.name, "type": asked.type, "resolver": str(HERE)}
    code, body = daemon.get(f"/v1/explain?{urlencode(words | ({'client': client} if client else {}))}")
    assert code == 200, body
    told = json.loads(body)
    answer = told["answer"]
    said = [data.to_text() for rrset in message.answer for data in rrset]
    assert said == [item["data"] for item in answer["records"] if item["section"] == "answer"], asked
    assert dns.rcode.to_text(message.rcode()) == answer["rcode"], asked
    steering = told["steering"]
    if steering is None:
        return "not steered"
    chosen = [share["regions"][0] for share in steering["candidates"] if share["chosen"]]
    region = told["decided"]["region"]
    assert chosen == ([] if region is None else [region]), asked
    if steering["tenant"] or (steering["steps"] and steering["steps"][-1]["step"] == WITHIN):
        return "explained"
    service = side.policy.services[told["found"]["service"]]
    if steering["reason"] == "all_down" and service.when_all_down is AllDown.LAST_KNOWN:
        return "explained"  # what was known last is not in the status
    made = flow(side, service, Family(asked.type))
    row, _ = locate(side.geo, ip_network(told["judged"]["network"]).network_address)
    shares = {
        name: share for name, share in zip(made.regions, made.shares[made.of[row]], strict=True) if share
    }
    explained: Counter[str] = Counter()
    for share in steering["candidates"]:
        explained[share["regions"][0]] += share["share"]
    assert shares == pytest.approx(dict(explained)), asked
    return "simulated"
