"""A simulation for people; `simulation_json` has it for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from georouter.analysis.moving import Move, Moving
from georouter.analysis.shift import Country, Shift
from georouter.analysis.simulate import Load, Loss, Outcome, Simulation
from georouter.analysis.timing import Departure, Why, detection
from georouter.cli.output import plain, table
from georouter.cli.replay import Census
from georouter.geo.codes import COUNTRIES
from georouter.policy.model import Policy
from georouter.policy.units import duration_text
from georouter.words.ids import RegionName

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

WAYS = 8
COUNTRIES_SHOWN = 8
WORST = 3
"""How many rows are shown; the JSON has all."""
LEAST = 0.0005
"""Shares below this print as 0.0 % and are left to the JSON."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What was compared: the policies before and after, and what happens in between."""

    before: str
    after: str
    live: bool
    down: tuple[RegionName, ...] = ()
    drained: tuple[RegionName, ...] = ()
    capacity: tuple[str, ...] = ()
    ramp: tuple[str, ...] = ()
    demand: float = 1.0
    census: Census | None = None

    def __str__(self) -> str:
        parts = [f"{name} is down" for name in self.down] + [f"{name} is drained" for name in self.drained]
        parts += [f"capacity {text}" for text in self.capacity]
        parts += [f"ramp {text}" for text in self.ramp]
        if self.demand != 1.0:
            parts.append(f"demand at {self.demand:.0%}")
        if self.after != self.before:
            parts.append(f"{self.after} instead of {self.before}")
        return ", ".join(parts) or "nothing changes"

    def lines(self, clients: Sequence[str]) -> Iterator[str]:
        """What else a reader has to know."""
        start = "the regions as the daemon has them" if self.live else "every region up"
        yield f"policy {self.before}, beginning with {start}"
        census = self.census
        if census is None:
            yield f"shares are of {', '.join(clients)}"
            return
        yield f"shares are of {log_line(census)}"


def log_line(census: Census) -> str:
    """What a log holds."""
    bad = f"{census.bad:,} unreadable line{'s' * (census.bad != 1)}" if census.bad else ""
    other = f"{census.foreign:,} for other names" if census.foreign else ""
    left_out = ", ".join(filter(None, (other, bad)))
    return (
        f"the {census.steered:,} steered queries of the log{f' (left out: {left_out})' if left_out else ''}"
    )


def simulation_view(simulation: Simulation, assumed: Assumptions, policy: Policy) -> "RenderableType":
    """Loads, then a part for each service with something to say."""
    from rich.console import Group  # noqa: PLC0415 - slow to import

    return Group(*_parts(simulation, assumed, policy))


def losses_view(losses: Sequence[Loss], assumed: Assumptions) -> "RenderableType":
    """One row per lost region."""
    from rich.console import Group  # noqa: PLC0415 - slow to import

    planned = any(loss.simulation.planned for loss in losses)
    extra = ("WITHOUT PLAN",) if planned else ()
    made = table("LOST", "MOVED", "FULLEST AFTER", "LOAD", *extra, "REFUSED", "ADDED", "P95")
    for loss in losses:
        fullest = max(
            (load for load in loss.simulation.loads if load.used is not None),
            key=lambda load: load.used or 0.0,
            default=None,
        )
        worst = max(loss.simulation.outcomes, key=lambda item: item.shift.moved)
        refused = max(item.shift.newly_refused for item in loss.simulation.outcomes)
        latency = worst.shift.latency
        made.add_row(
            plain(loss.region, "bold"),
            plain(f"{loss.moved:.1%}"),
            plain(fullest.region if fullest else "-"),
            _used(fullest),
            *([_worst_unplanned(loss.simulation.loads)] if planned else []),
            plain(f"{refused:.1%}", "bold red" if refused > LEAST else ""),
            plain(f"{latency.moved_mean_ms:+.0f} ms" if latency and worst.shift.moved else "-"),
            plain(f"{latency.moved_p95_ms:+.0f} ms" if latency and worst.shift.moved else "-"),
        )
    heads = [plain("each region lost alone", "bold")]
    clients = losses[0].simulation.clients if losses else ()
    heads += [plain(line, "dim") for line in assumed.lines(clients)]
    notes = [
        plain(""),
        plain("MOVED, ADDED, P95: of the service that moves most; LOAD: part of the capacity", "dim"),
        *(
            [plain("WITHOUT PLAN: the fullest region if there were no capacity step", "dim")]
            if planned
            else []
        ),
    ]
    return Group(*heads, plain(""), made, *notes)


