"""What ``aether status`` makes of the figures of the processes, and of one that does not answer."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from activities import metrics
from activities.metrics import SECONDS
from activities.ports.journal import Discrepancies
from cli.output.measurements import measure, parsed
from cli.output.measurements_text import duration, lines
from infra.runtime.settings import Settings
from tests.support.free_ports import free_block
from workers.health import Health, HealthServer

PORT_BASE = free_block()


@pytest.fixture
def settings():
    return Settings(port_base=PORT_BASE)


@pytest.fixture
def trading(settings):
    """The metrics endpoint of a trading process, in this process."""
    server = HealthServer(settings.trading_metrics_port, Health())
    server.start()
    yield server
    server.stop()


def scraped(registry):
    return parsed({"trading": generate_latest(registry).decode()})


def test_figures_come_from_the_processes_that_answer_and_the_others_are_named(settings, trading):
    metrics.ORDER_STEP.labels("acknowledge", "entry").observe(0.02)
    metrics.UNKNOWN_OUTCOMES.labels("place", "entry", "found_open").inc()
    metrics.observe_reconciliation(Discrepancies({"balances": ["BTC"]}), 0.3)
    metrics.READ_HEADROOM.labels("company").set(0.42)
    metrics.STREAM_UP.labels("company").set(1)
    metrics.STREAM_UP.labels("director-1").set(0)
    found = measure(settings)
    assert set(found.silent) == {"market", "api"}
    assert "refused" in found.silent["market"]
    said = "\n".join(lines(found))
    assert "entry acknowledge" in said
    assert "place found_open" in said
    assert "balances" in said
    assert "reads 42% free at least (company)" in said
    assert "director-1: the private stream is away" in said
    assert "market does not answer" in said
    assert "api does not answer" in said
    document = json.loads(json.dumps(found.document()))
    assert document["silent"].keys() == {"market", "api"}
    steps = document["aether_order_step_seconds"]
    assert any(row["step"] == "acknowledge" and row["count"] >= 1 for row in steps)


def test_nothing_is_claimed_when_nobody_answers(settings):
    found = measure(settings)
    assert set(found.silent) == {"trading", "market", "api"}
    told = lines(found)[1:]
    assert len(told) == 3
    assert all("does not answer" in line for line in told)


def test_processes_that_have_measured_nothing_say_so():
    told = "\n".join(lines(parsed({"trading": "", "market": "", "api": ""})))
    assert "none yet" in told
    assert "unknown outcomes   none" in told
    assert "no feed yet" in told


def test_accounts_that_were_never_compared_are_named_and_the_worst_of_the_others():
    registry = CollectorRegistry()
    now = Gauge("aether_trade_unprotected_current_seconds", "", ["account"], registry=registry)
    age = Gauge("aether_reconciliation_age_seconds", "", ["account"], registry=registry)
    for account, seconds in (("a", 0), ("b", 3), ("c", 1)):
        now.labels(account).set(seconds)
    age.labels("a").set(20)
    age.labels("b").set(150)
    told = "\n".join(lines(scraped(registry)))
    assert "now 3.0 s (b)" in told
    assert "2 min ago at most (b), nothing differs" in told
    assert any(line.split() == ["never", "reconciled", "c"] for line in told.splitlines())


def test_record_that_does_not_answer_is_no_sign_of_protection():
    registry = CollectorRegistry()
    Gauge("aether_record_up", "", registry=registry).set(0)
    told = "\n".join(lines(scraped(registry)))
    assert "the record does not answer" in told
    assert "now none" not in told


def test_figures_of_others_are_left_out():
    registry = CollectorRegistry()
    Gauge("temporal_requests", "", registry=registry).set(1)
    assert not scraped(registry).values


def test_processes_that_tell_the_same_figure_are_told_apart_and_added_up():
    registries = CollectorRegistry(), CollectorRegistry()
    for registry, count in zip(registries, (3, 0), strict=True):
        Counter("aether_things", "", registry=registry).inc(count)
        histogram = Histogram("aether_things_seconds", "", registry=registry)
        for _ in range(count):
            histogram.observe(1)
    said = [generate_latest(registry).decode() for registry in registries]
    found = parsed(dict(zip(("trading", "market"), said, strict=True)))
    assert found.total("aether_things_total") == 3
    assert [(labels, one.count) for labels, one in found.spreads("aether_things_seconds")] == [
        ({"process": "trading"}, 3)
    ]
    rows = found.document()["aether_things_total"]
    assert rows == [{"process": "market", "value": 0}, {"process": "trading", "value": 3}]


@given(
    values=st.lists(st.floats(min_value=0, max_value=400), min_size=1, max_size=60),
    share=st.floats(min_value=0.01, max_value=1),
)
def test_percentile_is_in_the_bucket_of_the_true_one(values, share):
    registry = CollectorRegistry()
    histogram = Histogram("aether_some_seconds", "", buckets=SECONDS, registry=registry)
    for value in values:
        histogram.observe(value)
    (one,) = scraped(registry).distributions["aether_some_seconds"].values()
    true = sorted(values)[max(0, math.ceil(len(values) * share) - 1)]
    low = max((bound for bound in SECONDS if bound < true), default=0.0)
    high = next((bound for bound in SECONDS if bound >= true), SECONDS[-1])
    assert low <= one.quantile(share) <= high + 1e-9
    assert one.count == len(values)


def test_empty_distribution_has_no_percentile():
    registry = CollectorRegistry()
    Histogram("aether_none_seconds", "", buckets=SECONDS, registry=registry)
    (one,) = scraped(registry).distributions["aether_none_seconds"].values()
    assert one.quantile(0.5) is None
    assert one.document()["at_most"] is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0.0042, "4.2 ms"), (3, "3.0 s"), (600, "10 min"), (9000, "2.5 h")],
)
def test_spans_are_told_in_the_unit_that_suits_them(seconds, words):
    assert duration(seconds) == words
