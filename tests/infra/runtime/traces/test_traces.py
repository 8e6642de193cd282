"""Spans reach a collector; a trade's have one trace, whoever tells them; off costs nothing."""

import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from infra.runtime.settings import Settings
from infra.runtime.state_directory import Manifest, StateDirectory
from infra.runtime.traces.sending import QUEUE_SPANS, Step, Traces, Trade, open_traces
from tests.support.receivers import collector

NOW = 1_790_000_000_000_000_000
FIRST, OTHER = Trade("company", 7), Trade("company", 8)


def told(*steps, installation="one"):
    with collector() as found:
        # Each from a process of its own, as far as the collector can see.
        for process, step in steps:
            traces = Traces(found.url, process, installation)
            traces.tell(step)
            traces.close()
        return found.spans


def a_step(name, trade=None, **changed):
    return Step(name, NOW, NOW + 5, trade, **changed)


def test_the_spans_of_a_trade_are_one_trace_below_the_request_that_opened_it():
    inner = (a_step("open_trade"),)
    spans = told(
        ("trading", a_step("place_order", FIRST)),
        ("api", a_step("POST /trades", FIRST, is_root=True, inner=inner)),
        ("trading", a_step("place_order", OTHER)),
    )
    by_name = {(span.name, span.attributes.get("aether.trade")): span for span in spans}
    root, order = by_name["POST /trades", "7"], by_name["place_order", "7"]
    asked, other = by_name["open_trade", None], by_name["place_order", "8"]
    assert root.parent == ""
    assert order.parent == asked.parent == root.span
    assert {order.trace, asked.trace} == {root.trace}
    assert other.trace != root.trace
    assert (root.service, order.service) == ("aether-api", "aether-trading")
    assert len({span.span for span in spans}) == 4


def test_what_belongs_to_no_trade_has_a_trace_of_its_own_and_failures_are_told():
    spans = told(("api", a_step("POST /a", failure="answered 503")), ("api", a_step("POST /b")))
    assert len({span.trace for span in spans}) == 2
    assert [span.failed for span in spans] == [True, False]


def test_trades_of_two_installations_are_not_taken_for_one():
    step = ("trading", a_step("place_order", FIRST))
    assert told(step)[0].trace != told(step, installation="two")[0].trace


def test_a_collector_that_is_away_holds_nobody_up():
    with collector() as gone:
        pass
    traces = Traces(gone.url, "trading", "one")
    telling = threading.Thread(target=tell_more_than_the_queue_holds, args=(traces,))
    telling.start()
    telling.join(120)  # with one try of the network for each batch it would take as long
    assert not telling.is_alive()
    traces.close()


def tell_more_than_the_queue_holds(traces):
    for _ in range(2 * QUEUE_SPANS):
        traces.tell(a_step("place_order", FIRST))


def test_without_a_collector_nothing_is_traced_and_nothing_loaded(tmp_path):
    assert open_traces(Settings(home=tmp_path), "api") is None
    loads = (
        "import sys, api.app, workers.trading;"
        "print([name for name in sys.modules if 'opentelemetry.sdk' in name or 'otlp' in name])"
    )
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_processes_of_an_installation_agree(tmp_path):
    made = datetime(2026, 1, 1, tzinfo=UTC)
    StateDirectory(tmp_path).save_manifest(
        Manifest(
            market="generated",
            speed="10",
            port_base=7400,
            postgres_major=18,
            created_at=made,
            place="here",
        )
    )
    with collector() as found:
        settings = Settings(home=tmp_path, traces_url=found.url)
        for process in ("api", "trading"):
            traces = open_traces(settings, process)
            traces.tell(a_step("a step", FIRST))
            traces.close()
    assert len({span.trace for span in found.spans}) == 1


@pytest.mark.parametrize("url", ["http://collector.example:4318", "ftp://x", "collector"])
def test_spans_go_to_another_machine_by_https_only(url):
    with pytest.raises(ValidationError, match="AETHER_TRACES_URL"):
        Settings(traces_url=url)