def _parts(simulation: Simulation, assumed: Assumptions, policy: Policy) -> "Iterator[RenderableType]":
    yield plain(str(assumed), "bold")
    yield from (plain(line, "dim") for line in assumed.lines(simulation.clients))
    if simulation.loads:
        yield plain("")
        yield _loads(simulation.loads, planned=simulation.planned)
        if simulation.overload:
            times = ", ".join(f"{name} {ratio:.2f} times" for name, ratio in simulation.overload.items())
            yield plain(f"no room within the limits of `capacity`: {times} the limit", "bold red")
        if simulation.uncounted:
            names = ", ".join(simulation.uncounted)
            yield plain(f"not counted, for want of a demand in the policy: {names}", "yellow")
    else:
        yield plain("")
        yield plain("no loads: they need a `demand` at a service", "dim")
    for outcome in simulation.outcomes:
        yield plain("")
        yield from _outcome(outcome, assumed, policy)


def _loads(loads: Sequence[Load], *, planned: bool) -> "RenderableType":
    extra = ("WITHOUT PLAN",) if planned else ()
    made = table("REGION", "LOAD NOW", "AFTER", "CAPACITY", "USED", "HEADROOM", *extra)
    for column in made.columns[1:]:
        column.justify = "right"
    for load in loads:
        room = None if load.capacity_after is None else load.capacity_after - load.after
        made.add_row(
            plain(load.region, "bold"),
            plain(_number(load.before)),
            plain(_number(load.after)),
            plain("-" if load.capacity_after is None else _number(load.capacity_after)),
            _used(load),
            plain(
                "-" if room is None else _number(room), "bold red" if room is not None and room < -0.5 else ""
            ),
            *([_unplanned(load)] if planned else []),
        )
    return made


def _unplanned(load: Load) -> "Text":
    over = load.capacity_after is not None and load.unplanned > load.capacity_after * (1 + 1e-9)
    return plain(_number(load.unplanned), "bold red" if over else "")


def _worst_unplanned(loads: Sequence[Load]) -> "Text":
    """The fullest region's load, as part of its capacity, where no capacity step had its part in it."""
    used = max((load.unplanned / load.capacity_after for load in loads if load.capacity_after), default=0.0)
    return plain(f"{used:.1%}", "bold red" if used > 1.0 + 1e-9 else "")


def _used(load: Load | None) -> "Text":
    if load is None or load.used is None:
        return plain("-")
    if not load.capacity_after:
        return plain("down", "bold red" if load.after > 0 else "yellow")
    return plain(f"{load.used:.1%}", "bold red" if load.used > 1.0 + 1e-9 else "")


def _outcome(outcome: Outcome, assumed: Assumptions, policy: Policy) -> "Iterator[RenderableType]":
    shift = outcome.shift
    demand = f", demand {_number(outcome.demand_after)}" if outcome.demand_after is not None else ""
    yield plain(f"service {outcome.service}: {shift.moved:.1%} of its clients move{demand}", "bold")
    if outcome.moving is not None:
        yield from tenants(outcome.moving)
    for label, part in (
        ("refused by a fence", shift.refused_after),
        ("not answered", shift.unanswered_after),
    ):
        if part > LEAST:
            yield plain(f"{part:.1%} are {label}", "bold red")
    if shift.moved <= LEAST:
        return
    yield ways(shift)
    if shift.latency is not None:
        yield plain(latency(shift))
    yield countries(shift.countries)
    if line := worst(shift):
        yield plain(line)
    for line in _timing(outcome, assumed, policy):
        yield plain(line)


def ways(shift: Shift, measured: Shift | None = None) -> "RenderableType":
    """From where to where, largest first; beside it what happens to queries."""
    shifts = (shift,) if measured is None else (shift, measured)
    made = table("FROM", "TO", "CLIENTS", *["QUERIES"] * (len(shifts) - 1))
    found: dict[tuple[str, str], list[float]] = {}
    for column, item in enumerate(shifts):
        for way in item.ways:
            row = found.setdefault((way.source or "nobody", way.target or "nobody"), [0.0] * len(shifts))
            row[column] = way.share
    rows = sorted(found.items(), key=lambda item: -max(item[1]))
    for names, shares in rows[:WAYS]:
        made.add_row(*map(plain, names), *(plain(f"{share:.1%}") for share in shares))
    if len(rows) > WAYS:
        made.add_row(plain(f"{len(rows) - WAYS} more"))
    return made


def latency(shift: Shift) -> str:
    """One line; empty where nothing can be estimated."""
    found = shift.latency
    if found is None:
        return ""
    return (
        f"round trip, estimated: mean {found.before_ms:.0f} ms now, {found.after_ms:.0f} ms after; "
        f"who moves: "
        f"{found.moved_mean_ms:+.0f} ms on average, {found.moved_p95_ms:+.0f} ms at the 95th percentile"
    )


