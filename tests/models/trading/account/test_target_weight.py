"""A weight becomes entries, sales of parts and raised stops, within the band and every rule."""

from dataclasses import replace
from decimal import Decimal

import pytest

from models.trading.account.decisions import decide
from models.trading.account.facts import (
    CloseTrades,
    EnterTrade,
    IdeaArrived,
    RaiseStops,
    RecordIdea,
    ReduceTrades,
    RequestApproval,
)
from models.trading.governance.approval import ApprovalPolicy
from models.trading.ideas import Idea, StrategyStanding
from models.trading.risk.limits import AccountLimits, Mode
from models.trading.trade.facts import ExitReason
from models.trading.trade.state import TradePhase, TradeSummary
from tests.models.trading.trading_builders import START, a_market, an_account

LIMITS = AccountLimits(risk_share=Decimal("0.1"))
MARKET = a_market(bid="100", ask="100", depth_quantity=None)


def an_idea(weight: str, stop: str = "90", number: int = 1, **changes) -> Idea:
    idea = Idea(
        idea_id=f"idea-{number}",
        strategy="donchian_ensemble",
        strategy_version="1",
        symbol="BTC/USD",
        bar_start=START,
        expires_at=START.replace(hour=23),
        stop_price=Decimal(stop),
        take_profit_price=Decimal(200),
        trailing_distance=None,
        target_weight=Decimal(weight),
    )
    return replace(idea, **changes)


def a_trade(number: int, quantity: str, stop: str = "85", **changes) -> TradeSummary:
    trade = TradeSummary(
        number=number,
        symbol="BTC/USD",
        phase=TradePhase.OPEN,
        bought=Decimal(quantity),
        sold=Decimal(0),
        cash_flow=-Decimal(quantity) * 100,
        fees=Decimal(0),
        reserved_cash=Decimal(0),
        stop_price=Decimal(stop),
        entry_order_id=f"O{number}",
        entry_client_order_id=f"c{number}",
        entry_open=False,
        strategy="donchian_ensemble",
        by_strategy=True,
    )
    return replace(trade, **changes)


def an_owner(*trades: TradeSummary, **changes):
    """Return an account whose weights bind, and no person's approval before them."""
    prices = {"BTC/USD": Decimal(100)}
    account = an_account(
        limits=LIMITS,
        approval=changes.pop("approval", ApprovalPolicy(equity_share_minimum=None)),
        trades={trade.number: trade for trade in trades},
        next_trade=len(trades) + 1,
        market_time=START,
        prices=prices,
        **changes,
    )
    return replace(account, strategies=("donchian_ensemble",))


def follow(account, idea):
    return decide(account, IdeaArrived(idea, MARKET, START))


def of(decision, kind):
    return [command for command in decision.commands if isinstance(command, kind)]


def why(decision):
    (record,) = of(decision, RecordIdea)
    return record.verdict.failures[0].code if record.verdict.failures else ""


def test_half_a_weight_is_half_of_what_a_pair_may_hold():
    decision = follow(an_owner(), an_idea("0.5"))
    (entered,) = of(decision, EnterTrade)
    # A quarter of 100,000 USD may be in a pair; half of it, at the price that cash is reserved at.
    assert entered.plan.entry.quantity == pytest.approx(
        Decimal(12_500) / (Decimal("100.3") * Decimal("1.004")), rel=Decimal("1e-6")
    )
    assert entered.plan.stop_price == 90
    assert decision.state.trades[1].strategy == "donchian_ensemble"


def test_the_risk_of_the_account_binds_before_the_weight():
    tight = replace(an_owner(), limits=AccountLimits(risk_share=Decimal("0.001")))
    (entered,) = of(follow(tight, an_idea("1")), EnterTrade)
    (loose,) = of(follow(an_owner(), an_idea("1")), EnterTrade)
    assert entered.plan.entry.quantity < loose.plan.entry.quantity / 10


def test_a_weight_as_large_as_people_decide_on_waits_for_one():
    account = an_owner(approval=ApprovalPolicy(equity_share_minimum=Decimal("0.2")))
    assert of(follow(account, an_idea("0.5")), EnterTrade)
    decision = follow(account, an_idea("1"))
    assert not of(decision, EnterTrade)
    assert of(decision, RequestApproval)


def test_within_the_band_nothing_is_traded_and_beyond_it_the_difference():
    account = an_owner(a_trade(1, "100"))
    assert why(follow(account, an_idea("0.45"))) == "in-band"
    (entered,) = of(follow(account, an_idea("0.8")), EnterTrade)
    assert Decimal(95) < entered.plan.entry.quantity < Decimal(100)


def test_less_sells_parts_of_the_oldest_trades_first():
    account = an_owner(a_trade(1, "30"), a_trade(2, "70", sold=Decimal(10)))
    decision = follow(account, an_idea("0.1"))
    (reduced,) = of(decision, ReduceTrades)
    assert reduced.targets[1] == 30
    # 90 are held of 257 that a pair may hold at 102,900 USD of equity: 10 % of it stay.
    assert reduced.targets[2] == pytest.approx(Decimal("45.25"), abs=Decimal("0.01"))
    assert not of(decision, EnterTrade)


def test_zero_closes_the_strategys_own_trades_and_nobody_elses():
    account = an_owner(a_trade(1, "30"), a_trade(2, "30", strategy=""))
    (closed,) = of(follow(account, an_idea("0")), CloseTrades)
    assert closed == CloseTrades((1,), ExitReason.STRATEGY, "strategy/donchian_ensemble")
    assert why(follow(an_owner(), an_idea("0"))) == "nothing-to-hold"


def test_stops_rise_with_the_strategys_and_what_is_added_comes_under_them():
    account = an_owner(a_trade(1, "50", stop="85"), a_trade(2, "50", stop="95"))
    decision = follow(account, an_idea("0.8", stop="90"))
    (raised,) = of(decision, RaiseStops)
    assert (raised.trades, raised.stop_price) == ((1,), Decimal(90))
    assert decision.state.trades[1].stop_price == 90
    (entered,) = of(decision, EnterTrade)
    assert entered.plan.stop_price == 95
    assert not of(follow(account, an_idea("0.8", stop="120")), RaiseStops)


def test_an_entry_under_way_is_waited_for():
    account = an_owner(a_trade(1, "10", entry_open=True))
    assert why(follow(account, an_idea("0.9"))) == "entry-under-way"


def test_capital_of_the_strategy_bounds_the_weight():
    from models.trading.account.rules import rules_in_force

    account = an_owner()
    shares = {"donchian_ensemble": Decimal("0.05")}
    assert rules_in_force(account).fixed_shares == {}
    from models.trading.account.settings.in_force import SettingsInForce, values_text
    from models.trading.settings.catalogue import SettingScope
    from models.trading.settings.versions import default_version

    known = default_version("account", SettingScope.ACCOUNT)
    values = {**known.values, "allocation.fixed": tuple(shares.items())}
    settings = SettingsInForce(1, values_text(replace(known, values=values)))
    (entered,) = of(follow(replace(account, settings=settings), an_idea("1")), EnterTrade)
    assert entered.plan.entry.quantity < Decimal(50)


def test_a_live_account_follows_no_demonstration():
    shown = an_idea("1", standing=StrategyStanding.DEMONSTRATION)
    assert of(follow(an_owner(), shown), EnterTrade)
    assert why(follow(an_owner(mode=Mode.LIVE), shown)) == "unproven-strategy"


def test_the_same_idea_again_changes_nothing():
    first = follow(an_owner(), an_idea("0.5"))
    again = follow(first.state, an_idea("0.5"))
    assert again.commands == ()
