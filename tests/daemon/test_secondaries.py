"""What secondaries may copy as the policy changes: contents, journal, who is told."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from georouter.answers.copies import Copies
from georouter.answers.networks import of
from georouter.compiler.plan import plan
from georouter.compiler.serials import Serials
from georouter.control.orders import Built
from georouter.daemon import secondaries as module
from georouter.daemon.secondaries import Secondaries
from georouter.facts.world import World
from georouter.policy.model import Notify, Transfer, Zone
from georouter.policy.resolve.places import parse_network
from georouter.server import notifier
from georouter.server.notifier import Told
from georouter.telemetry.metrics import Metrics
from georouter.telemetry.source import Sent
from georouter.wire.names import parse_name
from georouter.wire.tsig import Key
from tests.compiler.build import policy, service, tiny_map, zone

APEX = parse_name("example.com")
KEY = Key(parse_name("key.example"), "hmac-sha256", b"s")
ADDRESS = ("192.0.2.54", 53)
HOSTS = [(f"h{number}", "A", f"192.0.2.{number}") for number in range(50)]


class World0:
    """Secondaries, and what they say; nobody is really told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []
        self.announced: list[tuple[str, int, list[tuple[object, bool]]]] = []
        self.metrics = Metrics()
        self.copies = Copies(keys={KEY.name: KEY})
        monkeypatch.setattr(notifier.Notifier, "announce", self._announce)
        self.secondaries = Secondaries(self.copies, [("127.0.0.1", 53)], self.metrics, self._tell)
        self.last: Built | None = None

    def _announce(self, news: notifier.News, targets: Sequence[tuple[object, Key | None]]) -> None:
        self.announced.append((news.zone, news.serial, [(where, key is not None) for where, key in targets]))

    def _tell(self, name: str, /, **fields: object) -> None:
        self.told.append((name, fields))

    def load(self, *zones: Zone, at: int = 1000, prepare: bool = True) -> None:
        """Build from these and adopt it, as the daemon does."""
        rules = policy(zones, [service("web")])
        known = self.last.plan.serials if self.last else {}
        built = Built(
            (), rules, (), plan(rules, tiny_map(), World(), Serials(known, at)), tiny_map().info, {}
        )
        if prepare:
            asyncio.run(self.secondaries.prepare(built))
        self.secondaries.adopt(built)
        self.secondaries.announce()
        self.last = built

    @property
    def serials(self) -> list[int]:
        """The serials that an IXFR may begin at, and the present one."""
        copy = self.copies.zones[APEX]
        return [*(delta.serial for delta in copy.deltas), copy.content.serial]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World0:
    """Nothing loaded yet."""
    return World0(monkeypatch)


def shared(rows: Sequence[tuple[str, str, str]] = (), serial: int | None = None, **how: object) -> Zone:
    """A zone that may be copied."""
    made = zone("example.com", [*HOSTS, *rows])
    soa = replace(made.soa, serial=serial)
    return replace(made, soa=soa, transfer=Transfer(**how))  # type: ignore[arg-type]


A, B, C = (("x", "A", f"192.0.2.{number}") for number in (101, 102, 103))


def test_the_journal_grows(world: World0) -> None:
    """A step per change; reloads that change nothing leave it as it is, whoever prepared."""
    world.load(shared())
    assert world.serials == [1000]
    world.load(shared([A]), at=2000)
    world.load(shared([A]), at=3000)
    world.load(shared([A, B]), at=4000, prepare=False)
    world.load(shared([A, B]), zone("example.net"), at=5000)
    assert world.serials == [1000, 2000, 4000]
    assert world.copies.zones[APEX].since(1000)[0].added[0][0] == b"\1x" + APEX


def test_the_journal_is_bounded(world: World0, monkeypatch: pytest.MonkeyPatch) -> None:
    """By steps and by size; the latest step is always there."""
    monkeypatch.setattr(module, "MOST_DELTAS", 3)
    for number in range(6):
        world.load(shared([(f"n{number}", "A", "192.0.2.1")]), at=1000 + number)
    assert world.serials == [1002, 1003, 1004, 1005]
    monkeypatch.setattr(module, "MOST_OCTETS", 10)
    world.load(shared([A]), at=2000)
    assert world.serials == [1005, 2000]


