"""The rules that an account decides by now, and how it takes over others."""

from dataclasses import replace

from models.trading.account.settings.in_force import (
    SettingsInForce,
    rules_of_account,
    rules_of_platform,
)
from models.trading.account.state import AccountState
from models.trading.settings.reading import AccountRules
from models.trading.universe.compliance import ComplianceRules


def rules_in_force(state: AccountState) -> AccountRules:
    """Return all rules of an account: those of its settings.

    What the account carries by itself (limits, drawdown, day, hedge, approval, exits) is taken as
    it stands: ``adopt`` keeps it at what the settings say.
    """
    rules, limits = rules_of_account(state.settings), state.limits
    portfolio = replace(
        rules.portfolio,
        pair_share=limits.pair_exposure_share,
        gross_share=limits.gross_exposure_share,
        trades_maximum=limits.open_trades_maximum,
    )
    return replace(
        rules,
        limits=limits,
        portfolio=portfolio,
        drawdown=state.drawdown_limits,
        day=state.day,
        hedge=state.hedge_settings,
        approval=state.approval,
        exits=state.exit_defaults,
    )


def adopt(state: AccountState, settings: SettingsInForce) -> AccountState:
    """Return the account under other settings; they count from its next decision on."""
    rules = rules_of_account(settings)
    return replace(
        state,
        settings=settings,
        limits=rules.limits,
        drawdown_limits=rules.drawdown,
        day=rules.day,
        hedge_settings=rules.hedge,
        approval=rules.approval,
        exit_defaults=rules.exits,
    )


def compliance_in_force(state: AccountState, symbol: str) -> ComplianceRules:
    """Return what may be bought, as far as one pair is concerned.

    Until the account has been told a universe, whatever the exchange lists may be.
    """
    allowed = state.instruments if state.universe is None else state.universe
    rules = rules_of_platform(state.platform).compliance
    return replace(rules, universe=frozenset({symbol} if symbol in allowed else ()))
