"""`georouter ramp ACTION SERVICE`: pause, resume, abort or complete the ramp of a service."""

import click

from georouter.cli.client import AdminClient
from georouter.cli.config import admin_options
from georouter.cli.drain import author_default
from georouter.cli.output import print_json
from georouter.facts.ramp import RampOrder


@click.command()
@click.argument("action", type=click.Choice([order.value for order in RampOrder]))
@click.argument("service")
@click.option("--reason", required=True, help="Why; ends in the audit log.")
@click.option("--author", default=author_default, help="Who wants it; otherwise your login name.")
@click.option("--json", "as_json", is_flag=True, help="Print the ramp's state as JSON.")
@admin_options
def ramp(*, client: AdminClient, action: str, service: str, reason: str, author: str, as_json: bool) -> None:
    """Pause, resume, abort or complete the ramp of a service.

    'pause' keeps who has moved where they are; 'abort' moves everybody back. 'resume' goes on after a
    pause, and begins anew after an abort or a step back. 'complete' moves everybody at once.
    """
    body = {"service": service, "action": action, "reason": reason, "author": author}
    shown = client.post("/v1/ramp", body)
    if as_json:
        print_json(shown)
        return
    found = shown.get("ramp") or {}
    phase = str(found.get("phase")).replace("_", " ")
    click.echo(f"the ramp of {service} is {phase}: {found.get('region')} gets {found.get('part', 0):.1%}")
