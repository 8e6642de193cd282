"""A stack that tells a broker: the broker is killed for a minute while it trades."""

import re
import time
from collections import defaultdict
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.stack.postgres_binaries import embedded_cluster
from tests.support.free_ports import free_block
from tests.support.nats import nats_server
from tests.support.own_stack import own_stack, wait_until

OUTAGE_SECONDS = 60
PROMISED_SECONDS = 5.0

pytestmark = [pytest.mark.stack, pytest.mark.alone, pytest.mark.timeout(580)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with nats_server(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="module")
def telling(broker):
    """A stack that trades by itself and tells the broker of it."""
    wanted = {"AETHER_EVENTS_URL": broker.url, "AETHER_EVENTS_CREDENTIALS": str(broker.credentials)}
    with own_stack(free_block(), MARKET="generated", SPEED="10", **wanted) as stack:
        yield stack


def rows(home: Path, query: str):
    with psycopg.connect(embedded_cluster(home).url(database="aether")) as connection:
        return connection.execute(query).fetchall()


def waiting(stack):
    told = stack.json("events", "status")["events"]
    assert told, "events are off"
    return {account: one["waiting"] for account, one in told.items()}


def entries(stack):
    return rows(stack.home, "SELECT count(*) FROM orders WHERE leg = 'entry'")[0][0]


def slow_steps(stack):
    """Return how many steps of orders took longer than is promised."""
    with urlopen(f"http://127.0.0.1:{stack.port_base + 4}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    found = {"le": 0.0, "all": 0.0}
    for sample in (s for f in families for s in f.samples):
        if sample.name == "aether_order_step_seconds_bucket":
            if sample.labels["le"] == str(PROMISED_SECONDS):
                found["le"] += sample.value
            elif sample.labels["le"] == "+Inf":
                found["all"] += sample.value
    return found["all"] - found["le"]


def test_a_broker_that_is_dead_for_a_minute_delays_no_trade_and_misses_nothing(telling, broker):
    wait_until(lambda: entries(telling) > 2, "it trades", 150)
    wait_until(lambda: rows(telling.home, "SELECT is_on FROM event_switch")[0][0], "it tells", 60)
    before, slow = entries(telling), slow_steps(telling)
    broker.kill()
    killed = time.monotonic()
    wait_until(lambda: time.monotonic() - killed > OUTAGE_SECONDS, "a minute", 120)
    assert entries(telling) > before, "trading has stopped with the broker"
    assert sum(waiting(telling).values()) > 0
    assert slow_steps(telling) == slow
    modes = telling.json("status")["degraded_modes"]
    assert any(re.match(r"events: the broker has taken none", form) for form in modes), modes
    broker.start()
    assert telling.aether("kill-switch", "engage", "--reason", "end").returncode == 0
    verified = telling.aether("verify")
    assert verified.returncode == 0, verified.stdout
    # Nobody writes any more, so that what was told can be held against the record.
    for name in ("trading-standby", "trading", "market", "api"):
        stopped = telling.aether("process", "stop", name)
        assert stopped.returncode == 0, stopped.stderr
    wait_until(lambda: set(waiting(telling).values()) == {0}, "everything is told", 180)
    told = broker.messages()
    _is_complete(told)
    _is_what_the_record_says(told, telling.home)


def _is_complete(told):
    assert len({one["id"] for one in told}) == len(told), "an event is there twice"
    numbers = defaultdict(list)
    for one in told:
        numbers[one["subject"]].append(int(one["sequence"]))
    for account, found in numbers.items():
        assert found == list(range(1, len(found) + 1)), f"{account} is not in order, or misses some"


def _is_what_the_record_says(told, home):
    since = rows(home, "SELECT switched_at FROM event_switch")[0][0]
    fills = {
        (one["data"]["account_id"], one["data"]["execution_id"])
        for one in told
        if one["type"] == "aether.fill.v1"
    }
    recorded = {
        (account, execution)
        for account, execution, at in rows(
            home, "SELECT account_id, execution_id, recorded_at FROM fills"
        )
        if at > since
    }
    assert recorded <= fills
    newest = {
        (one["data"]["account_id"], one["data"]["client_order_id"]): one["data"]["status"]
        for one in told
        if one["type"] == "aether.order.v1"
    }
    orders = {
        (account, name): status
        for account, name, status, at in rows(
            home, "SELECT account_id, client_order_id, status, intended_at FROM orders"
        )
        if at > since
    }
    assert orders
    assert {name: newest.get(name) for name in orders} == orders
    kinds = {one["type"] for one in told}
    assert {
        "aether.trade.v1",
        "aether.idea.v1",
        "aether.kill_switch.v1",
        "aether.halts.v1",
    } <= kinds
