"""`georouter check`: exit codes and what is printed."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from georouter.cli.check import check
from tests.policy.policies import SECTIONS, complete

GOOD = complete("geo: {networks: {10.1.0.0/16: {country: US}}}\n") + (
    "tests:\n  - {name: www.example.com, client: 10.1.0.1, expect: [us, eu]}\n"
)


def run(*words: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(check, list(words))


def test_a_good_policy(here: Path) -> None:
    """One line, exit code 0; ./georouter.yaml is found."""
    (here / "georouter.yaml").write_text(GOOD)
    done = run("--strict")
    assert done.exit_code == 0, done.output
    assert done.output == (
        "georouter.yaml: ok: 1 zone, 1 service, 2 regions, 1 steered name, 0 errors, 0 warnings, "
        "1 of 1 test passed\n"
    )
    assert not (here / "state").exists()


def test_errors(here: Path) -> None:
    """Every problem of every file, names relative to here, exit code 1."""
    (here / "policy").mkdir()
    (here / "policy/a.yaml").write_text(complete("server: {lisen: x}\n"))
    (here / "policy/b.yaml").write_text("server: {admin: x}\n")
    done = run("--config", "policy")
    assert done.exit_code == 1
    assert done.output == (
        'policy/a.yaml:1:10: server.lisen: unknown key "lisen"; did you mean "listen"?\n'
        'policy/b.yaml:1:17: server.admin: "x" has no port; write it like "127.0.0.1:5300" or "[::1]:5300"\n'
        "policy: not usable: 2 errors, 0 warnings\n"
    )


def test_warnings_and_strict(here: Path) -> None:
    """A warning is printed and fails only with --strict."""
    (here / "georouter.yaml").write_text(complete("checks: {web: {type: http}}\n"))
    relaxed, strict = run("--no-geo"), run("--no-geo", "--strict")
    assert (relaxed.exit_code, strict.exit_code) == (0, 1)
    assert "georouter.yaml:1:10: warning: checks.web: no region uses this check\n" in relaxed.output
    assert relaxed.output.endswith("0 errors, 1 warning, tests not run\n")
    assert "georouter.yaml: failed: " in strict.output


def test_a_failing_test(here: Path) -> None:
    """Where it stands, what was asked and why it failed; exit code 1."""
    text = GOOD.replace("expect: [us, eu]", "down: us, expect: us")
    (here / "georouter.yaml").write_text(text)
    done = run()
    assert done.exit_code == 1
    line = text.count("\n")
    assert done.output.startswith(
        f"georouter.yaml:{line}:5: test failed: www.example.com for 10.1.0.1/32 while us is down: "
        "expected us, got eu"
    )
    assert done.output.endswith("0 of 1 test passed\n")


def test_kinds_the_database_cannot_tell(here: Path) -> None:
    """The built-in map has no cities: an error at the rule, and no test is run."""
    chain = "services:\n  web: {regions: [us, eu], chain: [geo: [{match: {city: Rome}, regions: [eu]}]]}\n"
    (here / "georouter.yaml").write_text(complete(chain))
    done = run()
    assert done.exit_code == 1
    assert 'cannot tell the city "Rome"' in done.output


def test_json(here: Path) -> None:
    """The same as data."""
    (here / "p.yaml").write_text(
        GOOD.replace("expect: [us, eu]", "expect: eu").replace(
            "services:", "checks: {c: {type: http}}\nservices:"
        )
    )
    done = run("--config", "p.yaml", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["config"] == "p.yaml"
    assert found["ok"] is False
    assert [item["severity"] for item in found["diagnostics"]] == ["warning"]
    assert found["diagnostics"][0]["file"] == "p.yaml"
    (test,) = found["tests"]
    assert (test["name"], test["client"], test["passed"]) == ("www.example.com", "10.1.0.1/32", False)
    assert (test["expect"], test["answered"]) == (["eu"], ["eu", "us"])


def test_nothing_to_check(here: Path) -> None:
    """Usage errors have exit code 2."""
    assert run("--config", "missing.yaml").exit_code == 2
    assert "missing.yaml does not exist" in run("--config", "missing.yaml").output
    assert run().exit_code == (0 if Path("/etc/georouter/georouter.yaml").exists() else 2)
    (here / "empty").mkdir()
    assert run("--config", "empty").exit_code == 2


def test_a_missing_database(here: Path) -> None:
    """The file is named; the policy is not usable."""
    (here / "p.yaml").write_text("geo: {database: nowhere.mmdb}\n" + "".join(SECTIONS.values()))
    done = run("--config", "p.yaml")
    assert done.exit_code == 1
    assert "nowhere.mmdb" in done.output
