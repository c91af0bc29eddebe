"""The map of the Internet for commands that work without the daemon."""

import os
from collections.abc import Iterable
from pathlib import Path

from georouter.geo.map import GeoMap
from georouter.geo.overlay import overlay
from georouter.policy import interest
from georouter.policy.model import Policy
from georouter.policy.steps import Match
from georouter.sources import geo_files


def internet(policy: Policy, also: Iterable[Match] = ()) -> GeoMap:
    """The map as the daemon of `policy` sees it; its cache of extracted databases is used where there is one.

    `also` may name networks and AS numbers that the policy does not, which are then told apart as well.
    Raises SourceError when a database cannot be read.
    """
    more = tuple(also)
    cache = Path(policy.server.state_dir, "cache")
    return overlay(
        geo_files.load_map(policy.geo.databases, cache if os.access(cache, os.W_OK) else None),
        networks=interest.networks(policy, more),
        overrides=policy.geo.networks,
        asn_map=geo_files.load_asn(policy.geo.asn_databases),
        asns=interest.asns(policy, more),
    )
