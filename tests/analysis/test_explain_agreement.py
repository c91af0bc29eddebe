"""`explain`, `simulate` and the daemon say the same: 10,000 random triples of name, client and state.

The daemon's side is its own way of working: one plan, published from state to state, asked by packets.
`tests/live/test_agreement.py` asks a real one.
"""

from collections import Counter
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from random import Random

import dns.rcode
import pytest

from georouter.analysis.ask import make_query
from georouter.analysis.explain import explain
from georouter.analysis.explanation import Explanation
from georouter.analysis.traffic import Flow, Side, flow
from georouter.answers.layout import REASONS, Proto, Reason
from georouter.answers.limits import Limits
from georouter.answers.respond import Responder
from georouter.compiler.plan import plan
from georouter.compiler.publish import Published, publish
from georouter.facts.world import World
from georouter.geo.locate import locate
from georouter.policy.load import load
from georouter.routing.decide import WITHIN, Family
from georouter.wire.codes import TYPE_A, TYPE_AAAA, type_number
from georouter.wire.names import parse_name
from tests.analysis.guesses import Asked, capacity, question, state, write
from tests.analysis.test_policy_tests import empty_map

POLICIES, STATES, QUESTIONS = 20, 10, 50
"""Of each policy so many states, in each so many questions: 10,000 triples."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a daemon answers, and what it counts as the decision: service, region, reason."""

    rcode: int
    size: int
    addresses: tuple[str, ...]
    decided: tuple[str, str | None, Reason] | None


class Serving:
    """The packet path over one published snapshot."""

    def __init__(self, published: Published) -> None:
        self.layout = published.snapshot.directory.layout
        self.counters = [0] * self.layout.size
        self.responder = Responder(published.snapshot, self.counters, Limits())

    def ask(self, asked: Asked, now: float) -> Said:
        """One query over TCP."""
        self.counters[:] = [0] * len(self.counters)
        query = make_query(parse_name(asked.name), type_number(asked.type), asked.client, 1232)
        resolver = asked.resolver
        reply = self.responder.respond(query, int(resolver), resolver.version, Proto.TCP, now)
        assert reply is not None
        return Said(reply[3] & 15, len(reply), tuple(_addresses(reply)), self._decided())

    def _decided(self) -> tuple[str, str | None, Reason] | None:
        for service in self.layout.services:
            for index in range((len(service.regions) + 1) * REASONS):
                if self.counters[service.base + index]:
                    region, reason = divmod(index, REASONS)
                    names = (*service.regions, None)
                    return service.name, names[region], Reason(reason)
        return None


def _addresses(reply: bytes) -> list[str]:
    """The addresses of the answer section, read here: dnspython would take most of the test's time."""
    found, at = [], _behind_name(reply, 12) + 4
    for _ in range(int.from_bytes(reply[6:8])):
        at = _behind_name(reply, at)
        kind, size = int.from_bytes(reply[at : at + 2]), int.from_bytes(reply[at + 8 : at + 10])
        data = reply[at + 10 : at + 10 + size]
        if kind in {TYPE_A, TYPE_AAAA}:
            found.append(str(IPv4Address(data) if kind == TYPE_A else IPv6Address(data)))
        at += 10 + size
    return found


def _behind_name(reply: bytes, at: int) -> int:
    while 0 < reply[at] < 0xC0:
        at += reply[at] + 1
    return at + (2 if reply[at] else 1)


def test_ten_thousand_triples() -> None:
    """For any name, client and state: one decision, one answer, and a share where somebody is answered."""
    seen: Counter[Reason | None] = Counter()
    for seed in range(POLICIES):
        draw = Random(seed)
        policy = load(write(draw).files).policy
        geo = empty_map(policy)
        rtt_ms = {name: float(draw.randint(1, 200)) for name in policy.regions if draw.random() < 0.5}
        compiled = plan(policy, geo, World(rtt_ms=rtt_ms))
        published: Published | None = None
        for number in range(STATES):
            now = state(draw, policy, rtt_ms)
            if draw.random() < 0.7:
                now = replace(now, capacity=capacity(policy, geo, now))
            published = publish(compiled, now, number + 1, published)
            _agree(draw, Side(policy, geo, now), Serving(published), publish(compiled, now, 0), seen)
    assert seen.total() == POLICIES * STATES * QUESTIONS
    assert set(seen) == {None, *Reason}  # everything that can happen did


def _agree(
    draw: Random, side: Side, daemon: Serving, afresh: Published, seen: Counter[Reason | None]
) -> None:
    """In one state."""
    flows: dict[tuple[str, Family], Flow] = {}
    for _ in range(QUESTIONS):
        asked, at = question(draw), float(draw.randrange(10**6))
        said = daemon.ask(asked, at)
        told = explain(
            side.policy,
            side.geo,
            side.world,
            asked.name,
            asked.client,
            resolver=asked.resolver,
            qtype=asked.type,
            now=at,
            compiled=afresh.plan,
            snapshot=afresh.snapshot,
        )
        seen[said.decided and said.decided[2]] += 1
        _compare(asked, said, told)
        if told.steering is not None and told.steering.tenant is None:
            _simulated(side, flows, asked, said, told)


def _compare(asked: Asked, said: Said, told: Explanation) -> None:
    """The explanation's answer is the daemon's, and so is the decision that it traces."""
    records = [item for item in told.answer.records if item.section == "answer"]
    addresses = tuple(item.data for item in records if item.type in {"A", "AAAA"})
    assert (dns.rcode.from_text(told.answer.rcode), told.answer.size) == (said.rcode, said.size), asked
    assert addresses == said.addresses, asked
    counted = told.decided and (told.decided.service, told.decided.region, told.decided.reason)
    assert counted == said.decided, asked
    if told.steering is None:
        return
    assert told.decided is not None
    chosen = [share for share in told.steering.candidates if share.chosen]
    if told.decided.region is None:
        assert not told.steering.candidates, asked
        assert told.steering.reason is told.decided.reason, asked
    else:
        assert [share.regions[0] for share in chosen] == [told.decided.region], asked
        assert chosen[0].share > 0
        assert chosen[0].reason is told.decided.reason


def _simulated(
    side: Side, flows: dict[tuple[str, Family], Flow], asked: Asked, said: Said, told: Explanation
) -> None:
    """The shares of a client's place are those of its explanation, and the answer is one of them."""
    assert told.steering is not None
    assert told.judged is not None
    assert told.found.service is not None
    assert said.decided is not None
    if told.steering.steps and told.steering.steps[-1].step == WITHIN:
        return  # for more than one place at a time
    key = (told.found.service, Family(asked.type))
    if key not in flows:
        flows[key] = flow(side, side.policy.services[key[0]], key[1])
    made = flows[key]
    row, _ = locate(side.geo, told.judged.network.network_address)
    shares = dict(zip(made.regions, made.shares[made.of[row]].tolist(), strict=True))
    explained = dict.fromkeys(made.regions, 0.0)
    for share in told.steering.candidates:
        explained[share.regions[0]] += share.share
    assert shares == pytest.approx(explained), asked
    assert made.refused[made.of[row]] == (said.decided[2] is Reason.REFUSED), asked
