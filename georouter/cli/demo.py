"""`georouter demo`: a first look, and the second command that takes its regions down and up."""

import asyncio
import logging
import sys
from pathlib import Path

import click
import httpx
from rich.console import Console

from georouter.demo.regions import Mode
from georouter.demo.run import DOOR, run
from georouter.telemetry.logs import set_up
from georouter.words.errors import PolicyError, SourceError

BUILT_IN = Path(__file__).parent.parent / "examples" / "demo.yaml"


@click.group(invoke_without_command=True)
@click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path, exists=True),
    help="Another policy than the built-in demo.",
)
@click.pass_context
def demo(context: click.Context, config: Path | None) -> None:
    """Run the daemon on an example policy with local servers standing in for its regions."""
    if context.invoked_subcommand is not None:
        return
    set_up(level=logging.WARNING)
    logging.getLogger("georouter").setLevel(logging.CRITICAL)  # the demo shows its own lines
    try:
        asyncio.run(run((config or BUILT_IN).absolute(), Console()))
    except (SourceError, PolicyError) as error:
        click.echo(f"georouter: {error}", err=True)
        sys.exit(1)


def _turn(region: str, mode: Mode) -> None:
    url = f"http://{DOOR[0]}:{DOOR[1]}/{region}/{mode}"
    try:
        response = httpx.post(url, timeout=5, trust_env=False)
    except httpx.HTTPError as error:
        click.echo(f"georouter: no demo is running here ({error}); start one with: georouter demo", err=True)
        sys.exit(1)
    click.echo(response.text, nl=False, err=response.is_error)
    sys.exit(1 if response.is_error else 0)


@demo.command()
@click.argument("region")
def down(region: str) -> None:
    """Let a region of the running demo refuse connections."""
    _turn(region, Mode.DOWN)


@demo.command()
@click.argument("region")
def hang(region: str) -> None:
    """Let a region of the running demo accept connections and never answer."""
    _turn(region, Mode.HANG)


@demo.command()
@click.argument("region")
def sick(region: str) -> None:
    """Let a region of the running demo answer 503."""
    _turn(region, Mode.SICK)


@demo.command()
@click.argument("region")
def up(region: str) -> None:
    """Bring a region of the running demo back."""
    _turn(region, Mode.UP)
