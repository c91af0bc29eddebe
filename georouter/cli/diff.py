"""`georouter diff`: what a change of policy does to traffic, for people and for CI."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from georouter.analysis.diff import Change, Diff, Effect, Measured
from georouter.analysis.diff import diff as compare
from georouter.analysis.simulate import having
from georouter.analysis.traffic import Side, address_space
from georouter.cli import offline
from georouter.cli.output import console, plain, print_json
from georouter.cli.replay import Census, read_log
from georouter.cli.simulate import Share
from georouter.cli.simulation import LEAST, countries, latency, log_line, tenants, ways, worst
from georouter.cli.simulation_json import log_dict, shift_dict, tenants_dict
from georouter.facts.world import World
from georouter.routing.transport import NoSolverError

if TYPE_CHECKING:
    from rich.console import RenderableType

NAMES = 5
"""Names listed per change; the JSON has all."""


@click.command()
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@click.option(
    "--max-moved",
    type=Share(),
    metavar="PERCENT",
    help="Exit with 1 if more of any name's clients, or of the log's queries, move; "
    "a name that is lost moves all of them.",
)
@click.option("--down", multiple=True, metavar="REGION", help="While this region is down; may be repeated.")
@click.option(
    "--replay",
    metavar="FILE",
    type=click.Path(),
    help="Say what happens to a log's queries, too: CLIENT NAME [COUNT] per line.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def diff(
    *, old: str, new: str, max_moved: float | None, down: Sequence[str], replay: str | None, as_json: bool
) -> None:
    """Say what a change of policy does to traffic.

    OLD and NEW are policy files or folders. Both are decided for every client of the map: who moves
    from where to where, what that costs in latency, which TTLs change, whom a fence newly refuses.
    Ramps are compared at their beginning and at their end, plans of `capacity` with each other.
    """
    before, after = offline.read(old), offline.read(new)
    offline.known("region", down, [*before.policy.regions, *after.policy.regions])
    world = having(World(), down=[name for name in before.policy.regions if name in down])
    later = having(World(), down=[name for name in after.policy.regions if name in down])
    try:
        clients = address_space(before.geo, after.geo)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    census = read_log(Path(replay), before.policy, after.policy) if replay else None
    sides = Side(before.policy, before.geo, world), Side(after.policy, after.geo, later)
    try:
        found = compare(*sides, clients, census.counts if census else None)
    except NoSolverError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        told = {"old": str(before.path), "new": str(after.path), "down": list(down)}
        print_json({**told, **as_dict(found), "log": log_dict(census)})
    else:
        console().print(view(found, str(before.path), str(after.path), census))
    if max_moved is not None and (said := _too_much(found, max_moved + 1e-9)):
        click.echo(f"{said}, more than {max_moved * 100:g}%", err=True)
        click.get_current_context().exit(1)


def _too_much(found: Diff, most: float) -> str:
    """What moves more than that; empty if nothing does."""
    said = []
    if found.moved > most:
        ended = (
            not found.lost
            and max((change.effect.moved for change in found.changes), default=0.0) < found.moved
        )
        said.append(f"{found.moved:.1%} of a name's clients move{' by the end of a ramp' if ended else ''}")
    measured = found.measured
    if measured is not None and measured.most > most:
        ended = measured.moved < measured.most
        said.append(f"{measured.most:.1%} of the log's queries move{' by the end of ramps' if ended else ''}")
    return " and ".join(said)


def view(found: Diff, old: str, new: str, census: Census | None = None) -> "RenderableType":
    """A part for every change that a client notices."""
    from rich.console import Group  # noqa: PLC0415 - slow to import

    return Group(*_parts(found, old, new, census))


def _parts(found: Diff, old: str, new: str, census: Census | None) -> "Iterator[RenderableType]":
    yield plain(f"{old} -> {new}", "bold")
    yield plain(f"shares are of {found.clients}", "dim")
    if census is not None:
        yield plain(f"queries are {log_line(census)}", "dim")
    for line in _plans(found):
        yield plain(line, "dim")
    if not found.matters:
        yield plain("")
        yield plain("no client of any steered name notices anything", "green")
        return
    for names, what in ((found.lost, "no longer steered"), (found.won, "newly steered")):
        if names:
            yield plain("")
            yield plain(f"{what}: {_listed(names)}", "bold red" if names is found.lost else "bold")
    if found.readdressed:
        yield plain("")
        yield plain(f"other endpoints: {', '.join(found.readdressed)}", "yellow")
    for change in found.changes:
        if change.matters:
            yield plain("")
            yield from _change(change, told=found.measured is not None)
    still = [name for change in found.changes if not change.matters for name in change.names]
    if still:
        yield plain("")
        yield plain(f"unchanged: {_listed(still)}", "dim")
    if found.demand is not None:
        yield plain("")
        yield plain(f"of the demand that the old policy states, {found.demand:.1%} moves")
    if found.measured is not None:
        yield plain("")
        yield plain(_log(found.measured), "bold")


def _plans(found: Diff) -> Iterator[str]:
    """Whether plans of `capacity` were followed, and whose could not be."""
    if found.planned:
        yield "each side follows its own plan of `capacity`, made for these clients"
    names = [
        f"{name} ({which})"
        for which, services in zip(("old", "new"), found.unplanned, strict=True)
        for name in services
    ]
    if names:
        yield f"not compared, for want of a demand in the policy: `capacity` of {', '.join(names)}"


def _log(measured: Measured) -> str:
    lost = f", {measured.lost:,} of them for names that are no longer steered" if measured.lost else ""
    end = (
        ""
        if measured.moved_at_end is None
        else f" with ramps at their beginning, {measured.moved_at_end:.1%} at their end"
    )
    return f"of the {measured.queries:,} steered queries of the log, {measured.moved:.1%} move{end}{lost}"


def _change(change: Change, *, told: bool) -> "Iterator[RenderableType]":
    service = change.before if change.before == change.after else f"{change.before} -> {change.after}"
    end = change.end
    when = "" if end is None else f" with ramps at their beginning, {end.shift.moved:.1%} at their end"
    moved = f"{change.effect.shift.moved:.1%} of the clients move{when}"
    yield plain(f"{_listed(change.names)} ({service}): {moved}", "bold")
    if change.ttl_before_s != change.ttl_after_s:
        yield plain(f"TTL {change.ttl_before_s} s -> {change.ttl_after_s} s")
    if told and change.effect.measured is None:
        yield plain("the log has no query for it")
    for effect, place in zip(change.effects, ("beginning", "end"), strict=False):
        if end is not None and effect.matters:
            yield plain(f"with ramps at their {place}:", "bold")
        yield from _effect(effect, change.queries)


def _effect(effect: Effect, queries: int) -> "Iterator[RenderableType]":
    shift, measured = effect.shift, effect.measured
    if measured is not None:
        count = f"{queries:,} queries" if queries != 1 else "one query"
        yield plain(f"of {count} in the log, {measured.moved:.1%} move")
    if effect.moving is not None:
        yield from tenants(effect.moving)
    if shift.newly_refused > 0:
        yield plain(f"newly refused by a fence: {shift.newly_refused:.2%}", "bold red")
    if measured is not None and measured.newly_refused > 0:
        yield plain(f"newly refused by a fence: {measured.newly_refused:.2%} of the queries", "bold red")
    if shift.moved > LEAST or (measured is not None and measured.moved > LEAST):
        yield ways(shift, measured)
    if shift.moved > LEAST:
        if shift.latency is not None:
            yield plain(latency(shift))
        yield countries(shift.countries)
        yield plain(worst(shift))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more


def as_dict(found: Diff) -> dict[str, Any]:
    """The whole difference; shares are parts of one."""
    return {
        "clients": found.clients,
        "moved": found.moved,
        "demand_moved": found.demand,
        "measured": None
        if found.measured is None
        else {
            "queries": found.measured.queries,
            "lost": found.measured.lost,
            "moved": found.measured.moved,
            "moved_at_end": found.measured.moved_at_end,
        },
        "planned": found.planned,
        "unplanned": {"old": list(found.unplanned[0]), "new": list(found.unplanned[1])},
        "lost": list(found.lost),
        "won": list(found.won),
        "readdressed": list(found.readdressed),
        "changes": [
            {
                "names": list(change.names),
                "service_before": change.before,
                "service_after": change.after,
                "ttl_before_s": change.ttl_before_s,
                "ttl_after_s": change.ttl_after_s,
                **_effect_dict(change.effect, change.queries),
                "at_ramps_end": None if change.end is None else _effect_dict(change.end, change.queries),
            }
            for change in found.changes
        ],
    }


def _effect_dict(effect: Effect, queries: int) -> dict[str, Any]:
    measured = None if effect.measured is None else {"queries": queries, **shift_dict(effect.measured)}
    return {**shift_dict(effect.shift), "tenants": tenants_dict(effect.moving), "measured": measured}
