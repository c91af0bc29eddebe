"""An explanation for people: the question, each step, the regions, the choice, the answer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from georouter.analysis import sentences
from georouter.cli.output import plain, signal_value, state, table

if TYPE_CHECKING:
    from rich.console import RenderableType

_Json = Mapping[str, Any]


def view(told: _Json) -> "RenderableType":
    """Everything in `Explanation.as_dict()`, with the `source` that the command adds."""
    from rich.console import Group  # noqa: PLC0415 - slow to import

    return Group(*_parts(told))


def _parts(told: _Json) -> "Iterator[RenderableType]":
    question, found, answer = told["question"], told["found"], told["answer"]
    yield plain(sentences.asked(question), "bold")
    yield plain(source(told.get("source") or {}), "dim")
    yield plain("")
    yield _facts(
        ("name", sentences.name(found)),
        *([("alias of", sentences.alias(told["alias"]))] if told.get("alias") else []),
        *([("judged by", sentences.judged(told["judged"], question))] if told.get("judged") else []),
        *([("place", sentences.where(told["locality"]))] if told.get("locality") else []),
    )
    steering = told.get("steering")
    if steering:
        for step in steering["steps"]:
            yield plain("")
            yield plain(str(step["step"]), "bold")
            yield _facts(
                ("in", sentences.tiers(step["before"])),
                *(("why" if number == 0 else "", reason) for number, reason in enumerate(step["reasons"])),
                ("out", sentences.tiers(step["after"])),
            )
        yield plain("")
        if steering.get("frozen_since") is not None:
            yield plain(sentences.frozen(steering["frozen_since"]), "bold red")
        yield _regions(steering["regions"])
        signals = [
            (region["name"], item) for region in steering["regions"] for item in region.get("signals") or ()
        ]
        if signals:
            yield plain("")
            yield plain("signals", "bold")
            yield _facts(*(_signal(region, item) for region, item in signals))
        yield plain("")
        yield plain("selection", "bold")
        yield _facts(*_selection(steering))
    yield plain("")
    yield plain("answer", "bold")
    yield _facts(*_answer(answer, told.get("judged")))
    attribution = (told.get("locality") or {}).get("attribution")
    if attribution:
        yield plain("")
        yield plain(attribution, "dim")


def source(given: _Json) -> str:
    """Where the explanation is from."""
    if given.get("mode") == "live":
        return f"live: decided by the daemon at {given.get('daemon')}"
    down = given.get("down") or ()
    if given.get("state"):
        health = f"in the state saved in {given['state']}{', but down: ' + ', '.join(down) if down else ''}"
        return f"offline: decided from {given.get('policy')}, {health}"
    health = f"every region up but {', '.join(down)}" if down else "every region taken to be up"
    return f"offline: decided from {given.get('policy')}, {health}"


def _facts(*rows: tuple[str, str]) -> "RenderableType":
    from rich.table import Table  # noqa: PLC0415 - slow to import

    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(width=10, justify="right", style="dim")
    made.add_column(overflow="fold")
    for label, text in rows:
        made.add_row(plain(label), plain(text))
    return made


def _regions(regions: Sequence[_Json]) -> "RenderableType":
    made = table("REGION", "ACTS AS", "CHECKS", "FORCED", "HEALTH", "WEIGHT", "RTT")
    for region in regions:
        rtt = region["rtt_ms"]
        made.add_row(
            plain(region["name"], "bold"),
            state(region["effective"]),
            state(region["observed"]),
            state(region["forced"] or "-"),
            plain(f"{region['health']:.0%}"),
            plain(f"{region['weight']:g}"),
            plain("-" if rtt is None else f"{rtt:.1f} ms"),
        )
    return made


def _signal(region: str, item: _Json) -> tuple[str, str]:
    value = signal_value(item["value"])
    return region, f"{item['name']} {value}, {item['grade']}, read {item['age_s']:.0f} s ago"


def _selection(steering: _Json) -> Iterator[tuple[str, str]]:
    reason = str(steering["reason"])
    yield "reason", f"{reason}: {sentences.REASONS.get(reason, '')}"
    if steering.get("ramp"):
        yield "ramp", sentences.turn(steering["ramp"])
    if steering.get("plan"):
        yield "capacity", sentences.plan(steering["plan"])
    if steering.get("draw"):
        yield "draw", sentences.draw(steering["draw"])
    if steering.get("kept"):
        yield "sticky", sentences.keeps(steering["kept"])
    for share in steering["candidates"]:
        taken = ", taken now" if share["chosen"] else ""
        yield f"{share['share']:.1%}", f"{', then '.join(share['regions'])}{taken}"
    if not steering["candidates"]:
        yield "", "SERVFAIL, by `when_all_down`" if steering["servfail"] else "no region answers"


def _answer(answer: _Json, judged: _Json | None) -> Iterator[tuple[str, str]]:
    yield "rcode", f"{answer['rcode']}, flags {' '.join(answer['flags'])}, {answer['size']} bytes"
    for record in answer["records"]:
        yield record["section"], f"{record['name']} {record['ttl_s']} {record['type']} {record['data']}"
    if answer["extended_error"]:
        yield "error", answer["extended_error"]
    if answer["scope"]:
        yield "scope", sentences.scope(answer["scope"], judged)
    if answer["truncated_over_udp"]:
        yield "note", "too long for UDP: the client is told to ask again over TCP"
