"""Targets that are names, and very likely not the ones that were meant."""

from collections.abc import Callable, Mapping

from georouter.policy.report import Place, Report
from georouter.policy.resolve.records import Answering
from georouter.policy.resolve.targets import Draft
from georouter.wire import codes, names
from georouter.wire.rdata import name_in_rdata

_TYPES = (codes.TYPE_NS, codes.TYPE_CNAME, codes.TYPE_DNAME, codes.TYPE_MX, codes.TYPE_SRV)
_HOSTS = {
    codes.TYPE_NS: ("a name server", "RFC 2181"),
    codes.TYPE_MX: ("a mail host", "RFC 2181"),
    codes.TYPE_SRV: ("an SRV target", "RFC 2782"),
}
_REVERSE = names.parse_name("arpa")
"""Below it, numbers are names (RFC 1035 3.5)."""
_OCTETS = 4


def check(zones: Mapping[bytes, Draft], answers_cname: Callable[[Answering], bool], report: Report) -> None:
    """`zones` by apex; `answers_cname` tells of a service whether its answers are CNAMEs."""
    services = {
        name: answering
        for zone in zones.values()
        for name, answering in zone.services.items()
        if answers_cname(answering)
    }
    for zone in zones.values():
        for index in zone.sets.of_type(*_TYPES):
            number = int(zone.sets.type[index])
            records = zone.sets.records(index)
            for rdata, place in records:
                host = name_in_rdata(number, rdata) or b"\0"
                if host[1:2].isdigit() and host[0] < _OCTETS:
                    _address(host, zone.apex, place, report)
                if number == codes.TYPE_MX and host == b"\0" and len(records) > 1:
                    report.error(
                        place,
                        'an MX record for "." says that there is no mail, and stands alone (RFC 7505 3)',
                    )
                if services and number in _HOSTS and names.lower(host) in services:
                    what, rule = _HOSTS[number]
                    text = names.name_text(host)
                    report.error(
                        place, f'"{text}" is answered with a CNAME; {what} must have addresses ({rule})'
                    )


def _address(host: bytes, apex: bytes, place: Place, report: Report) -> None:
    """An IPv4 address that was read as a name: four numbers below the zone, or below the root."""
    if names.is_below(apex, _REVERSE):
        return
    parts = names.labels(host)
    numbers, rest = parts[:_OCTETS], names.join(parts[_OCTETS:])
    if rest not in (apex, b"\0") or not all(part.isdigit() and int(part) < 256 for part in numbers):
        return
    address = b".".join(numbers).decode()
    report.warn(
        place, f'"{address}" is an address, and a name is expected; it was read as "{names.name_text(host)}"'
    )
