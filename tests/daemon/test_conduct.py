"""Conduct: cookie secrets shared, kept, rolled over, damaged."""

import logging
import stat
from pathlib import Path

import pytest

from georouter.daemon.conduct import SECRET_FILE, make_conduct, read_secrets, renewed
from georouter.policy.model import Server
from georouter.words.errors import SourceError

ONE, TWO = "00112233445566778899aabbccddeeff", "e5e973e5a6b2a43f48e7dc849e37bfcf"


def test_a_secret_of_its_own_survives_a_restart(tmp_path: Path) -> None:
    """Made once, readable by the owner alone; a damaged one is made anew."""
    first = make_conduct(Server(), tmp_path).cookies
    file = tmp_path / SECRET_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = make_conduct(Server(), tmp_path).cookies
    assert first is not None
    assert again is not None
    assert first.secrets == again.secrets
    file.write_text("zz")
    other = make_conduct(Server(), tmp_path).cookies
    assert other is not None
    assert other.secrets != first.secrets
    assert read_secrets(file) == other.secrets


def test_a_state_dir_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A secret for this run, and a word about it."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with caplog.at_level(logging.WARNING):
        assert make_conduct(Server(), blocked).cookies is not None
    assert "cookies.unsaved" in caplog.text


def test_a_shared_secret_rolls_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Taken over from the file at a reload; while it is damaged the old ones stay."""
    file = tmp_path / "secrets"
    file.write_text(f"{ONE}\n")
    policy = Server(cookie_secret_file=str(file))
    conduct = make_conduct(policy, tmp_path)
    assert conduct.cookies is not None
    assert conduct.cookies.secrets == (bytes.fromhex(ONE),)
    file.write_text(f"{TWO}\n{ONE}\n")
    conduct = renewed(conduct, policy, policy, tmp_path)
    assert conduct.cookies is not None
    assert conduct.cookies.secrets == (bytes.fromhex(TWO), bytes.fromhex(ONE))
    file.write_text("nonsense")
    conduct = renewed(conduct, policy, policy, tmp_path)
    assert conduct.cookies is not None
    assert conduct.cookies.secrets == (bytes.fromhex(TWO), bytes.fromhex(ONE))
    assert "cookies.unreadable" in caplog.text
    assert not (tmp_path / SECRET_FILE).exists()


def test_cookies_come_and_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Off, on with a secret of its own, shared, its own again, off; every step by a reload."""
    file = tmp_path / "secrets"
    file.write_text(f"{ONE}\n")
    off, own, shared = Server(cookies=False), Server(), Server(cookie_secret_file=str(file))
    conduct, was = make_conduct(off, tmp_path), off
    seen: list[tuple[bytes, ...] | None] = []
    for policy in (own, own, shared, own, off):
        conduct, was = renewed(conduct, was, policy, tmp_path), policy
        seen.append(conduct.cookies.secrets if conduct.cookies else None)
    mine = read_secrets(tmp_path / SECRET_FILE)
    assert seen == [mine, mine, (bytes.fromhex(ONE),), mine, None]
    file.write_text("nonsense")
    assert renewed(conduct, was, shared, tmp_path).cookies is None
    assert "cookies.unreadable" in caplog.text


def test_a_secret_of_its_own_is_not_made_anew_by_reloads(tmp_path: Path) -> None:
    """Even where it could not be saved: cookies that clients hold stay good."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    first = make_conduct(Server(), blocked)
    again = renewed(first, Server(), Server(nsid="a"), blocked)
    assert again.cookies is first.cookies
    assert again.nsid == b"a"


@pytest.mark.parametrize(
    "text", ["", "abc", ONE[:-2], f"{ONE}\n{TWO}\n{ONE}", f"{ONE}\n{TWO[:-2]}", "é" * 32]
)
def test_damaged_secret_files(tmp_path: Path, text: str) -> None:
    """The start says what is wrong."""
    file = tmp_path / "secrets"
    file.write_text(text)
    with pytest.raises(SourceError, match="one or two secrets of 32 hexadecimal digits"):
        make_conduct(Server(cookie_secret_file=str(file)), tmp_path)


def test_no_secret_file(tmp_path: Path) -> None:
    """Named, and not there."""
    with pytest.raises(SourceError, match="No such file"):
        make_conduct(Server(cookie_secret_file=str(tmp_path / "none")), tmp_path)


def test_the_rest_is_the_policys(tmp_path: Path) -> None:
    """Names as written; no cookies where they are off, and no file for them."""
    conduct = make_conduct(Server(cookies=False, nsid="a", identity="b", version="c"), tmp_path)
    assert (conduct.cookies, conduct.nsid, conduct.identity, conduct.version) == (None, b"a", "b", "c")
    renewed(conduct, Server(cookies=False), Server(cookies=False), tmp_path)
    assert not list(tmp_path.iterdir())
