"""The `checks:` section."""

import re
from collections.abc import Mapping

from georouter.facts.rules import HealthRule
from georouter.policy.model import Check, CheckType
from georouter.policy.nodes import Path
from georouter.policy.resolve import hosts, signals
from georouter.policy.resolve.context import Context
from georouter.policy.units import duration_text
from georouter.policy.written import CheckFile, ExpectFile, TlsFile
from georouter.words.ids import CheckName

_OURS = frozenset({"accept-encoding", "connection", "content-length", "transfer-encoding", "upgrade"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def resolve(written: Mapping[str, CheckFile], context: Context) -> dict[CheckName, Check]:
    """Defaults filled in; keys that the type of check does not use are errors."""
    return {
        CheckName(name): _check(name, check, ("checks", name), context) for name, check in written.items()
    }


def _check(name: str, written: CheckFile, path: Path, context: Context) -> Check:
    _fits(written, path, context)
    for key, host in (("address", written.address), ("host", written.host)):
        if host is not None:
            _host(host, (*path, key), context)
    if written.path is not None and not (written.path.startswith("/") and written.path.isprintable()):
        context.report.error((*path, "path"), f'a path starts with "/", found "{written.path}"')
    expect, tls = written.expect or ExpectFile(), written.tls or TlsFile()
    ca_file = context.absolute(tls.ca_file, (*path, "tls", "ca_file")) if tls.ca_file else None
    return Check(
        name=CheckName(name),
        type=CheckType(written.type),
        port=written.port or _DEFAULT_PORTS.get(written.type, 0),
        path=written.path or "/",
        host=written.host,
        address=written.address,
        statuses=frozenset(expect.status),
        body=expect.body,
        headers=_headers(written.headers, (*path, "headers"), context),
        verify=tls.verify,
        ca_file=ca_file,
        rule=HealthRule(
            interval_s=written.interval,
            timeout_s=written.timeout,
            confirm_interval_s=written.confirm_interval,
            fall=written.fall,
            rise=written.rise,
            signals=signals.resolve(written.signals, (*path, "signals"), context),
        ),
    )


def _headers(written: Mapping[str, str], path: Path, context: Context) -> tuple[tuple[str, str], ...]:
    """Header fields as they are sent (RFC 9110 section 5): those of the connection itself stay ours."""
    seen: set[str] = set()
    for name, value in written.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            context.report.error((*path, name), "is not the name of a header field", key=True)
        elif name.lower() == "host":
            context.report.error((*path, name), 'is the key "host" of the check', key=True)
        elif name.lower() in _OURS:
            context.report.error((*path, name), "is set by georouter itself", key=True)
        elif name.lower() in seen:
            context.report.error(
                (*path, name), "stands here twice; names of header fields have no case", key=True
            )
        if not (value.isascii() and value.isprintable()) or value != value.strip():
            context.report.error((*path, name), "must be printable ASCII without blanks around it")
        seen.add(name.lower())
    return tuple(written.items())


def _fits(written: CheckFile, path: Path, context: Context) -> None:
    report = context.report
    if written.type == "tcp":
        if written.port is None:
            report.error(path, '"port" is missing; a tcp check has no default port', key=True)
        for key in ("path", "expect", "host"):
            if getattr(written, key) is not None:
                report.error((*path, key), f'a tcp check has no "{key}"', key=True)
        if written.headers:
            report.error((*path, "headers"), 'a tcp check has no "headers"', key=True)
        if written.signals:
            report.error((*path, "signals"), 'a tcp check has no "signals"', key=True)
    if written.type != "https" and written.tls is not None:
        report.error((*path, "tls"), f'only an https check has "tls", this one is {written.type}', key=True)
    if written.timeout > written.interval:
        report.warn(
            (*path, "timeout"),
            f"is longer than the interval ({duration_text(written.interval)}); "
            "attempts do not overlap, so the pace will be slower",
        )
    if written.confirm_interval > written.interval:
        report.warn((*path, "confirm_interval"), "is longer than the interval; failures are confirmed slower")


def _host(text: str, path: Path, context: Context) -> None:
    try:
        hosts.parse(text)
    except ValueError as error:
        context.report.error(path, str(error))
