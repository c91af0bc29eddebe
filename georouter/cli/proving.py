"""What `check --prove-residency` prints: what was proved, or who gets what from outside of which fence."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from georouter.analysis.counter import Crossing
from georouter.analysis.fencing import Claim
from georouter.analysis.proof import MOST_EXHAUSTIVE, Verdict, Walked, prove
from georouter.analysis.questions import How
from georouter.geo.map import GeoMap
from georouter.policy.model import Policy
from georouter.words.ids import ServiceName


@dataclass(frozen=True, slots=True)
class Proof:
    """A verdict, and how long it took (together with services that are answered alike)."""

    verdict: Verdict
    regions: int
    seconds: float

    @property
    def refuted(self) -> bool:
        """Whether there is a counter-example."""
        return self.verdict.crossing is not None


def prove_all(
    policy: Policy, geo: GeoMap, claims: Mapping[ServiceName, Sequence[Claim]]
) -> tuple[Proof, ...]:
    """A proof for every service, in the order of the policy. Raises PolicyError as the compiler does."""
    found: dict[ServiceName, Proof] = {}
    began = time.perf_counter()
    for verdicts in prove(policy, geo, claims):
        ended = time.perf_counter()
        for verdict in verdicts:
            service = policy.services[verdict.service]
            regions = len({*service.regions, *service.fallback})
            found[verdict.service] = Proof(verdict, regions, ended - began)
        began = ended
    return tuple(found[name] for name in policy.services)


def lines(proof: Proof) -> Iterator[str]:
    """For people: the verdict, then what it stands on or the counter-example, then what it does not say."""
    verdict = proof.verdict
    if verdict.crossing is not None:
        yield f"{verdict.service}: residency refuted: {verdict.crossing.fence} is crossed"
        yield from (f"  {line}" for line in _crossing(verdict.crossing))
    elif not verdict.fences:
        yield f"{verdict.service}: no fence: it has no residency step, any client may get any region"
    else:
        yield f"{verdict.service}: residency proved: {', '.join(verdict.fences)}"
        yield f"  {_walked(verdict.walked, proof)}"
    yield from (f"  note: {note}" for note in verdict.notes)


def _crossing(crossing: Crossing) -> Iterator[str]:
    address = crossing.client.network_address
    match crossing.how:
        case How.SUBNET:
            yield f"client {address} ({crossing.place}) asks for {crossing.name} {crossing.type}"
        case How.BLOCK:
            yield (
                f"client block {crossing.client}, which holds {crossing.inside} ({crossing.place}), "
                f"asks for {crossing.name} {crossing.type}"
            )
        case How.RESOLVER:
            yield (
                f"resolver {address} ({crossing.place}) asks for {crossing.name} {crossing.type} "
                "without client subnet"
            )
    down = ", ".join(crossing.down)
    yield (
        f"while {down} {'are' if len(crossing.down) > 1 else 'is'} down"
        if down
        else "while all regions are up"
    )
    yield f"and is answered {', '.join(crossing.answer)} of {', '.join(crossing.regions)}"
    yield f"allowed: {', '.join(crossing.allowed) or 'no region'}"
    yield f"see: {explain_line(crossing)}"


def explain_line(crossing: Crossing) -> str:
    """The command that shows the decision."""
    who = crossing.client if crossing.how is How.BLOCK else crossing.client.network_address
    words = ["georouter explain", crossing.name]
    words.append(f"--resolver {who}" if crossing.how is How.RESOLVER else f"--client {who}")
    words += [f"--down {name}" for name in crossing.down]
    if not crossing.down:
        words.append("--offline")
    return " ".join(words)


def _walked(walked: Walked, proof: Proof) -> str:
    which = (
        f"all {walked.combinations:,} combinations of {proof.regions} regions down"
        if walked.exhaustive
        else f"{walked.combinations:,} combinations of {proof.regions} regions down (every loss of one or "
        "two, of all inside a fence, of all; every combination is walked up to "
        f"{MOST_EXHAUSTIVE} regions)"
    )
    whose = f" ({walked.kinds:,} kinds of tenants from each place)" if walked.kinds else ""
    return (
        f"{walked.ranges:,} ranges and {walked.blocks:,} blocks across fences, with client subnet and "
        f"without{whose}; {which}; {walked.answers:,} answers; {proof.seconds:.1f} s"
    )


def as_json(proof: Proof) -> dict[str, object]:
    """The same for programs."""
    verdict = proof.verdict
    crossing = verdict.crossing
    return {
        "service": verdict.service,
        "verdict": "refuted" if proof.refuted else "proved" if verdict.fences else "no fence",
        "fences": list(verdict.fences),
        "ranges": verdict.walked.ranges,
        "blocks": verdict.walked.blocks,
        "kinds_of_tenants": verdict.walked.kinds,
        "combinations": verdict.walked.combinations,
        "exhaustive": verdict.walked.exhaustive,
        "answers": verdict.walked.answers,
        "seconds": round(proof.seconds, 3),
        "notes": list(verdict.notes),
        "counter_example": None
        if crossing is None
        else {
            "fence": crossing.fence,
            "client": str(crossing.client),
            "by": crossing.how.name.lower(),
            "inside": crossing.inside,
            "place": crossing.place,
            "name": crossing.name,
            "type": crossing.type,
            "down": list(crossing.down),
            "answer": list(crossing.answer),
            "outside": list(crossing.outside),
            "regions": list(crossing.regions),
            "allowed": list(crossing.allowed),
        },
    }
