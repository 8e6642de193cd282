"""Where an account's money is, from its state and the last prices seen."""

from collections.abc import Iterable
from decimal import Decimal

from models.trading.account.state import ZERO, AccountState


def price_of(state: AccountState, symbol: str) -> Decimal | None:
    """Return the last price seen; without one, the lowest stop of the trades in the pair."""
    price = state.prices.get(symbol)
    if price is not None:
        return price
    stops = [t.stop_price for t in state.trades.values() if t.symbol == symbol]
    return min(stops, default=None)


def prices_of_trades(state: AccountState, trades: Iterable[int]) -> dict[int, Decimal]:
    """Return the last price seen of each trade's pair, by trade, as far as it is known."""
    return {
        number: state.prices[state.trades[number].symbol]
        for number in trades
        if number in state.trades and state.trades[number].symbol in state.prices
    }


def held_quantity(state: AccountState, symbol: str) -> Decimal:
    """Return the base quantity held of a pair: from before, and by its open trades."""
    instrument = state.instruments.get(symbol)
    kept = state.balances.get(instrument.base, ZERO) if instrument else ZERO
    traded = sum((t.bought - t.sold for t in state.trades.values() if t.symbol == symbol), ZERO)
    return kept + traded


def pair_exposure(state: AccountState, symbol: str) -> Decimal:
    """Return USD held in a pair and promised to its unfilled entries.

    Holdings without any known price count as nothing: no entry is judged without a price.
    """
    promised = sum((t.reserved_cash for t in state.trades.values() if t.symbol == symbol), ZERO)
    return _held_value(state, symbol) + promised


def gross_exposure(state: AccountState) -> Decimal:
    """Return USD held in all pairs together and promised to unfilled entries."""
    return sum((pair_exposure(state, symbol) for symbol in symbols(state)), ZERO)


def _held_value(state: AccountState, symbol: str) -> Decimal:
    price = price_of(state, symbol)
    return held_quantity(state, symbol) * price if price is not None else ZERO


def symbols(state: AccountState) -> tuple[str, ...]:
    """Return the pairs that are held or promised to entries, by name."""
    traded = {t.symbol for t in state.trades.values()}
    held = {
        symbol
        for symbol, instrument in state.instruments.items()
        if instrument.is_spot_usd and state.balances.get(instrument.base, ZERO) != ZERO
    }
    return tuple(sorted(traded | held))
