"""`georouter diff`: what a change of policy does to traffic, for people and for CI."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from georouter.analysis.diff import Change, Diff
from georouter.analysis.diff import diff as compare
from georouter.analysis.simulate import having
from georouter.analysis.traffic import Side, address_space
from georouter.cli import offline
from georouter.cli.output import console, plain, print_json
from georouter.cli.simulate import Share
from georouter.cli.simulation import LEAST, countries, latency, shift_dict, tenants, tenants_dict, ways, worst
from georouter.facts.world import World

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
    help="Exit with 1 if more of any name's clients move; a name that is lost moves all of them.",
)
@click.option("--down", multiple=True, metavar="REGION", help="While this region is down; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def diff(*, old: str, new: str, max_moved: float | None, down: Sequence[str], as_json: bool) -> None:
    """Say what a change of policy does to traffic.

    OLD and NEW are policy files or folders. Both are decided for every client of the map: who moves
    from where to where, what that costs in latency, which TTLs change, whom a fence newly refuses.
    """
    before, after = offline.read(old), offline.read(new)
    offline.known("region", down, [*before.policy.regions, *after.policy.regions])
    world = having(World(), down=[name for name in before.policy.regions if name in down])
    later = having(World(), down=[name for name in after.policy.regions if name in down])
    try:
        clients = address_space(before.geo, after.geo)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    found = compare(Side(before.policy, before.geo, world), Side(after.policy, after.geo, later), clients)
    if as_json:
        print_json({"old": str(before.path), "new": str(after.path), "down": list(down), **as_dict(found)})
    else:
        console().print(view(found, str(before.path), str(after.path)))
    if max_moved is not None and found.moved > max_moved + 1e-9:
        click.echo(f"{found.moved:.1%} of a name's clients move, more than {max_moved:.0%}", err=True)
        click.get_current_context().exit(1)


def view(found: Diff, old: str, new: str) -> "RenderableType":
    """A part for every change that a client notices."""
    from rich.console import Group  # noqa: PLC0415 - slow to import

    return Group(*_parts(found, old, new))


def _parts(found: Diff, old: str, new: str) -> "Iterator[RenderableType]":
    yield plain(f"{old} -> {new}", "bold")
    yield plain(f"shares are of {found.clients}", "dim")
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
            yield from _change(change)
    still = [name for change in found.changes if not change.matters for name in change.names]
    if still:
        yield plain("")
        yield plain(f"unchanged: {_listed(still)}", "dim")
    if found.demand is not None:
        yield plain("")
        yield plain(f"of the demand that the old policy states, {found.demand:.1%} moves")


def _change(change: Change) -> "Iterator[RenderableType]":
    shift = change.shift
    service = change.before if change.before == change.after else f"{change.before} -> {change.after}"
    yield plain(f"{_listed(change.names)} ({service}): {shift.moved:.1%} of the clients move", "bold")
    if change.moving is not None:
        yield from tenants(change.moving)
    if change.ttl_before_s != change.ttl_after_s:
        yield plain(f"TTL {change.ttl_before_s} s -> {change.ttl_after_s} s")
    if shift.newly_refused > 0:
        yield plain(f"newly refused by a fence: {shift.newly_refused:.2%}", "bold red")
    if shift.moved > LEAST:
        yield ways(shift)
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
                **shift_dict(change.shift),
                "tenants": tenants_dict(change.moving),
            }
            for change in found.changes
        ],
    }
