"""`georouter drain REGION` and `georouter undrain REGION`: move traffic away from a region, and back."""

import getpass
from collections.abc import Mapping
from typing import Any

import click

from georouter.cli.client import AdminClient
from georouter.cli.config import admin_options
from georouter.cli.durations import Duration
from georouter.cli.output import moment, print_json


def author_default() -> str:
    """The user's login name, or `unknown` where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


_reason = click.option("--reason", required=True, help="Why; ends in the audit log.")
_author = click.option("--author", default=author_default, help="Who wants it; otherwise your login name.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the region's state as JSON.")


@click.command()
@click.argument("region")
@click.option(
    "--for", "for_s", type=Duration(), metavar="DURATION", help="End it after this long: 30m, 2h, 1d."
)
@click.option(
    "--in", "in_s", type=Duration(), metavar="DURATION", help="Begin after this long; TTLs go down at once."
)
@_reason
@_author
@_json
@admin_options
def drain(
    *,
    client: AdminClient,
    region: str,
    for_s: float | None,
    in_s: float | None,
    reason: str,
    author: str,
    as_json: bool,
) -> None:
    """Move traffic away from a region.

    While another region can take its clients, REGION is not answered any more. The drain stays, also
    across restarts, until its time is over or 'georouter undrain' ends it.
    """
    body: dict[str, object] = {"region": region, "reason": reason, "author": author}
    if for_s is not None:
        body["for_s"] = for_s
    if in_s is not None:
        body["in_s"] = in_s
    shown = client.post("/v1/drain", body)
    if as_json:
        print_json(shown)
        return
    override = shown.get("override")
    until = override.get("expires_at") if isinstance(override, Mapping) else None
    end = f"until {moment(until)}" if until is not None else "until 'georouter undrain' ends it"
    begin = override.get("starts_at") if isinstance(override, Mapping) else None
    verb = "is drained" if begin is None else f"will be drained from {moment(begin)}"
    click.echo(f"{region} {verb} {end}")
    _say(shown)


@click.command()
@click.argument("region")
@_reason
@_author
@_json
@admin_options
def undrain(*, client: AdminClient, region: str, reason: str, author: str, as_json: bool) -> None:
    """End the drain of a region."""
    shown = client.post("/v1/undrain", {"region": region, "reason": reason, "author": author})
    if as_json:
        print_json(shown)
        return
    click.echo(f"{region} is not drained any more")
    _say(shown)


def _say(shown: Mapping[str, Any]) -> None:
    click.echo(f"acts as {shown.get('effective')}; health checks say {shown.get('observed')}")
