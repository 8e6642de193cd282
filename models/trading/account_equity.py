"""What an account is worth for its drawdown, its day and its capital: exact, or not known at all.

Other than ``portfolio.equity``, which sizes entries, nothing is estimated here: an asset whose
price is not known makes the whole not known, for a wrong value would pass for a loss.
"""

from collections.abc import Mapping
from decimal import Decimal

from models.trading.account_state import ZERO, AccountState


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
    return tuple(sorted(pair for pair in pairs if _is_known(state, pair)))


def equity_now(state: AccountState) -> Decimal | None:
    """Return equity in USD at the last prices, None while an asset that is held has none.

    An asset for which the exchange lists no pair in USD counts nothing: it cannot be sold here.
    """
    if not state.balances or not state.instruments:
        return None
    return value_of(state, holdings(state), state.prices)


def value_of(
    state: AccountState, held: Mapping[str, Decimal], prices: Mapping[str, Decimal]
) -> Decimal | None:
    """Return what assets are worth in USD at prices by symbol, None when one is missing."""
    value = held.get("USD", ZERO)
    for asset, quantity in held.items():
        pair = f"{asset}/USD"
        if asset == "USD" or quantity == ZERO or not _is_known(state, pair):
            continue
        price = prices.get(pair)
        if price is None:
            return None
        value += quantity * price
    return value


def _is_known(state: AccountState, pair: str) -> bool:
    return pair in state.instruments or pair in state.prices
