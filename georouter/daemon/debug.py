"""What debug names are answered with: the decision from `explain`, the state from the control loop."""

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from georouter.admin.desk import Question
from georouter.analysis.sentences import lines
from georouter.answers.debug import Explain, Inquiry, State
from georouter.control.loop import Controller
from georouter.daemon.status import region_status
from georouter.telemetry.logs import utc_text
from georouter.wire.edns import FAMILY_IPV4, ClientSubnet
from georouter.wire.names import name_text
from georouter.words.ids import ServiceName

_Json = Mapping[str, Any]


class DebugDesk:
    """Knows the answers; `know` is `server.aside.Know`."""

    def __init__(
        self,
        controller: Controller,
        explain: Callable[[Question], Awaitable[_Json]],
        wall: Callable[[], float],
    ) -> None:
        """`explain` is that of the admin door; ValueError when a question makes no sense."""
        self._controller = controller
        self._explain = explain
        self._wall = wall
        self._turn = asyncio.Lock()

    async def know(self, inquiry: Inquiry, until: float) -> list[str]:
        """The lines of an answer. One explanation at a time: a reload never waits for more than one."""
        match inquiry.subject:
            case State(service):
                return [*state(self._controller, service, self._wall())]
            case Explain() as subject:
                async with self._turn:
                    if asyncio.get_running_loop().time() >= until:
                        return []
                    return await self._explained(question_of(inquiry, subject))

    async def _explained(self, question: Question) -> list[str]:
        try:
            return lines(await self._explain(question))
        except ValueError as error:
            return [f"this cannot be explained: {error}"]


def question_of(inquiry: Inquiry, subject: Explain) -> Question:
    """What to explain: the same query, from the same source with the same client subnet, for the name."""
    source = IPv4Address(inquiry.source) if inquiry.family == 4 else IPv6Address(inquiry.source)
    client = None if inquiry.subnet is None else _block(inquiry.subnet)
    return Question(name_text(subject.name), client, str(source), subject.type)


def _block(subnet: ClientSubnet) -> str:
    if subnet.source == 0:
        return "0.0.0.0/0"
    kind, size = (IPv4Address, 4) if subnet.family == FAMILY_IPV4 else (IPv6Address, 16)
    return f"{kind(subnet.address.ljust(size, bytes(1)))}/{subnet.source}"


def state(controller: Controller, service: str, now: float) -> Iterator[str]:
    """How a service's regions stand: observed, forced and effective, since when, and why."""
    policy = controller.policy
    found = policy.services.get(ServiceName(service))
    if found is None:
        close = difflib.get_close_matches(service, list(policy.services), n=1)
        there = f"did you mean {close[0]}?" if close else f"there are {', '.join(policy.services) or 'none'}"
        yield f"there is no service {service}; {there}"
        return
    yield _answering(controller, found.name)
    for name in dict.fromkeys((*found.regions, *found.fallback)):
        region = region_status(controller, policy.regions[name], now)
        yield _region(region)
        yield from (_endpoint(str(name), endpoint) for endpoint in region["endpoints"])


def _answering(controller: Controller, service: ServiceName) -> str:
    published = controller.published
    status = published.services.get(service) if published else None
    if published is None or status is None:
        return f"service {service}: nothing is published yet"
    how = "all down" if status.all_down else "failover" if status.failover_active else "normal"
    answering = ", ".join(status.answering) or "nobody"
    return f"service {service}: {how}, answered from {answering}; snapshot {published.snapshot.generation}"


def _region(region: _Json) -> str:
    text = f"region {region['name']}: acts as {region['effective']}, checks say {region['observed']}"
    since = [item["since"] for item in region["endpoints"] if item["since"] is not None]
    if since:
        text += f", last change {utc_text(max(since))}"
    if region["health"] != 1:
        text += f", health {region['health']:.0%}"
    override = region["override"]
    if override is None:
        return text
    until = f" until {utc_text(override['expires_at'])}" if override["expires_at"] is not None else ""
    return (
        f"{text}, forced {region['forced'] or 'nothing'} by {override['author']} "
        f"since {utc_text(override['created_at'])}{until}: {override['reason']}"
    )


def _endpoint(region: str, endpoint: _Json) -> str:
    text = f"endpoint {endpoint['address']} of {region}: {endpoint['state']}"
    if endpoint["check"] is None:
        return f"{text}, not checked"
    if endpoint["since"] is not None:
        text += f" since {utc_text(endpoint['since'])}"
    return f"{text} by check {endpoint['check']}{': ' if endpoint['reason'] else ''}{endpoint['reason']}"
