"""A real Prometheus that has scraped a trading stack: nothing that is watched is an invention."""

import re
import time

import pytest

from infra.grafana.boards import BOARDS
from tests.infra.prometheus.test_contract import (
    ADDED,
    FIGURES,
    RUNBOOKS,
    SERIES,
    SERVICE_LEVELS,
    THEIRS,
    TOLD,
    documented,
)
from tests.infra.prometheus.test_rules import rules
from tests.support.free_ports import free_block
from tests.support.lifting import lift_on_stack
from tests.support.own_stack import own_stack, wait_until
from tests.support.prometheus import prometheus_of

SCRAPED_SECONDS = 150
"""Queries look at five minutes; trades have been opened, protected and compared by then."""


@pytest.fixture(scope="module")
def stack():
    """A stack with everything that is off by default, as far as figures tell of it."""
    # A broker that nobody is: what waits for it is a figure too.
    nobody = f"nats://127.0.0.1:{free_block()}"
    off = {"AETHER_EVENTS_URL": nobody, "AETHER_SECOND_FEED": "simulator"}
    with own_stack(free_block(), MARKET="generated", SPEED="10", **off) as found:
        yield found


@pytest.fixture(scope="module")
def watched(stack, tmp_path_factory):
    """A Prometheus that has seen the stack trade, be stopped and go on."""
    with prometheus_of(stack.port_base, tmp_path_factory.mktemp("prometheus")) as found:
        wait_until(lambda: _all_up(found), "every process is scraped", 60)
        began = time.monotonic()
        wait_until(lambda: stack.trades("company"), "a trade", 240)
        assert stack.aether("kill-switch", "engage", "--reason", "a look").returncode == 0
        assert lift_on_stack(stack, 1).status_code == 200
        wait_until(lambda: time.monotonic() - began > SCRAPED_SECONDS, "scraped", 600)
        yield found


OFF = {"aether-learning": "down", "aether-backups": "down"}


def _all_up(found):
    targets = found.targets()
    on = {job: state for job, state in targets.items() if job not in OFF}
    return len(on) == 8 and set(on.values()) == {"up"}


def figures_of(text):
    return set(SERIES.findall(text))


NOT_HERE = {
    "aether_champion_promotion_seconds",
    "aether_exchange_key_age_days",
    "aether_market_data_age_seconds",
    "aether_sanctions_named_pairs_count",
}
"""Told of keys that somebody stored (those of this stack were made with it), of schedules that
bring data from outside, of a list of sanctions that was read, and of a model that was promoted: see
docs/metrics.md."""


@pytest.mark.stack
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_all_that_is_watched_was_scraped(watched):
    scraped = watched.labels()
    own = {name: labels - ADDED for name, labels in scraped.items() if name.startswith("aether_")}

    # Rules: Prometheus evaluates each, and everything they read is there.
    assert [r for r in watched.rules() if r["health"] != "ok"] == []
    for rule in rules():
        named = figures_of(rule["expr"]) - NOT_HERE
        assert named <= set(own), f"{rule['alert']} reads what nobody tells: {named - set(own)}"

    for name, labels in THEIRS.items():
        assert labels <= scraped.get(name, set()), f"Temporal does not tell {name}{sorted(labels)}"

    # Pages of the documentation: a histogram is named by its base.
    bases = {re.sub(r"_(bucket|count|sum)$", "", name) for name in own} | set(own)
    for page in (*RUNBOOKS.glob("*.md"), SERVICE_LEVELS):
        missing = figures_of(page.read_text()) - bases - NOT_HERE
        assert not missing, f"{page.name} names what nobody tells: {missing}"

    # Whatever is told is documented, with just these labels.
    known = documented(FIGURES)
    for name, labels in own.items():
        if name.endswith("_created"):
            continue
        base = re.sub(r"_(bucket|count|sum)$", "", name) if name not in known else name
        assert known.get(base) == labels - {"le"}, f"{name}{sorted(labels)} is not documented so"
    assert {name for name in own if not name.endswith("_created")} <= set(TOLD)


@pytest.mark.stack
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_every_panel_shows_something_or_says_when_it_will(watched):
    empty = []
    for board in BOARDS:
        for panel in board.panels():
            found = [watched.query(query.expression) for query in panel.queries]
            shows = any(sample["value"][1] != "NaN" for rows in found for sample in rows)
            if not shows and not panel.fills:
                empty.append(f"{board.name}: {panel.title}")
    assert empty == []


@pytest.mark.stack
@pytest.mark.alone
def test_a_panel_whose_query_is_wrong_or_empty_would_be_found(watched):
    assert watched.query("aether_invented_total") == []
    with pytest.raises(AssertionError, match="parse error"):
        watched.query("sum by (")
