"""An account taken up from the record trades only when it knows again what it must know."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from models.trading.account.decisions import decide
from models.trading.account.facts import ExchangeReady, UniverseUpdated
from models.trading.account.figures import FigureTimes
from models.trading.account.recovery.restore import taken_up
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.state import AccountState, Halt, HaltKind
from models.trading.trade.decisions import begin
from models.trading.trade.figures import summarise
from models.trading.trade.recovery.restore import fallback_plan
from tests.models.trading.trade.recovery.test_trade_restore import (
    BITCOIN,
    INSTALLATION,
    Leg,
    an_intent,
)

AT = datetime(2026, 3, 1, tzinfo=UTC)
HALT = Halt(HaltKind.KILL_SWITCH, "a drill", AT, 4)
CONFIGURED = AccountState("company", INSTALLATION, strategies=("trend",))
KNOWN = replace(
    CONFIGURED,
    halts=(HALT,),
    market_rules=(3, 2),
    platform=SettingsInForce(5),
    balances={"USD": Decimal(100)},
    figure_times=FigureTimes(fees=AT, universe=AT, groups=AT),
    next_trade=9,
)
RULES = UniverseUpdated(3, ("BTC/USD",), {"BTC/USD": "large"}, 2, {"BTC/USD": "one"}, AT)


def a_trade():
    plan = fallback_plan(INSTALLATION, BITCOIN, an_intent(Leg.ENTRY), Decimal(50000), None)
    return begin(plan).state


def test_its_halts_stand_and_another_lasts_until_it_was_compared():
    state = taken_up(KNOWN, CONFIGURED, [], AT)
    assert [halt.kind for halt in state.halts] == [HaltKind.KILL_SWITCH, HaltKind.NO_EXCHANGE]
    compared = decide(state, ExchangeReady({"USD": Decimal(100)}, {}, {}, AT)).state
    assert compared.halts == (HALT,)
    different = decide(state, ExchangeReady({}, {}, {}, AT, orders_consistent=False)).state
    assert HaltKind.INCONSISTENT in {halt.kind for halt in different.halts}


def test_rules_of_the_market_that_it_once_knew_are_taken_in_again():
    state = taken_up(KNOWN, CONFIGURED, [], AT)
    assert state.universe == ()
    told = decide(state, replace(RULES, settings=SettingsInForce(5))).state
    assert told.universe == ("BTC/USD",)
    assert told.groups == {"BTC/USD": "one"}
    assert told.market_rules == KNOWN.market_rules
    assert told.platform == KNOWN.platform


def test_open_trades_are_known_as_they_were_last_and_a_strategy_keeps_its_own():
    trade = a_trade()
    older = replace(summarise(trade), strategy="trend", reserved_cash=Decimal(1))
    state = taken_up(replace(KNOWN, trades={3: older}), CONFIGURED, [trade], AT)
    assert state.trades == {3: replace(summarise(trade), strategy="trend")}
    assert taken_up(KNOWN, CONFIGURED, [trade], AT).trades == {3: summarise(trade)}
