"""Whom a TLS check trusts: one context per set of authorities, because loading them is expensive."""

import ssl
from pathlib import Path

from georouter.probes.target import Target


class Trust:
    """TLS contexts, made on first use.

    A `ca_file` is read again when it changes; while it cannot be read, what it last held stays.
    """

    def __init__(self) -> None:
        self._contexts: dict[tuple[bool, str | None], tuple[ssl.SSLContext, int]] = {}

    def context(self, target: Target) -> ssl.SSLContext:
        """The context for `target`. ValueError when its `ca_file` never was readable."""
        key = (target.verify, target.ca_file if target.verify else None)
        known = self._contexts.get(key)
        try:
            changed_at = Path(key[1]).stat().st_mtime_ns if key[1] else 0
            if known is None or known[1] != changed_at:
                known = self._contexts[key] = (_make(verify=key[0], ca_file=key[1]), changed_at)
        except OSError as error:
            if known is None:
                raise ValueError(f"ca_file {key[1]}: {error.strerror or error}") from error
        return known[0]


def _make(*, verify: bool, ca_file: str | None) -> ssl.SSLContext:
    if verify:
        context = ssl.create_default_context(cafile=ca_file)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996; some systems leave it to openssl.cnf
    context.set_alpn_protocols(["http/1.1"])
    return context
