"""`georouter serve`: the daemon."""

import asyncio
import gc
import logging
import os
import sys
from pathlib import Path

import click

from georouter.daemon import signals
from georouter.daemon.options import Options
from georouter.daemon.streams import hold_standard
from georouter.telemetry.logs import LogFormat, set_up
from georouter.words.errors import PolicyError, SourceError


@click.command()
@click.option("--config", "-c", metavar="PATH", help="Policy file or folder.")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="GEOROUTER_STATE_DIR",
    help="Where state is kept; overrides server.state_dir.",
)
@click.option(
    "--strict-start", is_flag=True, help="Exit if the policy is invalid, even if a last good one is saved."
)
@click.option(
    "--log-format",
    type=click.Choice([form.value for form in LogFormat]),
    default=LogFormat.TEXT.value,
    show_default=True,
    help="One line per event on stderr, as text or as JSON.",
)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def serve(
    config: str | None, state_dir: Path | None, strict_start: bool, log_format: str, log_level: str
) -> None:
    """Answer DNS queries by the policy, until SIGTERM.

    SIGHUP reads the policy again; so does a change of its files.
    """
    hold_standard()
    signals.ignore()
    signals.end_quietly()
    set_up(LogFormat(log_format), level=logging.getLevelNamesMapping()[log_level.upper()])
    gc.disable()  # until the first build is over: imports make much that stays, too
    sys.exit(run(Options(_found(config), state_dir=state_dir, strict_start=strict_start)))


def run(options: Options) -> int:
    """Run a daemon to its end. 0, or 1 with the reason on stderr when it could not start."""
    from georouter.daemon.life import Daemon  # noqa: PLC0415 - the signals come before what takes longest

    try:
        asyncio.run(Daemon(options).run())
    except PolicyError as error:
        for diagnostic in error.diagnostics:
            print(diagnostic, file=sys.stderr)  # noqa: T201
        print("georouter: the policy cannot be used", file=sys.stderr)  # noqa: T201
        return 1
    except SourceError as error:
        print(f"georouter: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _found(config: str | None) -> Path:
    from georouter.sources.policy_files import find_config  # noqa: PLC0415 - as above

    try:
        return find_config(config, os.environ).absolute()
    except SourceError as error:
        raise click.UsageError(str(error)) from error