def countries(found: Sequence[Country]) -> "RenderableType":
    """Those that move most."""
    made = table("COUNTRY", "CLIENTS", "MOVED", "REFUSED", "ADDED")
    for country in [item for item in found if item.moved > LEAST][:COUNTRIES_SHOWN]:
        made.add_row(
            plain(_country(country.code)),
            plain(f"{country.share:.1%}"),
            plain(f"{country.moved:.1%}"),
            plain(f"{country.refused:.1%}" if country.refused > LEAST else "-", "bold red"),
            plain("-" if country.added_ms is None else _added(country.added_ms)),
        )
    return made


def worst(shift: Shift) -> str:
    """How many countries have clients who move, and where these lose most; empty where nobody moves."""
    if not shift.countries:
        return ""
    line = f"countries with clients who move: {named(shift)} of {shift.countries_asking}"
    losing = [item for item in shift.countries if item.moved > LEAST and (item.added_ms or 0.0) >= 0.5]
    losing = sorted(losing, key=lambda item: -(item.added_ms or 0.0))[:WORST]
    if not losing:
        return line
    listed = ", ".join(f"{_country(item.code)} {_added(item.added_ms or 0.0)}" for item in losing)
    return f"{line}; most is added in {listed}"


def named(shift: Shift) -> int:
    """How many countries have clients who move; addresses in no country are none."""
    return sum(bool(country.code) for country in shift.countries)


def _country(code: str) -> str:
    return COUNTRIES[code].name if code in COUNTRIES else code or "not known"


def _added(milliseconds: float) -> str:
    """`+12 ms`; nothing is `+0 ms`."""
    return f"{round(milliseconds) + 0:+d} ms"


def tenants(moving: Moving) -> "Iterator[RenderableType]":
    """How many move, and from where to where; homes that the directory changes."""
    changed = [f"{moving.joined:,} new"] * bool(moving.joined) + [f"{moving.left:,} gone"] * bool(moving.left)
    more = f" ({', '.join(changed)})" if changed else ""
    yield plain(f"tenants: {_whole(moving.moved)} of {moving.before:,} answered by another region{more}")
    if moving.moved > 0:
        yield _moves(("FROM", "TO"), moving.ways)
    if moving.rehomed:
        yield plain(f"tenants with another home: {moving.rehomed:,}")
        yield _moves(("OLD HOME", "NEW HOME"), moving.homes)


def _moves(heads: tuple[str, str], moves: Sequence[Move]) -> "RenderableType":
    made = table(*heads, "TENANTS")
    for move in moves[:WAYS]:
        made.add_row(
            plain(move.source or "nobody"), plain(move.target or "nobody"), plain(_whole(move.tenants))
        )
    if len(moves) > WAYS:
        made.add_row(plain(f"{len(moves) - WAYS} more"), plain(""), plain(""))
    return made


def _timing(outcome: Outcome, assumed: Assumptions, policy: Policy) -> Iterator[str]:
    found = detection(policy, assumed.down) if assumed.down else None
    if found is not None:
        yield (
            f"a failure is noticed within {found.refused_s:g} s where connections are refused, "
            f"{found.swallowed_s:g} s where they are swallowed"
        )
    for departure in outcome.departures:
        points = ", ".join(f"{point.left:.0%} after {point.seconds:g} s" for point in departure.curve)
        yield f"{_leaving(departure)}, clients leave: {points}"


def _leaving(departure: Departure) -> str:
    """What makes them leave, and what they were told."""
    held = departure.held
    ttl, lowered = duration_text(held.ttl_s), duration_text(held.lowered_s)
    match departure.why:
        case Why.FAILURE if held.lowered_s < held.ttl_s:
            warned = f"{lowered} from the first failed check on, {held.ahead_s:g} s before answers move"
            return f"then, at a TTL of {ttl} ({warned})"
        case Why.FAILURE:
            return f"then, at a TTL of {ttl}"
        case Why.DRAIN:
            return f"drained at once, at a TTL of {ttl}"
        case Why.PLANNED_DRAIN:
            return f"drained as planned {ttl} ahead or more, at a TTL of {lowered}"
        case Why.RAMP:
            return f"at each step of the ramp, at a TTL of {ttl}"
        case Why.CHANGE:
            return f"then, at a TTL of {ttl}"


def _whole(value: float) -> str:
    """A number of tenants, of whom fences may divide one."""
    return f"{value:,.0f}" if abs(value - round(value)) < 0.005 else f"{value:,.2f}"


def _number(value: float) -> str:
    value = round(value, 1) + 0.0  # without what arithmetic leaves over
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.1f}"
