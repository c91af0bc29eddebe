"""`georouter simulate`: what the loss of a region, a drain, more demand or another policy would do."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from georouter.analysis.measured import asking
from georouter.analysis.simulate import every_region, having, with_capacity
from georouter.analysis.simulate import simulate as run
from georouter.analysis.traffic import Clients, Side, address_space
from georouter.cli import offline
from georouter.cli.client import AdminClient
from georouter.cli.config import find_daemon
from georouter.cli.output import console, print_json
from georouter.cli.present import world_of
from georouter.cli.replay import Census, read_log
from georouter.cli.simulation import Assumptions, losses_view, simulation_view
from georouter.cli.simulation_json import losses_dict, simulation_dict
from georouter.facts.world import Ramping, World
from georouter.policy.model import Policy
from georouter.policy.units import percent
from georouter.routing.transport import NoSolverError
from georouter.words.ids import RegionName, ServiceName


class Share(click.ParamType[float]):
    """`50%` to 0.5."""

    name = "percentage"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """A part of one, not below zero; a usage error otherwise."""
        if isinstance(value, float):
            return value
        try:
            part = percent(value) / 100.0
        except ValueError as problem:
            self.fail(str(problem), param, ctx)
        if part < 0:
            self.fail("must not be below zero", param, ctx)
        return part


@click.command()
@click.option("--down", multiple=True, metavar="REGION", help="This region is down; may be repeated.")
@click.option("--drain", multiple=True, metavar="REGION", help="This region is drained; may be repeated.")
@click.option(
    "--capacity",
    multiple=True,
    metavar="REGION=PERCENT",
    help="This region has only so much of its capacity; may be repeated.",
)
@click.option(
    "--ramp",
    multiple=True,
    metavar="SERVICE=PERCENT",
    help="The ramp of this service has come so far; may be repeated.",
)
@click.option("--demand", type=Share(), default="100%", metavar="PERCENT", help="Demand, of what it is.")
@click.option(
    "--policy", "other", metavar="PATH", type=click.Path(), help="Afterwards this policy is in use."
)
@click.option(
    "--replay",
    metavar="FILE",
    type=click.Path(),
    help="Clients from a query log: CLIENT NAME [COUNT] per line.",
)
@click.option("--service", multiple=True, metavar="NAME", help="Only this service; may be repeated.")
@click.option("--every-region", is_flag=True, help="The loss of each region alone, one row each.")
@click.option(
    "--max-load",
    type=Share(),
    metavar="PERCENT",
    help="Exit with 1 if a region is loaded beyond this afterwards.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.option(
    "--live", is_flag=True, help="Begin with the regions as the running daemon has them, not all up."
)
@click.option("--config", "-c", metavar="PATH", type=click.Path(), help="Policy file or folder.")
@click.option(
    "--admin",
    metavar="URL",
    envvar="GEOROUTER_ADMIN",
    show_envvar=True,
    help="Admin address of the daemon, otherwise from the policy.",
)
def simulate(
    *,
    down: Sequence[str],
    drain: Sequence[str],
    capacity: Sequence[str],
    ramp: Sequence[str],
    demand: float,
    other: str | None,
    replay: str | None,
    service: Sequence[str],
    every_region: bool,
    max_load: float | None,
    as_json: bool,
    live: bool,
    config: str | None,
    admin: str | None,
) -> None:
    """Say what a change would do, before it happens.

    Decides for every client of the map before and after the change: the load of each region, who
    moves where, and what that costs in latency. Nothing is changed anywhere.
    """
    if every_region and (down or drain or other):
        raise click.UsageError(
            "--every-region is about each region alone: leave --down, --drain, --policy away"
        )
    here = offline.read(config)
    there = offline.read(other) if other else here
    start = _live(config, admin, here.policy) if live else World()
    before = Side(here.policy, here.geo, start)
    gone, drained = (offline.regions(there.policy, names) for names in (down, drain))
    changed = with_capacity(there.policy, _capacities(capacity, there.policy))
    world = having(start, down=gone, drained=drained)
    ramps = {**start.ramps, **_ramps(ramp, there.policy)}
    after = Side(changed, there.geo, replace(world, ramps=ramps))
    census = read_log(Path(replay), here.policy, there.policy) if replay else None
    clients = _clients(before, after, service, census)
    assumed = Assumptions(
        before=str(here.path),
        after=str(there.path),
        live=live,
        down=gone,
        drained=drained,
        capacity=tuple(capacity),
        ramp=tuple(ramp),
        demand=demand,
        census=census,
    )
    try:
        if every_region:
            worst = _every_region(after, clients, demand, assumed, as_json=as_json)
        else:
            worst = _change(before, after, clients, assumed, as_json=as_json)
    except NoSolverError as error:
        raise click.ClickException(str(error)) from error
    if max_load is not None:
        if worst is None:
            raise click.UsageError("--max-load needs a demand of a service and a capacity of its regions")
        if worst > max_load + 1e-9:
            click.echo(f"a region is loaded to {worst:.1%}, more than {max_load:.0%}", err=True)
            click.get_current_context().exit(1)


def _change(
    before: Side, after: Side, clients: Mapping[ServiceName, Clients], assumed: Assumptions, *, as_json: bool
) -> float | None:
    simulation = run(before, after, clients, multiplier=assumed.demand)
    if as_json:
        print_json(simulation_dict(simulation, assumed, after.policy))
    else:
        console().print(simulation_view(simulation, assumed, after.policy))
    return simulation.used


def _every_region(
    side: Side, clients: Mapping[ServiceName, Clients], demand: float, assumed: Assumptions, *, as_json: bool
) -> float | None:
    losses = tuple(every_region(side, clients, multiplier=demand))
    if as_json:
        print_json(losses_dict(losses, assumed))
    else:
        console().print(losses_view(losses, assumed))
    return max((loss.simulation.used for loss in losses if loss.simulation.used is not None), default=None)


def _clients(
    before: Side, after: Side, services: Sequence[str], census: Census | None
) -> Mapping[ServiceName, Clients]:
    """Who asks for each service: the address space, or the log."""
    both = [name for name in before.policy.services if name in after.policy.services]
    offline.known("service", services, both)
    wanted = [ServiceName(name) for name in services] or both
    if not wanted:
        raise click.UsageError("no service to simulate")
    if census is None:
        try:
            return dict.fromkeys(wanted, address_space(before.geo, after.geo))
        except ValueError as error:
            raise click.ClickException(str(error)) from error
    found = {
        name: asking(before.geo, after.geo, queries, f"the queries for {name} in the log")
        for name in wanted
        if (queries := census.of(name))
    }
    if not found:
        raise click.UsageError(f"the log holds no query for {', '.join(services)}")
    return found


def _capacities(texts: Sequence[str], policy: Policy) -> Mapping[RegionName, float]:
    """`REGION=PERCENT` each."""
    found: dict[RegionName, float] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"--capacity wants REGION=PERCENT, such as eu-west=50%, not {text!r}")
        (region,) = offline.regions(policy, (name,))
        if policy.regions[region].capacity is None:
            raise click.UsageError(f"region {name!r} has no capacity in the policy")
        found[region] = Share().convert(value, None, None)
    return found


def _ramps(texts: Sequence[str], policy: Policy) -> Mapping[ServiceName, Ramping]:
    """`SERVICE=PERCENT` each."""
    found: dict[ServiceName, Ramping] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"--ramp wants SERVICE=PERCENT, such as web=50%, not {text!r}")
        offline.known("service", (name,), policy.services)
        service = ServiceName(name)
        if policy.services[service].ramp is None:
            raise click.UsageError(f"service {name!r} has no ramp in the policy")
        part = Share().convert(value, None, None)
        if part > 1:
            raise click.UsageError(f"a ramp ends at 100%: {text}")
        found[service] = Ramping(part)
    return found


def _live(config: str | None, admin: str | None, policy: Policy) -> World:
    """The regions and failovers as the daemon has them."""
    return world_of(AdminClient(find_daemon(admin, config).url).get("/v1/status"), policy)
