"""The `signals:` of a check."""

import re
from collections.abc import Mapping

from georouter.facts.signals import SignalRule, Threshold, WhenMissing
from georouter.policy.nodes import Path
from georouter.policy.resolve.context import Context
from georouter.policy.written import SignalFile
from georouter.words.ids import SignalName

MOST = 16
"""Signals of one check: each costs a little at every probe, and a series per region."""
DEEPEST = 16
"""Steps of a pointer."""


def resolve(written: Mapping[str, SignalFile], path: Path, context: Context) -> tuple[SignalRule, ...]:
    """Names that can stand in a metric, pointers that lead somewhere, thresholds that make sense together."""
    if len(written) > MOST:
        context.report.error(path, f"a check has at most {MOST} signals, found {len(written)}", key=True)
    return tuple(_signal(name, signal, (*path, name), context) for name, signal in written.items())


def _signal(name: str, written: SignalFile, path: Path, context: Context) -> SignalRule:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        message = "a signal is named like replication_lag_ms: small letters, digits and _, a letter first"
        context.report.error(path, message, key=True)
    _pointer(written.path, (*path, "path"), context)
    degraded, down = (None if pair is None else Threshold(*pair) for pair in (written.degraded, written.down))
    if degraded is not None and down is not None:
        _together(degraded, down, path, context)
    return SignalRule(
        name=SignalName(name),
        path=written.path,
        degraded=degraded,
        down=down,
        missing=WhenMissing(written.missing),
        hysteresis=written.hysteresis / 100.0,
    )


def _pointer(pointer: str, path: Path, context: Context) -> None:
    if not pointer.startswith("/") or not pointer.isprintable():
        context.report.error(path, f'a JSON pointer starts with "/", like /db/lag_ms; found "{pointer}"')
    elif re.search(r"~(?![01])", pointer):
        context.report.error(path, "in a JSON pointer ~ is written ~0, and / inside a key ~1 (RFC 6901)")
    elif pointer.count("/") > DEEPEST:
        context.report.error(path, f"a pointer has at most {DEEPEST} steps")


def _together(degraded: Threshold, down: Threshold, path: Path, context: Context) -> None:
    """Both must look at the same kind of value; a `down` that comes first leaves `degraded` nothing to do."""
    kinds = {type(threshold.bound) for threshold in (degraded, down)}
    if len(kinds) > 1:
        context.report.error(
            (*path, "down"), 'compares with another kind of value than "degraded"; one value cannot be both'
        )
        return
    if isinstance(degraded.bound, bool | str) or isinstance(down.bound, bool | str):
        return
    first, second = degraded.compare[0], down.compare[0]
    if (first == second == ">" and down.bound <= degraded.bound) or (
        first == second == "<" and down.bound >= degraded.bound
    ):
        context.report.warn((*path, "degraded"), f'never acts: "down" ({down}) is met before it')
