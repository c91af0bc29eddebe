"""The registry of answers that change: which (service, slot, written form) exists, numbered once.

A view says whose hash, counters and group apply; a form says how the answer is written; `Written`
is what publication fills in: one tuple of finished answers for a group, slot and form. `Flat` is the
same for the addresses of a name outside our zones: one answer, for everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from georouter.answers.tables import NOT_COUNTED, Homes, View
from georouter.policy.model import Binding
from georouter.policy.tenants import TenantDirectory
from georouter.words.ids import ServiceName

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is written: CNAME records before it, its owner name, whose SOA denies.

    For `SLOT_BOUND` also the type (HTTPS or SVCB), its records, and what stands beside them. For aliases,
    `most_s` bounds the TTL; `flat`: addresses in the place of a CNAME.
    """

    prefix: bytes
    prefix_count: int
    owner: bytes
    zone: int
    """Index of the zone whose SOA a negative answer carries."""
    type: int = 0
    bindings: tuple[Binding, ...] = ()
    beside: bytes = b""
    """Records of targets for the additional section, which may be left out."""
    beside_count: int = 0
    most_s: int | None = None
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """One entry of `Snapshot.bodies`."""

    group: int
    slot: int
    form: int


@dataclass(frozen=True, slots=True)
class Flat:
    """One entry of `Snapshot.bodies` behind those of `Written`: the addresses of `target` (lower-case wire
    format), which is in no zone of ours.
    """

    target: bytes
    slot: int
    form: int


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a service hangs in the tables."""

    group: int
    salt: int
    counter_base: int
    slots: frozenset[int]
    """The slots in which any of its regions has something to say."""
    subnets: bool = True
    """Whether client subnets count."""
    census: int = -1
    """Where the service's census begins, -1 without one."""
    bindings: Mapping[int, tuple[Binding, ...]] = field(default_factory=dict)
    """By type, HTTPS and SVCB; types without records are left out."""
    pin: "HookedPin | None" = None


@dataclass(frozen=True, slots=True)
class HookedPin:
    """The pin of a service: `tenants` is the directory's number, `counter` where its queries are counted."""

    tenants: int
    directory: TenantDirectory
    label: int
    unknown: int
    homes: Homes
    counter: int


@dataclass(slots=True)
class Views:
    """Collects views while names are compiled."""

    hooks: dict[ServiceName, Hook]
    everybody: int = 0
    """The group of views that are the same for everybody."""
    views: list[View] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    flats: list[Flat] = field(default_factory=list)
    _flats: dict[Flat, int] = field(default_factory=dict)
    _views: dict[View, int] = field(default_factory=dict)
    _forms: dict[Form, int] = field(default_factory=dict)
    _written: dict[Written, int] = field(default_factory=dict)

    def add(self, service: ServiceName, slot: int, form: Form, zone: int, tenant: int = -1) -> int:
        """The (negative) ref of a steered name of `zone` in this form; always a tenant's with `tenant`."""
        hook = self.hooks[service]
        number = _intern(form, self.forms, self._forms)
        bodies = _intern(Written(hook.group, slot, number), self.written, self._written)
        view = View(
            hook.group,
            slot,
            bodies,
            hook.salt,
            hook.counter_base,
            zone,
            hook.subnets,
            hook.census,
            tenant,
        )
        return ~_intern(view, self.views, self._views)

    def add_flat(self, target: bytes, slot: int, form: Form, zone: int) -> int:
        """The (negative) ref of a name of `zone` that has the addresses of `target`, in this form."""
        number = _intern(form, self.forms, self._forms)
        bodies = ~_intern(Flat(target, slot, number), self.flats, self._flats)
        view = View(self.everybody, slot, bodies, 0, NOT_COUNTED, zone, subnets=False)
        return ~_intern(view, self.views, self._views)

    def finished(self) -> tuple[View, ...]:
        """All views; the bodies of flat ones come behind all others."""
        count = len(self.written)
        return tuple(
            view if view.bodies >= 0 else replace(view, bodies=count + ~view.bodies) for view in self.views
        )


def _intern(item: _T, items: list[_T], known: dict[_T, int]) -> int:
    index = known.get(item)
    if index is None:
        index = known[item] = len(items)
        items.append(item)
    return index
