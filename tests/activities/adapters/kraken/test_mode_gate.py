"""In simulation nothing can reach Kraken, by construction: every route tried, every packet seen."""

import inspect
import sys

import pytest

from activities.ports.exchange import Exchange
from tests.support.packet_watch import run_watched

NO_ROUTE = {"close", "cooling_down", "stream_epoch", "seconds_until_question"}
"""Methods of the port that reach nothing."""


@pytest.fixture(scope="module")
def report():
    return run_watched("tests.support.every_route", python=sys.executable)


def test_every_method_of_the_port_is_tried(report):
    methods = {
        name for name, member in inspect.getmembers(Exchange) if not name.startswith("_")
    } - NO_ROUTE
    tried = {name.removeprefix("simulator ") for name in report["routes"] if "simulator " in name}
    assert methods == tried


def test_simulated_account_trades_with_the_simulator_alone(report):
    routes = report["routes"]
    for name in ("submit", "cancel", "balances", "open_orders", "executions"):
        assert routes[f"simulator {name}"] == "done"
    assert report["asked_outside"] == []
    assert report["live_keys_asked_in_simulation"] == 0


def test_wrong_address_redirect_proxy_or_disguise_leads_nowhere(report):
    for name, came_to in report["routes"].items():
        if name.startswith(("misled exchange", "feed misled", "disguise https", "disguise http:")):
            assert came_to == "ForbiddenAddressError", name
    assert report["routes"]["misled stream executions"] == "ForbiddenAddressError"
    assert report["routes"]["sent on submit"] == "ExchangeUnavailableError"
    assert report["routes"]["no gate exchange"] == "CredentialsError"
    assert report["routes"]["live misled exchange"] == "ForbiddenAddressError"


def test_no_packet_leaves_this_machine(report):
    # Where the system forbids a network namespace, what the program asked its sockets for stands.
    assert report["asked_outside"] == []
    if "packets_outside" in report:
        assert report["watch_works"]
        assert report["packets_outside"] == []
