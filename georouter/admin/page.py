"""The page for people at `/`: regions, services and overrides at a glance, without scripts or assets."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from georouter.admin.desk import Json
from georouter.admin.style import STYLE
from georouter.facts.failover_view import moments, way

REFRESH_S = 5
"""How often a browser loads it again."""
MOST_ALIASES = 50
"""How many alias targets are shown, those first that are not fresh."""
RECENT = 20
"""How many events are shown, the last one first."""


def render(status: Json, not_ready: str | None) -> str:
    """The page as HTML. `status` has the shape of `docs/operations.md`; every text in it is escaped."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{REFRESH_S}">
<title>georouter</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{_header(status, not_ready)}
{_alarms(status, not_ready)}
<h2>Regions</h2>
{_regions(_rows(status, "regions"))}
<h2>Services</h2>
{_services(_rows(status, "services"))}
{_failovers(_rows(status, "services"))}
{_ramps(_rows(status, "services"))}
{_aliases(_rows(status, "aliases"))}
<h2>Overrides</h2>
{_overrides(_rows(status, "overrides"))}
<h2>Recent events</h2>
{_recent(_rows(status, "recent"))}
{_footer(status)}
</main>
</body>
</html>
"""


def _header(status: Json, not_ready: str | None) -> str:
    server = _part(status, "server")
    state = (
        '<span class="tag up">serving</span>'
        if not_ready is None
        else '<span class="tag warn">not ready</span>'
    )
    facts = [
        f"version {_text(status.get('version'))}",
        f"snapshot {_text(status.get('generation'))}",
        f"running since {_moment(status.get('started_at'))}",
        f"{_count(server.get('queries_total'))} queries",
        f"listening on {_text(', '.join(map(str, server.get('listen') or ())) or 'nothing yet')}",
    ]
    return f'<header><h1>georouter</h1>{state}</header>\n<p class="facts">{" · ".join(facts)}</p>'


def _alarms(status: Json, not_ready: str | None) -> str:
    config = _part(status, "config")
    reload = _part(config, "last_reload")
    found: list[str] = []
    if not_ready is not None:
        found.append(f"Not answering yet: {_text(not_ready)}")
    if reload.get("ok") is False:
        problems = reload.get("problems") or (reload.get("error"),)
        lines = "".join(f"<br><code>{_text(item)}</code>" for item in problems)
        found.append(f"The last reload failed, the policy before it stays:{lines}")
    if config.get("serving_last_good"):
        found.append("A saved policy is being served, because the one on disk is invalid.")
    waiting = _part(status, "server").get("restart_needed")
    if waiting:
        keys = _text(", ".join(map(str, waiting)))
        found.append(f"New values of these keys of the server section wait for a restart: {keys}.")
    brake = _part(status, "brake")
    if brake.get("frozen"):
        fallen = _text(", ".join(map(str, brake.get("fallen") or ())))
        found.append(
            f"Answers are frozen until {_moment(brake.get('until'))} at the latest, because these regions "
            f"failed at once and the network of this node may be at fault: {fallen}."
        )
    drops = _part(status, "server").get("drops")
    if drops:
        found.append(f"The kernel dropped {_count(drops)} queries because a receive buffer was full.")
    return "\n".join(f'<p class="alarm">{text}</p>' for text in found)


def _regions(regions: Sequence[Json]) -> str:
    rows = [
        (
            ("name", _text(region.get("name"))),
            ("", _tag(region.get("effective")) + _health(region.get("health"))),
            ("", _tag(region.get("observed"))),
            ("", _tag(region["forced"]) if region.get("forced") else '<span class="soft">no</span>'),
            ("number", _rtt(region.get("rtt_ms"))),
            ("", "".join(_endpoint(item) for item in _rows(region, "endpoints"))),
        )
        for region in regions
    ]
    heads = ("Region", "Acts as", "Checks say", "Forced", "Round trip", "Endpoints")
    return _table(heads, rows, "No regions.")


def _health(value: object) -> str:
    """Nothing for a region that takes its whole share, or none."""
    graded = isinstance(value, int | float) and 0 < value < 1
    return f' <span class="soft">at {value:.0%}</span>' if graded else ""


def _endpoint(endpoint: Json) -> str:
    reason = endpoint.get("reason")
    detail = f' <span class="soft">{_text(reason)}</span>' if reason and endpoint.get("state") != "up" else ""
    check = "" if endpoint.get("check") else ' <span class="soft">not checked</span>'
    return (
        f'<span class="endpoint"><code>{_text(endpoint.get("address"))}</code> '
        f"{_tag(endpoint.get('state'))}{detail}{check}"
        f"{''.join(_signal(item) for item in _rows(endpoint, 'signals'))}</span>"
    )


def _signal(signal: Json) -> str:
    value = signal.get("value")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = f"{value:,g}" if number else _text("-" if value is None else value)
    state = "" if signal.get("grade") == "ok" else f" {_tag(signal.get('grade'))}"
    return f' <span class="soft">{_text(signal.get("name"))} {text}</span>{state}'


def _services(services: Sequence[Json]) -> str:
    rows = [
        (
            ("name", _text(service.get("name"))),
            (
                "",
                _text(", ".join(map(str, service.get("answering") or ())))
                or '<span class="soft">none</span>',
            ),
            ("", _service_state(service)),
        )
        for service in services
    ]
    return _table(("Service", "Answering regions", "State"), rows, "No services.")


def _service_state(service: Json) -> str:
    if service.get("all_down"):
        return '<span class="tag down">all down for some clients</span>'
    if service.get("failover_active"):
        return '<span class="tag warn">failover</span>'
    return '<span class="tag up">normal</span>'


def _failovers(services: Sequence[Json]) -> str:
    """A section of its own where failover steps keep a state; nothing elsewhere."""
    rows = []
    for service in services:
        found = _part(service, "failover")
        if not found:
            continue
        calm = found.get("phase") in {"steady", "notifying"}
        told = [
            f"{name}: {way(part)}, detected {_moment(part.get('detected_at'))}, {moments(part)}"
            for name in ("sequence", "last")
            if (part := _part(found, name))
        ]
        rows.append(
            (
                ("name", _text(service.get("name"))),
                ("word", _text(found.get("active"))),
                ("", f'<span class="tag {"up" if calm else "warn"}">{_text(found.get("phase"))}</span>'),
                ("rest", "<br>".join(map(_text, (found.get("why"), *told)))),
            )
        )
    if not rows:
        return ""
    return "<h2>Failovers</h2>\n" + _table(("Service", "Active", "Phase", "How it came to this"), rows, "")


def _ramps(services: Sequence[Json]) -> str:
    """A section of its own where services have a ramp; nothing elsewhere."""
    rows = []
    for service in services:
        found = _part(service, "ramp")
        if not found:
            continue
        calm = found.get("phase") in {"running", "done"}
        phase = str(found.get("phase")).replace("_", " ")
        rows.append(
            (
                ("name", _text(service.get("name"))),
                ("word", _text(found.get("region"))),
                ("", _text(f"{found.get('part', 0):.1%} of {found.get('to', 0):.0%}")),
                ("", f'<span class="tag {"up" if calm else "warn"}">{_text(phase)}</span>'),
                ("rest", _text(found.get("why"))),
            )
        )
    if not rows:
        return ""
    return "<h2>Ramps</h2>\n" + _table(("Service", "Region", "Share", "Phase", "Why"), rows, "")


def _aliases(aliases: Sequence[Json]) -> str:
    """Nothing where there are none: most policies have none."""
    if not aliases:
        return ""
    shown = sorted(aliases, key=lambda item: item.get("state") == "fresh")[:MOST_ALIASES]
    rows = [
        (
            ("name", _text(item.get("target"))),
            ("", _freshness(item.get("state"))),
            ("", _text(", ".join(map(str, item.get("addresses") or ())))),
            ("", _moment(item["confirmed_at"]) if item.get("confirmed_at") else "never"),
            ("", _text(item.get("reason"))),
        )
        for item in shown
    ]
    more = f'<p class="soft">and {len(aliases) - len(shown)} more</p>' if len(aliases) > len(shown) else ""
    heads = ("Target", "State", "Addresses", "Told", "Why not")
    return f"<h2>Alias targets</h2>\n{_table(heads, rows, '')}{more}"


def _freshness(state: object) -> str:
    return f'<span class="tag {_FRESHNESS.get(str(state), "")}">{_text(state)}</span>'


_FRESHNESS: Mapping[str, str] = {"fresh": "up", "stale": "warn", "unknown": "down"}
"""How a target's state looks."""


