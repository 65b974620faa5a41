"""The rules for Prometheus ask for what the services measure."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

CHECKOUT = Path(__file__).parents[2]
RULES = [
    rule
    for group in YAML(typ="safe").load(CHECKOUT / "infra/prometheus/alerts.yaml")["groups"]
    for rule in group["rules"]
]
# spacecom.sources.age in seconds is spacecom_sources_age_seconds to Prometheus; a counter ends in _total.
MEASURED = {
    name.replace(".", "_")
    for name in re.findall(r'"(spacecom\.[a-z.]+)"', (CHECKOUT / "libs/telemetry.py").read_text())
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_is_measured_and_says_what_to_do(rule):
    asked = re.findall(r"spacecom_[a-z_]+", rule["expr"])
    assert asked
    assert {re.sub(r"_(seconds|total)$", "", name) for name in asked} <= MEASURED
    assert set(rule["annotations"]) == {"summary", "action"}
    assert rule["labels"]["severity"] in ("critical", "warning")


def test_a_source_that_fails_or_is_halted_raises_an_alert():
    assert {"SpacecomSourceFailed", "SpacecomSourceHalted", "SpacecomSourceStale"} <= {rule["alert"] for rule in RULES}
