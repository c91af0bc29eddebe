"""A policy and the map of the Internet, for commands that decide here instead of asking the daemon."""

import difflib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from georouter.cli.internet import internet
from georouter.geo.map import GeoMap
from georouter.policy.kinds import check_kinds
from georouter.policy.load import load
from georouter.policy.model import Policy
from georouter.sources import policy_files
from georouter.words.errors import PolicyError, SourceError
from georouter.words.ids import RegionName


@dataclass(frozen=True, slots=True, eq=False)
class Here:
    """A policy that can be decided, and where it stands. `geo` has the policy's networks laid over it."""

    path: Path
    policy: Policy
    geo: GeoMap


def read(config: str | None) -> Here:
    """The policy at `config` or at the usual places. Raises click's errors, which say what is wrong."""
    try:
        path = policy_files.find_config(config, os.environ)
        policy = load(policy_files.read(path)).policy
    except SourceError as error:
        raise click.UsageError(str(error)) from error
    except PolicyError as error:
        raise click.ClickException(_listed(error)) from error
    try:
        geo = internet(policy)
        if problems := check_kinds(policy, geo.info.kinds):
            raise PolicyError(problems)
    except SourceError as error:
        raise click.ClickException(str(error)) from error
    except PolicyError as error:
        raise click.ClickException(_listed(error)) from error
    return Here(path, policy, geo)


def known(what: str, names: Iterable[str], there: Iterable[str]) -> None:
    """A usage error for the first of `names` that is not among those there are."""
    listed = tuple(there)
    for name in names:
        if name not in listed:
            close = difflib.get_close_matches(name, listed, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(listed) or 'none'}"
            raise click.UsageError(f"there is no {what} {name!r}; {hint}")


def regions(policy: Policy, names: Iterable[str]) -> tuple[RegionName, ...]:
    """The regions of these names; a usage error for one that the policy does not have."""
    wanted = tuple(names)
    known("region", wanted, policy.regions)
    return tuple(map(RegionName, wanted))


def _listed(error: PolicyError) -> str:
    return "\n".join(("the policy cannot be used:", *map(str, error.diagnostics)))
