"""What rules, runbooks and the service levels name is what the processes really tell."""

import re

import click
import pytest
import typer
import yaml
from prometheus_client import REGISTRY

import api.app  # noqa: F401  # each process registers its figures when it is loaded
import workers.market
import workers.trading  # noqa: F401
from api.queries.operation_metrics import OperationGauges
from api.queries.record_metrics import RecordGauges
from cli.main import build_app
from infra.runtime.http.port_settings import HEALTH_OFFSETS
from infra.runtime.settings import Settings
from infra.stack import ports
from tests.infra.prometheus.test_rules import ROOT, RULES, pages, rules
from workers.exchange.health import SimulatorFigures

RUNBOOKS = ROOT / "docs" / "runbooks"
SERVICE_LEVELS = ROOT / "docs" / "service-levels.md"
FIGURES = ROOT / "docs" / "metrics.md"
SERIES = re.compile(r"\baether_[a-z0-9_]+\b")
WORDS = {
    *("abs", "absent", "and", "by", "count", "for", "histogram_quantile", "increase", "ignoring"),
    *("max", "min", "on", "or", "rate", "sum", "unless", "vector", "without"),
}
ADDED = {"job", "instance"}
"""Labels that Prometheus itself gives to what it scrapes."""

HISTOGRAM_PARTS = tuple(
    f"{unit}_{part}" for unit in ("_seconds", "_basis_points") for part in ("sum", "count")
)
"""Series of a histogram that its own row documents."""


def _labels():
    """Return the labels of every series by its name as scraped."""
    collectors = {*REGISTRY._names_to_collectors.values()}
    for read_when_asked in (RecordGauges(), OperationGauges(), SimulatorFigures()):
        collectors |= {*read_when_asked.registry._names_to_collectors.values()}
    found = {"up": set()}
    for one in collectors:
        if not getattr(one, "_name", "").startswith("aether_"):
            continue
        names = set(one._labelnames)
        for family in one.describe() if hasattr(one, "describe") else ():
            if family.type == "histogram":
                found |= {
                    f"{family.name}_bucket": names | {"le"},
                    f"{family.name}_count": names,
                }
                # What may be negative has no sum that only grows, and tells none.
                if one._upper_bounds[0] >= 0:
                    found[f"{family.name}_sum"] = names
            else:
                name = f"{family.name}_total" if family.type == "counter" else family.name
                found[name] = names
    return found


TOLD = _labels()


def problems(expression):
    """Return what an expression names that no process tells."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    found = []
    for name, matchers in re.findall(r"\b([a-z_][a-z0-9_]*)\{([^}]*)\}", bare):
        labels = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", matchers))
        found += sorted(labels - TOLD.get(name, set()) - ADDED)
    every_label = set().union(*TOLD.values()) | ADDED
    for listed in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", bare):
        found += sorted({w.strip() for w in listed.split(",") if w.strip()} - every_label)
    rest = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without|ignoring)\s*\([^)]*\)", " ", bare)
    words = set(re.findall(r"\b[a-z_][a-z0-9_]*\b", rest))
    return found + sorted(words - WORDS - set(TOLD))


def test_a_series_or_label_that_nobody_tells_is_found():
    assert problems("aether_invented_total > 0") == ["aether_invented_total"]
    assert problems('aether_record_up{account="company"}') == ["account"]
    assert problems("sum by (colour) (aether_record_up)") == ["colour"]
    assert problems('rate(aether_order_step_seconds_bucket{step="intent"}[5m])') == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_rule_reads_what_is_told_and_leads_to_its_runbook(rule):
    assert problems(rule["expr"]) == []
    assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"
    assert (ROOT / rule["annotations"]["runbook"]).is_file()


def test_values_of_labels_that_rules_ask_for_exist():
    from models.trading.account.state import HaltKind

    text = (RULES / "pages.yaml").read_text()
    (kinds,) = re.findall(r'kind=~"([^"]*)"', text)
    assert set(kinds.split("|")) <= {kind.value for kind in HaltKind}


@pytest.mark.parametrize(
    "page", [*sorted(RUNBOOKS.glob("*.md")), SERVICE_LEVELS], ids=lambda page: page.stem
)
def test_pages_of_the_documentation_name_only_what_is_told(page):
    histograms = {name.removesuffix("_bucket") for name in TOLD}
    assert set(SERIES.findall(page.read_text())) - set(TOLD) - histograms == set()


def documented(page):
    """Return the labels of each figure that a page has a row for."""
    found = {}
    for row in page.read_text().splitlines():
        if not row.startswith("| `aether_"):
            continue
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        heads = " ".join(part.partition(":")[0] for part in cells[2].split(";"))
        labels = set(re.findall(r"`([a-z_]+)`", heads))
        found |= dict.fromkeys(re.findall(r"`(aether_[a-z0-9_]+)`", cells[0]), labels)
    return found


def test_every_figure_is_documented_with_its_labels_and_nothing_else_is():
    told = {
        name.removesuffix("_bucket"): labels - {"le"}
        for name, labels in TOLD.items()
        if not name.endswith(HISTOGRAM_PARTS) and name != "up"
    }
    assert documented(FIGURES) == told


def test_jobs_scrape_the_ports_of_the_code():
    on = {"learning": True, "events_url": "nats://127.0.0.1:1", "backup_schedule": "1 2 * * *"}
    settings = Settings(**on)
    jobs = yaml.safe_load((RULES / "prometheus.yaml").read_text())["scrape_configs"]
    scraped = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    assert scraped == {
        "aether-api": [f"127.0.0.1:{settings.api_port}"],
        "aether-trading": [f"127.0.0.1:{settings.trading_metrics_port}"],
        "aether-market": [f"127.0.0.1:{settings.market_metrics_port}"],
        "aether-temporal": [f"127.0.0.1:{settings.temporal_metrics_port}"],
        "aether-exchange": [f"127.0.0.1:{settings.exchange_port}"],
        **{
            f"aether-{name}": [f"127.0.0.1:{settings.health_port(name)}"] for name in HEALTH_OFFSETS
        },
    }
    assert ports.beside(settings) == [*HEALTH_OFFSETS]
    assert {int(t[0].rpartition(":")[2]) for t in scraped.values()} <= {
        *ports.needed(settings).values()
    }
    asked = set(re.findall(r'job="([^"]+)"', "".join(rule["expr"] for rule in rules())))
    assert asked <= set(scraped)


def _commands(page):
    blocks = re.findall(r"```\n(.*?)```", page.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("aether ")]


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_has_its_parts_and_its_commands_exist(page):
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "Symptoms",
        "Alert",
        "What to do",
    ]
    commands = _commands(page)
    assert commands
    app = typer.main.get_command(build_app([]))
    for line in commands:
        words = line.partition("#")[0].split()[1:]
        command, context = app, click.Context(app)
        while isinstance(command, click.Group) or hasattr(command, "commands"):
            assert words, f"{line} names no command"
            found = command.get_command(context, words.pop(0))
            assert found is not None, line
            command = found
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_every_runbook_belongs_to_an_alert():
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {rule["alert"] for rule in rules()}
    assert set(pages()) < {rule["alert"] for rule in rules()}
