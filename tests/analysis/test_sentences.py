"""Explanations as lines."""

from dataclasses import replace
from typing import Any

import pytest

from georouter.analysis.explain import explain
from georouter.analysis.sentences import lines, region_state, tiers, where
from tests.analysis.test_explain import POLICY, explained
from tests.compiler.build import BERLIN, client, tiny_map, world


def test_a_steered_name_from_the_question_to_the_scope() -> None:
    """One line for each thing, in the order in which it was decided."""
    assert lines(explained("www.example.com", client(BERLIN), beliefs=world(down=["eu"])).as_dict()) == [
        "www.example.com A for 10.0.0.0/32",
        "name: service web; zone example.com; matches www.example.com",
        "judged by: the client subnet 10.0.0.0/32",
        "place: Germany, EU (52.50, 13.40); all of 10.0.0.0/7 is, says tiny",
        (
            "step 1, residency: eu = eu2 = us = ap became eu = eu2, because the client is fenced by "
            "country DE: only eu, eu2; dropped us, ap"
        ),
        (
            "step 2, nearest: eu = eu2 became eu > eu2, because the client is at 52.50, 13.40; "
            "eu is 422 km away; eu2 is 883 km away"
        ),
        "region eu: acts as down, checks say down",
        "region eu2: acts as up, checks say up",
        "region us: acts as up, checks say up",
        "region ap: acts as up, checks say up",
        "decision: failover, the first choice cannot answer, a later one does",
        "choice: 100.0% eu2, taken now",
        "answer: NOERROR, flags QR AA RD, 72 bytes",
        "answer: answer www.example.com 30 A 192.0.2.2",
        "answer: a cache may give this answer to every client in 8.0.0.0/5",
    ]


def test_while_the_brake_holds() -> None:
    """It is said since when, before the regions."""
    beliefs = replace(world(down=["eu"]), frozen_since=1.7e9)
    told = lines(explained("www.example.com", client(BERLIN), beliefs=beliefs).as_dict())
    place = told.index(
        "brake: answers are frozen since 2023-11-14 22:13:20 UTC: regions act as they were seen "
        "before most of them failed at once"
    )
    assert told[place + 1].startswith("region eu:")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "mail.example.com",
            "name: static records, the same for every client; zone example.com; matches mail",
        ),
        ("nobody.example.com", "name: the zone has no such name; zone example.com"),
        (
            "x.sub.example.com",
            "name: delegated to other name servers; zone example.com; matches sub.example.com",
        ),
        ("deep.example.com", "name: the name exists, records of this type do not; zone example.com"),
        ("x.app.example.com", "name: service web; zone example.com; matches *.app.example.com"),
        ("example.org", "name: in no zone of this server"),
    ],
)
def test_every_kind_of_name(name: str, line: str) -> None:
    """Names that are not steered have a sentence too."""
    assert lines(explained(name, client(BERLIN)).as_dict())[1].startswith(line)


def test_who_is_judged_where_the_subnet_says_nothing() -> None:
    """The resolver, named or assumed, and why."""
    said = lines(explained("www.example.com", "0.1.2.0/24").as_dict())
    why = "because the client subnet 0.1.2.0/24 is a private or reserved network that nobody placed"
    assert f"judged by: the resolver's address 0.1.2.0, taken to be where the client is, {why}" in said
    told = explain(
        POLICY, tiny_map(), world(), "www.example.com", "0.1.2.0/24", resolver=client(BERLIN), now=1.0
    )
    said = lines(told.as_dict())
    assert said[0] == "www.example.com A for 0.1.2.0/24 through the resolver 10.0.0.0"
    assert f"judged by: the resolver's address 10.0.0.0, {why}" in said
    assert "answer: a cache may give this answer to every client in 0.1.2.0/24" in said


def test_scope_0_is_about_one_resolver_where_the_resolver_decides() -> None:
    """Its cache may keep the answer for all of its clients; other resolvers get other answers."""
    for name, who, end in (
        ("www.example.com", "0.0.0.0/0", "every client behind this resolver"),
        ("mail.example.com", "192.0.2.0/24", "every client"),
    ):
        told = explain(POLICY, tiny_map(), world(), name, who, resolver=client(BERLIN), now=1.0)
        assert lines(told.as_dict())[-1] == f"answer: a cache may give this answer to {end}"


def test_tiers() -> None:
    """Equal, then worse."""
    assert tiers([["a", "b"], ["c"]]) == "a = b > c"
    assert tiers([]) == "no region"


def test_where() -> None:
    """Only what is known."""
    nowhere: dict[str, Any] = {
        "city": "",
        "subdivision": "",
        "country_name": "",
        "continent": "",
        "lat": None,
        "lon": None,
        "asn": 64500,
        "networks": ["10.0.0.0/8"],
        "network": "10.0.0.0/8",
        "database": "tiny",
    }
    assert where(nowhere) == (
        "not placed by the database, AS64500, in 10.0.0.0/8; all of 10.0.0.0/8 is, says tiny"
    )


def test_a_region_with_everything() -> None:
    """What is as usual is left out; this is not."""
    region: dict[str, Any] = {
        "name": "eu",
        "observed": "up",
        "forced": "drained",
        "effective": "drained",
        "health": 0.5,
        "weight": 3.0,
        "rtt_ms": 12.34,
    }
    assert region_state(region) == (
        "eu: acts as drained, checks say up, forced drained, health 50%, weight 3, 12.3 ms from here"
    )
