"""Keys from files: read, renewed, and never shown."""

import logging
from pathlib import Path

import pytest

from georouter.daemon.keys import read_key, read_keys, renew_keys
from georouter.policy.model import TsigKey
from georouter.wire.tsig import Key
from georouter.words.errors import SourceError

NAME = b"\3key\7example\0"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A good one."""
    path = tmp_path / "key"
    path.write_text("c2VjcmV0\nc2VjcmV0\n")
    return path


def key(file: Path, algorithm: str = "hmac-sha256") -> TsigKey:
    """As the policy has it."""
    return TsigKey(NAME, algorithm, str(file))


def test_a_key(file: Path) -> None:
    """Base64, in lines of any length."""
    assert read_keys([key(file)]) == {NAME: Key(NAME, "hmac-sha256", b"secretsecret")}


@pytest.mark.parametrize(
    "content", [b"", b"  \n", b"c2VjcmV0!", b"c2VjcmV", b'key "x" { secret "c2Vj"; };', b"\xff\xfe"]
)
def test_files_that_hold_no_key(file: Path, content: bytes) -> None:
    """They are named, and their content is not."""
    file.write_bytes(content)
    with pytest.raises(SourceError) as raised:
        read_key(key(file))
    assert str(file) in str(raised.value)
    assert "c2V" not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A start ends with a word."""
    with pytest.raises(SourceError, match="No such file"):
        read_keys([key(tmp_path / "nothing")])


def test_renewal(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A damaged file keeps the key; another algorithm, or a key that never was, is left out."""
    caplog.set_level(logging.INFO)
    before = read_keys([key(file)])
    file.write_text("b3RoZXI=")
    assert renew_keys([key(file)], before)[NAME].secret == b"other"
    file.write_text("junk!")
    assert renew_keys([key(file)], before) == before
    assert renew_keys([key(file, "hmac-sha512")], before) == {}
    assert renew_keys([key(file)], {}) == {}
    assert renew_keys([], before) == {}
    assert [record.getMessage() for record in caplog.records] == ["keys.unreadable"] * 3
    assert "secret" not in "".join(str(vars(record)) for record in caplog.records).replace("a secret in", "")
