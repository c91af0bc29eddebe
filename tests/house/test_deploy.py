"""What is shipped to run georouter: the image, compose, the unit. Checked by their own tools and rules."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from georouter import __version__
from georouter.cli.main import main as georouter
from georouter.policy.load import PolicyFile, load
from georouter.policy.model import Server
from tests.live.image import Stage, read

ROOT = Path(__file__).parent.parent.parent
COMPOSE: Any = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
UNIT = (ROOT / "deploy/systemd/georouter.service").read_text()
PINNED = re.compile(r"[a-z./-]+:v?\d+\.\d+(\.\d+)?[a-z0-9-]*")
LABELS = ("title", "description", "licenses", "version", "revision", "created")


def run(program: str, *words: str) -> tuple[int, str]:
    """Exit code and output of a tool of the development environment."""
    path = shutil.which(program, path=str(Path(sys.executable).parent))
    if path is None:
        pytest.fail(f"{program} is not installed; `make check` installs it")
    done = subprocess.run([path, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def final() -> Stage:
    """The stage that becomes the image."""
    return read(ROOT / "Dockerfile")[-1]


def test_hadolint_finds_nothing() -> None:
    """With every rule on, down to the mildest."""
    assert run("hadolint", "--no-color", "--failure-threshold=style", "Dockerfile") == (0, "")
    assert not [line for line in (ROOT / "Dockerfile").read_text().splitlines() if "hadolint ignore" in line]


def test_the_stages_stand_on_a_pinned_slim_image() -> None:
    """More than one stage, all on the same base: neither `latest` nor a full system."""
    stages = read(ROOT / "Dockerfile")
    assert len(stages) > 1
    for stage in stages:
        assert PINNED.fullmatch(stage.base), stage.base
        assert "slim" in stage.base
    assert len({stage.base for stage in stages}) == 1


def test_what_runs_is_nobody_with_a_number(final: Stage) -> None:
    """A user that Kubernetes can tell from root, and nothing is run as root after it."""
    user = final.last("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user.rest)
    assert not [step for step in final.steps[final.steps.index(user) :] if step.word in {"RUN", "COPY"}]


def test_signals_reach_the_daemon(final: Stage) -> None:
    """Exec form throughout: no shell stands between the engine and the daemon."""
    assert final.last("ENTRYPOINT").command == ["georouter"]
    assert final.last("CMD").command == ["serve"]
    assert final.last("STOPSIGNAL").rest == "SIGTERM"


def test_ports_and_places(final: Stage) -> None:
    """What the documents say."""
    assert final.last("EXPOSE").rest.split() == ["5300/udp", "5300/tcp", "8053/tcp"]
    assert final.last("VOLUME").rest == final.last("WORKDIR").rest == "/var/lib/georouter"
    environment = {key: value for step in final.all("ENV") for key, value in step.pairs.items()}
    assert environment["GEOROUTER_CONFIG"] == "/etc/georouter"
    assert environment["GEOROUTER_STATE_DIR"] == "/var/lib/georouter"
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"


def test_the_image_asks_a_dns_question_for_its_health(final: Stage) -> None:
    """One HEALTHCHECK, in exec form, that our own program accepts and that outlasts its own patience."""
    (check,) = final.all("HEALTHCHECK")
    shell, command = check.rest.split("CMD ")
    assert "--timeout=10s" in shell or check.flags["timeout"] == "10s"
    program, name, *words = yaml.safe_load(command)
    assert (program, name) == ("georouter", "healthcheck")
    accepts(name, words)


def test_the_labels(final: Stage) -> None:
    """OCI annotations, three of them filled in at build time, and the version is ours."""
    labels = {key: value for step in final.all("LABEL") for key, value in step.pairs.items()}
    assert {f"org.opencontainers.image.{key}" for key in LABELS} == set(labels)
    arguments = {key: value for step in final.all("ARG") for key, value in step.pairs.items()}
    assert arguments["VERSION"] == __version__
    for key in ("version", "revision", "created"):
        assert labels[f"org.opencontainers.image.{key}"] == f"${{{key.upper()}}}"


def test_compose_follows_its_schema() -> None:
    """The schema of the Compose specification."""
    code, said = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")
    assert code == 0, said


def test_every_image_is_pinned() -> None:
    """Ours to our version, the others to a release."""
    assert SERVICES["georouter"]["image"] == f"georouter:{__version__}"
    assert all(PINNED.fullmatch(service["image"]) for service in SERVICES.values())


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_locked_in(name: str) -> None:
    """Read-only, no capability, no way to gain one; only DNS is offered beyond this machine."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    for port in service["ports"]:
        assert port.startswith(("127.0.0.1:", "5300:5300/")), port


