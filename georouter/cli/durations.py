"""Durations on the command line."""

from typing import Any

import click


class Duration(click.ParamType[float]):
    """`30m`, `1h30m`, `2d` to seconds, as policies write it."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds above zero; a usage error otherwise."""
        from georouter.policy.units import duration_s  # noqa: PLC0415 - only when it is given

        if isinstance(value, float):
            return value
        try:
            seconds = duration_s(value)
        except ValueError as problem:
            self.fail(str(problem), param, ctx)
        if seconds <= 0:
            self.fail("must be above zero", param, ctx)
        return seconds
