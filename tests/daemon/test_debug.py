"""What debug names are answered with."""

import asyncio
import time
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from georouter.admin.desk import Question
from georouter.answers.debug import Explain, Inquiry, State
from georouter.control.events import OverrideSet
from georouter.daemon.debug import DebugDesk, question_of, state
from georouter.facts.overrides import Override, OverrideKind
from georouter.wire.edns import ClientSubnet
from georouter.wire.names import parse_name
from georouter.words.ids import RegionName
from tests.analysis.test_explain import explained
from tests.compiler.build import BERLIN, client
from tests.control.loops import World0, result

WWW = Explain(parse_name("www.example.com"), "AAAA")
RESOLVER = int(IPv4Address("198.51.100.53"))


def inquiry(subject: Explain | State, subnet: ClientSubnet | None = None) -> Inquiry:
    """One by a resolver."""
    return Inquiry(subject, RESOLVER, 4, subnet)


@pytest.mark.parametrize(
    ("subnet", "text"),
    [
        (None, None),
        (ClientSubnet(1, 24, bytes((192, 0, 2))), "192.0.2.0/24"),
        (ClientSubnet(1, 9, bytes((10, 128))), "10.128.0.0/9"),
        (ClientSubnet(2, 48, IPv6Address("2001:db8::").packed[:6]), "2001:db8::/48"),
        (ClientSubnet(2, 128, IPv6Address("::ffff:192.0.2.1").packed), "::ffff:c000:201/128"),
        (ClientSubnet(1, 0, b""), "0.0.0.0/0"),
        (ClientSubnet(2, 0, b""), "0.0.0.0/0"),
        (ClientSubnet(0, 0, b""), "0.0.0.0/0"),
    ],
)
def test_the_same_query_for_the_name(subnet: ClientSubnet | None, text: str | None) -> None:
    """Its client subnet, or the wish for privacy, and the address that it came from."""
    asked = question_of(inquiry(WWW, subnet), WWW)
    assert asked == Question("www.example.com", text, "198.51.100.53", "AAAA")


def test_a_resolver_with_ipv6() -> None:
    """Sources are whole addresses."""
    source = int(IPv6Address("2001:db8::53"))
    assert question_of(Inquiry(WWW, source, 6, None), WWW).resolver == "2001:db8::53"


def desk(world: World0, explain: Any) -> DebugDesk:
    """One beside a controller among fakes."""
    return DebugDesk(world.controller, explain, lambda: world.now)


def test_explanations_are_lines() -> None:
    """And a question that makes no sense gets its reason."""

    async def explain(question: Question) -> Any:
        if question.type == "BANANA":
            raise ValueError("'BANANA' is not a record type")
        return explained("www.example.com", client(BERLIN)).as_dict()

    async def scene() -> None:
        made = desk(World0().start(), explain)
        until = asyncio.get_running_loop().time() + 10
        told = await made.know(inquiry(WWW), until)
        assert told[0] == "www.example.com A for 10.0.0.0/32"
        assert "choice: 100.0% eu, taken now" in told
        told = await made.know(inquiry(Explain(WWW.name, "BANANA")), until)
        assert told == ["this cannot be explained: 'BANANA' is not a record type"]

    asyncio.run(scene())


def test_one_explanation_at_a_time() -> None:
    """The state of a service does not wait for it; what is no longer wanted is not asked at all."""
    asked: list[Question] = []

    async def scene() -> None:
        go = asyncio.Event()

        async def explain(question: Question) -> Any:
            asked.append(question)
            await go.wait()
            return explained("www.example.com", client(BERLIN)).as_dict()

        made = desk(World0().start(), explain)
        now = asyncio.get_running_loop().time()
        first = asyncio.create_task(made.know(inquiry(WWW), now + 10))
        second = asyncio.create_task(made.know(inquiry(WWW), now))
        await asyncio.sleep(0)
        told = await made.know(inquiry(State("web")), now + 10)
        assert told[0].startswith("service web: normal, answered from eu")
        assert len(asked) == 1
        go.set()
        assert (await first)[0].startswith("www.example.com")
        assert await second == []
        assert len(asked) == 1

    asyncio.run(scene())


def test_the_state_of_a_service() -> None:
    """Observed, forced and effective, since when and why, by region and endpoint."""
    world = World0(now=1_760_000_000.0).start()
    for _ in range(3):
        world.controller.post(result("us", ok=False))
    world.controller.post(
        OverrideSet(
            Override(OverrideKind.DRAIN, RegionName("eu"), "kernel update", "ada", world.now, world.now + 60)
        )
    )
    world.controller.publish_now()
    assert [*state(world.controller, "web", world.now)] == [
        "service web: failover, answered from eu; snapshot 2",
        (
            "region eu: acts as drained, checks say up, last change 2025-10-09T08:53:20.000Z, forced drained "
            "by ada since 2025-10-09T08:53:20.000Z until 2025-10-09T08:54:20.000Z: kernel update"
        ),
        "endpoint 192.0.2.1 of eu: up since 2025-10-09T08:53:20.000Z by check web",
        "region us: acts as down, checks say down, last change 2025-10-09T08:53:20.000Z",
        ("endpoint 192.0.2.3 of us: down since 2025-10-09T08:53:20.000Z by check web: connection refused"),
    ]


def test_services_that_are_not_there() -> None:
    """The nearest one, or all of them."""
    world = World0(now=time.time()).start()
    assert [*state(world.controller, "wep", world.now)] == ["there is no service wep; did you mean web?"]
    assert [*state(world.controller, "mail", world.now)] == ["there is no service mail; there are web"]


def test_before_the_first_publication() -> None:
    """What there is."""
    world = World0()
    world.controller.start(world.built())
    assert next(state(world.controller, "web", 1.0)) == "service web: nothing is published yet"
