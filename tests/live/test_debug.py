"""Debug names, asked with dig: the decision and the state of a running daemon."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.harness.daemon import PROGRAM, Daemon
from benchmarks.harness.policies import LONDON, three_regions
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.wait import until
from tests.live.conftest import RECORDS, SERVICES
from tests.live.test_dig import status

pytestmark = pytest.mark.live
Dig = Callable[..., str]
STRANGER = "127.0.0.99"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """As elsewhere, and this machine's usual addresses may ask."""
    allow = ", debug: {allow: [127.0.0.0/30, '::1']}"
    policy = three_regions(records=RECORDS, services=SERVICES)
    with Daemon(tmp_path_factory.mktemp("daemon"), policy, server=allow) as running:
        yield running


def lines(output: str) -> list[str]:
    """The strings of a `+short` answer."""
    return [re.sub('" "', "", line).strip('"') for line in output.splitlines()]


@pytest.mark.parametrize("how", ["+notcp", "+tcp"])
def test_the_decision(dig: Dig, daemon: Daemon, how: str) -> None:
    """For the client subnet that is sent, from the question to the answer, which is the one that is given."""
    until(lambda: lines(dig(daemon.address, "TXT", "_explain.www.example.com", "+short")), "an explanation")
    words = ("TXT", "_explain.www.example.com", f"+subnet={LONDON}", how)
    told = lines(dig(daemon.address, *words, "+short"))
    answer = dig(daemon.address, "A", "www.example.com", f"+subnet={LONDON}", "+short").strip()
    assert told[0] == f"www.example.com A for {LONDON} through the resolver 127.0.0.1"
    assert f"judged by: the client subnet {LONDON}" in told
    assert "choice: 100.0% eu-west, taken now" in told
    assert f"answer: answer www.example.com 30 A {answer}" in told
    whole = dig(daemon.address, *words)
    assert f"CLIENT-SUBNET: {LONDON}/24" in whole
    assert re.search(r"^_explain\.www\.example\.com\.\s+0\s+IN\s+TXT\s", whole, re.MULTILINE)


def test_it_says_what_the_command_says(dig: Dig, daemon: Daemon) -> None:
    """One decision, whoever asks it how."""
    told = lines(dig(daemon.address, "TXT", "_explain.www.example.com", "+subnet=10.0.0.0/24", "+short"))
    command = [PROGRAM, "explain", "www.example.com", "--client", "10.0.0.0/24", "--resolver", "127.0.0.1"]
    done = subprocess.run(
        [*command, "--config", str(daemon.config), "--live"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = " ".join(done.stdout.split())
    for line in told:
        if line.startswith(("judged by: ", "answer: a cache")):
            assert line.partition(": ")[2] in said


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("_explain.mail.example.com", "name: static records, the same for every client; zone example.com"),
        ("_explain.nothing.example.com", "name: the zone has no such name; zone example.com"),
        ("_explain.a.b.app.example.com", "name: service web; zone example.com; matches *.app.example.com"),
        ("_explain.alias.example.com", "name: service web; zone example.com; matches alias.example.com"),
        ("_explain.empty.example.com", "name: the name exists, records of this type do not"),
        ("_explain-mx.example.com", "answer: answer example.com 3600 MX 10 mail.example.com."),
        ("_state.web", "region eu-west: acts as up, checks say up"),
        ("_state.web.example.com", "service web: normal, answered from"),
        ("_state.wep", "there is no service wep; did you mean web?"),
    ],
)
def test_every_kind_of_name(dig: Dig, daemon: Daemon, name: str, sentence: str) -> None:
    """Each gets a sentence that helps."""

    def asked() -> list[str]:
        return lines(dig(daemon.address, "TXT", name, "+short"))

    told = until(asked, "an answer, perhaps after a pause")
    assert any(line.startswith(sentence) for line in told), told


@pytest.mark.parametrize(
    ("name", "code"), [("_explain.www.example.com", "NXDOMAIN"), ("_state.web", "REFUSED")]
)
@pytest.mark.parametrize("how", ["+notcp", "+tcp"])
def test_for_others_there_is_nothing(dig: Dig, daemon: Daemon, name: str, code: str, how: str) -> None:
    """By their source address, whatever client subnet they send."""
    output = dig(daemon.address, "TXT", name, "-b", STRANGER, "+subnet=127.0.0.1/32", how)
    assert status(output) == code


def test_more_than_udp_carries(dig: Dig, daemon: Daemon) -> None:
    """TC to who can take little; dig then asks over TCP."""
    output = dig(daemon.address, "TXT", "_state.web", "+noedns", "+ignore")
    assert status(output) == "NOERROR"
    small = dig(daemon.address, "TXT", "_explain.www.example.com", "+bufsize=512", "+ignore")
    assert re.search(r"flags: qr aa tc", small), small


def test_answers_go_on_while_explanations_are_asked(dig: Dig, daemon: Daemon) -> None:
    """A flood of questions: some wait, none of it is anybody else's matter; all of it is counted."""
    names = ["_explain.www.example.com"] * 40
    before = daemon.metric("georouter_dns_debug_total")
    flood = subprocess.Popen(
        ["dig", "@127.0.0.1", "-p", str(daemon.address[1]), "+tries=1", "-b", "127.0.0.2", "TXT", *names],
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(50):
        assert daemon.ask("www.example.com", client=LONDON, timeout_s=1.0).addresses
    output = flood.communicate(timeout=60)[0]
    assert output.count("status: NOERROR") >= 10
    assert output.count("status: NOERROR") + output.count("status: SERVFAIL") == 40
    assert daemon.metric("georouter_dns_debug_total") == before + 40


def test_the_state_follows_health(dig: Dig, tmp_path: Path) -> None:
    """A region that fails its checks, with since when and why; and one that is drained, with who and why."""
    with (
        RegionServer(tmp_path / "us") as us,
        RegionServer(tmp_path / "eu") as eu,
        RegionServer(tmp_path / "ap") as ap,
    ):
        policy = three_regions([us.port, eu.port, ap.port], pace="interval: 200ms, timeout: 100ms, fall: 2")
        with Daemon(tmp_path / "daemon", policy, server=", debug: {allow: 127.0.0.1}") as running:

            def told() -> list[str]:
                return lines(dig(running.address, "TXT", "_state.web", "+short"))

            eu.kill()
            until(lambda: any("eu-west: acts as down" in line for line in told()), "the failover", 20.0)
            running.post("/v1/drain", {"region": "ap-south", "reason": "kernel update", "author": "ada"})
            said = until(lambda: [line for line in told() if "drained by ada" in line], "an answer", 10.0)
            assert re.search(
                r"region ap-south: acts as drained, checks say up.*since 20.*: kernel update$", said[0]
            )
            (endpoint,) = until(lambda: [line for line in told() if "of eu-west" in line], "an answer", 10.0)
            assert re.match(r"endpoint 192\.0\.2\.20 of eu-west: down since 20.*refused", endpoint), endpoint
