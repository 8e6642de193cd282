"""Dashboards: what is generated is what is committed, mounted everywhere, and reads what exists."""

import json

import pytest
import yaml

from infra.grafana.boards import BOARDS
from infra.grafana.generate import TARGET, files
from infra.grafana.panels import SOURCE
from tests.infra.prometheus.test_contract import ROOT, problems

OTHERS = (
    "temporal_",
    "process_",
    "approximate_backlog_",
    "ALERTS",
    "job",
    "taskqueue",
    "activity_type",
)
"""Series and labels that Prometheus, its client, and Temporal's SDK and server tell."""

PANELS = [(board.name, panel) for board in BOARDS for panel in board.panels()]


def test_the_files_are_those_that_the_code_generates():
    wanted = files()
    assert {path: path.read_text() for path in TARGET.glob("*.json")} == wanted
    for content in wanted.values():
        made = json.loads(content)
        numbers = [panel["id"] for panel in made["panels"]]
        assert len(set(numbers)) == len(numbers)
        for panel in made["panels"]:
            targets = panel.get("targets", [])
            assert len({target["refId"] for target in targets}) == len(targets)
            assert all(target["datasource"]["uid"] == SOURCE.uid for target in targets)


def test_there_is_a_board_for_each_part():
    names = [board.name for board in BOARDS]
    assert names == ["overview", "account", "order-path", "exchange", "learning", "platform"]
    assert all(panel.queries for _, panel in PANELS)


@pytest.mark.parametrize(
    ("board", "panel"), PANELS, ids=[f"{board}-{panel.title}" for board, panel in PANELS]
)
def test_a_panel_names_only_what_is_told(board, panel):
    for query in panel.queries:
        unknown = [name for name in problems(query.expression) if not name.startswith(OTHERS)]
        assert unknown == []


def test_compose_mounts_them_and_the_source_that_they_name():
    services = yaml.safe_load((ROOT / "temporal-compose.yml").read_text())["services"]
    mounts = dict(
        mount.split(":")[:2] for mount in services["grafana"]["volumes"] if mount[0] == "."
    )
    assert (ROOT / "infra/helm/aether/dashboards").samefile(
        ROOT / next(source for source in mounts if source.endswith("dashboards"))
    )
    provisioning = ROOT / "infra" / "grafana" / "provisioning"
    assert "./infra/grafana/provisioning" in mounts
    (source,) = yaml.safe_load((provisioning / "datasources/aether.yaml").read_text())[
        "datasources"
    ]
    assert source["uid"] == SOURCE.uid
    assert source["url"] == "http://127.0.0.1:9090"
    listens = next(w for w in services["prometheus"]["command"].split() if "listen" in w)
    assert source["url"].endswith(listens.partition("=")[2])
    (provider,) = yaml.safe_load((provisioning / "dashboards/aether.yaml").read_text())["providers"]
    assert provider["options"]["path"] in mounts.values()
