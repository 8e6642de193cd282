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
    RecordHedge,
    ReviewHedge,
    SellParts,
    WatchHedge,
)
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.state import AccountState
from models.trading.hedge.target import HedgeSettings
from models.trading.trade.facts import Direction, WatchKind
from models.trading.trade.state import TradePhase
from tests.models.trading.account.hedge.hedge_builders import (
    PRICE,
    a_review,
    a_trade,
    an_override,
    command,
    fill,
    invested,
    sell,
)
from tests.models.trading.trading_builders import START, an_account, an_instrument


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
