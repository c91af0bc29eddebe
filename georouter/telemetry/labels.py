"""The flat counters' names: the metric and labels of each counter of a layout, as exposition text."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from georouter.answers.layout import (
    REASONS,
    TYPE_SLOTS,
    Layout,
    Proto,
    Reason,
)
from georouter.telemetry.catalog import DECISIONS, REFUSALS, REQUESTS, RESPONSES, TENANT_QUERIES, Spec

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
    "BADCOOKIE",
)
"""Mnemonics by number (IANA DNS RCODEs), and the last one, whose number is 23."""

_TYPE_TEXTS = (*(text for _, text in TYPE_SLOTS), "other")
_FAMILY_TEXTS = ("ipv4", "ipv6")
_DECIDED = tuple(reason for reason in Reason if reason is not Reason.REFUSED)
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Wide:
    """One metric over a layout: `prefixes[i]` is the text of the series of the counter at `places[i]`,
    up to the value. Where `always[i]` it is shown even at zero, else only once it has counted something.
    """

    spec: Spec
    places: Places
    prefixes: tuple[str, ...]
    always: NDArray[np.bool_]


def wides(layout: Layout) -> tuple[Wide, ...]:
    """All metrics that live in flat counters. 200,000 texts take about 0.1 s, once per layout."""
    return (_requests(layout), _responses(layout), _decisions(layout), _refusals(layout), _tenants(layout))


def _requests(layout: Layout) -> Wide:
    prefixes = tuple(
        f'{REQUESTS.name}{{zone="{zone}",proto="{proto.name.lower()}",family="{family}",type="{text}"}} '
        for zone in _zones(layout)
        for proto in Proto
        for family in _FAMILY_TEXTS
        for text in _TYPE_TEXTS
    )
    return _wide(REQUESTS, np.arange(len(prefixes)), prefixes)


def _responses(layout: Layout) -> Wide:
    prefixes = tuple(
        f'{RESPONSES.name}{{zone="{zone}",rcode="{rcode}"}} '
        for zone in _zones(layout)
        for rcode in RCODE_TEXTS
    )
    return _wide(RESPONSES, layout.responses_base + np.arange(len(prefixes)), prefixes)


def _decisions(layout: Layout) -> Wide:
    prefixes: list[str] = []
    places: list[Places] = []
    always: list[NDArray[np.bool_]] = []
    tails = tuple(f'",reason="{reason.name.lower()}"}} ' for reason in _DECIDED)
    for service in layout.services:
        regions = (*map(_named, service.regions), NONE)
        head = f'{DECISIONS.name}{{service="{_escaped(service.name)}",region="'
        prefixes += [head + region + tail for region in regions for tail in tails]
        rows = service.base + REASONS * np.arange(len(regions))
        places.append((rows[:, None] + np.array(_DECIDED)[None, :]).ravel())
        primary = np.zeros((len(regions), len(_DECIDED)), dtype=np.bool_)
        primary[:-1, _DECIDED.index(Reason.PRIMARY)] = True
        always.append(primary.ravel())
    if not places:
        return _wide(DECISIONS, np.arange(0), ())
    return Wide(DECISIONS, np.concatenate(places), tuple(prefixes), np.concatenate(always))


def _refusals(layout: Layout) -> Wide:
    places = [service.base + len(service.regions) * REASONS + Reason.REFUSED for service in layout.services]
    prefixes = tuple(f'{REFUSALS.name}{{service="{_escaped(service.name)}"}} ' for service in layout.services)
    return _wide(REFUSALS, np.array(places, dtype=np.int64), prefixes)


def _tenants(layout: Layout) -> Wide:
    places = [layout.tenants_of(service) + offset for service in layout.pinned for offset in (0, 1)]
    prefixes = tuple(
        f'{TENANT_QUERIES.name}{{service="{_escaped(service)}",tenant="{which}"}} '
        for service in layout.pinned
        for which in ("known", "unknown")
    )
    return _wide(TENANT_QUERIES, np.array(places, dtype=np.int64), prefixes)


def _wide(spec: Spec, places: Places, prefixes: tuple[str, ...]) -> Wide:
    """One whose series appear when they have counted something."""
    return Wide(spec, places, prefixes, np.zeros(len(prefixes), dtype=np.bool_))


def _zones(layout: Layout) -> tuple[str, ...]:
    return (*(_named(zone) or "." for zone in layout.zones), NONE)


def _named(name: str) -> str:
    return f"{name}." if name == NONE else _escaped(name)


def _escaped(text: str) -> str:
    """For a label value between quotes."""
    return text.translate(_ESCAPES)
