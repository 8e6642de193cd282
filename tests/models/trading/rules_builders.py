"""Accounts under other settings than the defaults."""

from dataclasses import replace

from models.trading.account.state import AccountState
from models.trading.trading_day import DayRule


def with_rules(
    state: AccountState, *, day: DayRule | None = None, **drawdown: object
) -> AccountState:
    """Return an account with another day, and levels of drawdown other than the usual."""
    levels = replace(state.drawdown_limits, **drawdown)  # type: ignore[arg-type]
    return replace(state, drawdown_limits=levels, day=day or state.day)
