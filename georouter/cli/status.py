"""`georouter status`: what the running daemon believes and answers, on 80 columns."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from georouter.cli.client import AdminClient
from georouter.cli.config import admin_options
from georouter.cli.output import age, console, moment, plain, print_json, signal_value, state, table
from georouter.facts.failover_view import moments, way

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

WATCH_INTERVAL_S = 2.0
RECENT = 8
"""How many events are shown; `--json` has all that the daemon remembers."""
MOST_ALIASES = 20
"""Alias targets that are shown; `--json` has all."""
_WIDEST_LIST = 6
"""More endpoints or regions than this in one cell are counted instead of named."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.option("--watch", is_flag=True, help="Show it again every 2 seconds, until interrupted.")
@admin_options
def status(*, client: AdminClient, as_json: bool, watch: bool) -> None:
    """Show what the running daemon believes and answers."""
    if as_json and watch:
        raise click.UsageError("--watch shows tables; it does not go with --json")
    if watch:
        _watch(client)
    elif as_json:
        print_json(client.get("/v1/status"))
    else:
        console().print(view(client.get("/v1/status")))


def view(shown: Mapping[str, Any]) -> "RenderableType":
    """The whole picture of a status object (its shape is in `docs/operations.md`)."""
    from rich.console import Group  # noqa: PLC0415 - slow to import

    return Group(*_parts(shown))


def _watch(client: AdminClient) -> None:
    from rich.live import Live  # noqa: PLC0415 - slow to import

    try:
        with Live(console=console(), auto_refresh=False, screen=console().is_terminal) as live:
            while True:
                live.update(view(client.get("/v1/status")), refresh=True)
                time.sleep(WATCH_INTERVAL_S)
    except KeyboardInterrupt:
        return


def _parts(shown: Mapping[str, Any]) -> "Iterator[RenderableType]":
    yield from _head(shown)
    regions, services = _rows(shown, "regions"), _rows(shown, "services")
    overrides, recent = _rows(shown, "overrides"), newest(_rows(shown, "recent"), RECENT)
    yield plain("")
    yield _regions(regions)
    if any(item.get("signals") for region in regions for item in _rows(region, "endpoints")):
        yield plain("")
        yield _signals(regions, shown.get("now"))
    yield plain("")
    yield _services(services)
    failovers = [item for item in services if item.get("failover")]
    if failovers:
        yield plain("")
        yield _failovers(failovers)
    ramps = [item for item in services if item.get("ramp")]
    if ramps:
        yield plain("")
        yield _ramps(ramps)
    brake = _part(shown, "brake") if shown.get("brake") else {}
    if brake.get("frozen"):
        fallen = ", ".join(brake.get("fallen") or ())
        yield plain(
            f"answers are frozen since {moment(brake['since'])}, to {moment(brake['until'])} at the latest: "
            f"{fallen} failed at once, of {brake['of']} checked regions; georouter unfreeze ends it",
            "bold red",
        )
    if shown.get("capacity"):
        yield plain("")
        yield from _capacity(_part(shown, "capacity"))
    zones = _rows(_part(shown, "transfers"), "zones")
    if zones:
        yield plain("")
        yield _secondaries(zones)
    aliases = _rows(shown, "aliases")
    if aliases:
        yield plain("")
        yield _aliases(aliases)
    if overrides:
        yield plain("")
        yield _overrides(overrides, shown.get("now"))
    if recent:
        yield plain("")
        yield _recent(recent)


def _head(shown: Mapping[str, Any]) -> "Iterator[Text]":
    server, config, geo = (_part(shown, key) for key in ("server", "config", "geo"))
    listen = ", ".join(map(str, server.get("listen") or ())) or "nothing yet"
    yield plain(
        f"georouter {shown.get('version')}, snapshot {shown.get('generation')}, "
        f"running since {moment(shown.get('started_at'))}",
        "bold",
    )
    yield plain(f"listening on {listen}; {server.get('queries_total') or 0:,} queries{_path(server)}")
    reload = _part(config, "last_reload")
    verb = "loaded" if reload.get("ok") else "last tried"
    yield plain(f"policy {config.get('path')}, {verb} {moment(reload.get('at'))}")
    yield plain(f"geo {geo.get('database')} of {moment(geo.get('build_epoch_s'))[:10]}")
    yield from (plain(text, "bold red") for text in alarms(shown))


def _path(server: Mapping[str, Any]) -> str:
    """Who answers them; daemons before there were two ways do not say."""
    name, workers = server.get("path"), server.get("workers")
    return f", {name} packet path, {workers} worker{'s' * (workers != 1)}" if name else ""