@pytest.mark.parametrize("serial", [7, 6])
def test_a_serial_that_does_not_rise(world: World0, serial: int) -> None:
    """It is said, and the journal begins anew: nobody could tell the versions apart."""
    world.load(shared(serial=6))
    world.load(shared([A], serial=7))
    assert world.serials == [6, 7]
    assert world.told == []
    world.load(shared([B], serial=serial))
    assert world.serials == [serial]
    ((name, fields),) = world.told
    assert (name, fields["zone"], fields["serial"], fields["before"]) == (
        "zone.serial_stands",
        "example.com",
        serial,
        7,
    )


def test_large_changes(world: World0, monkeypatch: pytest.MonkeyPatch) -> None:
    """No differences are kept: the zone itself is sent."""
    world.load(shared())
    monkeypatch.setattr("georouter.compiler.difference.MOST_SETS", 1)
    world.load(shared([A, ("y", "A", "192.0.2.1")]), at=2000)
    assert world.serials == [2000]


def test_who_may(world: World0) -> None:
    """As the policy says now, also where the content stays."""
    network = of([parse_network("192.0.2.0/24")])
    world.load(shared(networks=network))
    grant = world.copies.zones[APEX].grant
    assert grant.allows(0xC0000201, 4, None)
    assert not grant.allows(0xC0000301, 4, None)
    world.load(shared(keys=(KEY.name,), steered=False))
    grant = world.copies.zones[APEX].grant
    assert not grant.allows(0xC0000201, 4, None)
    assert grant.allows(1, 6, KEY.name)
    assert not grant.steered
    world.load(replace(shared(), transfer=None))
    assert world.copies.zones == {}


def test_telling(world: World0) -> None:
    """At the start, and of every new serial; not of reloads that change nothing."""
    other = parse_name("other.example")
    to = (Notify(ADDRESS), Notify(("::1", 5300), KEY.name), Notify(("192.0.2.1", 53), other))
    world.load(shared(notify=to), replace(zone("example.net"), transfer=Transfer()))
    world.load(shared(notify=to), at=2000)
    world.load(shared([A], notify=to), at=3000)
    targets = [(ADDRESS, False), (("::1", 5300), True)]  # a key that could not be read is no key
    assert world.announced == [
        ("example.com", 1000, targets),
        ("example.net", 7, []),
        ("example.com", 3000, targets),
    ]


def test_zones_that_return_are_told_again(world: World0) -> None:
    """What was told before they went is forgotten."""
    world.load(shared(notify=(Notify(ADDRESS),)))
    world.load(zone("example.net"))
    world.load(shared(notify=(Notify(ADDRESS),)))
    assert [serial for _, serial, _ in world.announced] == [1000, 1000]


def test_what_is_said(world: World0) -> None:
    """Transfers and answers of secondaries: a line each, a count each, and the status."""
    world.load(shared(), replace(zone("example.net"), transfer=Transfer()))
    hear: Callable[[Told], None] = world.secondaries._heard
    hear(Told("example.com", ADDRESS, 1000, "refused", 1, "NOTAUTH"))
    hear(Told("example.com", ("::1", 5300), 1000, "acknowledged", 2))
    world.secondaries.sent(Sent("example.com", "IXFR", 1000, (6, 1), "key", "cut", 2, 300, 0.12345))
    said = [(name, *fields.values()) for name, fields in world.told]
    assert said == [
        ("notify.refused", "example.com", "192.0.2.54:53", 1000, 1, "NOTAUTH"),
        ("notify.acknowledged", "example.com", "[::1]:5300", 1000, 2, None),
        ("transfer.cut", "example.com", "IXFR", 1000, "::1", "key", 2, 300, 0.123),
    ]
    told = {("example.com", ADDRESS): Told("example.com", ADDRESS, 1000, "refused", 1, "NOTAUTH")}
    world.secondaries._notifier._told.update(told)
    assert world.secondaries.status(3) == {
        "active": 3,
        "zones": [
            {
                "zone": "example.com",
                "serial": 1000,
                "differences": 0,
                "notify": [
                    {
                        "address": "192.0.2.54:53",
                        "serial": 1000,
                        "state": "refused",
                        "attempts": 1,
                        "reason": "NOTAUTH",
                    }
                ],
            },
            {"zone": "example.net", "serial": 7, "differences": 0, "notify": []},
        ],
    }
