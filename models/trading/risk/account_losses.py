"""The loss limits of one account: measured with its equity, and what follows at a hard level.

Actions of RecordAccount, each an audit row: ``loss_limit_reached``, ``loss_limit_reset``,
``strategy_loss_reached``.
"""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models.trading.account import halts
from models.trading.account.capital import portfolio
from models.trading.account.decision import AccountDecision
from models.trading.account.facts import AccountCommand, CloseTrades, RecordAccount, WithdrawEntries
from models.trading.account.settings.in_force import rules_of_account
from models.trading.account.state import ZERO, AccountState, Halt, HaltKind
from models.trading.risk.drawdown_limits import PositionsOnHalt
from models.trading.risk.loss_limits import LossLimits
from models.trading.risk.losses import (
    SINCE,
    LossClock,
    LossRecord,
    StrategyLoss,
    begin_losses,
    levels_of,
    mark_losses,
    note_closed_trade,
    roll_losses,
    shrink,
    strategy_share,
)
from models.trading.trade.facts import ExitReason
from models.trading.trade.state import TradeSummary

HALT_KINDS = {
    LossClock.DAY_PEAK: HaltKind.DAY_PEAK_LOSS,
    LossClock.WEEK: HaltKind.WEEK_LOSS,
    LossClock.MONTH: HaltKind.MONTH_LOSS,
}
PEAK_STEP = Decimal("1.002")
"""How far the day's best moves before it is written down again."""


def loss_limits(state: AccountState) -> LossLimits:
    """Return the levels in force."""
    return rules_of_account(state.settings).losses


def watch_losses(state: AccountState, at: datetime, sent_at: datetime) -> AccountDecision:
    """Measure the losses of an account whose drawdown has just been marked at a market time."""
    drawdown = state.drawdown
    if drawdown is None:
        return AccountDecision(state, ())
    growth, limits = drawdown.growth, loss_limits(state)
    known = state.loss_record
    if known is None:
        state = replace(state, peak_recorded=growth)
        known = _with_standing_halts(state, begin_losses(drawdown.day, growth, drawdown.equity))
    marked = mark_losses(known, limits, growth, drawdown.equity, open_profits(state), at)
    record = marked.record
    seen = replace(state, loss_record=record)
    commands: list[AccountCommand] = []
    for clock in marked.clocks:
        lost, hard = record.mark(clock).share(growth), levels_of(limits, clock).hard
        reason = f"down {lost:.2%} {SINCE[clock]}, {hard:.2%} allowed"
        seen = replace(
            seen, halts=halts.with_halt(seen.halts, Halt(HALT_KINDS[clock], reason, sent_at))
        )
        details = (("clock", clock.value), ("lost", f"{lost:.6f}"), ("allowed", f"{hard:f}"))
        commands.append(RecordAccount("loss_limit_reached", details=details))
    if marked.clocks:
        commands = [*halts.withdraw_all(state, ExitReason.DRAWDOWN), *_closing(state), *commands]
    for name in marked.strategies:
        commands += _stop_strategy(seen, name, strategy_share(record, name), limits)
    if not commands and _worth_writing(state, record, limits):
        commands.append(RecordAccount())
    if commands:
        seen = replace(seen, peak_recorded=record.day_peak.growth)
    return AccountDecision(seen, tuple(commands))


def roll(state: AccountState, day: date) -> AccountDecision:
    """Begin a day of the account, with the week and the month that begin with it.

    Only the halts of the clocks that begin anew are lifted.
    """
    record, drawdown = state.loss_record, state.drawdown
    if record is None or drawdown is None:
        return AccountDecision(state, ())
    rolled, clocks = roll_losses(record, day, drawdown.day_growth, open_profits(state))
    standing = state.halts
    for clock in clocks:
        standing = halts.without(standing, HALT_KINDS[clock])
    seen = replace(state, loss_record=rolled, halts=standing)
    if standing == state.halts:
        return AccountDecision(seen, ())
    named = ", ".join(clock.value for clock in clocks)
    details = (("clocks", named), ("day", day.isoformat()))
    return AccountDecision(seen, (RecordAccount("loss_limit_reset", details=details),))


def with_trade_counted(state: AccountState, closed: TradeSummary) -> AccountState:
    """Count what a strategy's trade came to as it closed; what is left counts at the last price."""
    if not closed.strategy or state.loss_record is None:
        return state
    record = note_closed_trade(state.loss_record, closed.strategy, _profit(state, closed))
    return replace(state, loss_record=record)


def open_profits(state: AccountState) -> dict[str, Decimal]:
    """Return what the open trades of each strategy have come to so far, in USD."""
    profits: dict[str, Decimal] = {}
    for trade in state.trades.values():
        if trade.strategy:
            known = profits.get(trade.strategy, ZERO)
            profits[trade.strategy] = known + _profit(state, trade)
    return profits


def _profit(state: AccountState, trade: TradeSummary) -> Decimal:
    held = trade.bought - trade.sold
    price = portfolio.price_of(state, trade.symbol) or ZERO
    return trade.cash_flow + held * price


def _closing(state: AccountState) -> tuple[CloseTrades, ...]:
    closes = state.drawdown_limits.positions is PositionsOnHalt.CLOSE
    if not closes or not state.trades:
        return ()
    return (CloseTrades(tuple(state.trades), ExitReason.DRAWDOWN, "aether"),)


def _stop_strategy(
    state: AccountState, name: str, lost: Decimal, limits: LossLimits
) -> list[AccountCommand]:
    own = [trade for trade in state.trades.values() if trade.strategy == name]
    entering = [trade for trade in own if trade.entry_open]
    commands: list[AccountCommand] = []
    if entering:
        ids = tuple(t.entry_order_id for t in entering if t.entry_order_id is not None)
        numbers = tuple(t.number for t in entering)
        commands.append(WithdrawEntries(numbers, ids, ExitReason.DRAWDOWN))
    if own and state.drawdown_limits.positions is PositionsOnHalt.CLOSE:
        numbers = tuple(t.number for t in own)
        commands.append(CloseTrades(numbers, ExitReason.DRAWDOWN, "aether"))
    details = (
        ("strategy", name),
        ("lost", f"{lost:.6f}"),
        ("allowed", f"{limits.strategy.hard:f}"),
    )
    return [*commands, RecordAccount("strategy_loss_reached", details=details)]


def _with_standing_halts(state: AccountState, record: LossRecord) -> LossRecord:
    """Keep halted what is halted, where measuring begins anew."""
    since = {halt.kind: halt.since for halt in state.halts}
    marks: dict[str, Any] = {
        clock.value: replace(record.mark(clock), halted_at=since.get(HALT_KINDS[clock]))
        for clock in LossClock
    }
    opened = {name: StrategyLoss(opening=value) for name, value in open_profits(state).items()}
    return replace(record, strategies=opened, **marks)


def _worth_writing(before: AccountState, record: LossRecord, limits: LossLimits) -> bool:
    was = before.loss_record
    if was is None:  # the beginning is written down with that of the drawdown
        return False
    if record.day_peak.growth > before.peak_recorded * PEAK_STEP:
        return True
    smallest = before.drawdown_limits.smallest_factor
    return any(
        (shrink(strategy_share(was, name), limits.strategy, smallest) == 1)
        != (shrink(strategy_share(record, name), limits.strategy, smallest) == 1)
        for name in record.strategies
    )
