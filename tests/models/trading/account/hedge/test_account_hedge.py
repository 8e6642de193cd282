"""The hedge as an account decides it: parts sold and bought back, by formula and by hand."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.trading.account.decisions import AccountDecision, decide
from models.trading.account.equity import equity_last_known
from models.trading.account.facts import (
    EnterTrade,
    RecordAccount,
    SettingsChangeRequested,
    TradeProgressed,
)
from models.trading.account.hedge.decisions import read_hedge
from models.trading.account.hedge.facts import (
    HedgeClearRequested,
    HedgeOverrideRequested,
    HedgeReviewRequested,
    RecordHedge,
    ReviewHedge,
    SellParts,
    WatchHedge,
)
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.state import AccountState
from models.trading.hedge.target import HedgeSettings
from models.trading.risk.drawdown import start
from models.trading.trade.facts import Direction, WatchKind
from models.trading.trade.state import TradePhase, TradeSummary
from tests.models.trading.trading_builders import START, a_market, an_account, an_instrument

AUTOMATIC = HedgeSettings(automatic=True)
PRICE = Decimal(50000)
FEE = Decimal("0.004")


def a_trade(number: int = 1, quantity: str = "1", **changes: object) -> TradeSummary:
    bought = Decimal(quantity)
    summary = TradeSummary(
        number=number,
        symbol="BTC/USD",
        phase=TradePhase.OPEN,
        bought=bought,
        sold=Decimal(0),
        cash_flow=-bought * PRICE,
        fees=Decimal(0),
        reserved_cash=Decimal(0),
        stop_price=Decimal(45000),
        entry_order_id=f"O{number}",
        entry_client_order_id=f"c{number}",
        entry_open=False,
    )
    return replace(summary, **changes)  # type: ignore[arg-type]


def invested(*trades: TradeSummary, cash: str = "100000", price: Decimal = PRICE) -> AccountState:
    """Return an account that stands at its high-water mark with these trades open."""
    account = an_account(cash)
    wide = replace(account.limits, open_trades_per_pair=9, pair_exposure_share=Decimal("0.95"))
    state = replace(
        account,
        limits=wide,
        hedge_settings=AUTOMATIC,
        trades={trade.number: trade for trade in trades},
        prices={"BTC/USD": price},
        next_trade=1 + max((t.number for t in trades), default=0),
    )
    return replace(state, drawdown=start(equity_last_known(state), START.date(), START))


def a_review(
    number: int = 1, volatility: str | None = "0.08", price: Decimal = PRICE, seconds: int = 0
) -> HedgeReviewRequested:
    market = a_market(bid=str(price), ask=str(price), seconds=seconds)
    known = Decimal(volatility) if volatility is not None else None
    return HedgeReviewRequested(
        request_id=f"hedge/company/run/{number}",
        cause="time",
        market=(market,),
        volatilities={} if known is None else {"BTC/USD": known},
        market_volatility=known,
        market_at=market.observed_at,
        at=START + timedelta(seconds=seconds),
    )


def an_override(share: str, expires: timedelta | None = None) -> HedgeOverrideRequested:
    return HedgeOverrideRequested(
        "o-1", "director", Decimal(share), "storm ahead", START, START, expires
    )


def command(decision: AccountDecision, kind: type) -> object:
    found = [c for c in decision.commands if isinstance(c, kind)]
    return found[0] if found else None


def sell(state: AccountState, targets: dict[int, Decimal], price: Decimal = PRICE) -> AccountState:
    """Let trades sell what they were asked to, and tell the account."""
    for number, target in targets.items():
        known = state.trades[number]
        part = target - known.sold
        fee = part * price * FEE
        state = decide(
            state,
            TradeProgressed(
                replace(
                    known,
                    sold=target,
                    cash_flow=known.cash_flow + part * price - fee,
                    fees=known.fees + fee,
                    hedge_sold=known.hedge_sold + part,
                    hedge_turnover=known.hedge_turnover + part * price,
                    hedge_flow=known.hedge_flow + part * price - fee,
                    hedge_fees=known.hedge_fees + fee,
                ),
                closed=False,
                at=START,
            ),
        ).state
    return state


def fill(state: AccountState, entry: EnterTrade, price: Decimal = PRICE) -> AccountState:
    """Let an entry of the hedge be filled, and tell the account."""
    plan = entry.plan
    known, quantity = state.trades[plan.number], plan.entry.quantity
    cost, fee = quantity * price, quantity * price * FEE
    bought = replace(
        known,
        phase=TradePhase.OPEN,
        bought=quantity,
        cash_flow=-cost - fee,
        fees=fee,
        reserved_cash=Decimal(0),
        entry_open=False,
        hedge_bought=quantity,
        hedge_turnover=cost,
        hedge_flow=-cost - fee,
        hedge_fees=fee,
    )
    return decide(state, TradeProgressed(bought, closed=False, at=START)).state


def test_a_wild_market_sells_parts_in_proportion_and_a_calm_one_buys_them_back() -> None:
    state = invested(a_trade(1, "1.0"), a_trade(2, "0.5"))
    assert equity_last_known(state) == 100_000
    wild = decide(state, a_review(1, "0.08"))
    sales = command(wild, SellParts)
    assert isinstance(sales, SellParts)
    # From a quarter to nine tenths in USD: 65,000 USD are sold, two thirds of them by the larger.
    sold = sum(sales.targets.values())
    assert Decimal(64_999) < sold * PRICE <= Decimal(65_000)
    assert abs(sales.targets[1] - 2 * sales.targets[2]) < Decimal("0.0001")
    assert wild.state.hedge_target == Decimal("0.90")
    record = command(wild, RecordHedge)
    assert isinstance(record, RecordHedge)
    assert record.record.trades == (1, 2)
    hedged = sell(wild.state, sales.targets)
    assert hedged.hedge_sales == {}
    assert hedged.hedge_book.lacking["BTC"] == sold
    calm = decide(hedged, a_review(2, "0.02", seconds=60))
    entry = command(calm, EnterTrade)
    assert isinstance(entry, EnterTrade)
    assert entry.plan.source.startswith("hedge/")
    assert entry.plan.stop_price < PRICE
    assert entry.plan.trailing_distance is not None
    restored = fill(calm.state, entry)
    assert restored.hedge_book.lacking["BTC"] == sold - entry.plan.entry.quantity
    assert restored.hedge_book.fees > 0


def test_the_hedge_is_off_by_default_and_leaves_entries_alone() -> None:
    state = replace(invested(a_trade()), hedge_settings=HedgeSettings())
    decision = decide(state, a_review())
    assert command(decision, SellParts) is None
    assert command(decision, RecordHedge) is None
    assert command(decision, WatchHedge) == WatchHedge(())
    assert decision.state.hedge_target is None


def test_override_holds_until_it_expires_by_the_markets_clock() -> None:
    state = replace(invested(a_trade()), hedge_settings=HedgeSettings())
    taken = decide(state, an_override("0.8", timedelta(hours=2)))
    assert taken.answer is not None
    assert taken.answer.accepted
    assert command(taken, ReviewHedge) is not None
    assert taken.state.hedge_target == Decimal("0.8")
    looked = decide(taken.state, a_review(1, None))
    sales = command(looked, SellParts)
    assert isinstance(sales, SellParts)
    assert sales.targets == {1: Decimal("0.6")}
    watches = command(looked, WatchHedge)
    assert isinstance(watches, WatchHedge)
    assert watches.watches[0].due_at == START + timedelta(hours=1)
    later = decide(sell(looked.state, sales.targets), a_review(2, None, seconds=3700))
    again = command(later, WatchHedge)
    assert isinstance(again, WatchHedge)
    assert again.watches[0].due_at == START + timedelta(hours=2)
    over = decide(later.state, a_review(3, None, seconds=7200))
    assert over.state.hedge.override is None
    assert over.state.hedge_target is None
    actions = [c.action for c in over.commands if isinstance(c, RecordAccount)]
    assert "hedge_override_expired" in actions
    assert decide(over.state, a_review(4, None, seconds=7300)).state.hedge_target is None


def test_override_is_cleared_by_one_action_and_repeats_do_nothing_twice() -> None:
    state = invested(a_trade())
    first = decide(decide(state, a_review(1, "0.05")).state, an_override("0.3"))
    repeated = decide(first.state, an_override("0.9"))
    assert repeated.state.hedge_target == Decimal("0.3")
    cleared = decide(first.state, HedgeClearRequested("c-1", "director", "done", START))
    assert cleared.state.hedge.override is None
    assert cleared.state.hedge_target == Decimal("0.5")
    assert command(cleared, ReviewHedge) is not None


def test_bad_overrides_are_refused() -> None:
    for bad in ("1.5", "-0.1", "NaN"):
        answer = decide(invested(), an_override(bad)).answer
        assert answer is not None
        assert answer.code == "invalid-override"


def test_review_moves_nothing_while_the_value_is_unknown_and_is_made_again() -> None:
    state = replace(invested(), balances={"USD": Decimal(1000), "ETH": Decimal(1)})
    decision = decide(state, a_review(volatility="0.99"))
    assert decision.answer is not None
    assert decision.answer.code == "no-market-data"
    assert decision.answer.detail == "no price of ETH/USD is known"
    assert [type(command) for command in decision.commands] == [WatchHedge]


def test_a_review_that_is_repeated_moves_nothing_twice() -> None:
    state = invested(a_trade())
    first = decide(state, a_review(1))
    again = decide(first.state, a_review(1))
    assert again.commands == ()
    while_selling = decide(first.state, a_review(2, seconds=5))
    assert command(while_selling, SellParts) is None
    # The trades did not get to it: asked again with totals, so that nothing is sold twice.
    late = decide(first.state, a_review(3, seconds=60))
    assert command(late, SellParts) == command(first, SellParts)


def test_held_pairs_wake_the_hedge_when_they_move_far() -> None:
    decision = decide(invested(a_trade()), a_review())
    watches = command(decision, WatchHedge)
    assert isinstance(watches, WatchHedge)
    levels = {w.direction: w.level for w in watches.watches if w.kind is WatchKind.MOVE}
    assert levels == {Direction.RISES_TO: 52_500, Direction.FALLS_TO: 47_500}
    assert {w.trade for w in watches.watches} == {0}


def test_stablecoins_are_cash_as_the_platform_allows_them_and_on_their_peg() -> None:
    listed = {s: an_instrument(s) for s in ("BTC/USD", "USDC/USD", "USDT/USD")}
    coins = {"USD": Decimal(1000), "USDC": Decimal(500), "USDT": Decimal(300)}
    state = an_account(balances=coins, instruments=listed, drawdown=None)
    state = replace(state, prices={"USDC/USD": Decimal(1), "USDT/USD": Decimal(1)})
    assert read_hedge(state, a_review()).cash == 1800
    assert read_hedge(replace(state, off_peg=("USDT",)), a_review()).cash == 1500
    only = SettingsInForce(1, '{"compliance.stablecoins":["USDT"]}')
    assert read_hedge(replace(state, platform=only), a_review()).cash == 1300


def test_entries_and_trades_that_leave_are_not_made_smaller() -> None:
    entering = a_trade(1, entry_open=True)
    leaving = a_trade(2, "0.5", phase=TradePhase.EXITING)
    decision = decide(invested(entering, leaving), a_review())
    assert command(decision, SellParts) is None
    record = command(decision, RecordHedge)
    assert isinstance(record, RecordHedge)
    assert record.record.reason == "no open trade can be made smaller"


@settings(max_examples=150, deadline=None)
@given(
    quantities=st.lists(st.integers(1, 80), min_size=1, max_size=4),
    volatility=st.decimals("0", "0.12", places=3),
    price=st.integers(20_000, 80_000).map(Decimal),
    lost=st.booleans(),
)
def test_constant_input_is_answered_by_one_move_at_most(
    quantities: list[int], volatility: Decimal, price: Decimal, lost: bool
) -> None:
    trades = [a_trade(n, str(Decimal(q) / 40)) for n, q in enumerate(quantities, 1)]
    state = invested(*trades, cash="400000", price=price)
    moves = 0
    for number in range(1, 7):
        decision = decide(state, a_review(number, str(volatility), price, seconds=60 * number))
        state = decision.state
        sales, entry = command(decision, SellParts), command(decision, EnterTrade)
        assert not (sales and entry)
        if isinstance(sales, SellParts):
            for trade, target in sales.targets.items():
                assert 0 < target <= state.trades[trade].bought
            moves += 1
            if lost and moves == 1:
                repeated = decide(state, a_review(100, str(volatility), price, seconds=3000))
                assert command(repeated, SellParts) == sales
            state = sell(state, sales.targets, price)
        if isinstance(entry, EnterTrade):
            moves += 1
            state = fill(state, entry, price)
    assert moves <= 1


@pytest.mark.parametrize(
    "not_yet", [{"entry_open": True}, {"phase": TradePhase.ENTERING}], ids=["entered", "protected"]
)
def test_a_position_that_can_be_made_smaller_now_is_looked_at_again(not_yet) -> None:
    state = decide(invested(a_trade(1, **not_yet)), a_review()).state
    whole = TradeProgressed(a_trade(1), closed=False, at=START)
    assert command(decide(state, whole), ReviewHedge) is not None
    unhedged = replace(state, hedge_target=None)
    assert command(decide(unhedged, whole), ReviewHedge) is None


def test_switching_the_hedge_on_and_off_by_settings_has_it_looked_at() -> None:
    def switch(state: AccountState, mode: str) -> AccountDecision:
        fact = SettingsChangeRequested(
            request_id=f"s-{mode}",
            by="director",
            updates=json.dumps({"hedge.mode": mode}),
            reason="we want it so",
            at=START,
            confirmed=True,
        )
        return decide(state, fact)

    state = replace(invested(a_trade()), hedge_settings=HedgeSettings())
    on = switch(state, "automatic")
    assert on.answer is not None
    assert on.answer.accepted, on.answer
    assert command(on, ReviewHedge) is not None
    looked = decide(on.state, a_review())
    assert command(looked, SellParts) is not None
    off = switch(looked.state, "off")
    assert command(off, ReviewHedge) is not None
    idle = decide(off.state, a_review(2, seconds=30))
    record = command(idle, RecordHedge)
    assert isinstance(record, RecordHedge)
    assert record.record.target is None
    assert idle.state.hedge_target is None
