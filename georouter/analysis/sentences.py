"""An explanation in words: lines that stand alone, in the order in which things were decided.

They work on `Explanation.as_dict()`, so that they say the same of what a daemon sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_Json = Mapping[str, Any]

REASONS: Mapping[str, str] = {
    "primary": "the first choice answers",
    "failover": "the first choice cannot answer, a later one does",
    "all_down": "every allowed region is down; `when_all_down` decides",
    "fallback": "every allowed region is down; the fallback answers",
    "forced": "an operator's override moved the answer",
    "capacity": "the first choice is full, the capacity plan sends this part of the clients elsewhere",
    "held": "the region is down, and the failover step may not leave it yet",
    "refused": "a residency fence leaves no region",
}
"""What the reason of a decision means."""

KINDS: Mapping[str, str] = {
    "alias": "the addresses of another name, the same for every client",
    "records": "static records, the same for every client",
    "no data": "the name exists, records of this type do not",
    "no such name": "the zone has no such name",
    "referral": "delegated to other name servers",
    "redirect": "below a DNAME, whose target is the same for every client",
    "outside": "in no zone of this server",
}
"""What stands behind names that are not steered."""


def lines(told: _Json) -> list[str]:
    """All of it, from the question to the answer."""
    return [*_lines(told)]


def _lines(told: _Json) -> Iterator[str]:
    yield asked(told["question"])
    yield f"name: {name(told['found'])}"
    if told.get("alias"):
        yield f"alias of: {alias(told['alias'])}"
    if told["judged"]:
        yield f"judged by: {judged(told['judged'], told['question'])}"
    if told["locality"]:
        yield f"place: {where(told['locality'])}"
    steering = told["steering"]
    if steering:
        for number, step in enumerate(steering["steps"], 1):
            why = f", because {'; '.join(step['reasons'])}" if step["reasons"] else ""
            yield f"step {number}, {step['step']}: {tiers(step['before'])} became {tiers(step['after'])}{why}"
        if steering.get("frozen_since") is not None:
            yield f"brake: {frozen(steering['frozen_since'])}"
        yield from (f"region {region_state(region)}" for region in steering["regions"])
        yield f"decision: {steering['reason']}, {REASONS.get(str(steering['reason']), '')}"
        if steering.get("ramp"):
            yield f"ramp: {turn(steering['ramp'])}"
        if steering.get("plan"):
            yield f"capacity: {plan(steering['plan'])}"
        if steering.get("draw"):
            yield f"draw: {draw(steering['draw'])}"
        if steering.get("kept"):
            yield f"sticky: {keeps(steering['kept'])}"
        yield from (f"choice: {share}" for share in shares(steering))
    yield from (f"answer: {text}" for text in answer(told["answer"], told["judged"]))


def asked(question: _Json) -> str:
    """What was asked, for whom."""
    text = f"{question['name']} {question['type']}"
    if question["client"]:
        text += f" for {question['client']}"
    return text if question["resolver_assumed"] else f"{text} through the resolver {question['resolver']}"


def name(found: _Json) -> str:
    """What stands behind the name."""
    zone = f"zone {found['zone']}" if found["zone"] else ""
    owner = f"matches {found['owner']}" if found["owner"] else ""
    what = f"service {found['service']}" if found["service"] else KINDS.get(found["kind"], found["kind"])
    return "; ".join(part for part in (what, zone, owner) if part)


STATES: Mapping[str, str] = {
    "fresh": "its addresses are fresh",
    "stale": "it cannot be resolved now; what was known last is answered",
    "unknown": "not all of its addresses are known here",
}
"""How good what is known of an alias target is."""


def alias(of: _Json) -> str:
    """Whose addresses a name has, and how good they are where they are not ours."""
    if not of["outside"]:
        return str(of["target"])
    through = "" if of["outside"] == of["target"] else f", which leads to {of['outside']}"
    return f"{of['target']}{through}: {STATES.get(str(of['state']), of['state'])}"


def judged(by: _Json, question: _Json) -> str:
    """Whose address decided, and why, where that is not the client subnet."""
    if not by["why"]:
        return f"the client subnet {by['network']}"
    address = question["resolver"]
    assumed = ", taken to be where the client is" if question["resolver_assumed"] else ""
    return f"the resolver's address {address}{assumed}, because {by['why']}"


def tiers(value: Sequence[Sequence[str]]) -> str:
    """`a = b > c`: equal, then worse."""
    return " > ".join(" = ".join(tier) for tier in value) or "no region"


def where(locality: _Json) -> str:
    """The place, from city to continent, and who says so."""
    parts = [locality[key] for key in ("city", "subdivision", "country_name", "continent") if locality[key]]
    text = ", ".join(parts) or "not placed by the database"
    if locality["lat"] is not None and locality["lon"] is not None:
        text += f" ({locality['lat']:.2f}, {locality['lon']:.2f})"
    if locality["asn"]:
        text += f", AS{locality['asn']}"
    if locality["networks"]:
        text += f", in {', '.join(locality['networks'])}"
    return f"{text}; all of {locality['network']} is, says {locality['database']}"


def region_state(region: _Json) -> str:
    """How one region stands."""
    text = f"{region['name']}: acts as {region['effective']}, checks say {region['observed']}"
    if region["forced"]:
        text += f", forced {region['forced']}"
    if region["health"] != 1:
        text += f", health {region['health']:.0%}"
    if region["weight"] != 1:
        text += f", weight {region['weight']:g}"
    return text if region["rtt_ms"] is None else f"{text}, {region['rtt_ms']:.1f} ms from here"


def turn(ramp: _Json) -> str:
    """Whether a client network has moved to the region of a ramp, or when it will."""
    part, at = f"{ramp['part']:.1%}", f"{ramp['turn']:.1%}"
    if ramp["moved"]:
        return f"{ramp['network']} is in the first {part} that moved to {ramp['region']} (its turn: {at})"
    return f"{ramp['network']} moves to {ramp['region']} at {at}; the ramp is at {part}"


INERT: Mapping[str, str] = {
    "no demand": "the policy states no `demand` of the service, and no `signal` tells its regions' load",
    "no load": "no region has told its load lately, by the step's `signal`",
    "no solver": "the solver HiGHS is not installed: pip install highspy",
    "no plan": "there is no plan here: a running daemon makes one, `simulate` shows it",
    "active": "the `failover` step keeps one region active for everybody, and its load is only counted",
    "tenant": "the name is a tenant's, whom no plan sends elsewhere",
}
"""Why a capacity step does nothing."""


def plan(planned: _Json) -> str:
    """What the capacity plan does to the group of the client, and why."""
    if planned["effect"] == "inert":
        why = INERT.get(str(planned["why"]), planned["why"])
        return f"the step does nothing, everybody goes where they would: {why}"
    full = [
        f"{name} takes {load:,.0f} of its {planned['capacities'][name]:,.0f}"
        for name, load in planned["loads"].items()
        if name in planned["capacities"]
    ]
    why = f"; {', '.join(full)}, and {planned['limit']:.0%} is the limit" if full else ""
    if planned["effect"] == "fits":
        return f"the plan moves nobody of this group: they fit where they would go{why}"
    parts = ", ".join(f"{part:.1%} to {name}" for name, part in planned["parts"].items())
    return f"the plan divides this group: {parts}{why}"


def draw(drawn: _Json) -> str:
    """What a client network has drawn, until when, and what everything it can draw leads to."""
    until = datetime.fromtimestamp(drawn["until"], UTC).strftime("%H:%M:%S UTC")
    bands = ", ".join(f"{band['share']:.1%} {band['region']}" for band in drawn["bands"])
    return (
        f"{drawn['network']} has drawn {drawn['value']:.1%} until {until}, which is {drawn['region']}'s; "
        f"it draws anew every {drawn['every_s']} s, and gets in the long run {bands}"
    )


def keeps(kept: _Json) -> str:
    """What a sticky client network keeps, and where it would go otherwise."""
    then = f"it would go to {kept['then']}" if kept["then"] else "no other region would answer it"
    return f"{kept['network']} is hashed as one and keeps {kept['region']}; if that were lost, {then}"


def shares(steering: _Json) -> list[str]:
    """Who may answer, in which proportion."""
    if not steering["candidates"]:
        return ["SERVFAIL, by `when_all_down`" if steering["servfail"] else "no region answers"]
    return [
        f"{share['share']:.1%} {', then '.join(share['regions'])}{', taken now' if share['chosen'] else ''}"
        for share in steering["candidates"]
    ]


def answer(told: _Json, by: _Json | None) -> Iterator[str]:
    """The message: response code, records, for whom it may be cached."""
    yield f"{told['rcode']}, flags {' '.join(told['flags'])}, {told['size']} bytes"
    for record in told["records"]:
        yield f"{record['section']} {record['name']} {record['ttl_s']} {record['type']} {record['data']}"
    if told["extended_error"]:
        yield f"extended error {told['extended_error']}"
    if told["scope"]:
        yield scope(told["scope"], by)
    if told["truncated_over_udp"]:
        yield "too long for UDP: the client is told to ask again over TCP"


def scope(block: object, by: _Json | None) -> str:
    """Whom a cache may give the answer to, given who was judged."""
    if not str(block).endswith("/0"):
        return f"a cache may give this answer to every client in {block}"
    behind = " behind this resolver" if by is not None and by["by"] == "resolver" else ""
    return f"a cache may give this answer to every client{behind}"


def frozen(since: float) -> str:
    """That the brake holds. `since` is Unix seconds."""
    at = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"answers are frozen since {at}: regions act as they were seen before most of them failed at once"
