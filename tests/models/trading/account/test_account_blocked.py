"""An account takes no entries while a trade's requests are refused, or while coins are missing."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from models.trading.account.decisions import decide
from models.trading.account.facts import (
    ForeignInstanceMet,
    RecordAccount,
    ResumeRequested,
    TradeProgressed,
)
from models.trading.account.state import AccountState
from models.trading.trade.state import TradePhase, TradeSummary
from tests.models.trading.trading_builders import START, an_account


def a_summary(number: int = 1, **changes: object) -> TradeSummary:
    summary = TradeSummary(
        number=number,
        symbol="BTC/USD",
        phase=TradePhase.OPEN,
        bought=Decimal(10),
        sold=Decimal(0),
        cash_flow=Decimal(-1000),
        fees=Decimal(0),
        reserved_cash=Decimal(0),
        stop_price=Decimal(90),
        entry_order_id=f"O{number}",
        entry_client_order_id=f"entry-{number}",
        entry_open=False,
    )
    return replace(summary, **changes)  # type: ignore[arg-type]


def trading(*numbers: int) -> AccountState:
    return replace(an_account(), trades={number: a_summary(number) for number in numbers})


def kinds(state: AccountState) -> list[str]:
    return [halt.kind.value for halt in state.halts]


def told(state: AccountState, summary: TradeSummary, *, closed: bool = False, seconds: int = 0):
    at = START + timedelta(seconds=seconds)
    return decide(state, TradeProgressed(summary, closed=closed, at=at))


def test_the_halt_stands_until_no_trade_is_blocked_any_more():
    words = "exit_blocked (lasting): EOrder:Insufficient funds"
    decision = told(trading(1, 2), a_summary(1, blocked=words))
    assert kinds(decision.state) == ["request_blocked"]
    assert words in decision.state.halts[0].reason
    record = next(c for c in decision.commands if isinstance(c, RecordAccount))
    assert record.action == "request_blocked"
    both = told(decision.state, a_summary(2, blocked="stop_blocked (stale): x"), seconds=5).state
    assert both.halts[0].since == decision.state.halts[0].since
    one = told(both, a_summary(1), seconds=6).state
    assert kinds(one) == ["request_blocked"]
    closed = a_summary(2, phase=TradePhase.SETTLED, sold=Decimal(10))
    assert kinds(told(one, closed, closed=True, seconds=7).state) == []


def test_missing_coins_that_nobody_explains_halt_until_somebody_resumes():
    short = a_summary(unexplained=Decimal(3))
    state = told(trading(1), short).state
    assert kinds(state) == ["holding_short"]
    assert "3 of BTC/USD" in state.halts[0].reason
    resumed = decide(state, ResumeRequested("r-1", "director", START)).state
    assert kinds(resumed) == []
    # Known already: somebody has looked. More of them is news.
    assert kinds(told(resumed, replace(short, sold=Decimal(7)), seconds=9).state) == []
    more = told(resumed, replace(short, unexplained=Decimal(4)), seconds=9).state
    assert kinds(more) == ["holding_short"]


def test_another_instance_on_the_key_halts_until_somebody_resumes():
    decision = decide(an_account(), ForeignInstanceMet("O-THEIRS", START))
    assert kinds(decision.state) == ["foreign_instance"]
    assert "O-THEIRS" in decision.state.halts[0].reason
    (record,) = decision.commands
    assert isinstance(record, RecordAccount)
    assert record.action == "foreign_instance"
    # Each order of theirs is not news of its own.
    again = decide(decision.state, ForeignInstanceMet("O-MORE", START))
    assert (again.state, again.commands) == (decision.state, ())
    before = ResumeRequested("r-1", "director", START - timedelta(seconds=1))
    assert kinds(decide(decision.state, before).state) == ["foreign_instance"]
    assert kinds(decide(decision.state, ResumeRequested("r-2", "director", START)).state) == []
    met = decide(
        decide(decision.state, ResumeRequested("r-2", "director", START)).state,
        ForeignInstanceMet("O-MORE", START),
    )
    assert kinds(met.state) == ["foreign_instance"]
