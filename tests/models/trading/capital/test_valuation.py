"""One rule for what has no price: every valuation gives the same figure, or the same reason."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.postgres.market.stress_record import Holding, Holdings
from activities.market.marks import EquityWatch
from activities.market.stress import portfolio_of
from api.queries.accounts import at_last_prices, marked
from models.tables.market.market import MarketSnapshotRow
from models.trading.account.equity import equity_last_known, equity_now, valuation
from models.trading.capital.valuation import Valuation, how_valued, value_holdings
from models.trading.market import MarketSnapshot
from models.trading.risk.drawdown import start
from models.trading.universe.compliance import ComplianceRules
from tests.models.trading.trading_builders import MEASURED, START, an_account
from tests.support.market_fakes import FakeMarketRecord

D = Decimal


def test_asset_without_a_pair_counts_nothing_and_is_named() -> None:
    held = {"USD": D(100), "BTC": D("0.5"), "BTC.S": D(3), "KFEE": D(7), "ETH": D(0)}
    worth = value_holdings(held, {"BTC/USD": D(50_000)}, {"BTC/USD", "ETH/USD"})
    assert worth == Valuation(D(25_100), unpriceable=("BTC.S", "KFEE"))
    assert (worth.value, worth.reason) == (D(25_100), "")


def test_listed_pair_without_a_price_makes_the_value_unknown_by_name() -> None:
    worth = value_holdings({"USD": D(100), "BTC": D(1)}, {}, {"BTC/USD"})
    assert (worth.value, worth.known) == (None, D(100))
    assert worth.reason == "no price of BTC/USD is known"


def test_while_no_listing_is_known_nothing_is_called_unpriceable() -> None:
    assert value_holdings({"BTC": D(1)}, {}, None).value is None


@pytest.mark.parametrize("price", ["NaN", "Infinity", "0", "-1"])
def test_what_is_no_price_does_not_value(price: str) -> None:
    worth = value_holdings({"BTC": D(1)}, {"BTC/USD": D(price)}, {"BTC/USD"})
    assert worth.missing == ("BTC/USD",)


# --- the same everywhere -----------------------------------------------------------------------

ASSETS = ("BTC", "ETH", "DOT.S", "JUNK")
LISTED = ("BTC/USD", "ETH/USD")
quantities = st.decimals(D(0), D(1000), places=3)
holdings = st.fixed_dictionaries({"USD": quantities}, optional=dict.fromkeys(ASSETS, quantities))
prices = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(LISTED, st.decimals(D("0.1"), D(10**5), places=1))
)


def snapshots(known: dict[str, Decimal]) -> dict[str, MarketSnapshot]:
    return {
        s: MarketSnapshot(s, price, price, price, START, **MEASURED, measured_at=START)
        for s, price in known.items()
    }


@given(holdings, prices)
def test_every_valuation_of_the_same_gives_the_same(
    held: dict[str, Decimal], known: dict[str, Decimal]
) -> None:
    account = an_account()
    (instrument,) = list(account.instruments.values())[:1]
    pairs = {s: replace(instrument, symbol=s, base=s.partition("/")[0]) for s in LISTED}
    state = replace(account, balances=held, prices=known, instruments=pairs, trades={})
    worth = value_holdings(held, known, LISTED)
    assert valuation(state) == worth
    assert equity_now(state) == worth.value
    assert state.drawdown is not None
    measured = state.drawdown.equity if worth.value is None else worth.value
    assert equity_last_known(state) == measured
    unmeasured = replace(state, drawdown=None)
    assert equity_last_known(unmeasured) == worth.known

    record = FakeMarketRecord(held={"company": held})
    told = asyncio.run(EquityWatch(record).mark(START, known, LISTED))
    marks = [mark.equity for mark in record.equity]
    assert marks == ([] if worth.value is None else [worth.value])
    assert set(told) == {"company"}


@given(holdings, prices)
def test_reads_and_stress_value_what_the_record_priced_alike(
    held: dict[str, Decimal], known: dict[str, Decimal]
) -> None:
    """The record knows a pair by its figures: what was never priced counts as not listed."""
    worth = value_holdings(held, known, known)
    rows = {s: MarketSnapshotRow(symbol=s, bid=price) for s, price in known.items()}
    assert marked(held, rows) == worth
    state = start(D(7), START.date(), START)
    assert at_last_prices(state, held, rows).equity == worth.value
    kept = tuple(Holding(a, q) for a, q in held.items() if a != "USD" and q)
    stressed, unpriced = portfolio_of(
        Holdings(held["USD"], kept), snapshots(known), {}, {}, ComplianceRules(frozenset())
    )
    assert (stressed.equity, unpriced) == (worth.known, worth.without_price)


def test_fee_of_selling_is_taken_off_what_is_sold_and_said() -> None:
    held = {"USD": Decimal(100), "BTC": Decimal(2)}
    prices = {"BTC/USD": Decimal(1000)}
    assert value_holdings(held, prices, None).value == 2100
    assert value_holdings(held, prices, None, Decimal("0.008")).value == Decimal(2084)
    assert how_valued(Decimal(0)) == "the bid"
    assert how_valued(Decimal("0.008")) == "the bid less 0.80% exit fee"
