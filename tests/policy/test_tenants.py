"""Tenant directories: packed, found again, equal when they say the same; and what is wrong with files."""

import pickle
from contextlib import suppress
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.policy.load import PolicyFile, load
from georouter.policy.steps import Pin
from georouter.policy.tenants import Tenancy, TenantDirectory, TenantState, make_directory, pack
from georouter.words.errors import PolicyError
from georouter.words.ids import RegionName, ServiceName
from tests.policy.policies import complete

EU, US = RegionName("eu"), RegionName("us")
POLICY = """\
services:
  web:
    regions: [us, eu]
    chain:
      - pin: {directory: %s}
zones:
  example.com:
    ns: [ns1.example.net]
    records: {"*.app": {service: web}}
"""


@given(st.dictionaries(st.binary(min_size=1, max_size=8), st.integers(0, 65535), max_size=60))
def test_every_label_is_found_and_no_other(living: dict[bytes, int]) -> None:
    """Whatever the labels are."""
    packed = pack(list(living), list(living.values()))
    held = TenantDirectory("t", (), (), packed.tenants, 0)
    assert packed.double == []
    assert {label: held.kind_of(label) for label in living} == living
    assert all(held.kind_of(label + b"x") == living.get(label + b"x", -1) for label in living)


def test_labels_that_fill_one_bucket() -> None:
    """Somebody who picks names to collide makes nobody's name another one's."""
    labels = [b"t%d" % number for number in range(40000)]
    labels = [label for label in labels if crc32(label) >> 24 == 7]
    held = make_directory("t", [Tenancy(EU)], pack(labels, [0] * len(labels)).tenants)
    assert len(labels) > 50
    assert all(held.kind_of(label) == 0 for label in labels)
    assert held.counts == (len(labels),)


def test_of_equal_labels_the_first_counts() -> None:
    """And the others are named."""
    packed = pack([b"a", b"b", b"a", b"a"], [1, 2, 3, 4])
    assert packed.double == [(0, 2), (0, 3)]
    assert len(packed.tenants.kind) == 2


def test_equal_content_makes_equal_directories() -> None:
    """In another process too; one tenant more is another directory."""
    kinds = [Tenancy(EU), Tenancy(US)]
    one = make_directory("t", kinds, pack([b"a", b"b"], [0, 1]).tenants)
    same = make_directory("t", kinds, pack([b"b", b"a"], [1, 0]).tenants)
    assert one == same == pickle.loads(pickle.dumps(one))
    assert hash(one) == hash(same)
    assert one != make_directory("t", kinds, pack([b"a", b"b", b"c"], [0, 1, 0]).tenants)
    assert one != make_directory("t", kinds, pack([b"a", b"b"], [1, 0]).tenants)


def loaded(name: str, text: str) -> TenantDirectory:
    """The directory in a file."""
    files = [PolicyFile("/etc/p.yaml", complete(POLICY % name)), PolicyFile(f"/etc/{name}", text, zone=True)]
    (step,) = load(files, root="/").policy.services[ServiceName("web")].chain
    assert isinstance(step, Pin)
    return step.directory


def problems(name: str, text: str) -> list[str]:
    """What is wrong with it."""
    with pytest.raises(PolicyError) as caught:
        loaded(name, text)
    return [str(item) for item in caught.value.diagnostics]


SAME = (
    ("t.csv", "tenant,home,residency,state,moving_to\nAcme, eu ,law=EU,active,\nb,us,,moving,eu\n"),
    ("t.csv", "\ufeffhome,TENANT,moving_to,state,residency\n# people\n\neu,acme,,,EU\nus,b,eu,Moving,\n"),
    ("t.json", ('{"acme": {"home": "eu", "residency": ["eu"]}, "b": {"home": "us", "state": "moving",'
               ' "moving_to": "eu", "residency": null}}')),
    ("t.json", ('[{"tenant": "ACME", "home": "eu", "residency": "IE"},\n'
               ' {"tenant": "b", "home": "us", "state": "moving", "moving_to": "eu"}]\n')),
    ("t.db", "tenant,home,residency,state,moving_to\nacme,eu,eu,,\nb,us,,moving,eu\n"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "text"), SAME)
def test_every_format_says_the_same(name: str, text: str) -> None:
    """Homes, residencies by name, label, country and group, states."""
    found = loaded(name, text)
    assert found.kinds[found.kind_of(b"acme")] == Tenancy(EU, frozenset({EU}))
    assert found.kinds[found.kind_of(b"b")] == Tenancy(US, None, TenantState.MOVING, EU)
    assert found.kind_of(b"c") == -1
    assert len(found) == 2


def test_a_json_object_of_homes() -> None:
    """The short form."""
    assert loaded("t.json", '{"a": "eu", "b": "us"}').kinds == (Tenancy(EU), Tenancy(US))


