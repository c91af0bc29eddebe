"""Broken policies: every finding, exactly as the operator reads it."""

import pytest

from tests.policy import (
    cases_alias,
    cases_bindings,
    cases_lint,
    cases_parts,
    cases_shape,
    cases_transfer,
    cases_yaml,
    cases_zones,
)
from tests.policy.cases import Case
from tests.policy.policies import complete, findings, load_text

ALL = (
    *cases_yaml.CASES,
    *cases_shape.CASES,
    *cases_parts.CASES,
    *cases_zones.CASES,
    *cases_alias.CASES,
    *cases_lint.CASES,
    *cases_bindings.CASES,
    *cases_transfer.CASES,
)


def test_the_valid_policy_is_valid() -> None:
    """What the cases change says nothing by itself."""
    assert findings("") == []
    assert set(load_text(complete("")).policy.regions) == {"us", "eu"}


def test_names_are_unique() -> None:
    """A failing case can be found."""
    names = [case.name for case in ALL]
    assert len(names) == len(set(names)) >= 40


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_findings(case: Case) -> None:
    """Line, column, path and message of everything, and nothing else."""
    assert findings(case.text) == case.findings
