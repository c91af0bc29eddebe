"""`georouter reload`: make the running daemon load its policy again, and say whether it could."""

import click

from georouter.cli.client import AdminClient
from georouter.cli.config import admin_options
from georouter.cli.output import print_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@admin_options
def reload(*, client: AdminClient, as_json: bool) -> None:
    """Make the running daemon load its policy again.

    If the policy is invalid, the daemon keeps the one it has, and the exit code is 1.
    """
    outcome = client.post("/v1/reload", {})
    if as_json:
        print_json(outcome)
    for warning in outcome.get("warnings") or ():
        click.echo(str(warning), err=True)
    if not outcome.get("ok"):
        for problem in outcome.get("problems") or (outcome.get("error"),):
            click.echo(str(problem), err=True)
        raise click.ClickException("the policy cannot be used; the one before it stays")
    if not as_json:
        click.echo(f"policy loaded; snapshot {outcome.get('generation')}")
