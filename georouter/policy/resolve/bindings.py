"""`https:` and `svcb:` of a service: ServiceMode records (RFC 9460 2.4.3) without their addresses.

    "1 . alpn=h2,h3"  ─────────────────────────┐
    {alpn: [h2, h3], port: 8443} ─► the same ──┴─► dnspython (all rules of the RFC) ─► `Binding`

Addresses are not written here: they are those of the decision.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator

from georouter.policy import shape
from georouter.policy.model import Binding
from georouter.policy.nodes import Node, Path, describe
from georouter.policy.report import Report
from georouter.policy.written import BindingFile
from georouter.wire import names, svcb
from georouter.wire.rdata import parse_rdata

_EXAMPLE = '{alpn: [h2, h3]} or text such as "1 . alpn=h2,h3"'
_OWN_KEYS = ("alpn", "no_default_alpn", "port", "ech")
_ALPN = frozenset(map(chr, range(0x21, 0x7F))) - frozenset('",\\')


def read(type_name: str, node: Node | None, path: Path, report: Report) -> tuple[Binding, ...]:
    """One record or a list of them, in the order written. What is wrong is reported and left out."""
    if node is None:
        return ()
    items = node.value if isinstance(node.value, list) else [node]
    if not items:
        report.error(path, f"the list is empty; remove it or write {_EXAMPLE}")
    found: list[Binding] = []
    for index, item in enumerate(items):
        where = (*path, index) if isinstance(node.value, list) else path
        binding = _binding(type_name, item, where, report)
        if binding is not None and binding in found:
            report.warn(where, "the same record stands here twice")
        elif binding is not None:
            found.append(binding)
    return tuple(found)


def _binding(type_name: str, node: Node, path: Path, report: Report) -> Binding | None:
    if isinstance(node.value, dict) or (node.value is None and isinstance(path[-1], str)):
        return _mapping(type_name, node, path, report)
    if not isinstance(node.value, str):
        report.error(path, f"expected {_EXAMPLE}, found {describe(node.value)}")
        return None
    return _text(type_name, node.value, path, report, hints=None)


def _mapping(type_name: str, node: Node, path: Path, report: Report) -> Binding | None:
    """Keys of their own, and `params` for all others."""
    empty = Node(node.file, node.line, node.column, {}) if node.value is None else node
    written = shape.read(BindingFile, empty, path, report)
    if written is None:
        return None
    before = len(report.all())
    target = _target(written.target, path, report)
    params = [*_own(written, path, report), *_others(written, path, report)]
    if target is None or len(report.all()) > before:
        return None
    return _text(
        type_name, " ".join((str(written.priority), target, *params)), path, report, hints=written.hints
    )


def _target(text: str, path: Path, report: Report) -> str | None:
    try:
        return f"{names.name_text(names.parse_name(text)).removesuffix('.')}."
    except ValueError as error:
        report.error((*path, "target"), str(error))
        return None


def _own(written: BindingFile, path: Path, report: Report) -> Iterator[str]:
    """The parameters that have keys, in presentation form (RFC 9460 2.1)."""
    for index, protocol in enumerate(written.alpn):
        if not _ALPN.issuperset(protocol):
            message = f"{describe(protocol)} is not a protocol ID such as h2; odd ones are written as text"
            report.error((*path, "alpn", index), message)
    if written.alpn:
        yield f'alpn="{",".join(written.alpn)}"'
    if written.no_default_alpn:
        if not written.alpn:
            message = 'needs "alpn": without the default protocol there must be others (RFC 9460 7.1.1)'
            report.error((*path, "no_default_alpn"), message, key=True)
        yield "no-default-alpn"
    if written.port is not None:
        yield f"port={written.port}"
    if written.ech is not None:
        try:
            b64decode(written.ech, validate=True)
        except binascii.Error:
            report.error((*path, "ech"), "is not base64 (RFC 9848): an ECHConfigList as one text")
        yield f"ech={written.ech}"


def _others(written: BindingFile, path: Path, report: Report) -> Iterator[str]:
    for key, value in written.params.items():
        where = (*path, "params", key)
        own = key.lower().replace("-", "_")
        if own in _OWN_KEYS:
            report.error(where, f'has a key of its own: write "{own}" beside "params"', key=True)
        elif own in svcb.HINT_NAMES:
            report.error(where, _NO_HINTS, key=True)
        elif not key.replace("-", "").isalnum():
            report.error(where, f"{describe(key)} is not the name of a parameter", key=True)
        elif value is None:
            yield key
        else:
            quoted = str(value).replace('"', '\\"')
            yield f'{key}="{quoted}"'


_NO_HINTS = "the addresses are those of the decision; leave out ipv4hint and ipv6hint"


def _text(type_name: str, text: str, path: Path, report: Report, *, hints: bool | None) -> Binding | None:
    """The record in presentation form; `hints` is None for the default."""
    try:
        _, rdata = parse_rdata(type_name, text, b"\0")
    except ValueError as error:
        report.error(path, str(error))
        return None
    priority, target, params = svcb.parts(rdata)
    if not priority:
        message = f"priority 0 (AliasMode) follows no decision; write it as {type_name} record of the zone"
        report.error(path, message)
    elif any(key in svcb.HINTS for key, _ in params):
        report.error(path, _NO_HINTS)
    elif len(names.labels(target)) == 1:
        here = names.name_text(target)
        report.error(
            path, f'the target "{here}" is absolute here; write the whole name, or "." for the owner'
        )
    else:
        return Binding(priority, target, params, target == svcb.OWNER if hints is None else hints)
    return None
