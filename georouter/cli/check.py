"""`georouter check`: is this policy usable, is anything odd about it, and do its tests pass?"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from georouter.analysis import policy_tests
from georouter.cli.claims import claims_of, refuse_unknown_kinds
from georouter.cli.internet import internet
from georouter.cli.output import print_json
from georouter.cli.proving import Proof, prove_all
from georouter.cli.proving import as_json as proof_json
from georouter.cli.proving import lines as proof_lines
from georouter.policy.kinds import check_kinds
from georouter.policy.load import load
from georouter.policy.model import Policy, PolicyTest
from georouter.policy.units import instant_text
from georouter.policy.written_tests import REFUSED
from georouter.sources import policy_files
from georouter.words.errors import Diagnostic, PolicyError, Severity, SourceError


@dataclass(frozen=True, slots=True)
class Residency:
    """What to prove: the fences of the policy, and claims about some services (all, if none is named)."""

    claims: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(slots=True)
class Outcome:
    """Everything found out about one policy."""

    config: Path
    policy: Policy | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    results: tuple[policy_tests.Result, ...] = ()
    geo: bool = True
    proofs: tuple[Proof, ...] = ()

    def count(self, severity: Severity) -> int:
        """How many diagnostics are as bad as `severity`."""
        return sum(item.severity is severity for item in self.diagnostics)

    @property
    def failures(self) -> list[policy_tests.Result]:
        """Tests that did not pass."""
        return [result for result in self.results if not result.passed]

    def ok(self, *, strict: bool) -> bool:
        """Whether the policy can be used; with `strict` warnings count too."""
        bad = self.count(Severity.ERROR) + (self.count(Severity.WARNING) if strict else 0)
        refuted = any(proof.refuted for proof in self.proofs)
        return self.policy is not None and not bad and not self.failures and not refuted


@click.command()
@click.option("--config", "-c", metavar="PATH", type=click.Path(), help="Policy file or folder.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option(
    "--geo/--no-geo",
    default=True,
    show_default=True,
    help="Load the geo database to check match kinds and run the policy's tests.",
)
@click.option(
    "--prove-residency",
    is_flag=True,
    help="Prove that no fence is ever crossed: every location, every combination of regions down.",
)
@click.option(
    "--claim",
    "claims",
    multiple=True,
    metavar="WHO=REGIONS",
    help='Prove this too, such as "EU=jurisdiction:EU" or "country:CH=eu-west"; may be repeated.',
)
@click.option(
    "--claim-service",
    "services",
    multiple=True,
    metavar="NAME",
    help="Claims are about this service, not all; may be repeated.",
)
def check(
    *,
    config: str | None,
    strict: bool,
    as_json: bool,
    geo: bool,
    prove_residency: bool,
    claims: Sequence[str],
    services: Sequence[str],
) -> None:
    """Check a policy and run its tests.

    Every problem is printed as FILE:LINE:COLUMN: PATH: what is wrong. The exit code is 0 when the
    policy can be used and its tests pass, 1 when not, 2 when there is nothing to check.
    """
    try:
        path = policy_files.find_config(config, os.environ)
        if not path.exists():
            raise click.UsageError(f"{path} does not exist")
        wanted = Residency(tuple(claims), tuple(services)) if prove_residency or claims else None
        if services and not claims:
            raise click.UsageError("--claim-service says what a --claim is about: give one")
        if wanted is not None and not geo:
            raise click.UsageError("a proof needs the geo database: leave out --no-geo")
        outcome = examine(path, geo=geo, residency=wanted)
    except SourceError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        print_json(_as_json(outcome, strict=strict))
    else:
        _print(outcome, strict=strict)
    if not outcome.ok(strict=strict):
        click.get_current_context().exit(1)


def examine(path: Path, *, geo: bool = True, residency: Residency | None = None) -> Outcome:
    """Load, check and test the policy at `path`, and prove `residency` if asked to.

    SourceError when it cannot be read, UsageError for claims that make no sense.
    """
    outcome = Outcome(path, geo=geo)
    try:
        loaded = load(policy_files.read(path))
    except PolicyError as error:
        outcome.diagnostics = _shortened(error.diagnostics)
        return outcome
    outcome.policy = loaded.policy
    found = list(loaded.warnings)
    claims = claims_of(loaded.policy, residency.claims, residency.services) if residency else {}
    every = tuple(dict.fromkeys(claim for made in claims.values() for claim in made))
    if geo:
        try:
            whole = internet(loaded.policy, [claim.clients for claim in every])
        except SourceError as error:
            found.append(Diagnostic(str(path), 0, 0, "geo", str(error)))
        else:
            problems = check_kinds(loaded.policy, whole.info.kinds)
            found += problems
            if not problems:
                outcome.results = policy_tests.run(loaded.policy, whole)
            if residency is not None and not problems:
                refuse_unknown_kinds(loaded.policy, every, whole.info.kinds)
                outcome.proofs = prove_all(loaded.policy, whole, claims)
    outcome.diagnostics = _shortened(sorted(found))
    return outcome


def _shortened(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """File names relative to here, as the operator would type them."""
    return [replace(item, file=_short(item.file)) for item in diagnostics]


def _short(file: str) -> str:
    here = f"{Path.cwd()}{os.sep}"
    return file.removeprefix(here)


def _print(outcome: Outcome, *, strict: bool) -> None:
    for item in outcome.diagnostics:
        click.echo(str(item), err=True)
    for result in outcome.failures:
        where = _short(result.test.where)
        asked = f"{_asked(result.test)} for {result.test.client}{_meanwhile(result.test)}"
        click.echo(f"{where}: test failed: {asked}: {result.reason}", err=True)
    for proof in outcome.proofs:
        for line in proof_lines(proof):
            click.echo(line)
    click.echo(_summary(outcome, strict=strict))


def _asked(test: PolicyTest) -> str:
    return f"{test.name} {test.type}".rstrip()


def _meanwhile(test: PolicyTest) -> str:
    """What is not as it should be during a test."""
    parts = [f"{name} is down" for name in test.down]
    parts += [f"{name} is degraded to {health:.0%}" for name, health in test.degraded.items()]
    if test.ramp is not None:
        parts.append(f"the ramp is at {test.ramp:.0%}")
    return f" while {', '.join(parts)}" if parts else ""


def _summary(outcome: Outcome, *, strict: bool) -> str:
    errors, warnings = outcome.count(Severity.ERROR), outcome.count(Severity.WARNING)
    parts = []
    if outcome.policy is not None:
        names = sum(len(zone.steered) for zone in outcome.policy.zones.values())
        parts += [
            _many(len(outcome.policy.zones), "zone"),
            _many(len(outcome.policy.services), "service"),
            _many(len(outcome.policy.regions), "region"),
            _many(names, "steered name"),
        ]
    parts += [_many(errors, "error"), _many(warnings, "warning")]
    if outcome.policy is not None and not outcome.geo:
        parts.append("tests not run")
    elif outcome.policy is not None:
        passed = len(outcome.results) - len(outcome.failures)
        parts.append(f"{passed} of {_many(len(outcome.policy.tests), 'test')} passed")
    if fenced := [proof for proof in outcome.proofs if proof.verdict.fences]:
        proved = sum(proof.verdict.proved for proof in fenced)
        parts.append(f"residency of {proved} of {_many(len(fenced), 'service')} proved")
    verdict = "ok" if outcome.ok(strict=strict) else "not usable" if errors else "failed"
    return f"{outcome.config}: {verdict}: {', '.join(parts)}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _as_json(outcome: Outcome, *, strict: bool) -> dict[str, object]:
    return {
        "config": str(outcome.config),
        "ok": outcome.ok(strict=strict),
        "diagnostics": [
            {
                "file": item.file,
                "line": item.line,
                "column": item.column,
                "path": item.path,
                "message": item.message,
                "severity": str(item.severity),
            }
            for item in outcome.diagnostics
        ],
        "tests": [
            {
                "where": _short(result.test.where),
                "name": result.test.name,
                "type": result.test.type or None,
                "client": str(result.test.client),
                "down": list(result.test.down),
                "degraded": dict(result.test.degraded),
                "ramp": result.test.ramp,
                "at": [instant_text(instant) for instant in result.test.at],
                "expect": REFUSED if result.test.refused else sorted(result.test.expect),
                "shares": None if result.test.shares is None else dict(result.test.shares),
                "answered": sorted(result.answered),
                "answered_shares": dict(result.shares) if result.test.shares is not None else None,
                "passed": result.passed,
                "reason": result.reason,
            }
            for result in outcome.results
        ],
        "residency": [proof_json(proof) for proof in outcome.proofs],
    }
