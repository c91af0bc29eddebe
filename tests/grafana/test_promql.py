"""The reader of queries is not blind."""

import pytest

from tests.grafana.promql import complaints, known, used


def test_what_a_query_uses() -> None:
    """Metrics, matchers and groupings; not functions, keywords, strings, durations or numbers."""
    found = used(
        'sum by (region) (rate(a_total{zone=~"x, b{y=1}",rcode!="z"}[5m])) > bool 0.5'
        " / on (job) group_left () max(c:d:e) or vector(0) unless f offset 5m"
    )
    assert found.metrics == {"a_total", "c:d:e", "f"}
    assert found.selected == {("a_total", "zone"), ("a_total", "rcode")}
    assert found.grouped == {"region", "job"}


@pytest.mark.parametrize(
    ("promql", "complaint"),
    [
        ("georouter_region_helthy", "no metric georouter_region_helthy"),
        ('georouter_region_healthy{service="x"}', "georouter_region_healthy has no label service"),
        ("sum by (zone) (georouter_region_healthy)", "no metric of the query has the label zone"),
        ("georouter_probe_duration_seconds", "no metric georouter_probe_duration_seconds"),
    ],
)
def test_a_wrong_query_is_noticed(promql: str, complaint: str) -> None:
    """Every kind of mistake."""
    assert complaint in list(complaints(promql, known({})))
