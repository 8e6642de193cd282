"""What an account is worth, for its entries, drawdown, day, hedge and capital alike.

Nothing is estimated: ``valuation`` has the rule for what has no price.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from models.trading.account.settings.in_force import rules_of_account
from models.trading.account.state import ZERO, AccountState
from models.trading.capital.valuation import Valuation, value_holdings


def holdings(state: AccountState) -> dict[str, Decimal]:
    """Return what is held now by asset, USD included, with the effect of the open trades."""
    held = dict(state.balances)
    held["USD"] = state.cash
    for trade in state.trades.values():
        base = base_of(state, trade.symbol)
        held[base] = held.get(base, ZERO) + trade.bought - trade.sold
    return held


def base_of(state: AccountState, symbol: str) -> str:
    """Return the asset that is bought in a pair."""
    instrument = state.instruments.get(symbol)
    return instrument.base if instrument is not None else symbol.partition("/")[0]


def held_symbols(state: AccountState) -> tuple[str, ...]:
    """Return the pairs of what is held, in order; an asset that is listed nowhere is not named."""
    pairs = (f"{asset}/USD" for asset, total in holdings(state).items() if total != ZERO)
    return tuple(sorted(p for p in pairs if p in state.instruments or p in state.prices))


def valuation(state: AccountState) -> Valuation:
    """Return what the account is worth now, at the last prices seen."""
    return value_of(state, holdings(state), state.prices)


def why_prices_are_old(state: AccountState, at: datetime) -> str:
    """Return why prices mark equity no more at a market time, empty while they do.

    Silence is no price: the market worker has promised to tell them again.
    """
    due = state.prices_due
    if due is None or at <= due or not held_symbols(state):
        return ""
    pairs = ", ".join(held_symbols(state))
    return f"prices of {pairs} should have been told again by {due:%Y-%m-%d %H:%M} of market time"


def equity_now(state: AccountState) -> Decimal | None:
    """Return equity in USD at the last prices, None while it is not known."""
    if not state.balances or not state.instruments:
        return None
    return valuation(state).value


def equity_last_known(state: AccountState) -> Decimal:
    """Return equity in USD now, or as last measured while it is not known."""
    found = valuation(state)
    if found.value is None and state.drawdown is not None:
        return state.drawdown.equity
    return found.known


def value_of(
    state: AccountState, held: Mapping[str, Decimal], prices: Mapping[str, Decimal]
) -> Valuation:
    """Return what assets are worth in USD at prices by symbol, where the account trades."""
    return value_holdings(held, prices, state.instruments, exit_fee_of(state))


def exit_fee_of(state: AccountState) -> Decimal:
    """Return the share of a sale that the account takes off what it holds."""
    return rules_of_account(state.settings).exit_fee_share