def _overrides(overrides: Sequence[Json]) -> str:
    rows = [
        (
            ("name", _text(item.get("region"))),
            ("", f'<span class="tag warn">{_text(item.get("kind"))}</span>'),
            ("", _text(item.get("reason"))),
            ("", _text(item.get("author"))),
            ("", _moment(item["starts_at"]) if item.get("starts_at") else "at once"),
            ("", _moment(item["expires_at"]) if item.get("expires_at") else "until it is ended"),
        )
        for item in overrides
    ]
    return _table(
        ("Region", "Override", "Reason", "Author", "From", "Until"), rows, "None: health checks alone decide."
    )


def _recent(events: Sequence[Json]) -> str:
    newest = sorted(events, key=lambda item: item.get("at") or 0, reverse=True)[:RECENT]
    rows = [
        (
            ("when", _moment(item.get("at"))),
            ("word", f"<code>{_text(item.get('event'))}</code>"),
            ("rest", _text(item.get("text"))),
        )
        for item in newest
    ]
    return _table(("At", "Event", "What happened"), rows, "Nothing has happened yet.")


def _footer(status: Json) -> str:
    geo = _part(status, "geo")
    config = _part(status, "config")
    return (
        f"<footer><p>Policy <code>{_text(config.get('path'))}</code> · geo database "
        f"<code>{_text(geo.get('database'))}</code> of {_day(geo.get('build_epoch_s'))} · "
        '<a href="/metrics">metrics</a> · <a href="/v1/status">status as JSON</a></p>'
        f"<p>{_attribution(geo.get('attribution'))}</p></footer>"
    )


