"""TLS contexts and the files behind them."""

import os
import ssl
from pathlib import Path

import pytest
import trustme

from georouter.policy.model import CheckType
from georouter.probes.target import Target
from georouter.probes.trust import Trust
from tests.probes.servers import target


def https(ca_file: Path | None, *, verify: bool = True) -> Target:
    """An https target with this trust."""
    return target(kind=CheckType.HTTPS, ca_file=str(ca_file) if ca_file else None, verify=verify)


def write(path: Path, authority: trustme.CA, age: int) -> None:
    """Put the authority's certificate there; `age` tells versions of the file apart."""
    authority.cert_pem.write_to_path(str(path))
    os.utime(path, ns=(age, age))


def test_one_context_for_many_targets(tmp_path: Path) -> None:
    """Loading authorities takes milliseconds; they are loaded once."""
    write(tmp_path / "ca.pem", trustme.CA(), 1)
    trust = Trust()
    assert trust.context(https(tmp_path / "ca.pem")) is trust.context(https(tmp_path / "ca.pem"))
    assert trust.context(https(None)) is trust.context(https(None))
    assert trust.context(https(None)) is not trust.context(https(None, verify=False))


def test_a_replaced_file_is_read_again(tmp_path: Path) -> None:
    """And one that vanished, or was replaced by junk, leaves what it last held."""
    path = tmp_path / "ca.pem"
    write(path, trustme.CA(), 1)
    trust = Trust()
    first = trust.context(https(path))
    write(path, trustme.CA(), 2)
    second = trust.context(https(path))
    assert second is not first
    path.write_text("junk")
    assert trust.context(https(path)) is second
    path.unlink()
    assert trust.context(https(path)) is second


def test_a_file_that_never_was_readable_is_named(tmp_path: Path) -> None:
    """Missing, or without a certificate in it."""
    with pytest.raises(ValueError, match=r"gone\.pem: No such file"):
        Trust().context(https(tmp_path / "gone.pem"))
    (tmp_path / "junk.pem").write_text("junk")
    with pytest.raises(ValueError, match=r"junk\.pem: "):
        Trust().context(https(tmp_path / "junk.pem"))


def test_contexts_are_strict_unless_told_otherwise() -> None:
    """Names and chains are checked, and nothing older than TLS 1.2 is spoken (RFC 8996)."""
    strict = Trust().context(https(None))
    assert (strict.check_hostname, strict.verify_mode) == (True, ssl.CERT_REQUIRED)
    lax = Trust().context(https(None, verify=False))
    assert (lax.check_hostname, lax.verify_mode) == (False, ssl.CERT_NONE)
    assert min(strict.minimum_version, lax.minimum_version) >= ssl.TLSVersion.TLSv1_2
