"""The catalogue of metrics: complete, conventional, and what docs/metrics.md says."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from georouter.telemetry.catalog import CATALOG, Kind
from tests.telemetry.scrapes import busy

DOC = Path(__file__).parent.parent.parent / "docs" / "metrics.md"


def test_every_metric_of_the_catalogue_is_shown() -> None:
    """With everything said once, the families of a scrape are exactly the catalogue, kinds and labels too."""
    text, _ = busy().exposition()
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        if family.name.startswith("georouter_"):
            labels = {name for sample in family.samples for name in sample.labels} - {"le"}
            suffix = "_total" if family.type == "counter" else ""
            found[family.name + suffix] = (family.type, family.documentation, labels)
    assert found == {spec.name: (spec.kind, spec.help, set(spec.labels)) for spec in CATALOG}


def test_names_follow_the_conventions() -> None:
    """Prefix, `_total` on counters only, and no label that could hold a client or a query name."""
    for spec in CATALOG:
        assert re.fullmatch(r"georouter_[a-z_]+", spec.name)
        assert spec.name.endswith("_total") == (spec.kind is Kind.COUNTER)
        assert not {"client", "address", "qname", "name", "source"} & set(spec.labels)


def test_the_page_and_the_catalogue_agree() -> None:
    """docs/metrics.md has one row per metric, with its type, labels and help."""
    rows = re.findall(
        r"^\| `(georouter_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", DOC.read_text(encoding="utf-8"), re.MULTILINE
    )
    documented = [
        (name, kind, tuple(re.findall(r"`(\w+)`", labels)), text) for name, kind, labels, text in rows
    ]
    assert documented == [(spec.name, spec.kind.value, spec.labels, spec.help) for spec in CATALOG]


def test_the_page_names_only_metrics_that_exist() -> None:
    """Every metric in the page's prose and queries is in the catalogue."""
    named = set(re.findall(r"georouter_\w+", DOC.read_text(encoding="utf-8")))
    assert named == {spec.name for spec in CATALOG}
