"""Resolvers that were told to ask us, as stub or as forward zone, on any port and without root's rights."""

from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import AP_SOUTH, EU_WEST, LONDON, SINGAPORE
from benchmarks.harness.wait import free_port
from tests.live.resolvers.running import RESOLVERS, Resolver, running
from tests.live.resolvers.site import Site, Way

pytestmark = pytest.mark.live
WAYS = [(make, way) for make in RESOLVERS for way in (Way.STUB, Way.FORWARD)]


def label(parameter: tuple[ModuleType, Way]) -> str:
    """How a resolver is called in the list of tests."""
    return f"{parameter[0].NAME}-{parameter[1].name.lower()}"


@pytest.fixture(scope="module", params=WAYS, ids=label)
def configured(
    request: pytest.FixtureRequest,
    need: Callable[[str], str],
    daemon: Daemon,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Resolver]:
    """Each make in turn. Every name leads to us: nobody else is asked, whatever happens."""
    make, way = request.param
    folder = tmp_path_factory.mktemp("configured") / str(make.NAME)
    site = Site(folder, ("127.0.0.1", free_port()), way, authority=daemon.address)
    with running(make, need(make.PROGRAM), site) as started:
        yield started


def test_static_steered_and_missing_names(daemon: Daemon, configured: Resolver) -> None:
    """What we say ourselves."""
    for name, type_ in (
        ("mail.example.com", "A"),
        ("mail.example.com", "AAAA"),
        ("www.example.com", "A"),
        ("any.app.example.com", "A"),
        ("alias.example.com", "A"),
        ("nothing.example.com", "A"),
        ("www.example.com", "TXT"),
        ("below.empty.example.com", "A"),
        ("empty.example.com", "A"),
    ):
        ours, theirs = daemon.ask(name, type_), configured.ask(name, type_)
        assert (theirs.rcode, theirs.addresses) == (ours.rcode, ours.addresses), theirs.message


def test_large_answers(configured: Resolver) -> None:
    """Over TCP on both sides."""
    (texts,) = configured.ask("many.example.com", "TXT", tcp=True).message.answer
    assert len(texts) == 20


def test_caches(daemon: Daemon, configured: Resolver) -> None:
    """One query for a name; where subnets are passed on, one per place."""
    name = f"{label((configured.make, configured.site.way))}.app.example.com"
    before = daemon.metric("georouter_dns_requests_total", zone="example.com")
    configured.ask(name)
    configured.ask(name)
    assert daemon.metric("georouter_dns_requests_total", zone="example.com") == before + 1
    if not configured.passes_subnets:
        return
    for client, address in (
        (LONDON, EU_WEST),
        (SINGAPORE, AP_SOUTH),
        (LONDON, EU_WEST),
        (SINGAPORE, AP_SOUTH),
    ):
        assert configured.ask(name, client=client).addresses == (address,)
    assert daemon.metric("georouter_dns_requests_total", zone="example.com") == before + 3
