"""What a backtest proves: closed trades after the version was fixed, at full cost, no others."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from models.contracts.backtests import BacktestRequest
from models.learning.backtest.bars import EPOCH
from models.learning.backtest.evidence import evidence_of, out_of_sample, why_no_evidence
from models.learning.backtest.results import BacktestFill, BacktestResult, FillKind
from models.trading.strategies import known
from tests.models.learning.backtest.backtest_builders import FIRST_MINUTE, bars_of

STRATEGY = known().by_name("donchian_ensemble")
ASKED = BacktestRequest("run1", "Dora", ("donchian_ensemble",), "kraken")
DAYS_UNTIL_FIXED = (datetime(2026, 11, 30, tzinfo=UTC) - EPOCH).days - FIRST_MINUTE // 1440


def a_trial():
    """Return a trial with a trade before the day, one across it, one after, and one still open."""
    count = 12
    rows = [(1000, 1100, 900, 1000 + 5 * n) for n in range(count)]
    minutes = [DAYS_UNTIL_FIXED - 4 + n for n in range(count)]
    bars = bars_of(rows, minutes=minutes)
    lots = 10**bars.instrument.quantity_precision
    fills = []
    for bought, sold in ((0, 2), (3, 5), (6, 8), (10, None)):
        fills.append(BacktestFill(bought, FillKind.ENTRY, 1000, lots, 0.4))
        if sold is not None:
            fills.append(BacktestFill(sold, FillKind.EXIT, 1020, lots, 0.4))
    result = BacktestResult(bars, "fast", 1000.0, tuple(fills), None, None)
    return SimpleNamespace(strategy=STRATEGY.name, label="kraken BTC/USD", results=(result,))


def test_only_closed_trades_opened_after_the_version_was_fixed_count():
    assert why_no_evidence(replace(ASKED, venue="history.kraken"), STRATEGY) is None
    [trade] = out_of_sample(a_trial(), STRATEGY)
    assert trade.opened_at == datetime(2026, 12, 2, tzinfo=UTC)
    assert trade.closed_at == datetime(2026, 12, 5, tzinfo=UTC)
    assert (trade.strategy, trade.version, trade.symbol) == ("donchian_ensemble", "1", "BTC/USD")
    assert trade.move == Decimal("0.02")
    assert trade.net == Decimal("0.012")  # less 0.4 USD each way of 100 USD


def test_evidence_says_what_it_is_or_why_there_is_none():
    trades, note = evidence_of(ASKED, a_trial(), [STRATEGY])
    assert len(trades) == 1
    assert note.startswith("Evidence: 1 closed trades opened from 2026-11-30 on")
    trades, note = evidence_of(replace(ASKED, fees="0/0"), a_trial(), [STRATEGY])
    assert (trades, note) == ([], "No evidence: its fees are not those of today's schedule.")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"fees": "0.1/0.2"}, "fees"),
        ({"slippage": 0.0}, "slippage"),
        ({"latency": 0.5}, "latency"),
        ({"interval_minutes": 60}, "other bars"),
        ({"sweep": ("volatility_target=0.2,0.4",)}, "parameters are not those"),
        ({"venue": "history.simulator"}, "generated"),
        ({"venue": "history.coingecko"}, "hindsight"),
        ({"venue": "panel"}, "hindsight"),
        ({"begin": datetime(2026, 12, 24, tzinfo=UTC)}, "it begins after 2026-11-30"),
    ],
)
def test_what_is_judged_more_kindly_proves_nothing(changed, reason):
    assert why_no_evidence(ASKED, STRATEGY) is None
    assert why_no_evidence(replace(ASKED, begin=datetime(2025, 1, 1, tzinfo=UTC)), STRATEGY) is None
    assert why_no_evidence(replace(ASKED, slippage=0.002), STRATEGY) is None
    assert reason in why_no_evidence(replace(ASKED, **changed), STRATEGY)


def test_trial_of_a_sweep_proves_nothing_whatever_its_name():
    swept = replace(ASKED, sweep=("volatility_target=0.2,0.4",))
    trial = a_trial()
    trial.strategy = "donchian_ensemble[volatility_target=0.4]"
    trades, note = evidence_of(swept, trial, [STRATEGY])
    assert trades == []
    assert note == "No evidence: its parameters are not those of donchian_ensemble 1."


def test_another_version_has_no_day_yet():
    other = replace(STRATEGY, version="2")
    assert "was fixed is not known" in why_no_evidence(ASKED, other)
    assert out_of_sample(a_trial(), other) == []
