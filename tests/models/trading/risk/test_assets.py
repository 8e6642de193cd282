"""One classification of assets: what is cash to the hedge is no exposure to the limits."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from models.trading.account.capital.facts import PricesMarked
from models.trading.account.decisions import decide
from models.trading.account.entries.decisions import intent_of_request
from models.trading.account.entries.situation import situation_of
from models.trading.account.facts import OpenRequested
from models.trading.account.hedge.decisions import read_hedge
from models.trading.account.hedge.facts import HedgeReviewRequested
from models.trading.account.rules import compliance_in_force, rules_in_force
from models.trading.account.state import AccountState
from models.trading.orders import OrderType
from models.trading.risk.account_assets import asset_rules, exposures, issuer_values
from models.trading.risk.assets import AssetClass, AssetRules
from models.trading.risk.portfolio import PortfolioLimits, PortfolioView, allow_entry
from tests.models.trading.trading_builders import START, a_market, an_account, an_instrument

STABLE = AssetRules(frozenset({"USDT", "USDC"}), frozenset({"USDC"}))


@pytest.mark.parametrize(
    ("asset", "kind", "is_cash", "issuer"),
    [
        ("USD", AssetClass.CASH, True, None),
        ("USDT", AssetClass.STABLECOIN, True, "Tether"),
        ("USDC", AssetClass.STABLECOIN, False, "Circle"),
        ("EUR", AssetClass.FIAT, False, None),
        ("BTC", AssetClass.COIN, False, None),
    ],
)
def test_every_asset_is_one_kind(
    asset: str, kind: AssetClass, is_cash: bool, issuer: str | None
) -> None:
    assert STABLE.classify(asset) is kind
    assert STABLE.is_cash(asset) is is_cash
    assert STABLE.issuer(asset) == issuer


def holding(peg: str | None) -> AccountState:
    """50,000 USD, 30,000 USDT and bitcoin for 20,000."""
    made = an_account()
    state = replace(
        made,
        balances={"USD": Decimal(50_000), "USDT": Decimal(30_000), "BTC": Decimal("0.4")},
        instruments={
            **made.instruments,
            "BTC/USD": an_instrument("BTC/USD"),
            "USDT/USD": an_instrument("USDT/USD", base="USDT"),
        },
        prices={"BTC/USD": Decimal(50_000)},
    )
    if peg is None:
        return state
    at = START + timedelta(seconds=60)
    return decide(state, PricesMarked({"USDT/USD": Decimal(peg)}, at, at)).state


def a_review() -> HedgeReviewRequested:
    return HedgeReviewRequested(
        request_id="r",
        cause="a test",
        at=START,
        market_at=START,
        market=(),
        volatilities={},
        market_volatility=None,
    )


@pytest.mark.parametrize(
    ("peg", "volatile"), [("1.0002", 20_000), ("0.97", 49_100), (None, 20_000)]
)
def test_hedge_and_limits_see_the_same_exposure(peg: str | None, volatile: int) -> None:
    state = holding(peg)
    assert read_hedge(state, a_review()).volatile == volatile
    assert sum(exposures(state).values()) == volatile
    if peg is None:  # no price: exposure of a value that nobody knows, and so no cash
        assert not asset_rules(state).is_cash("USDT")
    request = OpenRequested(
        request_id="o",
        symbol="BTC/USD",
        order_type=OrderType.MARKET,
        limit_price=None,
        quantity=None,
        stop_price=Decimal(48_000),
        take_profit_price=None,
        trailing_distance=None,
        protection=None,
        market=a_market(),
        by="person",
        at=START,
    )
    intent = intent_of_request(state, request)
    rules, compliance = rules_in_force(state), compliance_in_force(state, "BTC/USD")
    situation = situation_of(state, intent, a_market(), rules, compliance)
    assert sum(situation.view.exposures.values()) == volatile
    assert situation.view.stablecoins.keys() == {"USDT/USD"}


def test_an_issuer_has_a_limit_of_its_own_over_all_its_coins() -> None:
    assert issuer_values(holding("1")) == {"Tether": Decimal(30_000)}
    view = PortfolioView(
        Decimal(100_000),
        {"BTC/USD": Decimal(79_000)},
        {},
        {},
        stablecoins={"USDG/USD": Decimal(15_000), "PYUSD/USD": Decimal(5_000)},
        issuers={"USDG/USD": "Paxos", "PYUSD/USD": "Paxos"},
    )
    allowance = allow_entry(view, PortfolioLimits(), "PYUSD/USD", START)
    assert {headroom.name: headroom.left for headroom in allowance.headrooms} == {
        "pair exposure": Decimal(20_000),
        "stablecoins of Paxos": Decimal(5_000),
    }
