"""A service's failover as plain data for `status`, and a sequence of it in one line."""

from collections.abc import Mapping
from typing import Any

from georouter.facts.failover import Failover, Sequence
from georouter.facts.world import Standing

MOMENTS = ("detected", "confirmed", "chosen", "promoting", "promoted", "switched", "notified")
"""The steps of a sequence in order; each has its `_at`."""


def view(state: Failover, standing: Standing) -> dict[str, Any]:
    """JSON-able. Times are Unix seconds."""
    return {
        "active": state.active,
        "phase": state.phase.value,
        "since": state.since,
        "held": standing.held,
        "why": standing.why,
        "sequence": _sequence(state.sequence),
        "last": _sequence(state.last),
    }


def moments(sequence: Mapping[str, Any]) -> str:
    """`confirmed +1.2 s, chosen +1.2 s, switched +3.4 s`: what came how long after it was detected."""
    begin = sequence.get("detected_at") or 0.0
    told = [
        f"{name} +{max(0.0, sequence[f'{name}_at'] - begin):.1f} s"
        for name in MOMENTS[1:]
        if sequence.get(f"{name}_at") is not None
    ]
    return ", ".join(told)


def way(sequence: Mapping[str, Any]) -> str:
    """`failover primary -> standby`."""
    return f"{sequence.get('kind')} {sequence.get('from')} -> {sequence.get('to') or '?'}"


def _sequence(found: Sequence | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "id": found.id,
        "kind": found.kind.value,
        "from": found.origin,
        "to": found.target,
        "why": found.why,
        **{f"{name}_at": getattr(found, f"{name}_at") for name in MOMENTS},
        "asked": found.asked,
        "reply": None if found.reply is None else found.reply.value,
        "said": found.said,
        "notice": found.notice.value,
        "by_hand": found.by_hand,
    }
