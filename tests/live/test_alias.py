"""Alias records in a running daemon: the target changes, is slow, dies, and returns."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.edns
import dns.rcode
import pytest

from benchmarks.harness.ask import Reply
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.outside import Outside
from benchmarks.harness.policies import EU_WEST, LONDON, three_regions
from benchmarks.harness.wait import until

pytestmark = pytest.mark.live

OLD, NEW, V6 = "198.51.100.1", "198.51.100.2", "2001:db8:99::1"
TARGET = "lb.vendor.test."
KNOWN = (f"{TARGET} 1 A {OLD}", f"{TARGET} 1 AAAA {V6}")
RECORDS = (
    f'"@": [{{alias: {TARGET}}}, {{MX: "10 mail"}}, {{TXT: top}}]',
    "mail: {A: 192.0.2.60}",
    'cname: {CNAME: "@"}',
    f'"*.wild": {{alias: {TARGET}, ttl: 7s}}',
    "steered: {alias: www}",
    "static: {alias: mail}",
)
STALE, NOT_READY = dns.edns.EDECode.STALE_ANSWER, dns.edns.EDECode.NOT_READY


@pytest.fixture
def outside() -> Any:
    """A resolver that knows the target, with a short TTL."""
    with Outside(*KNOWN) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Outside]]:
    """A daemon for those who leave it as they find it, and the resolver that it asks."""
    folder = tmp_path_factory.mktemp("shared")
    with Outside(*KNOWN) as outside, make(folder, outside) as daemon:
        yield daemon, outside


def policy() -> str:
    """Steered, static and outside targets."""
    return three_regions(records=RECORDS)


def make(folder: Path, outside: Outside, *, timeout: str = "300ms", max_ttl: str = "1h") -> Daemon:
    """A daemon that asks `outside`; not started."""
    resolver = (
        f"resolver: {{addresses: ['{outside.address}'], timeout: {timeout}, min_ttl: 1s, max_ttl: {max_ttl}}}"
    )
    return Daemon(folder, policy(), server=f", {resolver}", ready="mail.example.com")


def extended(reply: Reply) -> int | None:
    """The code of the extended error, if there is one."""
    return next((int(o.code) for o in reply.message.options if isinstance(o, dns.edns.EDEOption)), None)


def target(daemon: Daemon) -> Any:
    """What `status` knows of the only target."""
    (found,) = daemon.status()["aliases"]
    return found


def test_the_first_answer_is_a_good_one(tmp_path: Path, outside: Outside) -> None:
    """A start waits for the first round; both families, at the apex, behind a CNAME, by a wildcard."""
    with make(tmp_path, outside) as daemon:
        top = daemon.ask("example.com", client=LONDON)
        assert top.addresses == (OLD,)
        assert top.message.answer[0].ttl == 1
        assert top.scope == 0
        assert daemon.ask("example.com", "AAAA").addresses == (V6,)
        assert daemon.ask("a.wild.example.com").addresses == (OLD,)
        assert daemon.ask("cname.example.com").addresses == (OLD,)
        assert daemon.ask("example.com", "MX").message.answer
        assert daemon.ask("example.com", "HTTPS").message.answer == []
        assert daemon.ask("static.example.com").addresses == ("192.0.2.60",)
        steered, same = (daemon.ask(f"{name}.example.com", client=LONDON) for name in ("steered", "www"))
        assert steered.addresses == same.addresses == (EU_WEST,)
        assert steered.scope == same.scope
        assert {name.split(".")[0] for name in outside.asked} == {"lb"}


def test_a_change_is_followed(tmp_path: Path, outside: Outside) -> None:
    """By its TTL: new addresses, a chain of CNAMEs, one family gone."""
    with make(tmp_path, outside) as daemon:
        outside.records = (
            f"{TARGET} 1 CNAME edge.vendor.test.",
            "edge.vendor.test. 300 CNAME a.pool.test.",
            f"a.pool.test. 60 A {NEW}",
            f"a.pool.test. 60 A {OLD}",
        )
        until(lambda: daemon.ask("example.com").addresses == (OLD, NEW), "the chain's addresses")
        assert daemon.ask("example.com").message.answer[0].ttl == 1
        until(lambda: daemon.ask("example.com", "AAAA").addresses == (), "no IPv6 any more")
        assert daemon.ask("example.com", "AAAA").message.rcode() == dns.rcode.NOERROR
        assert "alias.changed target=lb.vendor.test" in daemon.output()


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"rcode": dns.rcode.SERVFAIL}, "SERVFAIL from"),
        ({"rcode": dns.rcode.NXDOMAIN}, "no such name"),
        ({"silent": True}, "timeout after 0.6 s"),
        ({"records": (f"{TARGET} 1 TXT nothing",)}, "no addresses"),
        (
            {"records": (f"{TARGET} 1 CNAME example.com.", f"example.com. 1 A {OLD}")},
            "leads back to example.com",
        ),
        ({"records": (f"{TARGET} 1 A 0.0.0.0",)}, "only addresses that are nobody's"),
    ],
    ids=["servfail", "nxdomain", "silence", "nodata", "loop", "blocked"],
)
def test_trouble_keeps_the_last_good(
    shared: tuple[Daemon, Outside], trouble: dict[str, Any], reason: str
) -> None:
    """Served on, marked stale, told once; what returns is believed at once."""
    daemon, outside = shared
    until(lambda: target(daemon)["state"] == "fresh", "a start without trouble")
    told = len(daemon.output())
    try:
        for key, value in trouble.items():
            setattr(outside, key, value)
        until(lambda: target(daemon)["failures"] >= 2, "a round that was all trouble")
        assert target(daemon)["state"] == "stale"
        for kind, address in (("A", OLD), ("AAAA", V6)):
            reply = daemon.ask("example.com", kind, LONDON)
            assert reply.addresses == (address,)
            assert extended(reply) == STALE
        assert reason in target(daemon)["reason"]
        assert daemon.metric("georouter_alias_state", target="lb.vendor.test", state="stale") == 1
        until(lambda: target(daemon)["failures"] >= 3, "further tries")
        assert daemon.output()[told:].count("alias.failing") == 1
    finally:
        outside.records, outside.rcode, outside.silent = KNOWN, dns.rcode.NOERROR, False
    until(lambda: target(daemon)["state"] == "fresh", "freshness")
    assert extended(daemon.ask("example.com", client=LONDON)) is None
    assert daemon.output()[told:].count("alias.recovered") == 1


def test_before_anything_is_known(tmp_path: Path, outside: Outside) -> None:
    """SERVFAIL and why, not an empty answer; other names do not wait longer than a timeout for it."""
    outside.silent = True
    with make(tmp_path, outside) as daemon:
        for name in ("example.com", "a.wild.example.com", "cname.example.com"):
            reply = daemon.ask(name, client=LONDON)
            assert reply.message.rcode() == dns.rcode.SERVFAIL
            assert extended(reply) == NOT_READY
        assert daemon.ask("steered.example.com").addresses
        assert target(daemon)["state"] == "unknown"
        outside.silent = False
        until(lambda: daemon.ask("example.com").addresses == (OLD,), "an answer")


def test_a_slow_target_is_waited_for(tmp_path: Path, outside: Outside) -> None:
    """Within the timeout it is as good as any."""
    outside.slow_s = 0.2
    with make(tmp_path, outside, timeout="2s") as daemon:
        assert daemon.ask("example.com").addresses == (OLD,)


def test_a_restart_serves_the_last_good_at_once(tmp_path: Path, outside: Outside) -> None:
    """Also when nobody answers any more, and however it ended."""
    daemon = make(tmp_path, outside)
    with daemon:
        until(lambda: '"aliases":[{' in state(daemon), "the saved state")
    outside.silent = True
    with daemon:
        assert daemon.ask("example.com").addresses == (OLD,)
        assert daemon.ask("example.com", "AAAA").addresses == (V6,)
        until(lambda: extended(daemon.ask("example.com", client=LONDON)) == STALE, "staleness")


def state(daemon: Daemon) -> str:
    """The saved state as it is."""
    file = daemon.state_dir / "state.json"
    return file.read_text() if file.exists() else ""


def test_a_reload_asks_first(tmp_path: Path, outside: Outside) -> None:
    """A name that becomes an alias has its addresses with the policy that says so: no answer between."""
    outside.records += ("new.vendor.test. 60 A 198.51.100.9",)
    with make(tmp_path, outside) as daemon:
        daemon.write(policy().replace("mail: {A: 192.0.2.60}", "mail: {alias: new.vendor.test.}"))
        seen: set[tuple[str, ...]] = set()

        def arrived() -> bool:
            reply = daemon.ask("mail.example.com")
            assert reply.message.rcode() == dns.rcode.NOERROR
            seen.add(reply.addresses)
            return reply.addresses == ("198.51.100.9",)

        until(arrived, "the alias")
        assert seen <= {("192.0.2.60",), ("198.51.100.9",)}


def test_a_service_of_hostnames_at_the_apex(tmp_path: Path, outside: Outside) -> None:
    """An alias answers with addresses where the service itself answers with a CNAME."""
    text = """\