WRONG = (
    ("t.csv", "tenant,home\na,eu-west\n", ['/etc/t.csv:2: home: unknown region "eu-west"; known: eu, us']),
    ("t.csv", "tenant,home\na,eu\nb,us\nA,us\n", ['/etc/t.csv:4: tenant "a" is on line 2 already']),
    (
        "t.csv",
        "tenant,home\n",
        [
            (
                "/etc/p.yaml:5:26: services.web.chain[0].pin.directory: /etc/t.csv has no tenants; give it"
                ' rows such as "acme,eu-west" below "tenant,home"'
            )
        ],
    ),
    ("t.csv", "tenant,hoem\na,eu\n", ['/etc/t.csv:1: unknown column "hoem"; did you mean "home"?']),
    (
        "t.csv",
        "tenant\na\n",
        [
            (
                "/etc/t.csv:1: the first line names the columns, tenant,home,residency,state,moving_to;"
                " missing: home"
            )
        ],
    ),
    (
        "t.csv",
        "tenant,home\na\nb.example.com,eu\n-c,eu\n,eu\nd,\n",
        [
            "/etc/t.csv:2: expected 2 columns as in the header, found 1",
            '/etc/t.csv:3: tenant: found "b.example.com"; one label such as "b" is enough',
            '/etc/t.csv:4: tenant: "-c" is no label: at most 63 letters, digits, dashes and underscores',
            "/etc/t.csv:5: tenant: expected a name, found nothing",
            "/etc/t.csv:6: home: expected a region, found nothing",
        ],
    ),
    (
        "t.csv",
        (
            "tenant,home,residency,state,moving_to\na,us,EU,,\nb,eu,law=XX,,\nc,eu,JP,,\nd,eu,eurp,,\n"
            "e,eu,,moving,\nf,eu,,active,us\ng,eu,EU,moving,us\nh,eu,,moving,eu\ni,eu,,gone,\n"
        ),
        [
            '/etc/t.csv:2: home: region "us" lies outside the residency "EU"',
            '/etc/t.csv:3: residency: no region has the label "law: XX"',
            '/etc/t.csv:4: residency: no region has a location with a "country" in JP',
            (
                '/etc/t.csv:5: residency: unknown region or group "eurp"; did you mean "eu"?; labels are'
                " written key=value"
            ),
            '/etc/t.csv:6: state "moving" needs the next home in "moving_to"',
            '/etc/t.csv:7: "moving_to" is for state "moving"; when the move is done, it is the "home"',
            '/etc/t.csv:8: moving_to: region "us" lies outside the residency "EU"',
            '/etc/t.csv:9: "moving_to" is the home, "eu", itself',
            '/etc/t.csv:10: unknown state "gone"; known: active, moving',
        ],
    ),
    ("t.db", "tenant,home\na,eu\nb,xx\n", ['/etc/t.db:2: home: unknown region "xx"; known: eu, us']),
    (
        "t.json",
        '{\n "a": "eu",\n "b": 5,\n "c": {"hom": "eu"}\n}',
        [
            '/etc/t.json:3: expected a home or an object such as {"home": "eu-west"}, found the number 5',
            '/etc/t.json:4: unknown key "hom"; did you mean "home"?',
        ],
    ),
    ("t.json", '{"a": "eu",\n "b" "us"}', ["/etc/t.json:2: not JSON: expected ':'"]),
    ("t.json", "7", ["/etc/t.json:1: expected a list of tenants, or an object with one key for each"]),
    (
        "t.txt",
        "",
        [
            (
                '/etc/p.yaml:5:26: services.web.chain[0].pin.directory: "t.txt" is no tenant file; its name'
                " ends with .csv, .json, .db, .sqlite, .sqlite3"
            )
        ],
    ),
)


@pytest.mark.parametrize(("name", "text", "expected"), WRONG)
def test_what_is_wrong_has_a_line(name: str, text: str, expected: list[str]) -> None:
    """All of it at once, and what to do."""
    assert problems(name, text) == expected


def test_a_file_that_is_not_there() -> None:
    """Is told where it is named."""
    with pytest.raises(PolicyError, match=r"p.yaml:5:26: .*: /etc/t.csv cannot be read: it was not there"):
        load([PolicyFile("/etc/p.yaml", complete(POLICY % "t.csv"))], root="/")


@given(st.text(max_size=80))
def test_any_text_is_a_directory_or_is_told(text: str) -> None:
    """Nothing else is raised."""
    for name in ("t.csv", "t.json"):
        with suppress(PolicyError):
            assert len(loaded(name, text)) > 0


@pytest.mark.parametrize(
    ("records", "warned"),
    [
        ('{"*.app": {service: web}}', False),
        ('{app: {service: web}, "*.app": {service: web}}', False),
        ("{app: {service: web}}", True),
    ],
)
def test_a_pin_without_wildcard_is_warned_of(records: str, warned: bool) -> None:
    """Nobody could ask for a tenant's name."""
    policy = complete(POLICY % "t.csv").replace('{"*.app": {service: web}}', records)
    files = [PolicyFile("/etc/p.yaml", policy), PolicyFile("/etc/t.csv", "tenant,home\na,eu\n", zone=True)]
    said = [str(item) for item in load(files, root="/").warnings if "wildcard" in item.message]
    expected = (
        "/etc/p.yaml:5:9: warning: services.web.chain[0].pin: has no effect: tenants are names below a "
        'wildcard, and no wildcard record refers to this service; write "*.app": {service: web}'
    )
    assert said == [expected] * warned
