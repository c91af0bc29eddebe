"""`georouter explain`: how a name is answered for a client, and why; live where a daemon runs."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from georouter.analysis.asker import asker_of
from georouter.analysis.explain import explain as explain_offline
from georouter.cli import offline
from georouter.cli.client import AdminClient, NoDaemonError, RefusedError
from georouter.cli.config import find_daemon
from georouter.cli.explanation import view
from georouter.cli.output import console, print_json
from georouter.cli.present import world_of
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.policy.model import Policy

DOWN = RegionFacts(observed=State.DOWN, effective=Effective.DOWN)


@click.command()
@click.argument("name")
@click.option("--client", "who", metavar="ADDR", help="Address or network of the client.")
@click.option(
    "--resolver",
    metavar="ADDR",
    help="Address of the resolver that asks, otherwise where the client is; without --client, it sends no "
    "client subnet.",
)
@click.option("--type", "qtype", default="A", show_default=True, metavar="TYPE", help="Record type.")
@click.option(
    "--down",
    multiple=True,
    metavar="REGION",
    help="Explain as if this region were down; may be repeated; implies --offline.",
)
@click.option(
    "--state",
    metavar="FILE",
    type=click.Path(),
    help="Explain in the state that `georouter status --json` saved in FILE; implies --offline.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.option(
    "--live/--offline",
    default=None,
    help="Ask the running daemon only, or only the policy (all regions up); else whichever answers.",
)
@click.option("--config", "-c", metavar="PATH", type=click.Path(), help="Policy file or folder.")
@click.option(
    "--admin",
    metavar="URL",
    envvar="GEOROUTER_ADMIN",
    show_envvar=True,
    help="Admin address of the daemon, otherwise from the policy.",
)
def explain(
    *,
    name: str,
    who: str | None,
    resolver: str | None,
    qtype: str,
    down: Sequence[str],
    state: str | None,
    as_json: bool,
    live: bool | None,
    config: str | None,
    admin: str | None,
) -> None:
    """Say how NAME is answered for a client, and why.

    The running daemon is asked if it answers, and explains on live state; otherwise the policy is
    decided here with every region up. The first line says which.
    """
    if state and live:
        raise click.UsageError("--state is a saved state, not the daemon's: use --offline")
    if down and live:
        raise click.UsageError("--down describes what is not so, which the daemon cannot tell: use --offline")
    try:
        asker_of(who, resolver)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    told = None
    question = {"name": name, "type": qtype}
    question |= {key: value for key, value in (("client", who), ("resolver", resolver)) if value is not None}
    if live is not False and not down and not state:
        told = _ask_daemon(config, admin, question, insist=bool(live))
    if told is None:
        told = _decide_here(config, question, down, state)
    if as_json:
        print_json(told)
    else:
        console().print(view(told))


def _ask_daemon(
    config: str | None, admin: str | None, question: Mapping[str, str], *, insist: bool
) -> dict[str, Any] | None:
    """The daemon's explanation; None when there is no daemon to ask and nobody insists on it."""
    try:
        client = AdminClient(find_daemon(admin, config).url)
        told = client.get("/v1/explain", question)
    except RefusedError as error:
        if error.status == 400:
            raise click.UsageError(error.message) from error
        if insist:
            raise
        return None
    except click.UsageError:
        raise
    except click.ClickException as error:
        if insist or (admin and not isinstance(error, NoDaemonError)):
            raise
        return None
    return {"source": {"mode": "live", "daemon": client.url}, **told}


def _decide_here(
    config: str | None, question: Mapping[str, str], down: Sequence[str], state: str | None
) -> dict[str, Any]:
    """The explanation of the policy alone: all up, or as saved, but those that are said to be down."""
    here = offline.read(config)
    try:
        told = explain_offline(
            here.policy,
            here.geo,
            _world(here.policy, down, state),
            question["name"],
            question.get("client"),
            resolver=question.get("resolver"),
            qtype=question["type"],
            now=time.time(),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    source = {"mode": "offline", "policy": str(here.path), "down": list(down), "state": state}
    return {"source": source, **told.as_dict()}


def _world(policy: Policy, down: Sequence[str], state: str | None) -> World:
    lost = dict.fromkeys(offline.regions(policy, down), DOWN)
    world = World() if state is None else _saved(policy, state)
    return replace(world, regions={**world.regions, **lost})


def _saved(policy: Policy, file: str) -> World:
    """The world in which `georouter status --json` wrote `file`."""
    try:
        return world_of(json.loads(Path(file).read_text(encoding="utf-8")), policy)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.UsageError(f"{file} is not what `georouter status --json` prints") from error
