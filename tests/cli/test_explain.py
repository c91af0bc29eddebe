"""The command `explain`: live, offline, and what it says."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from georouter.analysis.explain import explain as decide
from georouter.cli import offline
from georouter.cli.explain import explain
from georouter.cli.explanation import source
from georouter.facts.world import World
from georouter.policy.load import PolicyFile, load
from tests.compiler.build import ASHBURN, BERLIN, client, tiny_map

NO_DAEMON = "http://127.0.0.1:9"
"""The discard port, where nobody listens."""

POLICY = """
version: 1
server: {admin: "127.0.0.1:9"}
regions:
  us: {location: {lat: 39.0, lon: -77.5}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 53.3, lon: -6.3}, endpoints: [192.0.2.20]}
services:
  web:
    regions: [us, eu]
    chain:
      - residency: {clients: {country: [DE]}, regions: [eu]}
      - nearest
zones:
  example.com:
    ns: [ns1.example.com]
    records:
      www: {service: web}
      ns1: {A: 192.0.2.53}
"""

Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A small policy on disk."""
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def run(config: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command on the tiny map; the config is added unless `--config` is among the words."""
    monkeypatch.setattr(offline, "internet", lambda policy: tiny_map())
    monkeypatch.delenv("GEOROUTER_ADMIN", raising=False)

    def call(*words: str) -> Result:
        named = () if "--config" in words else ("--config", str(config))
        return CliRunner().invoke(explain, [*words, *named])

    return call


def text(result: Result) -> str:
    """Output without alignment and line breaks."""
    return " ".join(result.stdout.split())


def test_says_each_step_the_choice_and_the_answer(run: Run) -> None:
    """From the question to the record, with reasons in between."""
    result = run("www.example.com", "--client", client(BERLIN), "--offline")
    said = text(result)
    assert result.exit_code == 0
    assert said.startswith("www.example.com A for 10.0.0.0/32 offline: decided from ")
    for expected in (
        "in us = eu",
        "why the client is fenced by country DE: only eu",
        "dropped us",
        "out eu",
        "reason primary: the first choice answers",
        "100.0% eu, taken now",
        "answer www.example.com 30 A 192.0.2.20",
    ):
        assert expected in said


def test_without_a_daemon_it_decides_offline_and_says_so(run: Run) -> None:
    """Nobody listens at the policy's admin address."""
    result = run("www.example.com", "--client", client(ASHBURN), "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert told["source"]["mode"] == "offline"
    assert told["decided"] == {"service": "web", "region": "us", "reason": "primary"}


def test_down_regions_are_taken_out(run: Run) -> None:
    """As if the region had failed its checks."""
    told = json.loads(run("www.example.com", "--client", client(ASHBURN), "--down", "us", "--json").stdout)
    assert told["source"]["down"] == ["us"]
    assert told["decided"] == {"service": "web", "region": "eu", "reason": "failover"}


def test_a_saved_state_is_explained(run: Run, tmp_path: Path) -> None:
    """Health and overrides as `status` printed them; what is no status is said to be none."""
    saved = tmp_path / "status.json"
    region = {"name": "us", "observed": "up", "forced": "drained", "effective": "drained", "health": 0.5}
    saved.write_text(json.dumps({"regions": [{**region, "rtt_ms": None}], "services": []}))
    asked = ("www.example.com", "--client", client(ASHBURN), "--state", str(saved))
    told = json.loads(run(*asked, "--json").stdout)
    assert told["decided"] == {"service": "web", "region": "eu", "reason": "forced"}
    assert [item["health"] for item in told["steering"]["regions"]] == [0.5, 1.0]
    assert "in the state saved in" in text(run(*asked))
    assert ", but down: eu" in text(run(*asked, "--down", "eu"))
    for content in ("[]", "{", '{"regions": [{"name": "us"}]}'):
        saved.write_text(content)
        result = run(*asked)
        assert (result.exit_code, "is not what `georouter status --json` prints" in result.output) == (
            2,
            True,
        )
    assert run(*asked, "--live").exit_code == 2
    assert "cannot be read" in run(*asked[:3], "--state", str(tmp_path / "gone")).output


def test_a_private_client_is_judged_by_the_resolver(run: Run) -> None:
    """It is said whose address decided and why, in words and as JSON; without a subnet, too."""
    words = ("www.example.com", "--client", "0.1.2.0/24", "--resolver", client(BERLIN), "--offline")
    said = text(run(*words))
    assert said.startswith("www.example.com A for 0.1.2.0/24 through the resolver 10.0.0.0 offline")
    assert (
        "judged by the resolver's address 10.0.0.0, because the client subnet 0.1.2.0/24 is a private or "
        "reserved network that nobody placed place Germany" in said
    )
    assert "a cache may give this answer to every client in 0.1.2.0/24" in said
    told = json.loads(run(*words, "--json").stdout)
    assert told["judged"]["by"] == "resolver"
    assert told["judged"]["network"] == "10.0.0.0/32"
    assert told["decided"]["region"] == "eu"
    said = text(run("www.example.com", "--resolver", client(BERLIN), "--offline"))
    assert "judged by the resolver's address 10.0.0.0, because the query has no client subnet" in said
    assert "scope" not in said


def test_static_names_are_explained_too(run: Run) -> None:
    """No steps, only the records."""
    said = text(run("ns1.example.com", "--client", "192.0.2.1", "--offline"))
    assert "name static records, the same for every client; zone example.com; matches ns1.example.com" in said
    assert "scope a cache may give this answer to every client" in said


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("www.example.com",), 2, "name a client, a resolver, or both"),
        (("www.example.com", "--resolver", "192.0.2.0/24"), 2, "not an address like"),
        (("www.example.com", "--client", "berlin"), 2, "not an address or a network"),
        (
            ("www.example.com", "--client", "192.0.2.1", "--type", "BANANA", "--offline"),
            2,
            "not a record type",
        ),
        (("www..com", "--client", "192.0.2.1", "--offline"), 2, "empty label"),
        (("www.example.com", "--client", "192.0.2.1", "--down", "euu"), 2, "did you mean eu?"),
        (("www.example.com", "--client", "192.0.2.1", "--down", "mars"), 2, "there are us, eu"),
        (("www.example.com", "--client", "192.0.2.1", "--down", "us", "--live"), 2, "use --offline"),
        (("www.example.com", "--client", "192.0.2.1", "--live"), 1, "no daemon answers"),
        (("x", "--client", "192.0.2.1", "--offline", "--config", "/nowhere.yaml"), 2, "/nowhere.yaml"),
    ],
)
def test_what_cannot_be_explained(run: Run, words: tuple[str, ...], code: int, complaint: str) -> None:
    """2 for what was typed wrong, 1 for what cannot be had."""
    result = run(*words)
    assert result.exit_code == code
    assert complaint in result.stderr