def _attribution(value: object) -> str:
    """The built-in map is made from DB-IP's data; its licence asks for this link beside results."""
    text = _text(value)
    link = '<a href="https://db-ip.com">IP Geolocation by DB-IP</a>'
    return link if not text or "DB-IP" in text else f"{text} · {link}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[tuple[str, str]]], empty: str) -> str:
    if not rows:
        return f'<section><p class="empty">{empty}</p></section>'
    classes = [kind if kind == "number" else "" for kind, _ in rows[0]]
    head = "".join(f"<th{_class(kind)}>{text}</th>" for kind, text in zip(classes, heads, strict=True))
    body = "\n".join(
        "<tr>" + "".join(f"<td{_class(kind)}>{cell}</td>" for kind, cell in row) + "</tr>" for row in rows
    )
    return f"<section><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></section>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _tag(state: object) -> str:
    known = str(state) if str(state) in ("up", "down", "drained") else ""
    return f'<span class="tag{" " + known if known else ""}">{_text(state)}</span>'


def _rows(holder: Json, key: str) -> Sequence[Json]:
    value = holder.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, Iterable) else []


def _part(holder: Json, key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return "" if value is None else escape(str(value))


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "0"


def _rtt(value: object) -> str:
    if not isinstance(value, int | float):
        return "-"
    return f"{value:.1f} ms" if value >= 0.05 else "&lt; 0.1 ms"


def _moment(value: object) -> str:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return _text(value)


def _day(value: object) -> str:
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d") if isinstance(value, int | float) else "-"
