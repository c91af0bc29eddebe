"""The server section in use: what a reload takes over, and what waits for a restart."""

import logging
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from georouter.answers.networks import of
from georouter.answers.ratelimit import Rate
from georouter.daemon.settings import RESTART, Settings, read_token
from georouter.policy.model import Server
from georouter.server.sending import TransferLimits
from georouter.server.tcp import TcpLimits
from georouter.words.errors import SourceError

EVERYTHING = Server(
    udp_payload_limit=1400,
    receive_buffer_bytes=1 << 20,
    python_queue=100,
    tcp_connections=10,
    tcp_connections_per_client=5,
    tcp_idle_timeout_s=3.0,
    tcp_lifetime_s=60.0,
    cookies=False,
    nsid="n",
    identity="i",
    version="v",
    rate_limit=Rate(10),
    debug=of([ip_network("127.0.0.0/8")]),
    transfers=3,
    transfers_per_client=1,
)
"""Every setting that needs no restart, other than by default."""
OTHERWISE: dict[str, object] = {
    "listen": (("127.0.0.1", 1),),
    "admin": None,
    "state_dir": "/elsewhere",
    "workers": 4,
    "path": "python",
}
"""Every setting that does."""


def test_every_setting_is_taken_over_or_waits() -> None:
    """None is forgotten: what is in neither group goes with the answers, which a reload makes anew."""
    with_answers = {"seed", "location", "resolver", "brake"}
    secrets = {"admin_token_file", "cookie_secret_file", "keys"}
    changed = {name for name in Server.__slots__ if getattr(EVERYTHING, name) != getattr(Server(), name)}
    assert changed | secrets | with_answers | set(RESTART) == set(Server.__slots__)
    assert set(OTHERWISE) == set(RESTART)


def test_a_reload_takes_over_what_needs_no_socket(tmp_path: Path) -> None:
    """All of it at once, and back."""
    settings = Settings(Server(), tmp_path)
    before = settings.current
    settings.adopt(EVERYTHING)
    now = settings.current
    assert now.limits.udp_payload == 1400
    assert now.receive_buffer_bytes == 1 << 20
    assert now.tcp == TcpLimits(10, 5, 3.0, 60.0)
    assert now.waiting == 100
    assert now.rate == Rate(10)
    assert now.debug == EVERYTHING.debug
    assert now.transfers == TransferLimits(3, 1)
    conduct = now.conduct
    assert (conduct.cookies, conduct.nsid, conduct.identity, conduct.version) == (None, b"n", "i", "v")
    assert settings.waiting == ()
    settings.adopt(Server())
    assert replace(settings.current, conduct=before.conduct) == before
    assert settings.current.conduct.cookies is not None


@pytest.mark.parametrize("key", RESTART)
def test_what_waits_for_a_restart(tmp_path: Path, key: str) -> None:
    """It is named as in the policy, for as long as the policy says so."""
    settings = Settings(Server(), tmp_path)
    settings.adopt(replace(Server(), **{key: OTHERWISE[key]}))  # type: ignore[arg-type]
    assert settings.waiting == (key,)
    settings.adopt(Server())
    assert settings.waiting == ()


def test_a_state_dir_from_the_command_line(tmp_path: Path) -> None:
    """The policy's does not count, so a change of it waits for nothing."""
    settings = Settings(Server(), tmp_path, fixed_state_dir=True)
    settings.adopt(Server(state_dir="/elsewhere"))
    assert settings.waiting == ()


def test_the_admin_token_is_read_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At every reload; one that cannot be read leaves the one in use, and that is said."""
    file = tmp_path / "token"
    file.write_text("one\n")
    policy = Server(admin_token_file=str(file))
    settings = Settings(policy, tmp_path)
    assert settings.token == "one"
    file.write_text("two\n")
    settings.adopt(policy)
    assert settings.token == "two"
    file.write_text("")
    with caplog.at_level(logging.ERROR):
        settings.adopt(policy)
    assert settings.token == "two"
    assert "admin.token_unreadable" in caplog.text
    settings.adopt(Server())
    assert settings.token is None


def test_tokens_that_cannot_be_read(tmp_path: Path) -> None:
    """None where none is wanted; otherwise the reason."""
    assert read_token(None) is None
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "odd").write_bytes(b"\xff")
    for name, reason in (("empty", "is empty"), ("odd", "cannot read"), ("none", "cannot read")):
        with pytest.raises(SourceError, match=reason):
            read_token(str(tmp_path / name))


def test_more_connections_than_descriptors(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Fewer are taken, and it is said, after a reload too."""
    settings = Settings(Server(), tmp_path)
    with caplog.at_level(logging.WARNING):
        settings.adopt(Server(tcp_connections=1 << 40))
    assert settings.current.tcp.connections < 1 << 40
    assert "server.few_descriptors" in caplog.text
