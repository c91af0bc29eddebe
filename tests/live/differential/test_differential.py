"""Knot DNS and NSD, given the same zones and asked the same questions, answer as we do.

`GEOROUTER_DIFFERENTIAL=200000` asks so many random questions, about more zones, instead of a few thousand;
`GEOROUTER_SEED` asks others.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import pytest

from benchmarks.harness.daemon import Daemon
from georouter.policy.load import PolicyFile, load
from georouter.policy.model import Policy, RecordSet
from georouter.policy.names import Names
from georouter.wire.names import is_below
from tests.live.differential import accepted
from tests.live.differential.accepted import Difference, Disagreement
from tests.live.differential.peers import dotted, expanded, knot, nsd, zone_files
from tests.live.differential.questions import Question, questions
from tests.live.differential.replies import exchange, read
from tests.live.differential.zones import FILES, random_zones, write_files

pytestmark = pytest.mark.live

ASKED = int(os.environ.get("GEOROUTER_DIFFERENTIAL", "6000"))
SEED = int(os.environ.get("GEOROUTER_SEED", "20260101"))
ZONES = max(30, min(1000, ASKED // 200))
AT_ONCE = 2000
SHOWN = 40
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Setting:
    """A policy, a name of it that has an address, and the largest answers over UDP."""

    policy: str
    ready: str
    payload: int
    random_zones: int


SETTINGS = {
    "constructs": Setting("world.yaml", "mail.example.com", 4096, ZONES),
    "root": Setting("root.yaml", "www.ours", 1232, 0),
}

KNOT, NSD = "Knot", "NSD"
BOTH = (KNOT, NSD)

ACCEPTED = (
    Difference(
        "types of signed zones at a CNAME",
        BOTH,
        "RFC 1034 3.6.2 follows the CNAME whatever the type. In signed zones RRSIG and NSEC stand beside one "
        "(RFC 4034 3, 4), so Knot looks for them there; NSD does for NSEC3, which is at no such name.",
        accepted.signing_types_at_a_cname,
    ),
    Difference(
        "chains",
        (KNOT,),
        "RFC 1034 4.3.2 step 3a goes back to step 1, which looks for the zone. Knot stays in the first one, "
        "and stops after five CNAMEs.",
        accepted.chain_cut_short,
    ),
    Difference(
        "DS below a cut",
        BOTH,
        "RFC 4035 3.1.4.1: authoritative for the child and not for the parent, we say that the child has no "
        "DS. They refer to the parent, where a third zone of ours further up delegates it; NSD also where "
        "the parent is ours.",
        accepted.ds_below_a_cut,
    ),
    Difference(
        "too long a name",
        (KNOT,),
        "RFC 6672 2.2: YXDOMAIN where a DNAME would make a name too long; NSD says so too.",
        accepted.too_long,
    ),
    Difference(
        "truncated answers",
        BOTH,
        "RFC 2181 9: what stands beside TC is not to be used. We send none of it, they what fits.",
        accepted.truncated,
    ),
    Difference(
        "compression",
        (KNOT,),
        "RFC 1035 4.1.4: every name that stood before can be pointed to. Knot does not find them all, and "
        "truncates a little earlier.",
        accepted.fits_here,
    ),
    Difference(
        "required records",
        BOTH,
        "RFC 9471 3.1: TC where addresses of servers inside the delegated zone do not fit; NSD 4.6 is older. "
        "RFC 2308 2: a denial without its SOA cannot be cached; Knot leaves it out where it does not fit.",
        accepted.dropped_in_silence,
    ),
    Difference(
        "glue beside",
        BOTH,
        "RFC 9471 3.2: other glue may be left out. We leave out all of it, they what does not fit.",
        accepted.glue_beside,
    ),
    Difference(
        "steered glue",
        BOTH,
        "A steered address depends on who asks, and a referral is the same for everybody. So are HTTPS "
        "records that lead to one.",
        accepted.steered_glue,
    ),
    Difference(
        "additional addresses",
        BOTH,
        "RFC 1034 4.3.2 step 6: 'attempt to add other RRs which may be useful'. We keep answers small.",
        accepted.additional_addresses,
    ),
    Difference(
        "additional records of HTTPS targets",
        (NSD,),
        "RFC 9460 4.1: what the zone has for the targets of HTTPS and SVCB records should be there, as with "
        "Knot. NSD 4.6 is older.",
        accepted.https_targets,
    ),
    Difference(
        "wildcards as HTTPS targets",
        (KNOT,),
        "RFC 4592 3.3.1: what a wildcard covers is answered under the name that was looked for. Knot gives "
        "it in the additional section under the wildcard's.",
        accepted.wildcard_targets,
    ),
    Difference(
        "ANY",
        BOTH,
        "RFC 8482 4.1: one RRset of our choice. They choose another.",
        accepted.any_type,
    ),
    Difference(
        "steered CNAME",
        BOTH,
        "Regions that are hostnames: the CNAME is steered and leads elsewhere for every client, so that only "
        "addresses are looked up behind it. The resolver asks for other types (RFC 1034 3.6.2).",
        accepted.steered_cname,
    ),
    Difference(
        "transfers",
        BOTH,
        "Nobody may transfer anything here. RFC 5936 2.2.1 leaves REFUSED and NOTAUTH to choose from and, "
        "like RFC 1995, says nothing of what a server that does not transfer over UDP answers there.",
        accepted.transfer,
    ),
    Difference(
        "type 0",
        (KNOT,),
        "RFC 6895 3.1: 0 is no type of data. RFC 8906 3.1.2: what no name has is denied; Knot says NOTIMP.",
        accepted.type_zero,
    ),
    Difference(
        "classes that are not served",
        (NSD,),
        "REFUSED without the question. RFC 1035 4.1.2 and 7.3: the question is how a reply is known.",
        accepted.other_class,
    ),
    Difference(
        "class ANY",
        BOTH,
        "RFC 1035 6.2: never authoritative; Knot says it is. RFC 2308 2: a denial has a SOA record; NSD "
        "leaves it out.",
        accepted.any_class,
    ),
    Difference(
        "loops",
        BOTH,
        "CNAMEs that lead in a circle are answered as far as they are followed; no RFC says how far.",
        accepted.loop,
    ),
)


@dataclass(frozen=True)
class World:
    """Three servers with the same zones."""

    policy: Policy
    names: Names
    apexes: tuple[str, ...]
    us: tuple[str, int]
    peers: dict[str, tuple[str, int]]


@pytest.fixture(scope="module", params=SETTINGS)
def world(
    request: pytest.FixtureRequest, need: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """georouter, Knot and NSD on loopback."""
    setting = SETTINGS[request.param]
    folder = tmp_path_factory.mktemp("differential")
    own = folder / "georouter"
    beside = write_files(own)
    text = (HERE / setting.policy).read_text()
    text += random_zones(SEED, setting.random_zones, f"version: 1\n{text}", beside)
    policy = load([PolicyFile(str(own / "georouter.yaml"), f"version: 1\n{text}"), *beside]).policy
    read_by_all = {zone: own / file for zone, file in FILES.items()}
    generated = expanded(need("named-compilezone"), "generated.test", read_by_all["generated.test"])
    files = zone_files(policy, folder, {**read_by_all, "generated.test": generated})
    server = f", limits: {{udp_payload: {setting.payload}}}"
    with (
        knot(need("knotd"), files, folder / "knot", setting.payload) as knot_address,
        nsd(need("nsd"), files, folder / "nsd", setting.payload, own / "zones") as nsd_address,
        Daemon(own, text, ready=setting.ready, server=server) as daemon,
    ):
        yield World(
            policy,
            Names(policy.zones.values()),
            tuple(map(dotted, policy.zones)),
            daemon.address,
            {KNOT: knot_address, NSD: nsd_address},
        )


@pytest.fixture(scope="module")
def used() -> Counter[tuple[str, str]]:
    """How often each accepted difference was seen, by its name and the peer's."""
    return Counter()


