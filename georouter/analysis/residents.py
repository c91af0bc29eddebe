"""Who lives where in a service with a `pin`: its kinds of tenants, how many there are, and a name of each.

Kinds are few however many tenants there are; whoever asks for everybody walks them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from georouter.answers.choice import settle
from georouter.policy.model import Policy, Service
from georouter.policy.steps import Pin, Unknown
from georouter.policy.tenants import Tenancy
from georouter.routing.steps.pin import homes, kinds, pin_of
from georouter.wire.names import name_text

_STAR = b"\x01*"
_TRIES = 4096
"""Labels that are tried for one that a hash sends to a certain home."""


@dataclass(frozen=True, slots=True, eq=False)
class Residents:
    """The tenants of a service. `below` are the names (lower-case wire format) that tenants' are below."""

    service: Service
    step: Pin
    below: tuple[bytes, ...]
    kinds: tuple[Tenancy, ...]
    """Of the directory, then one for each home that a hash may find."""
    everywhere: bool
    """Whether the service answers no names but tenants'."""

    @property
    def strangers(self) -> bool:
        """Whether names of nobody in the directory are decided by place, as without the step."""
        return self.step.unknown is Unknown.CHAIN

    def label(self, kind: int) -> str:
        """A label of this kind: a tenant's, or one that a hash sends there; empty if none is found."""
        directory = self.step.directory
        if kind < len(directory.kinds):
            at = directory.tenants.kind.index(kind)
            start = directory.tenants.start
            return directory.tenants.labels[start[at] : start[at + 1]].decode()
        put = homes(self.service, self.step)
        tried = (b"tenant%d" % number for number in range(_TRIES))
        fitting = (label for label in tried if directory.kind_of(label) < 0 and settle(put, label) == kind)
        return next(fitting, b"").decode()

    def name(self, kind: int) -> str:
        """A name that such a tenant has."""
        labels = [self.label(kind), *["x"] * (self.step.label - 1), name_text(self.below[0])]
        return ".".join(labels)


def residents(policy: Policy, service: Service) -> Residents | None:
    """The tenants of a service; None where it has no `pin`, or no name that could be a tenant's."""
    step = pin_of(service)
    if step is None:
        return None
    owners = tuple(_owners(policy, service))
    below = tuple(owner[len(_STAR) :] for owner in owners if owner.startswith(_STAR))
    if not below:
        return None
    return Residents(service, step, below, kinds(service, step), len(below) == len(owners))


def _owners(policy: Policy, service: Service) -> Iterable[bytes]:
    return (
        steered.owner
        for zone in policy.zones.values()
        for steered in zone.steered
        if steered.service == service.name
    )
