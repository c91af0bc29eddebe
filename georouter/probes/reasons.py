"""Failures in the operator's words: short, stable enough to count, with the detail that helps."""

import errno
import os
import socket
import ssl

import h11

LENGTH_LIMIT = 160
"""Characters of a reason: it stands in tables and log lines, and part of it may come from outside."""

_LOCAL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})

_CERTIFICATE = {  # X509_V_ERR_* of OpenSSL's x509_vfy.h
    9: "certificate not yet valid",
    10: "certificate expired",
    18: "certificate not trusted: self-signed",
    19: "certificate not trusted: self-signed certificate in its chain",
    20: "certificate not trusted: unknown issuer",
    21: "certificate not trusted: unknown issuer",
    62: "certificate hostname mismatch",
    64: "certificate address mismatch",
}


def is_local(error: Exception) -> bool:
    """Whether the fault is ours: means ran out (files, memory, ports), or an error nobody foresaw."""
    if isinstance(error, OSError):
        return not isinstance(error, ssl.SSLError | socket.gaierror) and error.errno in _LOCAL
    return not isinstance(error, ValueError | h11.ProtocolError)


def describe(error: Exception) -> str:
    """Why a probe failed, on one line."""
    return bounded(_describe(error))


def bounded(text: str) -> str:
    """`text` fit for a table: printable, on one line, not too long."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= LENGTH_LIMIT else line[: LENGTH_LIMIT - 3] + "..."


def _describe(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            known = _CERTIFICATE.get(error.verify_code)
            return known or f"certificate not accepted: {error.verify_message}"
        case ssl.SSLEOFError():
            return "connection closed in the TLS handshake"
        case ssl.SSLError():
            return f"TLS: {(error.reason or 'failed').lower().replace('_', ' ')}"
        case socket.gaierror():
            return f"name not resolved: {error.strerror}"
        case ConnectionRefusedError():
            return "connection refused"
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return "connection reset"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
        case h11.LocalProtocolError():
            return f"cannot be asked: {error}"
        case h11.ProtocolError():
            return f"not a good HTTP answer: {error}"
        case ValueError():
            return f"cannot be asked: {error}"
        case _:
            return f"internal error: {type(error).__name__}: {error}"
