"""`georouter check --prove-residency`: what is printed and how it exits."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from georouter.analysis.counter import Crossing
from georouter.analysis.proof import Verdict, Walked
from georouter.analysis.questions import How, network
from georouter.cli.check import check
from georouter.cli.proving import Proof, lines
from georouter.words.ids import RegionName, ServiceName
from tests.policy.policies import complete

FENCE = "{residency: {clients: {group: [EU]}, regions: [eu]}}"


def run(*words: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(check, list(words))


def written(here: Path, chain: str = "", more: str = "") -> Path:
    """A policy of one service with this chain."""
    services = f"services:\n  web: {{regions: [us, eu], chain: [{chain}]}}\n{more}"
    path = here / "georouter.yaml"
    path.write_text(complete(f"geo: {{networks: {{10.1.0.0/16: {{country: US}}}}}}\n{services}"))
    return path


def test_a_fence_is_proved(here: Path) -> None:
    """What was walked is said, and a service without a fence is named; exit code 0."""
    written(here, FENCE, "  plain: {regions: [us, eu]}\n")
    text = (here / "georouter.yaml").read_text()
    (here / "georouter.yaml").write_text(
        text.replace("www: {service: web}", "www: {service: web}\n      p: {service: plain}")
    )
    done = run("--prove-residency")
    assert done.exit_code == 0, done.output
    first, walked, plain, summary = done.output.splitlines()
    assert first == "web: residency proved: residency step 1 (group EU)"
    assert "all 4 combinations of 2 regions down" in walked
    assert "blocks across fences, with client subnet and without" in walked
    assert plain == "plain: no fence: it has no residency step, any client may get any region"
    assert summary.endswith("residency of 1 of 1 service proved")


def test_a_forgotten_fence_is_refuted(here: Path) -> None:
    """The address, what is down, what is answered from where, how to look at it; exit code 1."""
    written(here)
    done = run("--claim", "EU=law:EU")
    assert done.exit_code == 1
    head, client, down, answer, allowed, see, summary = done.output.splitlines()
    assert head == 'web: residency refuted: claim "EU=law:EU" is crossed'
    assert client.startswith("  client ")
    assert client.endswith(" asks for www.example.com A")
    assert down == "  while all regions are up"
    assert answer == "  and is answered 192.0.2.10 of us"
    assert allowed == "  allowed: eu"
    address = client.split()[1]
    assert see == f"  see: georouter explain www.example.com --client {address} --offline"
    assert "failed: " in summary
    assert summary.endswith("residency of 0 of 1 service proved")


def test_json(here: Path) -> None:
    """The same for programs, proved and refuted."""
    written(here, FENCE)
    good, bad = run("--prove-residency", "--json"), run("--claim", "country:US=us", "--json")
    assert (good.exit_code, bad.exit_code) == (0, 1)
    (told,) = json.loads(good.output)["residency"]
    assert (told["verdict"], told["combinations"], told["exhaustive"]) == ("proved", 4, True)
    assert told["counter_example"] is None
    (told,) = json.loads(bad.output)["residency"]
    assert told["verdict"] == "refuted"
    assert told["counter_example"]["down"] == []
    assert told["counter_example"]["answer"] == ["192.0.2.20"]
    assert told["counter_example"]["place"].startswith("US")


def test_claims_by_networks_and_of_one_service(here: Path) -> None:
    """A network that the policy does not name; the other service is none of the claim's business."""
    written(here, "", "  eu: {regions: [eu]}\n")
    done = run("--claim", "network:198.51.100.0/24=eu", "--claim-service", "web")
    assert "eu: no fence" in done.output
    assert "client 198.51.100.0 (" in done.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--claim-service", "web"), "give one"),
        (("--prove-residency", "--no-geo"), "leave out --no-geo"),
        (("--claim", "EU=nowhere"), "there is no region 'nowhere'"),
        (("--claim", "city:Bern=eu"), "cannot tell the city"),
    ],
)
def test_usage(here: Path, words: tuple[str, ...], problem: str) -> None:
    """Exit code 2 and what would be right."""
    written(here)
    done = run(*words)
    assert done.exit_code == 2
    assert problem in done.output


@pytest.mark.parametrize(
    ("how", "down", "said", "see"),
    [
        (
            How.BLOCK,
            ("us", "eu"),
            "client block 10.0.0.0/7, which holds 10.0.0.0 (DE), asks for www.example.com A",
            "see: georouter explain www.example.com --client 10.0.0.0/7 --down us --down eu",
        ),
        (
            How.RESOLVER,
            ("us",),
            "resolver 10.0.0.0 (DE) asks for www.example.com A without client subnet",
            "see: georouter explain www.example.com --resolver 10.0.0.0 --down us",
        ),
    ],
)
def test_blocks_and_resolvers_in_words(how: How, down: tuple[str, ...], said: str, see: str) -> None:
    """Who asks in each way, and how to look at it; what more there is to say stands below."""
    crossing = Crossing(
        name="www.example.com",
        type="A",
        client=network(4, 10 << 24, 7 if how is How.BLOCK else 32),
        how=how,
        inside="10.0.0.0",
        place="DE",
        down=tuple(map(RegionName, down)),
        answer=("192.0.2.1",),
        outside=("192.0.2.1",),
        regions=("ap",),
        allowed=(),
        fence="residency step 1",
    )
    verdict = Verdict(ServiceName("web"), ("residency step 1",), Walked(), crossing, ("something",))
    told = list(lines(Proof(verdict, 3, 0.1)))
    assert told[1].strip() == said
    assert told[2].strip() == f"while {', '.join(down)} {'is' if len(down) == 1 else 'are'} down"
    assert told[4:] == ["  allowed: no region", f"  {see}", "  note: something"]


def test_more_than_twelve_regions_in_words() -> None:
    """That it was not every combination is said."""
    verdict = Verdict(ServiceName("web"), ("fence",), Walked(10, 5, 107, exhaustive=False, answers=1234))
    assert list(lines(Proof(verdict, 14, 0.1)))[1] == (
        "  10 ranges and 5 blocks across fences, with client subnet and without; "
        "107 combinations of 14 regions down (every loss of one or two, of all inside a fence, of all; "
        "every combination is walked up to 12 regions); 1,234 answers; 0.1 s"
    )


def test_tenants_are_walked(here: Path) -> None:
    """A tenant's residency is proved where the service has no fence of its own."""
    (here / "t.csv").write_text("tenant,home,residency\nacme,eu,eu\nglobex,us,\n")
    path = written(here, "{pin: {directory: t.csv}}")
    path.write_text(path.read_text().replace("www: {service: web}", '"*.app": {service: web}'))
    done = run("--prove-residency", "--json")
    assert done.exit_code == 0, done.output
    (proof,) = json.loads(done.stdout)["residency"]
    assert (proof["verdict"], proof["kinds_of_tenants"], proof["notes"]) == ("proved", 2, [])
    assert proof["fences"] == [f"residencies of tenants ({here / 't.csv'})"]
