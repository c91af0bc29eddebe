"""The `failover` step: its order, and the rule by which a service moves along it, where one is written."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from georouter.facts.failover import BeyondMaxLag, Choose, Failback, FailoverRule, OnRefusal
from georouter.policy.model import Check, Region, Service
from georouter.policy.nodes import Path
from georouter.policy.resolve.context import Context
from georouter.policy.steps import Failover, Hook, Secret, Tiers
from georouter.policy.written_failover import FailoverFile, HookFile, SecretFile
from georouter.words.ids import CheckName, RegionName, ServiceName, SignalName

MANAGED = ("failback", "choose", "max_lag", "hold_down", "promote", "notify")
"""Keys that make the step keep a state, unless they say what is so anyway."""
OURS = ("service", "from", "to", "kind", "why", "id", "at", "event", "node")
"""Members of the JSON object that every call has."""
_RESERVED = frozenset({"content-length", "content-type", "host", "idempotency-key", "transfer-encoding"})


def resolve(
    written: FailoverFile, order: Tiers, regions: Sequence[RegionName], path: Path, context: Context
) -> Failover:
    """The step. With nothing but an order it keeps no state."""
    plain = FailoverFile(order=written.order)
    if all(getattr(written, key) == getattr(plain, key) for key in MANAGED):
        _no_effect(written, path, context)
        return Failover(order)
    for row, tier in enumerate(order):
        if len(tier) > 1:
            message = "one region at a time is active: a step with more than an order has no equal regions"
            context.report.error((*path, "order", row), message)
    named = {name for tier in order for name in tier}
    missing = [name for name in regions if name not in named]
    if missing:
        message = f"must name every region of the service: {', '.join(missing)} could never take over"
        context.report.error((*path, "order"), message, key=True)
    if written.max_lag is None and written.beyond_max_lag != "refuse":
        context.report.error((*path, "beyond_max_lag"), 'says nothing without "max_lag"', key=True)
    if written.promote is not None and written.failback == "auto" and written.hold_down is None:
        message = "moves a promoted region back by itself, and at once; add hold_down, or use manual"
        context.report.warn((*path, "promote"), f"failback: auto {message}", key=True)
    return Failover(
        order,
        _rule(written, tuple(name for tier in order for name in tier)),
        None if written.promote is None else _hook(written.promote, (*path, "promote"), context),
        None if written.notify is None else _hook(written.notify, (*path, "notify"), context),
    )


def check_signals(
    services: Mapping[ServiceName, Service],
    regions: Mapping[RegionName, Region],
    checks: Mapping[CheckName, Check],
    context: Context,
) -> None:
    """A lag that decides must be told: every region of the order has a check with the signal."""
    for service in services.values():
        for index, step in enumerate(service.chain):
            if not isinstance(step, Failover) or step.rule is None or not _asks_lag(step.rule):
                continue
            for row, name in enumerate(step.rule.order):
                if name in regions and not _tells(regions[name], checks, step.rule.signal):
                    path: Path = ("services", service.name, "chain", index, "failover", "order", row)
                    message = f'region "{name}" has no check with the signal "{step.rule.signal}"'
                    context.report.error(path, message)


def _asks_lag(rule: FailoverRule) -> bool:
    return rule.max_lag is not None or rule.choose is Choose.LEAST_LAG


def _tells(region: Region, checks: Mapping[CheckName, Check], signal: SignalName) -> bool:
    used = {endpoint.check for endpoint in region.endpoints}
    return any(
        item.name == signal for name, check in checks.items() if name in used for item in check.rule.signals
    )


def _no_effect(written: FailoverFile, path: Path, context: Context) -> None:
    """Keys that only matter beside others."""
    for key, needs in (("signal", "choose: least_lag or max_lag"), ("beyond_max_lag", "max_lag")):
        if key in written.model_fields_set:
            context.report.error((*path, key), f"says nothing without {needs}", key=True)


def _rule(written: FailoverFile, order: tuple[RegionName, ...]) -> FailoverRule:
    promote = written.promote
    after = written.failback if isinstance(written.failback, float) else 0.0
    return FailoverRule(
        order=order,
        failback=Failback.MANUAL if written.failback == "manual" else Failback.AUTO,
        failback_after_s=after,
        choose=Choose(written.choose),
        signal=SignalName(written.signal),
        max_lag=written.max_lag,
        beyond_max_lag=BeyondMaxLag(written.beyond_max_lag),
        hold_down_s=written.hold_down or 0.0,
        promotes=promote is not None,
        on_refusal=OnRefusal.STAY if promote is None else OnRefusal(promote.on_refusal),
        retry_s=30.0 if promote is None else promote.retry,
        notifies=written.notify is not None,
    )


def _hook(written: HookFile, path: Path, context: Context) -> Hook:
    _url(written.url, (*path, "url"), context)
    for name in written.headers:
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            context.report.error((*path, "headers", name), "is not the name of a header field", key=True)
        elif name.lower() in _RESERVED:
            context.report.error((*path, "headers", name), "is set by georouter itself", key=True)
    for name, value in written.headers.items():
        if isinstance(value, str) and not (value.isascii() and value.isprintable()):
            context.report.error((*path, "headers", name), "must be printable ASCII")
    for name in written.body:
        if name in OURS:
            context.report.error((*path, "body", name), "is set by georouter itself", key=True)
    if written.ca_file is not None and not written.url.startswith("https:"):
        context.report.error((*path, "ca_file"), "is for https:// only", key=True)
    return Hook(
        url=written.url,
        method=written.method,
        headers=_values(written.headers, (*path, "headers"), context),
        body=_values(written.body, (*path, "body"), context),
        timeout_s=written.timeout,
        ca_file=context.absolute(written.ca_file, (*path, "ca_file")) if written.ca_file else None,
    )


def _values(written: Mapping[str, str | SecretFile], path: Path, context: Context) -> dict[str, str | Secret]:
    return {
        name: value if isinstance(value, str) else Secret(context.absolute(value.file, (*path, name, "file")))
        for name, value in written.items()
    }


def _url(url: str, path: Path, context: Context) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    else:
        if parts.username is not None or parts.password is not None:
            context.report.error(path, "a secret does not belong into a URL; use headers with {file: ...}")
            return
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        context.report.error(path, "expected a URL like https://control.example.net/promote")
