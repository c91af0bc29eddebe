"""The registry of steered answers: which (service, slot, written form) exists, numbered once.

A view says whose hash, counters and group apply; a form says how the answer is written; `Written`
is what publication fills in: one tuple of finished answers for a group, slot and form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from georouter.answers.tables import Homes, View
from georouter.policy.model import Binding
from georouter.policy.tenants import TenantDirectory
from georouter.words.ids import ServiceName

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Form:
    """How a steered answer is written: CNAME records before it, its owner name, whose SOA denies.

    For `SLOT_BOUND` also the type (HTTPS or SVCB), its records, and what stands beside them.
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


@dataclass(frozen=True, slots=True)
class Written:
    """One entry of `Snapshot.bodies`."""

    group: int
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
    views: list[View] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
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


def _intern(item: _T, items: list[_T], known: dict[_T, int]) -> int:
    index = known.get(item)
    if index is None:
        index = known[item] = len(items)
        items.append(item)
    return index
