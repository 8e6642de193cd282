"""Bounds of an entry: what it is worth at least, and whose price it may follow."""

from decimal import Decimal

import pytest

from models.trading.account.decisions import decide
from models.trading.account.facts import EnterTrade
from models.trading.risk.limits import AccountLimits, Mode
from tests.models.trading.account.test_account_decisions import a_request
from tests.models.trading.trading_builders import a_market, an_account


def test_entry_is_worth_ten_dollars_at_its_stop_or_is_not_made() -> None:
    """Kraken has refused orders near five dollars whatever it publishes (0.5 here)."""
    assert AccountLimits().trade_minimum == 10
    small = decide(an_account(), a_request(quantity=Decimal("0.00020408")))  # 9.99992 at 49,000
    assert small.answer is not None
    assert small.answer.code == "below-minimum"
    assert "10 USD" in small.answer.detail
    large = decide(an_account(), a_request(quantity=Decimal("0.00020409")))  # 10.00041
    assert any(isinstance(command, EnterTrade) for command in large.commands)


@pytest.mark.parametrize(
    ("mode", "apart", "refused"),
    [
        (Mode.LIVE, None, False),
        (Mode.LIVE, Decimal("0.02"), False),
        (Mode.LIVE, Decimal("0.0201"), True),
        (Mode.LIVE, Decimal("NaN"), True),
        (Mode.SIMULATED, Decimal("0.5"), False),
    ],
)
def test_live_account_enters_at_no_price_that_a_second_source_doubts(
    mode: Mode, apart: Decimal | None, *, refused: bool
) -> None:
    state = an_account(mode=mode)
    market = a_market(second_apart=apart)
    decision = decide(state, a_request(market=market))
    assert decision.answer is not None
    assert (decision.answer.code == "price-in-doubt") is refused
    assert any(isinstance(c, EnterTrade) for c in decision.commands) is not refused
    if refused and apart is not None and apart.is_finite():
        assert "2.01% off, 2.00% allowed" in decision.answer.detail
