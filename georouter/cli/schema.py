"""`georouter schema`: the JSON Schema of policy files, for editors."""

import click

from georouter.cli.output import print_json


@click.command()
def schema() -> None:
    """Print the JSON Schema of policy files.

    Editors check and complete a policy with it: put this first line into the file,
    "# yaml-language-server: $schema=georouter.schema.json".
    """
    from georouter.policy.schema import json_schema  # noqa: PLC0415 - pydantic is slow to import

    print_json(json_schema())
