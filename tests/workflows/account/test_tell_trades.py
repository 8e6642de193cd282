"""An account tells many trades at once, and none waits for another that only starts."""

from datetime import UTC, datetime

from models.trading.trade.facts import CloseRequested
from workflows.account.steps import tell_when_started

FACT = CloseRequested("kill switch", "admin", datetime(2026, 1, 1, tzinfo=UTC))


class Noted:
    """BackgroundTasks that are only noted; the trades with these numbers are starting."""

    def __init__(self, *starting):
        self.starting = {f"start/{trade}" for trade in starting}
        self.keys = []

    def is_running(self, key):
        return key in self.starting

    def run(self, key, _work):
        self.keys.append(key.split("/")[1])


def told(background_tasks, *trades):
    tell_when_started(background_tasks, "company", dict.fromkeys(trades, FACT))
    return background_tasks.keys


def test_running_trades_are_told_together():
    assert told(Noted(), 3, 1, 2) == ["[1, 2, 3]"]


def test_trade_that_starts_is_told_by_itself():
    assert told(Noted(2, 4), 1, 2, 3, 4) == ["[1, 3]", "[2]", "[4]"]


def test_nobody_to_tell_is_no_task():
    assert told(Noted()) == []
