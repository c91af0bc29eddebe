"""Contents -> finished answers, for each way in which steered names are written."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from georouter.answers.make import make_answer
from georouter.answers.tables import SLOT_A, SLOT_AAAA, Answer
from georouter.compiler.chase import chase
from georouter.compiler.contents import NODATA, Content, Denial, Note
from georouter.compiler.flatten import End
from georouter.compiler.records import Authority, record, record_set, refuse_oversize
from georouter.compiler.tree import Tree, Where
from georouter.compiler.views import Form
from georouter.facts.aliases import Addresses, AliasKey
from georouter.policy.model import Binding, Policy
from georouter.wire import svcb
from georouter.wire.codes import (
    EDE_NOT_READY,
    EDE_OTHER,
    EDE_PROHIBITED,
    EDE_STALE_ANSWER,
    OPTION_EDE,
    RCODE_SERVFAIL,
    TYPE_A,
    TYPE_AAAA,
    TYPE_CNAME,
    TYPE_HTTPS,
    TYPE_SVCB,
)
from georouter.wire.names import lower, parse_name

Targets: TypeAlias = Mapping[tuple[bytes, int], tuple[bytes, int]]
"""(hostname, type) -> the records our own zones hold for it, and how many."""

_SLOT_TYPE = MappingProxyType({SLOT_A: TYPE_A, SLOT_AAAA: TYPE_AAAA})
_FOLLOWED = (TYPE_A, TYPE_AAAA, TYPE_HTTPS, TYPE_SVCB)
"""Types whose views know which type was asked for."""
SLOT_FAMILY = MappingProxyType({SLOT_A: 4, SLOT_AAAA: 6})
"""The address family of a slot."""


def extended_error(code: int, text: str) -> bytes:
    """A finished EDNS option with an extended error (RFC 8914 2)."""
    data = struct.pack("!H", code) + text.encode()
    return struct.pack("!HH", OPTION_EDE, len(data)) + data


ALL_DOWN = extended_error(EDE_OTHER, "every region that may answer this client is down")
_NOTES: Mapping[Note | None, bytes] = MappingProxyType(
    {
        None: b"",
        Note.ALL_DOWN: extended_error(
            EDE_OTHER, "every region that may answer this client is down: all are answered"
        ),
        Note.LAST_KNOWN: extended_error(
            EDE_STALE_ANSWER, "every region that may answer this client is down: the last answer with one up"
        ),
        Note.FALLBACK: extended_error(
            EDE_OTHER, "every region that may answer this client is down: the fallback answers"
        ),
    }
)
FENCED = extended_error(EDE_PROHIBITED, "residency: no region may answer this client")
UNRESOLVED = extended_error(EDE_NOT_READY, "the target of this alias has not been resolved yet")
STALE = extended_error(EDE_STALE_ANSWER, "the target of this alias cannot be resolved now")


def targets(policy: Policy, tree: Tree) -> Targets:
    """What our zones say of the hostnames among the endpoints: addresses, behind CNAMEs where needed.

    Steered and missing names are left to the resolver, which asks for them next.
    """
    hosts = {
        parse_name(endpoint.address): None
        for region in policy.regions.values()
        for endpoint in region.endpoints
        if endpoint.family == 0
    }
    found: dict[tuple[bytes, int], tuple[bytes, int]] = {}
    for host in hosts:
        end = tree.find(lower(host))
        if end.where is not Where.FOUND:
            continue
        records, count, owner = b"", 0, host
        alias = tree.sets(end.node).get(TYPE_CNAME)
        if alias is not None:
            chain = chase(tree, alias, host)
            if chain.broken or chain.too_long or chain.end.where is not Where.FOUND:
                continue
            records, count, owner, end = chain.records, chain.count, chain.owner, chain.end
        for number in _FOLLOWED:
            held = tree.sets(end.node).get(number)
            if held is not None and end.node not in tree.services:
                found[host, number] = (records + record_set(owner, held), count + len(held.rdatas))
    return found


def bound(binding: Binding, content: Content) -> bytes:
    """The data of an HTTPS or SVCB record, with the addresses of the decision as hints (RFC 9460 7.3)."""
    hints = svcb.hints(content.rdatas, content.further) if binding.hints else ()
    return svcb.service_rdata(binding.priority, binding.target, (*binding.params, *hints))


@dataclass(slots=True)
class Writer:
    """Writes contents in forms. `ends` are hostnames that are answered as addresses, `aliases` what is
    known of names outside our zones.
    """

    authorities: Sequence[Authority]
    targets: Targets
    ends: Mapping[bytes, End] = field(default_factory=dict)
    aliases: Mapping[AliasKey, Addresses] = field(default_factory=dict)
    _positive: dict[tuple[object, ...], Answer] = field(default_factory=dict)
    _negative: dict[tuple[object, ...], Answer] = field(default_factory=dict)

    def write(self, content: Content, form: Form, slot: int, ttl_s: int) -> Answer:
        """The finished answer."""
        if form.most_s is not None:
            ttl_s = min(ttl_s, form.most_s)
        if form.flat and content.target is not None:
            return self._flatten(self.ends[content.target], form, slot, ttl_s)
        known: dict[tuple[object, ...], Answer]
        key: tuple[object, ...]
        if content.denial is None:
            written = (form.prefix, form.owner, form.type, form.bindings, form.beside)
            known, key = self._positive, (content, written, slot, ttl_s)
        else:
            known, key = self._negative, (content.denial, form.prefix, form.zone, ttl_s)
        answer = known.get(key)
        if answer is None:
            make = self._deny if content.denial else self._answer
            answer = known[key] = make(content, form, slot, ttl_s)
            refuse_oversize((answer.body,))
        return answer

    def outside(self, target: bytes, form: Form, slot: int, most_s: int | None = None) -> Answer:
        """The addresses of a name outside our zones. Before any are known: SERVFAIL, and why."""
        found = self.aliases.get((target, SLOT_FAMILY[slot]))
        if found is None:
            return make_answer(rcode=RCODE_SERVFAIL, authoritative=False, option=UNRESOLVED)
        ttl_s = min(ttl for ttl in (found.ttl_s, form.most_s, most_s) if ttl is not None)
        return self._addresses(found.addresses, form, slot, ttl_s, STALE if found.stale else b"")

    def _flatten(self, end: End, form: Form, slot: int, ttl_s: int) -> Answer:
        """The addresses of a region's hostname; of its HTTPS and SVCB records nothing is known."""
        if slot not in SLOT_FAMILY:
            return self._deny(NODATA, form, slot, ttl_s)
        if end.ttl_s is not None:
            ttl_s = min(ttl_s, end.ttl_s)
        if end.outside is not None:
            return self.outside(end.outside, form, slot, ttl_s)
        held = end.sets.get(_SLOT_TYPE[slot])
        return self._addresses(held.rdatas if held else (), form, slot, ttl_s)

    def _addresses(
        self, rdatas: Sequence[bytes], form: Form, slot: int, ttl_s: int, option: bytes = b""
    ) -> Answer:
        if not rdatas:
            return self._deny(NODATA, form, slot, ttl_s)
        body = form.prefix + b"".join(record(form.owner, _SLOT_TYPE[slot], ttl_s, rdata) for rdata in rdatas)
        return make_answer(answers=form.prefix_count + len(rdatas), body=body, option=option)

    def _answer(self, content: Content, form: Form, slot: int, ttl_s: int) -> Answer:
        number = form.type or _SLOT_TYPE.get(slot, 0)
        if content.target is not None:
            more, count = self.targets.get((content.target, number), (b"", 0))
            body = record(form.owner, TYPE_CNAME, ttl_s, content.target) + more
            count += form.prefix_count + 1
            return make_answer(answers=count, body=form.prefix + body, option=_NOTES[content.note])
        rdatas = [bound(item, content) for item in form.bindings] if form.bindings else content.rdatas
        records = b"".join(record(form.owner, number, ttl_s, rdata) for rdata in rdatas)
        count, body = form.prefix_count + len(rdatas), form.prefix + records
        option = _NOTES[content.note]
        least = make_answer(answers=count, body=body, option=option)
        if not form.beside_count:
            return least
        return make_answer(
            answers=count,
            additional=form.beside_count,
            body=body + form.beside,
            option=option,
            least=least,
        )

    def _deny(self, content: Content, form: Form, _slot: int, ttl_s: int) -> Answer:
        """A denial is cached no longer than an answer would be: it may depend on health."""
        if content.denial is Denial.SERVFAIL:
            return make_answer(rcode=RCODE_SERVFAIL, authoritative=False, option=ALL_DOWN)
        return make_answer(
            answers=form.prefix_count,
            authority=1,
            body=form.prefix + self.authorities[form.zone].record(ttl_s),
            option=FENCED if content.denial is Denial.PROHIBITED else b"",
        )
