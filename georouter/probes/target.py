"""What is asked (`Target`, made from the policy by `targets`) and what came of it (`ProbeResult`)."""

from dataclasses import dataclass, field
from enum import StrEnum

from georouter.facts.endpoints import EndpointKey
from georouter.facts.rules import HealthRule
from georouter.facts.signals import Values
from georouter.policy.model import Check, CheckType, Endpoint, Policy

DEFAULT_PORTS = {CheckType.HTTP: 80, CheckType.HTTPS: 443}
"""Left out of a Host header (RFC 9110 section 7.2)."""


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint and everything a check needs to ask it.

    `address` (an IP address or a hostname) is where it connects. `host` is the Host header;
    `server_name` goes into TLS and is what the certificate must be valid for.
    """

    key: EndpointKey
    type: CheckType
    address: str
    port: int
    path: str = "/"
    host: str = ""
    server_name: str = ""
    statuses: frozenset[int] = frozenset({200})
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    verify: bool = True
    ca_file: str | None = None
    rule: HealthRule = field(default_factory=HealthRule)


class Blame(StrEnum):
    """Whose fault a failure is. Only the endpoint's own say something about its health."""

    ENDPOINT = "endpoint"
    STALL = "stall"
    """It ran out of time while our own event loop stood still."""
    MEANS = "means"
    """We had no files, memory or ports left, or made an error nobody foresaw."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one probe found; it is also a `facts.health.Result`.

    `reason` says in a few words why it failed. `started` and `ended` are Unix seconds. `rtt_s` is
    the round trip of the TCP connect, where one was made (also by a probe that failed later).
    """

    key: EndpointKey
    ok: bool
    reason: str
    started: float
    ended: float
    rtt_s: float | None = None
    blame: Blame = Blame.ENDPOINT
    values: Values | None = None
    """What the answer said of the check's signals; None where there was none to read."""


def targets(policy: Policy) -> tuple[Target, ...]:
    """Everything to probe, in policy order; one target for endpoints that share a key."""
    found: dict[EndpointKey, Target] = {}
    for region in policy.regions.values():
        for endpoint in region.endpoints:
            if endpoint.check is None:
                continue
            key = EndpointKey(region.name, endpoint.address, endpoint.check)
            if key not in found:
                found[key] = _target(key, endpoint, policy.checks[endpoint.check])
    return tuple(found.values())


def _target(key: EndpointKey, endpoint: Endpoint, check: Check) -> Target:
    host = check.host or endpoint.address
    return Target(
        key=key,
        type=check.type,
        address=check.address or endpoint.address,
        port=check.port,
        path=check.path,
        host=host if check.host else _authority(host, check.port, check.type),
        server_name=_without_port(host),
        statuses=check.statuses,
        body=check.body,
        headers=check.headers,
        verify=check.verify,
        ca_file=check.ca_file,
        rule=check.rule,
    )


def _authority(host: str, port: int, kind: CheckType) -> str:
    """`host` as a Host header writes it: IPv6 in brackets, the port unless it is the default."""
    name = f"[{host}]" if ":" in host else host
    return name if port == DEFAULT_PORTS.get(kind) else f"{name}:{port}"


def _without_port(host: str) -> str:
    """The bare name of a `host` that an operator may have written with a port or brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host
