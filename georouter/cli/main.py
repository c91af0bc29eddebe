"""`georouter`: one command each, loaded only when it is the one that runs.

Most commands need numpy, rich or the policy model; `georouter --help` needs none of them.
"""

import importlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass

import click

from georouter import __version__

HELP_WIDTH = 100
"""Columns of help texts on wide terminals."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: where it is, and its line in `georouter --help` (a test compares with the command)."""

    name: str
    module: str
    attribute: str
    help: str


COMMANDS: tuple[Entry, ...] = (
    Entry("serve", "georouter.cli.serve", "serve", "Answer DNS queries by the policy, until SIGTERM."),
    Entry(
        "demo",
        "georouter.cli.demo",
        "demo",
        "Run the daemon on an example policy with local servers standing in for its regions.",
    ),
    Entry("check", "georouter.cli.check", "check", "Check a policy and run its tests."),
    Entry("explain", "georouter.cli.explain", "explain", "Say how NAME is answered for a client, and why."),
    Entry("simulate", "georouter.cli.simulate", "simulate", "Say what a change would do, before it happens."),
    Entry("diff", "georouter.cli.diff", "diff", "Say what a change of policy does to traffic."),
    Entry("status", "georouter.cli.status", "status", "Show what the running daemon believes and answers."),
    Entry("drain", "georouter.cli.drain", "drain", "Move traffic away from a region."),
    Entry("undrain", "georouter.cli.drain", "undrain", "End the drain of a region."),
    Entry(
        "failback",
        "georouter.cli.failback",
        "failback",
        "Let a better region take over a service again.",
    ),
    Entry("ramp", "georouter.cli.ramp", "ramp", "Pause, resume, abort or complete the ramp of a service."),
    Entry(
        "unfreeze", "georouter.cli.unfreeze", "unfreeze", "Release the brake: let answers follow the checks."
    ),
    Entry("reload", "georouter.cli.reload", "reload", "Make the running daemon load its policy again."),
    Entry(
        "healthcheck",
        "georouter.cli.healthcheck",
        "healthcheck",
        "Ask the running server a DNS question; exit 0 if it answers well.",
    ),
    Entry("geo", "georouter.cli.geo", "geo_group", "Build, describe or ask the geo database."),
    Entry("schema", "georouter.cli.schema", "schema", "Print the JSON Schema of policy files."),
    Entry("version", "georouter.cli.main", "version", "Print the version, and which packet path was built."),
)
"""All commands, in the order of the help text."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of `COMMANDS`."""
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command, imported now; None if there is none of that name."""
        return next((load(entry) for entry in COMMANDS if entry.name == cmd_name), None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click's own, but without importing every command to suggest a similar name."""
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            ctx.fail(_unknown(args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands from `COMMANDS`."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.help) for entry in COMMANDS])


def load(entry: Entry) -> click.Command:
    """Import one command."""
    found = getattr(importlib.import_module(entry.module), entry.attribute)
    if not isinstance(found, click.Command):
        raise TypeError(f"{entry.module}.{entry.attribute} is not a command")
    return found


def _unknown(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for the message

    near = get_close_matches(name, known, n=1)
    return f"No such command {name!r}." + (f" Did you mean {near[0]!r}?" if near else "")


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": HELP_WIDTH},
)
def main() -> None:
    """An authoritative GeoDNS server and global traffic router."""


@click.command()
def version() -> None:
    """Print the version, and which packet path was built."""
    from georouter.server.path import available  # noqa: PLC0415 - slow to import

    path = "native" if available() else "python"
    implementation = f"{platform.python_implementation()} {platform.python_version()}"
    click.echo(f"georouter {__version__} ({implementation}, {path} packet path)")
