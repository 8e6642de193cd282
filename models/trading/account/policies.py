"""Which of an account's policies are in force, for the rules that ask."""

from models.trading.account.state import AccountState
from models.trading.governance.approval import ApprovalPolicy
from models.trading.hedge.target import HedgeSettings
from models.trading.settings.exits import ExitDefaults


def hedge_settings(state: AccountState) -> HedgeSettings:
    """Return how the account is hedged."""
    return state.hedge_settings


def approval_policy(state: AccountState) -> ApprovalPolicy:
    """Return when an entry waits for a person."""
    return state.approval


def exit_defaults(state: AccountState) -> ExitDefaults:
    """Return the exits of a trade where nothing else was said."""
    return state.exit_defaults
