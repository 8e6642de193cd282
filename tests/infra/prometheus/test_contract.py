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
from models.trading.governance.notifications.conditions import CONDITIONS
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
THEIRS = {
    "temporal_workflow_task_schedule_to_start_latency_seconds_bucket": {"le"},
    "approximate_backlog_age_seconds": {"taskqueue"},
}
"""Series of Temporal's SDK and server that rules read, with the labels that they use: a stack that
was scraped shows that they are told."""
PROCEDURES = {"DiskFull", "LostSecondFactor", "ModelRollback", "Restore", "SecretsSealed"}
"""Runbooks that several alerts lead to, or none."""
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
    found = {"up": set()} | THEIRS
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
    from models.contracts.names import TRADING_QUEUE
    from models.trading.account.state import HaltKind

    queues = re.findall(r'taskqueue="([^"]*)"', (RULES / "tickets.yaml").read_text())
    assert set(queues) == {TRADING_QUEUE}

    text = (RULES / "pages.yaml").read_text()
    (kinds,) = re.findall(r'kind=~"([^"]*)"', text)
    assert set(kinds.split("|")) <= {kind.value for kind in HaltKind}


@pytest.mark.parametrize(
    "page", [*sorted(RUNBOOKS.glob("*.md")), SERVICE_LEVELS], ids=lambda page: page.stem
)
def test_pages_of_the_documentation_name_only_what_is_told(page):
    histograms = {name.removesuffix("_bucket") for name in TOLD}
    assert set(SERIES.findall(page.read_text())) - set(TOLD) - histograms == set()


@pytest.mark.parametrize(
    "page", [*sorted(RUNBOOKS.glob("*.md")), SERVICE_LEVELS], ids=lambda page: page.stem
)
def test_links_of_what_is_read_at_night_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\(([\w./-]+\.md)#?([\w-]*)\)", page.read_text()):
        found = page.parent / target
        assert found.is_file(), target
        headings = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
        assert not anchor or anchor in slugs, f"{target}#{anchor}"


def test_whoever_goes_on_call_has_read_the_threat_model():
    checklist = SERVICE_LEVELS.read_text().split("## Before going on call")[1]
    assert "(security.md#who-may-attack-and-what-stops-them)" in checklist


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
        if not name.endswith(HISTOGRAM_PARTS) and name not in {"up", *THEIRS}
    }
    assert documented(FIGURES) == told


def test_what_the_documentation_says_to_alert_on_has_a_rule():
    rows = [row for row in FIGURES.read_text().splitlines() if row.startswith("| `aether_")]
    wanted = {
        SERIES.findall(row)[0]
        for row in rows
        if re.search(r"\balert (on|above)\b", row, re.IGNORECASE)
    }
    assert len(wanted) > 3
    read = {name for rule in rules() for name in SERIES.findall(rule["expr"])}
    assert wanted <= read


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


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: one.figure)
def test_what_the_platform_watches_itself_leads_to_the_runbook_of_its_alert(condition):
    expressions = {rule["alert"]: rule["expr"] for rule in rules()}
    assert condition.figure in SERIES.findall(expressions[condition.runbook])


def test_every_runbook_belongs_to_an_alert_or_is_a_procedure():
    alerts = {rule["alert"] for rule in rules()}
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == alerts | PROCEDURES
    assert not alerts & PROCEDURES
    assert set(pages()) < alerts


@pytest.mark.parametrize("name", sorted(PROCEDURES))
def test_a_procedure_is_found_from_another_page_and_its_alerts_exist(name):
    others = [page for page in (ROOT / "docs").rglob("*.md") if page.stem != name]
    assert any(f"{name}.md)" in page.read_text() for page in others)
    lead = (RUNBOOKS / f"{name}.md").read_text().split("## Alert")[1].split("## What to do")[0]
    named = set(re.findall(r"\]\((\w+)\.md\)", lead))
    assert named <= {rule["alert"] for rule in rules()}
    assert named or lead.strip().startswith("None.")
