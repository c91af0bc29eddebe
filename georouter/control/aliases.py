"""Alias targets in the control loop: a resolver's replies become beliefs, and are said once per change."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from georouter.control.beliefs import Beliefs
from georouter.control.events import AliasAsked
from georouter.facts.aliases import UNKNOWN, Target
from georouter.telemetry.metrics import Metrics
from georouter.wire.names import name_text

if TYPE_CHECKING:
    from georouter.control.outlets import Tell


def take_in(asked: AliasAsked, beliefs: Beliefs, now: float, tell: "Tell", metrics: Metrics) -> bool:
    """Believe what a resolver said; whether answers have to change.

    What no alias of the policy in use needs may be needed by the next one; until then it changes nothing.
    """
    before, after = beliefs.resolve(asked.target, asked.replies, now)
    if asked.target not in beliefs.outside:
        return False
    name = name_text(asked.target)
    metrics.alias_asked(not after.failures)
    metrics.alias(name, after.state, after.confirmed_at)
    if after.failures and not before.failures:
        tell("alias.failing", target=name, state=after.state.value, reason=after.reason)
    elif before.failures and not after.failures:
        tell("alias.recovered", target=name)
    was, is_now = addresses(before), addresses(after)
    if was and was != is_now:
        tell("alias.changed", target=name, was=was, now=is_now)
    elif was != is_now:
        tell("alias.resolved", target=name, now=is_now)
    return before.known != after.known


def follow(beliefs: Beliefs, outside: Iterable[bytes], metrics: Metrics) -> None:
    """Show what is believed of the targets of a new policy, and of no others."""
    targets = {name_text(name): beliefs.aliases.get(name, UNKNOWN) for name in outside}
    metrics.keep_aliases(targets)
    for name, target in targets.items():
        metrics.alias(name, target.state, target.confirmed_at)


def addresses(target: Target) -> list[str]:
    """For people, IPv4 first."""
    return [str(ip_address(item)) for _, held in sorted(target.known.items()) for item in held.addresses]
