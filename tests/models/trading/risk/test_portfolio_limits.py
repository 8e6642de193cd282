"""No sequence of entries passes a limit, and each refusal says which one and by how much."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.risk.portfolio import (
    LossStreak,
    PortfolioLimits,
    PortfolioView,
    allow_entry,
    check_losses,
    note_result,
    recent_orders,
)
from tests.models.trading.trading_builders import START

LIMITS = PortfolioLimits()
SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD", "DOGE/USD", "NEW/USD")
GROUPS = {"BTC/USD": "BTC/USD", "ETH/USD": "BTC/USD", "SOL/USD": "SOL/USD", "DOGE/USD": "SOL/USD"}
BUCKETS = {"BTC/USD": "major", "ETH/USD": "major", "SOL/USD": "large", "DOGE/USD": "meme"}
SHARE = st.decimals("0.01", "1", places=2)


def a_view(**changes: object) -> PortfolioView:
    view = PortfolioView(Decimal(10_000), {}, GROUPS, BUCKETS)
    return replace(view, **changes)  # type: ignore[arg-type]


def test_each_limit_binds_where_it_is_the_smallest() -> None:
    held = {"ETH/USD": Decimal(4500), "SOL/USD": Decimal(1000)}
    allowance = allow_entry(a_view(exposures=held), LIMITS, "BTC/USD", START)
    assert {headroom.name: headroom.left for headroom in allowance.headrooms} == {
        "pair exposure": 2500,
        "exposure of group BTC/USD": 500,
        "exposure of bucket major": 1500,
        "gross exposure": 2500,
    }
    assert allowance.binding.name == "exposure of group BTC/USD"
    assert allowance.left == 500
    verdict = allowance.judge(Decimal(501))
    assert not verdict.allowed
    assert verdict.reason == "exposure of group BTC/USD 5001.00 USD against 5000.00 USD allowed"
    assert allowance.judge(Decimal(500)).allowed


def test_a_bucket_may_have_its_own_share() -> None:
    limits = replace(LIMITS, bucket_shares={"meme": Decimal("0.05")})
    allowance = allow_entry(a_view(), limits, "DOGE/USD", START)
    assert (allowance.binding.name, allowance.left) == ("exposure of bucket meme", Decimal(500))


def test_what_has_no_group_counts_together() -> None:
    allowance = allow_entry(a_view(exposures={"X/USD": Decimal(5000)}), LIMITS, "NEW/USD", START)
    assert allowance.binding.name == "exposure of group ungrouped"
    assert allowance.left == 0


def test_trades_at_once_orders_in_a_window_and_losses_in_a_row_refuse() -> None:
    busy = a_view(open_trades=8)
    assert allow_entry(busy, LIMITS, "BTC/USD", START).left == 0
    assert LIMITS.orders_maximum <= 3 * LIMITS.trades_maximum  # or it is no brake
    orders = tuple(START - timedelta(seconds=10 * n) for n in range(LIMITS.orders_maximum))
    limited = allow_entry(a_view(entry_orders=orders), LIMITS, "BTC/USD", START)
    assert [c.code for c in limited.judge(Decimal(1)).failures] == ["order-rate-exceeded"]
    later = START + timedelta(minutes=10)
    assert allow_entry(a_view(entry_orders=orders), LIMITS, "BTC/USD", later).left == 2500
    streak = LossStreak()
    for n in range(4):
        assert check_losses(streak, LIMITS, START).passed
        streak = note_result(streak, Decimal(-1), START + timedelta(minutes=n))
    refused = check_losses(streak, LIMITS, START + timedelta(minutes=3))
    assert (refused.passed, refused.code, refused.figure) == (False, "cooling-down", 4)
    assert check_losses(streak, LIMITS, START + timedelta(hours=4, minutes=3)).passed
    assert note_result(streak, Decimal(0), START) == streak
    assert note_result(streak, Decimal("0.01"), START) == LossStreak()
    assert check_losses(streak, replace(LIMITS, losses_maximum=0), START).passed


@given(
    st.lists(st.tuples(st.sampled_from(SYMBOLS), SHARE), max_size=30),
    st.tuples(SHARE, SHARE, SHARE, SHARE),
    st.integers(0, 10),
    st.integers(0, 10),
    st.decimals("-100", "10000", places=2),
)
def test_no_sequence_of_entries_ends_above_a_limit(
    wishes: list[tuple[str, Decimal]],
    shares: tuple[Decimal, Decimal, Decimal, Decimal],
    trades: int,
    orders: int,
    equity: Decimal,
) -> None:
    limits = PortfolioLimits(
        shares[0], shares[1], shares[2], {}, shares[3], trades, orders, timedelta(minutes=10)
    )
    view = a_view(equity=equity)
    for n, (symbol, share) in enumerate(wishes):
        now = START + timedelta(minutes=n)
        allowance = allow_entry(view, limits, symbol, now)
        added = allowance.left * share
        if not allowance.judge(added).allowed or added == 0:
            assert allowance.left == 0
            continue
        view = replace(
            view,
            exposures={**view.exposures, symbol: view.exposures.get(symbol, Decimal(0)) + added},
            open_trades=view.open_trades + 1,
            entry_orders=(*view.entry_orders, now),
        )
    now = START + timedelta(minutes=len(wishes))
    usable = max(Decimal(0), equity) + Decimal("1e-15")
    assert view.open_trades <= trades
    assert len(recent_orders(view.entry_orders, limits.orders_window, now)) <= orders
    assert sum(view.exposures.values()) <= usable * shares[3]
    assert all(value <= usable * shares[0] for value in view.exposures.values())
    for names, share in ((GROUPS, shares[1]), (BUCKETS, shares[2])):
        for name in {*names.values(), None}:
            held = sum(v for s, v in view.exposures.items() if names.get(s) == name)
            assert held <= usable * share
