"""`georouter unfreeze`: what the node sees is true, follow it."""

import click

from georouter.cli.client import AdminClient
from georouter.cli.config import admin_options
from georouter.cli.drain import author_default
from georouter.cli.output import print_json


@click.command()
@click.option("--reason", required=True, help="Why; ends in the audit log.")
@click.option("--author", default=author_default, help="Who wants it; otherwise your login name.")
@click.option("--json", "as_json", is_flag=True, help="Print the brake's state as JSON.")
@admin_options
def unfreeze(*, client: AdminClient, reason: str, author: str, as_json: bool) -> None:
    """Release the brake: let answers follow the checks.

    The brake holds when most regions failed at once, because then the node itself may be cut off. Release it
    when the regions are known to be down.
    """
    shown = client.post("/v1/unfreeze", {"reason": reason, "author": author})
    if as_json:
        print_json(shown)
        return
    click.echo("answers follow the checks again")
