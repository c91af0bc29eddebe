"""The image and its compose service, without an engine: built step by step, run under the same limits."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from benchmarks.harness.policies import LONDON
from benchmarks.harness.wait import until
from tests.live.installed import Installed
from tests.live.machine import Machine

pytestmark = [pytest.mark.live, pytest.mark.timeout(420)]  # the first builds the image


@pytest.fixture
def container(repository: Path, installed: Installed) -> Iterator[Machine]:
    """The compose service: its user, its mounts, no capability, a root file system that cannot be written."""
    compose = yaml.safe_load((repository / "docker-compose.yml").read_text())
    service = compose["services"]["georouter"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    binds = dict(installed.binds)
    for volume in service["volumes"]:
        outside, inside, *how = volume.split(":")
        if outside.startswith("./"):
            assert how == ["ro"]
            binds[inside] = repository / outside
        else:
            assert inside in installed.binds
    user, group = installed.user
    stage = installed.stage
    command = [*stage.last("ENTRYPOINT").command, *stage.last("CMD").command]
    limits = f"setpriv --reuid={user} --regid={group} --clear-groups --no-new-privs --inh-caps=-all"
    run = f"cd {stage.last('WORKDIR').rest}; exec {limits} --bounding-set=-all {' '.join(command)}"
    folder = Path(tempfile.mkdtemp(prefix="georouter-container-"))
    folder.chmod(0o755)
    try:
        with Machine(
            folder / "machine",
            run,
            prepare=f"{installed.base}; mount -o remount,ro /",
            binds=binds,
            read_only=("/opt/georouter", "/etc/georouter"),
            environment=installed.environment,
        ) as machine:
            yield machine
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_the_image_serves_under_the_limits_of_compose(
    repository: Path, installed: Installed, container: Machine, need: Callable[[str], str]
) -> None:
    """Healthy by the image's and by compose's own question, answers, writes only its state, ends with 0."""
    stage = installed.stage
    check = stage.last("HEALTHCHECK").rest.partition("CMD ")[2]
    ask = yaml.safe_load(check)
    until(lambda: container.run(*ask).returncode == 0, "the container to be healthy", 60)

    status = Path(f"/proc/{container.pid}/status").read_text()
    assert re.search(rf"^Uid:\t{installed.user[0]}\t", status, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    assert re.search(r"^CapBnd:\t0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    for place in ("/", "/opt/georouter", "/etc/georouter"):
        assert container.run("touch", f"{place}/written").returncode != 0, place

    compose = yaml.safe_load((repository / "docker-compose.yml").read_text())
    word, *asked = compose["services"]["georouter"]["healthcheck"]["test"]
    assert word == "CMD"
    healthy = container.run(*asked)
    assert (healthy.returncode, healthy.stderr) == (0, ""), healthy.stderr
    assert healthy.stdout.startswith("healthy: 127.0.0.1:5300 answered for example.com in ")

    dig = [need("dig"), "@127.0.0.1", "-p", "5300", "www.example.com", "A", "+norec", f"+subnet={LONDON}"]
    for transport in ("+notcp", "+tcp"):
        answer = container.run(*dig, transport).stdout
        assert "status: NOERROR" in answer
        assert "192.0.2." in answer
    assert container.run("georouter", "reload").stdout.startswith("policy loaded; snapshot ")

    volume = installed.binds[stage.last("VOLUME").rest]
    until((volume / "last-good-policy.json").exists, "the policy to be kept")
    assert container.stop() == 0
    assert (volume / "state.json").exists()
    log = container.output()
    assert "server.stopped" in log
    assert "Traceback" not in log
    assert "state.unsaved" not in log
