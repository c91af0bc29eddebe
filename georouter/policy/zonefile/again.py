"""Zone files that are read again: what has the same text as last time need not be understood anew."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TypeAlias

from georouter.policy.files import PolicyFile
from georouter.policy.report import Report
from georouter.policy.resolve.ledger import Ledger
from georouter.policy.zonefile.includes import ZoneSource
from georouter.policy.zonefile.read import FileSoa, read_zone

MANY = 1000
"""Records of a zone from here on are remembered; fewer are read in milliseconds."""

_Key: TypeAlias = tuple[ZoneSource, bytes, int]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What reading gave, and of which texts: as few objects as possible, since it stays for long."""

    texts: tuple[tuple[str, str], ...]
    soa: FileSoa | None
    names: bytes
    lengths: bytes
    columns: tuple["array[int]", ...]
    data: bytes


class Readings:
    """The readings of the last load; hand the same object to every load."""

    def __init__(self) -> None:
        self._last: dict[_Key, _Reading] = {}
        self._now: dict[_Key, _Reading] = {}

    def read(  # noqa: PLR0917 - as `read_zone`
        self,
        source: ZoneSource,
        apex: bytes,
        ttl_s: int,
        files: Mapping[str, PolicyFile],
        ledger: Ledger,
        report: Report,
    ) -> FileSoa | None:
        """As `read_zone`, into an empty `ledger`."""
        key = source, apex, ttl_s
        known = self._last.get(key)
        if known is None or any(not _is(text, files.get(name)) for name, text in known.texts):
            known, before = None, report.findings
            soa = read_zone(source, apex, ttl_s, files=files, ledger=ledger, report=report)
            if len(ledger) >= MANY and report.findings == before:  # findings have to be found again
                known = _remember(ledger, soa, files)
        else:
            soa = known.soa
            _recall(known, ledger)
        if known is not None:
            self._now[key] = known
        return soa

    def end(self) -> None:
        """The load is over: what it did not ask for is forgotten."""
        self._last, self._now = self._now, {}


def _is(text: str, file: PolicyFile | None) -> bool:
    return file is not None and not file.problem and file.text == text


def _remember(ledger: Ledger, soa: FileSoa | None, files: Mapping[str, PolicyFile]) -> _Reading:
    return _Reading(
        texts=tuple((name, files[name].text) for name in ledger.sources()),
        soa=soa,
        names=b"".join(ledger.names),
        lengths=bytes(map(len, ledger.names)),
        columns=tuple(column[:] for column in ledger.columns()),
        data=bytes(ledger.data),
    )


def _recall(known: _Reading, ledger: Ledger) -> None:
    names, ends = known.names, accumulate(known.lengths, initial=0)
    ledger.names.update((names[begin:end], number) for number, (begin, end) in enumerate(pairwise(ends)))
    for column, kept in zip(ledger.columns(), known.columns, strict=True):
        column.extend(kept)
    ledger.data += known.data
    for name, _ in known.texts:
        ledger.source(name)
