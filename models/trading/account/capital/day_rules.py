"""The settings in force that an account's drawdown and day are decided by."""

from models.trading.account.state import AccountState
from models.trading.risk.drawdown_limits import DrawdownLimits
from models.trading.trading_day import DayRule


def drawdown_limits(state: AccountState) -> DrawdownLimits:
    """Return the levels of drawdown."""
    return state.drawdown_limits


def day_rule(state: AccountState) -> DayRule:
    """Return where the account's day begins."""
    return state.day
