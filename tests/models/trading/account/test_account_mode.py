"""An account changes its mode only when nothing is left in the old one, and begins anew then."""

from dataclasses import replace
from decimal import Decimal

import pytest

from models.trading.account.decisions import decide
from models.trading.account.facts import (
    ChangeExchange,
    ExchangeReady,
    ModeChangeRequested,
    RecordAccount,
)
from models.trading.account.state import HaltKind
from models.trading.risk.limits import Mode
from models.trading.trade.state import TradePhase, TradeSummary
from tests.models.trading.governance.test_going_live import BROKEN, READY
from tests.models.trading.trading_builders import START, an_account

OWN = {"orders-open", "positions-open", "account-halted"}
"""What the account knows itself: gathered figures do not count."""


def a_change(mode=Mode.LIVE, live=READY, name="r-1"):
    return ModeChangeRequested(name, "Dora", mode, START, live)


def a_trade(bought="0"):
    zero = Decimal(0)
    return TradeSummary(
        number=1,
        symbol="BTC/USD",
        phase=TradePhase.ENTERING,
        bought=Decimal(bought),
        sold=zero,
        cash_flow=zero,
        fees=zero,
        reserved_cash=zero,
        stop_price=Decimal(1),
        entry_order_id=None,
        entry_client_order_id="c",
        entry_open=True,
    )


def test_goes_live_when_every_condition_holds_and_begins_anew():
    account = an_account(prices={"BTC/USD": Decimal(1)}, market_time=START)
    decision = decide(account, a_change())
    assert decision.answer.accepted
    after = decision.state
    assert (after.mode, after.balances, after.prices) == (Mode.LIVE, {}, {})
    assert [halt.kind for halt in after.halts] == [HaltKind.NO_EXCHANGE]
    recorded, changed = decision.commands
    assert isinstance(recorded, RecordAccount)
    assert isinstance(changed, ChangeExchange)
    assert (changed.mode, changed.market_time, changed.by) == (Mode.LIVE, START, "Dora")
    again = decide(after, a_change())
    assert again.commands == ()


@pytest.mark.parametrize("code", sorted(BROKEN.keys() - OWN))
def test_each_missing_condition_keeps_it_simulated(code):
    account = an_account()
    decision = decide(account, a_change(live=replace(READY, **BROKEN[code])))
    assert decision.answer.code == "live-refused"
    assert code in {check.code for check in decision.answer.verdict.failures}
    assert decision.state.mode is Mode.SIMULATED
    (record,) = decision.commands
    assert record.action == "live_refused"


def test_what_could_not_be_found_out_refuses():
    decision = decide(an_account(), a_change(live=None))
    assert decision.answer.code == "live-refused"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"trades": {1: a_trade()}}, "orders-open"),
        ({"trades": {1: a_trade("0.1")}}, "positions-open"),
        ({"balances": {"USD": Decimal(1), "ETH": Decimal(2)}}, "positions-open"),
    ],
)
@pytest.mark.parametrize("mode", list(Mode))
def test_what_is_open_in_the_old_mode_refuses_either_way(changed, code, mode):
    other = Mode.SIMULATED if mode is Mode.LIVE else Mode.LIVE
    account = an_account(**{"mode": other, **changed})
    claimed = replace(READY, open_orders=0, positions=())
    decision = decide(account, a_change(mode, claimed))
    assert code in {check.code for check in decision.answer.verdict.failures}
    assert decision.state.mode is other


def test_back_to_simulation_needs_no_second_person():
    decision = decide(an_account(mode=Mode.LIVE), a_change(Mode.SIMULATED, None))
    assert decision.answer.accepted
    assert decision.state.mode is Mode.SIMULATED


def test_exchange_of_the_old_mode_is_not_listened_to_any_more():
    live = decide(an_account(), a_change()).state
    instruments = an_account().instruments
    old = ExchangeReady({"USD": Decimal(100000)}, instruments, an_account().fees, START)
    assert decide(live, old).state == live
    new = replace(old, balances={"USD": Decimal(7)}, mode=Mode.LIVE)
    ready = decide(live, new).state
    assert ready.balances == {"USD": Decimal(7)}
    assert not ready.is_halted
