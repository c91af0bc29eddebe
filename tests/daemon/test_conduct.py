"""Conduct: cookie secrets shared, kept, rolled over, damaged."""

import logging
import stat
from pathlib import Path

import pytest

from georouter.daemon.conduct import SECRET_FILE, make_conduct, read_secrets, renew
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
    renew(conduct, policy)
    assert conduct.cookies.secrets == (bytes.fromhex(TWO), bytes.fromhex(ONE))
    file.write_text("nonsense")
    renew(conduct, policy)
    assert conduct.cookies.secrets == (bytes.fromhex(TWO), bytes.fromhex(ONE))
    assert "cookies.unreadable" in caplog.text
    assert not (tmp_path / SECRET_FILE).exists()


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
    renew(conduct, Server(cookies=False))
    assert not list(tmp_path.iterdir())
