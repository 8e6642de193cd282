"""Trades of backtests are evidence once, and only after their version was fixed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from models.trading.strategies import known
from models.trading.strategies.evidence import EvidenceSource
from models.trading.strategies.out_of_sample import (
    FIXED_ON,
    OutOfSampleTrade,
    not_yet_counted,
    out_of_sample_from,
)

START = datetime(2027, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def a_trade(
    opened: int, closed: int, symbol: str = "BTC/USD", series: str = "a"
) -> OutOfSampleTrade:
    return OutOfSampleTrade(
        "donchian_ensemble", "1", series, symbol, day(opened), day(closed), Decimal("0.02"),
        Decimal("0.01"),
    )  # fmt: skip


def test_every_strategy_of_a_fixed_interval_names_the_day_of_its_version() -> None:
    versions = {(s.name, s.version) for s in known() if s.interval_minutes is not None}
    assert versions == set(FIXED_ON)
    assert out_of_sample_from("donchian_ensemble", "1") == datetime(2026, 11, 30, tzinfo=UTC)
    assert out_of_sample_from("donchian_ensemble", "2") is None


def test_same_stretch_of_a_pair_counts_once() -> None:
    first = [a_trade(0, 3), a_trade(3, 5), a_trade(7, 9)]
    assert not_yet_counted(first, {}) == first
    until = {"BTC/USD": day(9)}
    assert not_yet_counted(first, until) == []
    # Begun elsewhere, the same move shows other trades: they are not further evidence.
    assert not_yet_counted([a_trade(1, 4), a_trade(8, 10), a_trade(9, 12)], until) == [
        a_trade(9, 12)
    ]
    other = a_trade(1, 4, "ETH/USD")
    assert not_yet_counted([other], until) == [other]


def test_recordings_of_one_pair_beside_each_other_count_once() -> None:
    trades = [a_trade(0, 3), a_trade(4, 5), a_trade(1, 2, series="b"), a_trade(6, 8, series="b")]
    assert not_yet_counted(trades, {}) == [trades[0], trades[1], trades[3]]


def test_result_is_named_after_its_backtest() -> None:
    result = a_trade(0, 3).result("run1")
    assert (result.source, result.reference) == (
        EvidenceSource.BACKTEST,
        "run1/BTC/USD/2027-01-01T00:00",
    )
    assert (result.closed_at, result.net) == (day(3), Decimal("0.01"))