def test_compose_mounts_what_exists() -> None:
    """Every folder of ours is there and mounted read-only; every volume is declared and used."""
    used = set()
    for service in SERVICES.values():
        for volume in service["volumes"]:
            outside, _, *how = volume.split(":")
            if outside.startswith("./"):
                assert (ROOT / outside).is_dir(), outside
                assert how == ["ro"]
            else:
                used.add(outside)
    assert used == set(COMPOSE["volumes"])


def test_what_is_provisioned_meets() -> None:
    """Paths and addresses that Grafana, Prometheus and georouter tell each other."""
    mounts = {
        name: {volume.split(":")[1]: volume.split(":")[0] for volume in service["volumes"]}
        for name, service in SERVICES.items()
    }
    provider = yaml.safe_load(next((ROOT / "grafana/provisioning/dashboards").glob("*.y*ml")).read_text())
    dashboards = provider["providers"][0]["options"]["path"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert mounts["grafana"]["/etc/grafana/provisioning"] == "./grafana/provisioning"
    assert Path(home).parent == Path(dashboards)
    assert (ROOT / mounts["grafana"][dashboards] / Path(home).name).is_file()
    source = yaml.safe_load(next((ROOT / "grafana/provisioning/datasources").glob("*.y*ml")).read_text())
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    config = next(word for word in SERVICES["prometheus"]["command"] if word.startswith("--config.file="))
    place = Path(config.removeprefix("--config.file="))
    scraped = yaml.safe_load((ROOT / mounts["prometheus"][str(place.parent)] / place.name).read_text())
    targets = [entry["targets"] for job in scraped["scrape_configs"] for entry in job["static_configs"]]
    assert ["georouter:8053"] in targets


def test_the_policy_of_compose(tmp_path: Path) -> None:
    """Valid, passes its tests, listens where the image says, and checks containers that are there."""
    folder = ROOT / "deploy/container"
    done = CliRunner().invoke(georouter, ["check", "--strict", "--config", str(folder)])
    assert done.exit_code == 0, done.output
    policy = yaml.safe_load((folder / "georouter.yaml").read_text())
    assert policy["server"] == {"listen": ["0.0.0.0:5300"], "admin": "0.0.0.0:8053"}
    asked = {check["address"] for check in policy["checks"].values()}
    assert asked <= {*SERVICES, "127.0.0.1"}
    _, program, name, *words = SERVICES["georouter"]["healthcheck"]["test"]
    assert (program, name) == ("georouter", "healthcheck")
    accepts(name, words)
    assert words[words.index("--name") + 1] in policy["zones"]


def accepts(name: str, words: list[str]) -> None:
    """Our program knows the command and its options."""
    command = georouter.get_command(georouter.make_context("georouter", [name]), name)
    assert command is not None
    command.make_context(name, list(words))


def test_the_unit_calls_what_exists() -> None:
    """The command line is one of ours, the state goes where systemd makes a place for it."""
    start = re.search(r"^ExecStart=/opt/georouter/bin/georouter (\w+) (.*)$", UNIT, re.MULTILINE)
    assert start is not None
    accepts(start[1], start[2].split())
    for line in (
        "Type=notify",
        "DynamicUser=yes",
        "StateDirectory=georouter",
        "ConfigurationDirectory=georouter",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE",
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "Restart=on-failure",
    ):
        assert f"\n{line}\n" in UNIT
    assert "GEOROUTER_STATE_DIR=%S/georouter" in UNIT


def test_the_kernel_may_grant_the_buffer() -> None:
    """The sysctl file allows the default of server.limits.receive_buffer."""
    text = (ROOT / "deploy/sysctl.d/60-georouter.conf").read_text()
    (granted,) = re.findall(r"^net\.core\.rmem_max = (\d+)$", text, re.MULTILINE)
    assert int(granted) == Server().receive_buffer_bytes


def test_the_page_names_what_exists() -> None:
    """Files of the source tree, our version, the port and the user; and its server section is one."""
    page = (ROOT / "docs/deploy.md").read_text()
    named = set(re.findall(r"(?<![\w/])(?:deploy|config)/[\w./-]+", page))
    assert len(named) >= 3
    assert all((ROOT / path).is_file() for path in named)
    assert f"/opt/georouter-{__version__}/bin/pip install ." in page
    assert f"georouter:{__version__}" in page
    (server,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    policy = load([PolicyFile("/etc/georouter/georouter.yaml", "version: 1\n" + server)]).policy
    assert policy.server.listen[0] == ("192.0.2.53", 53)


def test_the_page_types_commands_that_exist() -> None:
    """Also those typed as root, by their full path, or inside a container."""
    page = (ROOT / "docs/deploy.md").read_text()
    typed = re.findall(
        r"^[#$] (?:docker exec georouter )?(?:/opt/[\w.-]+/bin/)?georouter ([a-z]+)([^&\n]*)",
        page,
        re.MULTILINE,
    )
    assert len(typed) >= 4
    for name, words in typed:
        accepts(name, words.split())
