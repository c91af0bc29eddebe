"""The `tcp` check: passes when a connection can be made. Nothing is sent."""

from georouter.facts.health import Outcome
from georouter.probes.attempt import Attempt
from georouter.probes.stream import connect
from georouter.probes.target import Target


async def check(target: Target, attempt: Attempt) -> Outcome:
    """Ask `target`. OSError is a failure that the caller puts into words."""
    with await connect(target, attempt):
        return Outcome(ok=True)