regions:
  us: {location: {lat: 39.0, lon: -77.5, country: US}, endpoints: [lb.vendor.test]}
  eu: {location: {lat: 53.3, lon: -6.3, country: IE}, endpoints: [host.example.com]}
services:
  web: {regions: [us, eu], chain: [nearest]}
zones:
  example.com:
    ns: [ns.elsewhere.test]
    records: {"@": {alias: www}, www: {service: web}, host: {A: 192.0.2.70}, mail: {A: 192.0.2.60}}
"""
    daemon = make(tmp_path, outside)
    daemon.write(text)
    with daemon:
        assert daemon.ask("example.com", client="8.8.8.0/24").addresses == (OLD,)
        european = daemon.ask("example.com", client=LONDON)
        assert european.addresses == ("192.0.2.70",)
        assert european.scope == daemon.ask("www.example.com", client=LONDON).scope
        outside.records = (f"{TARGET} 1 A {NEW}",)
        until(lambda: daemon.ask("example.com", client="8.8.8.0/24").addresses == (NEW,), "the new address")


def test_our_own_address_is_noticed(tmp_path: Path, outside: Outside) -> None:
    """As a resolver in the policy: an error; told by a wildcard of ours: said, and no query sent."""
    daemon = make(tmp_path, outside)
    own = f"{daemon.address[0]}:{daemon.address[1]}"
    daemon.config.write_text(daemon.config.read_text().replace(outside.address, own))
    with pytest.raises(RuntimeError, match="is where this server listens"):
        daemon.start()


def test_explain(shared: tuple[Daemon, Outside]) -> None:
    """Which target, how good it is, and the decision behind a steered one."""
    daemon, _ = shared
    code, body = daemon.get("/v1/explain?name=example.com&client=192.0.2.1")
    assert code == 200
    assert '"target": "lb.vendor.test"' in body.replace('":"', '": "')
