"""What commands print: tables for people, JSON for programs. Colours only on a terminal."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

STYLES: Mapping[str, str] = {
    "up": "green",
    "down": "bold red",
    "drained": "yellow",
    "unknown": "dim",
    "ok": "green",
    "degraded": "yellow",
    "fresh": "green",
    "stale": "yellow",
}
"""How the states of regions and endpoints look."""


def print_json(value: object) -> None:
    """Indented JSON on stdout."""
    click.echo(json.dumps(value, indent=2, default=str))


def console() -> "Console":
    """Stdout for tables: 80 columns and no colours where it is not a terminal."""
    from rich.console import Console  # noqa: PLC0415 - slow to import

    return Console(highlight=False, markup=False, emoji=False)


def table(*heads: str) -> "Table":
    """A plain table without lines; texts that do not fit are wrapped, never cut."""
    from rich.table import Table  # noqa: PLC0415 - slow to import

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        made.add_column(head, overflow="fold")
    return made


def plain(value: object, style: str = "") -> "Text":
    """A cell. Control characters, which may come from a probed endpoint, are shown as `?`."""
    from rich.text import Text  # noqa: PLC0415 - slow to import

    text = "" if value is None else str(value)
    return Text("".join(char if char.isprintable() else "?" for char in text), style=style)


def state(value: object) -> "Text":
    """A state in its colour."""
    return plain(value, STYLES.get(str(value), ""))


def moment(value: object) -> str:
    """Unix time as `2026-05-20 12:00:00Z`; `-` for none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else str(value)
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def signal_value(value: object) -> str:
    """A signal's value: `1,200`, `0.25`, `true`, `primary`; `-` for none."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def age(at: object, now: object) -> str:
    """`4 s ago`; `-` where it never was."""
    if isinstance(at, int | float) and isinstance(now, int | float):
        return f"{max(0.0, now - at):.0f} s ago"
    return "-"