def test_a_bad_policy_is_reported_with_all_its_problems(run: Run, config: Path) -> None:
    """The same lines as `check` prints, and exit code 1."""
    config.write_text(POLICY.replace("regions: [us, eu]", "regions: [us, ue]"))
    result = run("www.example.com", "--client", "192.0.2.1", "--offline")
    assert result.exit_code == 1
    assert "policy.yaml" in result.stderr
    assert "ue" in result.stderr


@contextmanager
def daemon(status: int, body: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    """Something on a loopback port that answers every request alike; its address, and what was asked."""
    asked: list[dict[str, list[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(parse_qs(urlsplit(self.path).query))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def live_answer() -> dict[str, Any]:
    """What a daemon would say."""
    policy = load((PolicyFile("policy.yaml", POLICY),)).policy
    return decide(policy, tiny_map(), World(), "www.example.com", client(ASHBURN), now=1.0).as_dict()


def test_a_running_daemon_is_asked_first(run: Run) -> None:
    """Its explanation is printed as it came, and the first lines say where from."""
    with daemon(200, live_answer()) as (url, asked):
        result = run("www.example.com", "--client", client(ASHBURN), "--type", "AAAA", "--admin", url)
        told = json.loads(
            run("www.example.com", "--client", client(ASHBURN), "--json", "--admin", url).stdout
        )
    assert f"live: decided by the daemon at {url}" in text(result)
    assert asked[0] == {"name": ["www.example.com"], "client": [client(ASHBURN)], "type": ["AAAA"]}
    assert told == {"source": {"mode": "live", "daemon": url}, **live_answer()}


def test_a_daemon_is_told_the_resolver(run: Run) -> None:
    """With and without a client."""
    with daemon(200, live_answer()) as (url, asked):
        run("www.example.com", "--client", "192.0.2.1", "--resolver", "192.0.2.53", "--admin", url)
        run("www.example.com", "--resolver", "192.0.2.53", "--admin", url)
    alone = {"name": ["www.example.com"], "resolver": ["192.0.2.53"], "type": ["A"]}
    assert asked == [{**alone, "client": ["192.0.2.1"]}, alone]


def test_offline_does_not_ask(run: Run) -> None:
    """Neither does `--down`."""
    with daemon(200, live_answer()) as (url, asked):
        run("www.example.com", "--client", "192.0.2.1", "--offline", "--admin", url)
        run("www.example.com", "--client", "192.0.2.1", "--down", "us", "--admin", url)
    assert asked == []


def test_a_daemon_that_refuses_the_question_is_right(run: Run) -> None:
    """HTTP 400 is the question's fault: exit code 2."""
    with daemon(400, {"error": "'BANANA' is not a record type"}) as (url, _):
        result = run("www.example.com", "--client", "192.0.2.1", "--type", "BANANA", "--admin", url)
    assert result.exit_code == 2
    assert "not a record type" in result.stderr


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--live",), 1)])
def test_a_daemon_in_trouble(run: Run, words: tuple[str, ...], code: int) -> None:
    """HTTP 500: decide offline, unless the daemon was insisted on."""
    with daemon(500, {"error": "something is wrong here"}) as (url, _):
        result = run("www.example.com", "--client", "192.0.2.1", "--admin", url, *words)
    assert result.exit_code == code
    assert ("offline:" in result.stdout) == (code == 0)


def test_words_for_people() -> None:
    """Sources in one line each."""
    assert source({"mode": "live", "daemon": NO_DAEMON}) == f"live: decided by the daemon at {NO_DAEMON}"
    assert source({"mode": "offline", "policy": "p", "down": ["a", "b"]}).endswith("every region up but a, b")
