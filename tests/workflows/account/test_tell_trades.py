"""An account tells many trades at once, and none waits for another that only starts."""

from datetime import UTC, datetime

from models.trading.trade.facts import CloseRequested
from workflows.account.steps import tell_when_started

FACT = CloseRequested("kill switch", "admin", datetime(2026, 1, 1, tzinfo=UTC))


class Noted:
    """Errands that are only noted; the trades with these numbers are starting."""

    def __init__(self, *starting):
        self.starting = {f"start/{trade}" for trade in starting}
        self.keys = []

    def is_running(self, key):
        return key in self.starting

    def run(self, key, _work):
        self.keys.append(key.split("/")[1])


def told(errands, *trades):
    tell_when_started(errands, "company", dict.fromkeys(trades, FACT))
    return errands.keys


def test_running_trades_are_told_together():
    assert told(Noted(), 3, 1, 2) == ["[1, 2, 3]"]


def test_trade_that_starts_is_told_by_itself():
    assert told(Noted(2, 4), 1, 2, 3, 4) == ["[1, 3]", "[2]", "[4]"]


def test_nobody_to_tell_is_no_errand():
    assert told(Noted()) == []