@pytest.mark.timeout(240 + ASKED // 100)
def test_answers_are_the_same(world: World, used: Counter[tuple[str, str]]) -> None:
    """Response code, AA, TC and all other flags, question, answer, authority, glue, EDNS."""
    found: list[str] = []
    waiting: list[Question] = []
    for question in questions(world.policy, SEED, ASKED):
        waiting.append(question)
        if len(waiting) == AT_ONCE:
            found += compare(world, waiting, used)
            waiting = []
    found += compare(world, waiting, used)
    assert not found, "\n\n".join([f"{len(found)} differences", *found[:SHOWN]])


def test_data_is_as_it_was_written(world: World) -> None:
    """All octets of all records that are there to be asked for, the case of names among them; the owner is in
    the case of the question.
    """
    asked: list[tuple[Question, RecordSet]] = []
    apexes = [zone.apex for zone in world.policy.zones.values()]
    for zone in world.policy.zones.values():
        for records in zone.records:
            inner = [apex for apex in apexes if apex != zone.apex and is_below(apex, zone.apex)]
            if any(is_below(records.owner, apex) for apex in inner):
                continue  # what a zone of ours below this one says counts
            owner = dns.name.from_wire(records.owner, 0)[0].to_text().swapcase()
            kind = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(records.type))
            asked.append((Question(owner, kind, 4096, dnssec=False, tcp=True), records))
    (replies,) = exchange([world.us], [question.wire() for question, _ in asked], tcp=True)
    seen = 0
    for (question, records), reply in zip(asked, replies, strict=True):
        message = dns.message.from_wire(reply)
        if not message.flags & dns.flags.AA:
            continue  # at a delegation or below
        (found,) = (rrset for rrset in message.answer if rrset.name.to_text() == question.name)
        assert {rdata.to_wire() for rdata in found} == set(records.rdatas), question
        assert found.ttl == records.ttl_s
        seen += 1
    assert seen > len(asked) // 2


