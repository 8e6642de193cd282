"""What trades of a pair hold together."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.capital.positions import HeldByTrade, position_of

AMOUNT = st.decimals(min_value="0.001", max_value="1000", places=3)
TRADES = st.lists(st.builds(HeldByTrade, AMOUNT, AMOUNT, AMOUNT), min_size=1, max_size=6)


def test_the_price_is_weighted_by_what_each_trade_holds() -> None:
    one = HeldByTrade(Decimal(1), Decimal(1), Decimal(100))
    three = HeldByTrade(Decimal(3), Decimal(2), Decimal(200))
    held = position_of([one, three])
    assert (held.quantity, held.protected_quantity) == (4, 3)
    assert held.average_entry_price == 175
    assert held.value(Decimal(180)) == 720
    assert held.unrealised(Decimal(180)) == 20


def test_what_is_not_known_is_no_figure() -> None:
    known = HeldByTrade(Decimal(1), Decimal(1), Decimal(100))
    held = position_of([known, HeldByTrade(Decimal(1), Decimal(0), None)])
    assert held.average_entry_price is None
    assert held.unrealised(Decimal(100)) is None
    assert held.value(None) is None
    assert position_of([]).average_entry_price is None


@given(TRADES)
def test_profit_is_the_sum_of_the_trades_profits(trades: list[HeldByTrade]) -> None:
    price = Decimal(50)
    found = position_of(trades).unrealised(price)
    apart = sum(
        (t.quantity * (price - t.average_entry_price) for t in trades if t.average_entry_price),
        Decimal(0),
    )
    assert found is not None
    assert abs(found - apart) < Decimal("1e-15")