def alarms(shown: Mapping[str, Any]) -> list[str]:
    """What somebody should look at: a failed reload, a saved policy in use, settings that wait, drops."""
    server, config = _part(shown, "server"), _part(shown, "config")
    reload = _part(config, "last_reload")
    found: list[str] = []
    if reload.get("ok") is False:
        problems = [f"  {problem}" for problem in reload.get("problems") or (reload.get("error"),)]
        found += ["the last reload failed, the policy before it stays:", *problems]
    if config.get("serving_last_good"):
        found.append("a saved policy is being served, because the one on disk is invalid")
    if server.get("restart_needed"):
        keys = ", ".join(map(str, server["restart_needed"]))
        found.append(f"new values of these keys of the server section wait for a restart: {keys}")
    if (server.get("workers_living") or 0) < (server.get("workers") or 0) and shown.get("generation"):
        found.append(
            f"only {server['workers_living']} of {server['workers']} UDP workers run: restart the daemon"
        )
    if server.get("drops"):
        found.append(f"the kernel dropped {server['drops']:,} queries: a receive buffer was full")
    return found


def newest(events: Sequence[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    """The last `count` events, the last one first."""
    return sorted(events, key=lambda item: item.get("at") or 0, reverse=True)[:count]


def _regions(regions: Sequence[Mapping[str, Any]]) -> "RenderableType":
    made = table("REGION", "ACTS AS", "CHECKS", "FORCED", "RTT", "ENDPOINTS")
    for region in regions:
        rtt = region.get("rtt_ms")
        made.add_row(
            plain(region.get("name"), "bold"),
            state(region.get("effective")),
            state(region.get("observed")),
            state(region.get("forced") or "-"),
            plain(f"{rtt:.1f} ms" if isinstance(rtt, int | float) else "-"),
            plain(_endpoints(_rows(region, "endpoints"))),
        )
    return made


def _endpoints(endpoints: Sequence[Mapping[str, Any]]) -> str:
    """`2 up`, or how many are and what is wrong with the others."""
    up = sum(item.get("state") == "up" for item in endpoints)
    if up == len(endpoints):
        return f"{up} up"
    bad = [item for item in endpoints if item.get("state") != "up"]
    named = "; ".join(
        f"{item.get('address')} {item.get('state')}" + (f": {item['reason']}" if item.get("reason") else "")
        for item in bad[:_WIDEST_LIST]
    )
    more = f"; {len(bad) - _WIDEST_LIST} more" if len(bad) > _WIDEST_LIST else ""
    return f"{up} of {len(endpoints)} up; {named}{more}"


def _signals(regions: Sequence[Mapping[str, Any]], now: object) -> "RenderableType":
    made = table("SIGNAL", "REGION", "ENDPOINT", "STATE", "VALUE", "READ")
    for region in regions:
        for endpoint in _rows(region, "endpoints"):
            for item in _rows(endpoint, "signals"):
                made.add_row(
                    plain(item.get("name")),
                    plain(region.get("name"), "bold"),
                    plain(endpoint.get("address")),
                    state(item.get("grade")),
                    plain(signal_value(item.get("value"))),
                    plain(age(item.get("read_at"), now)),
                )
    return made


def _services(services: Sequence[Mapping[str, Any]]) -> "RenderableType":
    made = table("SERVICE", "STATE", "TTL", "ANSWERED FROM")
    for service in services:
        answering = [str(name) for name in service.get("answering") or ()]
        made.add_row(
            plain(service.get("name"), "bold"),
            _service_state(service),
            _ttl(_part(service, "ttl")),
            plain(", ".join(answering) or "-"),
        )
    return made


def _ttl(found: Mapping[str, Any]) -> "Text":
    because = found.get("because")
    if because in {None, "steady"}:
        return plain(f"{found['seconds']}s" if found else "-")
    return plain(f"{found['seconds']}s ({because})", "yellow")


def _service_state(service: Mapping[str, Any]) -> "Text":
    if service.get("all_down"):
        return plain("all down for some", "bold red")
    return plain("failover", "yellow") if service.get("failover_active") else plain("normal", "green")


def _failovers(services: Sequence[Mapping[str, Any]]) -> "RenderableType":
    made = table("FAILOVER", "ACTIVE", "PHASE", "SINCE", "WHY")
    for service in services:
        found = _part(service, "failover")
        calm = found.get("phase") in {"steady", "notifying"}
        made.add_row(
            plain(service.get("name"), "bold"),
            plain(found.get("active")),
            plain(found.get("phase"), "" if calm else "yellow"),
            plain(moment(found.get("since"))),
            plain(found.get("why")),
        )
        for name in ("sequence", "last"):
            sequence = _part(found, name)
            if sequence:
                told = (way(sequence), f"detected {moment(sequence.get('detected_at'))}", moments(sequence))
                made.add_row("", "", plain(name, "dim"), "", plain("; ".join(filter(None, told)), "dim"))
    return made


def _ramps(services: Sequence[Mapping[str, Any]]) -> "RenderableType":
    made = table("RAMP", "REGION", "SHARE", "PHASE", "SINCE", "WHY")
    for service in services:
        found = _part(service, "ramp")
        calm = found.get("phase") in {"running", "done"}
        left_s = found.get("left_s")
        made.add_row(
            plain(service.get("name"), "bold"),
            plain(found.get("region")),
            plain(f"{found.get('part', 0):.1%} of {found.get('to', 0):.0%}"),
            plain(str(found.get("phase")).replace("_", " "), "" if calm else "yellow"),
            plain(moment(found.get("since"))),
            plain(found.get("why") or ("" if left_s is None else f"{left_s:,.0f} s to go")),
        )
    return made


def _capacity(plan: Mapping[str, Any]) -> "Iterator[RenderableType]":
    """The capacity plan in use, or why there is none."""
    if plan.get("problem"):
        yield plain(f"no new capacity plan: {plan['problem']}", "bold red")
    if plan.get("made_at") is None:
        yield plain("no capacity plan yet: regions are filled as the chain says", "dim")
        return
    overload = _part(plan, "overload")
    made = table("CAPACITY", "PLANNED LOAD", "OVER ITS LIMIT")
    for region, load in _part(plan, "loads").items():
        over = overload.get(region)
        made.add_row(
            plain(region, "bold"),
            plain(f"{load:,.0f}"),
            plain("-" if over is None else f"{over:.2f} times", "" if over is None else "bold red"),
        )
    yield made
    ready = plan.get("losses")
    further = f"; ready for the loss of any one of {ready} regions" if ready else "; not ready for a loss yet"
    yield plain(f"planned {moment(plan['made_at'])}{further}", "dim" if ready else "yellow")


def _secondaries(zones: Sequence[Mapping[str, Any]]) -> "RenderableType":
    """Zones that are copied, and whether those who are told of changes know the last one."""
    made = table("ZONE", "SERIAL", "SECONDARY", "KNOWS IT", "TRIES")
    for zone in zones:
        name, serial = plain(zone.get("zone"), "bold"), plain(zone.get("serial"))
        for item in _rows(zone, "notify") or [{}]:
            told = item.get("state")
            color = {"acknowledged": "green", "asking": "yellow", None: ""}.get(told, "bold red")
            reason = f": {item['reason']}" if item.get("reason") else ""
            made.add_row(
                name,
                serial,
                plain(item.get("address") or "-"),
                plain(f"{told or '-'}{reason}", color),
                plain(item.get("attempts") or "-"),
            )
            name = serial = plain("")
    return made


def _aliases(aliases: Sequence[Mapping[str, Any]]) -> "RenderableType":
    """Those that somebody should look at first; of many the rest is counted."""
    made = table("ALIAS TARGET", "STATE", "ADDRESSES", "TOLD", "WHY NOT")
    ordered = sorted(aliases, key=lambda item: item.get("state") == "fresh")
    for item in ordered[:MOST_ALIASES]:
        age_s = item.get("age_s")
        made.add_row(
            plain(item.get("target"), "bold"),
            state(item.get("state")),
            plain(", ".join(map(str, item.get("addresses") or ())) or "-"),
            plain(f"{age_s:.0f} s ago" if isinstance(age_s, int | float) else "never"),
            plain(item.get("reason")),
        )
    if len(ordered) > MOST_ALIASES:
        made.add_row(plain(f"and {len(ordered) - MOST_ALIASES} more"))
    return made


def _overrides(overrides: Sequence[Mapping[str, Any]], shown_at: object) -> "RenderableType":
    made = table("OVERRIDE", "REGION", "UNTIL", "BY", "REASON")
    for item in overrides:
        until, begin = item.get("expires_at"), item.get("starts_at")
        now = shown_at if isinstance(shown_at, int | float) else 0.0
        later = isinstance(begin, int | float) and begin > now
        made.add_row(
            plain(f"{item.get('kind')} from {moment(begin)}" if later else item.get("kind"), "yellow"),
            plain(item.get("region"), "bold"),
            plain(moment(until) if until is not None else "ended by hand"),
            plain(item.get("author")),
            plain(item.get("reason")),
        )
    return made


def _recent(recent: Sequence[Mapping[str, Any]]) -> "RenderableType":
    made = table("AT", "EVENT", "WHAT HAPPENED")
    for item in recent:
        made.add_row(plain(moment(item.get("at")), "dim"), plain(item.get("event")), plain(item.get("text")))
    return made


def _rows(holder: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = holder.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def _part(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, Mapping) else {}
