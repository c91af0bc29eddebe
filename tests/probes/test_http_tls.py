"""HTTPS checks: certificates, names, authorities."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from georouter.policy.model import CheckType
from tests.probes.servers import OK, TIMEOUT_S, probe, repeats, says, silent

HTTPS = CheckType.HTTPS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The one whom checks are told to trust."""
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its certificate, where a check's `ca_file` finds it."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_side(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """What a server with `certificate` uses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def test_a_valid_certificate_passes(authority: trustme.CA, ca_file: str) -> None:
    """Issued by the trusted authority, for the name that the check expects."""
    tls = server_side(authority.issue_cert("web.example.com"))
    result = probe(says(OK), HTTPS, tls=tls, ca_file=ca_file, body="ok")
    assert result.ok, result.reason
    assert result.rtt_s is not None


def test_the_server_name_is_sent(authority: trustme.CA, ca_file: str) -> None:
    """SNI carries the configured name, and ALPN asks for HTTP/1.1."""
    names: list[str | None] = []
    tls = server_side(authority.issue_cert("web.example.com"))
    tls.set_alpn_protocols(["h2", "http/1.1"])
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    assert probe(says(OK), HTTPS, tls=tls, ca_file=ca_file, host="other.example.com").ok
    assert names == ["web.example.com"]


def test_a_certificate_for_an_address_passes(authority: trustme.CA, ca_file: str) -> None:
    """An endpoint that is checked by its address is compared with the certificate's addresses."""
    tls = server_side(authority.issue_cert("127.0.0.1"))
    assert probe(says(OK), HTTPS, tls=tls, ca_file=ca_file, server_name="127.0.0.1").ok
    result = probe(says(OK), HTTPS, tls=tls, ca_file=ca_file, server_name="127.0.0.2")
    assert result.reason == "certificate address mismatch"


def test_a_certificate_for_another_name_fails(authority: trustme.CA, ca_file: str) -> None:
    """The right authority is not enough."""
    tls = server_side(authority.issue_cert("mail.example.com"))
    assert probe(says(OK), HTTPS, tls=tls, ca_file=ca_file).reason == "certificate hostname mismatch"


@pytest.mark.parametrize(
    ("begins", "ends", "reason"),
    [(-20, -10, "certificate expired"), (10, 20, "certificate not yet valid")],
)
def test_a_certificate_out_of_its_time_fails(
    authority: trustme.CA, ca_file: str, begins: int, ends: int, reason: str
) -> None:
    """Days from now: over, or not yet begun."""
    now = datetime.now(UTC)
    certificate = authority.issue_cert(
        "web.example.com", not_before=now + timedelta(days=begins), not_after=now + timedelta(days=ends)
    )
    assert probe(says(OK), HTTPS, tls=server_side(certificate), ca_file=ca_file).reason == reason


def test_an_unknown_authority_fails(authority: trustme.CA, ca_file: str) -> None:
    """Neither the configured one, nor (without `ca_file`) one of the system's."""
    stranger = server_side(trustme.CA().issue_cert("web.example.com"))
    for trusted in (ca_file, None):
        reason = probe(says(OK), HTTPS, tls=stranger, ca_file=trusted).reason
        assert reason.startswith("certificate not trusted")


def test_verification_can_be_switched_off() -> None:
    """`verify: false` accepts any certificate for any name."""
    stranger = server_side(trustme.CA().issue_cert("mail.example.com"))
    assert probe(says(OK), HTTPS, tls=stranger, verify=False).ok


def test_a_missing_ca_file_is_said(authority: trustme.CA, tmp_path: Path) -> None:
    """The operator reads which file it is."""
    tls = server_side(authority.issue_cert("web.example.com"))
    path = str(tmp_path / "gone.pem")
    result = probe(says(OK), HTTPS, tls=tls, ca_file=path)
    assert result.reason == f"cannot be asked: ca_file {path}: No such file or directory"


@pytest.mark.parametrize("name", ["", "..", "x" * 300, "\u00e4" * 80, "a\0b"])
def test_a_name_that_tls_cannot_carry_is_a_value_too(authority: trustme.CA, ca_file: str, name: str) -> None:
    """Nothing an operator can write makes a probe raise."""
    tls = server_side(authority.issue_cert("web.example.com"))
    assert not probe(says(OK), HTTPS, tls=tls, ca_file=ca_file, server_name=name).ok


def test_a_handshake_that_never_ends_is_a_timeout() -> None:
    """An open port that says nothing."""
    result = probe(silent, HTTPS, timeout_s=TIMEOUT_S)
    assert result.reason == f"timeout after {TIMEOUT_S:g} s while in the TLS handshake"
    assert result.rtt_s is not None


def test_an_endless_answer_is_bounded_inside_tls(authority: trustme.CA, ca_file: str) -> None:
    """The limits are those of plain HTTP."""
    tls = server_side(authority.issue_cert("web.example.com"))
    endless = repeats(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 8192)
    assert probe(endless, HTTPS, tls=tls, ca_file=ca_file).ok
