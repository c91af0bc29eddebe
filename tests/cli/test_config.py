"""Finding the daemon: option, environment, policy, default; and the token."""

from pathlib import Path

import click
import pytest

from georouter.cli.config import DEFAULT_ADMIN, Daemon, admin_url, find_daemon
from georouter.policy.load import PolicyFile
from georouter.sources.state_files import save_last_good
from tests.admin.desks import FakeDesk
from tests.cli.conftest import Run
from tests.cli.daemons import open_door

POLICY = """\
version: 1
server: {{{server}}}
regions:
  eu: {{location: {{lat: 52.4, lon: 4.9, country: NL}}, endpoints: [192.0.2.1]}}
services:
  web: {{regions: [eu]}}
zones:
  example.com:
    soa: {{rname: hostmaster.example.com}}
    ns: [ns1.example.com]
    records:
      ns1: {{A: 192.0.2.53}}
      www: {{service: web}}
"""


@pytest.fixture(autouse=True)
def _clean(run: Run) -> None:
    """Every test starts in an empty folder with an empty environment."""


def policy(server: str) -> str:
    """A policy file in the current folder, with this server section."""
    Path("policy.yaml").write_text(POLICY.format(server=server), encoding="utf-8")
    return "policy.yaml"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("127.0.0.1:8053", "http://127.0.0.1:8053"),
        ("[::1]:8053", "http://[::1]:8053"),
        (":9000", "http://127.0.0.1:9000"),
        ("router:9000", "http://router:9000"),
        ("https://router.example.com/", "https://router.example.com"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    """A URL, or host and port."""
    assert admin_url(text) == url


@pytest.mark.parametrize("text", ["router", "router:port", "ftp://router:21", "http://", "[::1", "a:99999"])
def test_what_is_no_address(text: str) -> None:
    """Anything else is a usage error that shows how one looks."""
    with pytest.raises(click.UsageError, match=DEFAULT_ADMIN):
        admin_url(text)


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ('admin: "127.0.0.1:9053"', "http://127.0.0.1:9053"),
        ('admin: "[::1]:9053"', "http://[::1]:9053"),
        ('admin: "0.0.0.0:9053"', "http://127.0.0.1:9053"),
        ('admin: "[::]:9053"', "http://[::1]:9053"),
    ],
)
def test_from_the_policy(server: str, url: str) -> None:
    """Without --admin the policy says where; a daemon that listens everywhere is asked on loopback."""
    assert find_daemon(config=policy(server)) == Daemon(url)


def test_nothing_given() -> None:
    """Without option and policy: the default address."""
    assert find_daemon() == Daemon(f"http://{DEFAULT_ADMIN}")


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`$GEOROUTER_CONFIG` names the policy."""
    monkeypatch.setenv("GEOROUTER_CONFIG", policy('admin: "127.0.0.1:9053"'))
    assert find_daemon().url == "http://127.0.0.1:9053"


def test_a_policy_that_is_not_there() -> None:
    """A policy that was named and cannot be read is an error."""
    with pytest.raises(click.ClickException, match=r"nowhere\.yaml"):
        find_daemon(config="nowhere.yaml")


def test_an_invalid_policy(capsys: pytest.CaptureFixture[str]) -> None:
    """With a broken policy the default address is asked: the daemon may serve its last good one."""
    Path("policy.yaml").write_text("version: 1\nserver: {admn: x}\n", encoding="utf-8")
    assert find_daemon(config="policy.yaml").url == f"http://{DEFAULT_ADMIN}"
    assert "the policy cannot be used" in capsys.readouterr().err


def test_an_invalid_policy_with_a_last_good_one() -> None:
    """The daemon that serves the saved policy is found where that policy puts it."""
    good = PolicyFile(str(Path("policy.yaml").absolute()), 'version: 1\nserver: {admin: "127.0.0.1:9053"}\n')
    save_last_good(Path("state"), [good])
    Path("policy.yaml").write_text("version: 1\nserver: {admn: x}\n", encoding="utf-8")
    assert find_daemon(config="policy.yaml").url == "http://127.0.0.1:9053"


def test_an_invalid_policy_with_a_last_good_one_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """`$GEOROUTER_STATE_DIR` moves the state of daemon and commands alike, as in the container."""
    good = PolicyFile(str(Path("policy.yaml").absolute()), 'version: 1\nserver: {admin: "127.0.0.1:9053"}\n')
    save_last_good(Path("elsewhere"), [good])
    monkeypatch.setenv("GEOROUTER_STATE_DIR", "elsewhere")
    Path("policy.yaml").write_text("version: 1\nserver: {admn: x}\n", encoding="utf-8")
    assert find_daemon(config="policy.yaml").url == "http://127.0.0.1:9053"


def test_a_last_good_policy_of_another_version() -> None:
    """What is no policy any more is as good as none."""
    bad = PolicyFile(str(Path("policy.yaml").absolute()), "version: 7\n")
    save_last_good(Path("state"), [bad])
    Path("policy.yaml").write_text("version: 1\nserver: {admn: x}\n", encoding="utf-8")
    assert find_daemon(config="policy.yaml").url == f"http://{DEFAULT_ADMIN}"


def test_tokens() -> None:
    """A token file that was named must be readable; the policy's own is used if it is."""
    token = Path("token").absolute()
    token.write_text("secret\n", encoding="utf-8")
    server = f'admin: "127.0.0.1:9053", admin_token_file: {token}'
    assert find_daemon(config=policy(server)).token == "secret"
    assert find_daemon(admin=":1", token_file=str(token)).token == "secret"
    token.write_text("", encoding="utf-8")
    with pytest.raises(click.ClickException, match="does not hold"):
        find_daemon(admin=":1", token_file=str(token))
    with pytest.raises(click.ClickException, match="cannot be read"):
        find_daemon(admin=":1", token_file="nowhere")
    token.unlink()
    assert find_daemon(config=policy(server)).token is None


def test_the_token_is_sent(run: Run) -> None:
    """Changes bring the token; a wrong one is refused, with exit code 1."""
    Path("right").write_text("right\n", encoding="utf-8")
    Path("wrong").write_text("wrong\n", encoding="utf-8")
    desk = FakeDesk()
    with open_door(desk, token="right") as port:
        where = ("--admin", f"127.0.0.1:{port}")
        assert run("drain", "eu-west", "--reason", "x", *where, "--token-file", "right").exit_code == 0
        refused = run("drain", "eu-west", "--reason", "x", *where, "--token-file", "wrong")
    assert refused.exit_code == 1
    assert "the token is not right" in refused.output
    assert len(desk.changes) == 1
