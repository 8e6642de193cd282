"""Prices of what is held that nobody tells any more are not known."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from models.trading.account.capital.facts import PricesMarked
from models.trading.account.decisions import decide
from models.trading.account.facts import OpenRequested
from models.trading.orders import OrderType
from tests.models.trading.trading_builders import START, a_market, an_account


def test_silence_about_prices_is_no_price_once_they_were_promised() -> None:
    """Held is ETH at 2,500; what was promised every half hour has not come for an hour."""
    half = timedelta(minutes=30)
    held = an_account(balances={"USD": Decimal(50000), "ETH": Decimal(1)}, drawdown=None)
    told = PricesMarked({"ETH/USD": Decimal(2500)}, START, START, (), half)
    state = decide(held, told).state
    for minutes, code in ((59, None), (61, "equity-unknown")):
        at = START + timedelta(minutes=minutes)
        market = replace(a_market(), observed_at=at, book_at=at, measured_at=at)
        request = OpenRequested(
            f"r-{minutes}", "Dora", "BTC/USD", OrderType.MARKET, Decimal(49000), market, at
        )
        answer = decide(state, request).answer
        assert answer is not None
        assert (None if answer.accepted else answer.code) == code
    again = decide(state, replace(told, at=START + half * 2, sent_at=START + half * 2)).state
    assert again.prices_due == START + half * 4
    unpromised = decide(held, replace(told, again_within=None)).state
    assert unpromised.prices_due is None
