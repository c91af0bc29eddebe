"""`georouter failback SERVICE`: let a better region of the order take over again."""

import click

from georouter.cli.client import AdminClient
from georouter.cli.config import admin_options
from georouter.cli.drain import author_default
from georouter.cli.output import print_json


@click.command()
@click.argument("service")
@click.option("--to", "to", metavar="REGION", help="Which region; else the first of the order that is up.")
@click.option("--reason", required=True, help="Why; ends in the audit log.")
@click.option("--author", default=author_default, help="Who wants it; otherwise your login name.")
@click.option("--json", "as_json", is_flag=True, help="Print the failover's state as JSON.")
@admin_options
def failback(
    *, client: AdminClient, service: str, to: str | None, reason: str, author: str, as_json: bool
) -> None:
    """Let a better region take over a service again.

    What 'failback: manual' waits for. The region must be up and within 'max_lag'; with a promotion hook
    answers move when it has accepted.
    """
    body: dict[str, object] = {"service": service, "reason": reason, "author": author}
    if to is not None:
        body["to"] = to
    shown = client.post("/v1/failback", body)
    if as_json:
        print_json(shown)
        return
    found = shown.get("failover") or {}
    click.echo(f"{service} is answered from {found.get('active')}, {found.get('phase')}: {found.get('why')}")