def test_every_accepted_difference_is_seen(used: Counter[tuple[str, str]]) -> None:
    """The table holds nothing that is not true any more."""
    if not used:
        pytest.skip("the test before did not run")
    stale = [(item.name, peer) for item in ACCEPTED for peer in item.peers if not used[item.name, peer]]
    assert not stale


def compare(world: World, asked: list[Question], used: Counter[tuple[str, str]]) -> Iterator[str]:
    """Ask, and tell every difference that is not accepted."""
    for tcp in (False, True):
        these = [question for question in asked if question.tcp == tcp]
        if not these:
            continue
        servers = [world.us, *world.peers.values()]
        replies = exchange(servers, [question.wire() for question in these], tcp=tcp)
        for question, ours, *theirs in zip(these, *replies, strict=True):
            for (peer, address), reply in zip(world.peers.items(), theirs, strict=True):
                if ours[2:] != reply[2:]:
                    case = Disagreement(
                        question=question,
                        us=world.us,
                        peer=address,
                        peer_name=peer,
                        ours=read(ours),
                        theirs=read(reply),
                        names=world.names,
                        apexes=world.apexes,
                    )
                    yield from settle(case, used)


def settle(case: Disagreement, used: Counter[tuple[str, str]]) -> Iterator[str]:
    """Apply what is accepted, in the order of the table; what is left is told."""
    first = case.theirs
    for difference in ACCEPTED:
        if case.ours == case.theirs:
            return
        if case.peer_name not in difference.peers:
            continue
        settled = difference.settle(case)
        if settled is not None:
            used[difference.name, case.peer_name] += 1
            case = replace(case, theirs=settled)
    if case.ours != case.theirs:
        yield f"{case.question}\nours: {case.ours}\n{case.peer_name}: {first}\n"
