"""The flat counters' names: which metric and which labels each counter of a layout has."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from georouter.answers.layout import (
    RCODES,
    REASONS,
    TYPE_SLOTS,
    Layout,
    Proto,
    Reason,
)
from georouter.telemetry.catalog import DECISIONS, REFUSALS, REQUESTS, RESPONSES, Spec

NONE = "none"
"""Label value for "no zone of ours" and "no region"; a zone or region of that name gets a final dot."""

RCODE_TEXTS: tuple[str, ...] = (
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
    "DSOTYPENI",
    "RCODE12",
    "RCODE13",
    "RCODE14",
    "RCODE15",
    "BADVERS",
)
"""Mnemonics by number (IANA DNS RCODEs)."""

_PROTO_TEXTS = tuple(proto.name.lower() for proto in Proto)
_FAMILY_TEXTS = ("ipv4", "ipv6")
_TYPE_TEXTS = (*(text for _, text in TYPE_SLOTS), "other")
_REASON_TEXTS = tuple(reason.name.lower() for reason in Reason)

LabelValues = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wide:
    """One metric over a layout: `values[i]` are the labels of the counter at `places[i]`.

    Where `always[i]` the series is shown even at zero, else only once it has counted something.
    """

    spec: Spec
    places: NDArray[np.int64]
    values: tuple[LabelValues, ...]
    always: NDArray[np.bool_]


def wides(layout: Layout) -> tuple[Wide, ...]:
    """All metrics that live in flat counters."""
    return (
        _wide(REQUESTS, _requests(layout)),
        _wide(RESPONSES, _responses(layout)),
        _wide(DECISIONS, _decisions(layout)),
        _wide(REFUSALS, _refusals(layout)),
    )


_Entry = tuple[int, LabelValues, bool]


def _wide(spec: Spec, entries: Iterator[_Entry]) -> Wide:
    listed = list(entries)
    return Wide(
        spec,
        np.array([place for place, _, _ in listed], dtype=np.int64),
        tuple(values for _, values, _ in listed),
        np.array([always for _, _, always in listed], dtype=np.bool_),
    )


def _zones(layout: Layout) -> tuple[str, ...]:
    return (*(_named(zone) or "." for zone in layout.zones), NONE)


def _named(name: str) -> str:
    return f"{name}." if name == NONE else name


def _requests(layout: Layout) -> Iterator[_Entry]:
    place = 0
    for zone in _zones(layout):
        for proto in _PROTO_TEXTS:
            for family in _FAMILY_TEXTS:
                for type_text in _TYPE_TEXTS:
                    yield place, (zone, proto, family, type_text), False
                    place += 1


def _responses(layout: Layout) -> Iterator[_Entry]:
    for index, zone in enumerate(_zones(layout)):
        for rcode, text in enumerate(RCODE_TEXTS):
            yield layout.responses_base + index * RCODES + rcode, (zone, text), False


def _decisions(layout: Layout) -> Iterator[_Entry]:
    for service in layout.services:
        for index, region in enumerate((*map(_named, service.regions), NONE)):
            for reason, text in enumerate(_REASON_TEXTS):
                if reason == Reason.REFUSED:
                    continue
                always = reason == Reason.PRIMARY and index < len(service.regions)
                yield service.base + index * REASONS + reason, (service.name, region, text), always


def _refusals(layout: Layout) -> Iterator[_Entry]:
    for service in layout.services:
        place = service.base + len(service.regions) * REASONS + Reason.REFUSED
        yield place, (service.name,), False
