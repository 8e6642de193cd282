"""Changes of what the exchange says of a pair: tick, precision, minimums, status, REST names.

A change names fields of AssetPairs; what is not named stays. Prices of others are brought onto a
coarser tick; own limit orders off it are canceled, own stops stay where they are.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from models.simulation.engine.lifecycle import cancel
from models.simulation.events import PairAltered, StatusChanged
from models.simulation.exchange_state import ExchangeState
from models.simulation.steps import Level, MarketStep, Print, SymbolStep
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.orders import Side

FIELDS = ("tick_size", "pair_decimals", "ordermin", "costmin", "status", "id", "altname")
LARGEST_DECIMALS = 12
LARGEST_NUMBER = Decimal(10) ** 9
_NAME = re.compile(r"[A-Z0-9][A-Z0-9.]{2,19}")
OFF_THE_TICK = "Price is off the tick of the pair"


class PairChangeError(Exception):
    """The change cannot be made; nothing was changed."""


def alter_pair(exchange_state: ExchangeState, symbol: str, change: Mapping[str, Any]) -> None:
    """Change a pair, tell it, and cancel own limit orders whose price the new tick does not allow.

    Raises:
        PairChangeError: unknown pair or field, or a value that does not fit.
    """
    check_pair_change(exchange_state, symbol, change)
    known = exchange_state.directory.instruments[symbol]
    altered = altered_instrument(known, change)
    names = exchange_state.directory.names(symbol)
    altname = str(change.get("altname", names.altname))
    exchange_state.directory.alter(altered, altname)
    exchange_state.books[symbol].instrument = altered
    exchange_state.pair_changes[symbol] = _kept(altered, altname)
    if altered.price_increment != known.price_increment:
        _take_up_tick(exchange_state, symbol)
    exchange_state.emit(PairAltered(symbol, exchange_state.market_time))
    if "status" in change:
        exchange_state.pair_status[symbol] = InstrumentStatus(change["status"])
    exchange_state.emit(
        StatusChanged(symbol, exchange_state.pair_status[symbol].value, exchange_state.market_time)
    )


def restore_pairs(exchange_state: ExchangeState, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Make the changes of an earlier state; modes and orders are restored by themselves."""
    for symbol, change in changes.items():
        altered = altered_instrument(exchange_state.directory.instruments[symbol], change)
        exchange_state.directory.alter(altered, change["altname"])
        exchange_state.books[symbol].instrument = altered
    exchange_state.pair_changes = {symbol: dict(change) for symbol, change in changes.items()}


def check_pair_change(
    exchange_state: ExchangeState, symbol: str, change: Mapping[str, Any]
) -> None:
    """Refuse a change that cannot be made.

    Raises:
        PairChangeError: why not.
    """
    if symbol not in exchange_state.directory.instruments:
        raise PairChangeError(f"pair {symbol!r} is unknown")
    unknown = change.keys() - set(FIELDS)
    if unknown or not change:
        raise PairChangeError(f"what changes is one or more of {', '.join(FIELDS)}")
    if "status" in change and change["status"] not in tuple(InstrumentStatus):
        raise PairChangeError(f"status is one of {', '.join(InstrumentStatus)}")
    altered = altered_instrument(exchange_state.directory.instruments[symbol], change)
    unit = Decimal(1).scaleb(-altered.price_precision)
    if altered.price_increment % unit:
        raise PairChangeError(f"tick_size is a multiple of {unit}")
    for field in ("id", "altname"):
        name = change.get(field)
        if name is not None:
            _check_name(exchange_state, symbol, field, name)


def _check_name(exchange_state: ExchangeState, symbol: str, field: str, name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PairChangeError(f"{field} is 3 to 20 capital letters, digits or points")
    if exchange_state.directory.owner_of(name) not in (None, symbol):
        raise PairChangeError(f"{field} {name!r} is another pair's")


def altered_instrument(known: Instrument, change: Mapping[str, Any]) -> Instrument:
    """Return a pair with a change made.

    Raises:
        PairChangeError: a number does not fit.
    """
    decimals = change.get("pair_decimals", known.price_precision)
    if type(decimals) is not int or not 0 <= decimals <= LARGEST_DECIMALS:
        raise PairChangeError(f"pair_decimals is a whole number up to {LARGEST_DECIMALS}")
    # New decimals without a tick: the tick is one unit of the last of them.
    unit = Decimal(1).scaleb(-decimals)
    tick = unit if decimals != known.price_precision else known.price_increment
    return replace(
        known,
        rest_id=str(change.get("id", known.rest_id)),
        price_precision=decimals,
        price_increment=_positive(change, "tick_size", tick),
        quantity_minimum=_positive(change, "ordermin", known.quantity_minimum),
        cost_minimum=_positive(change, "costmin", known.cost_minimum),
    )


def _positive(change: Mapping[str, Any], field: str, known: Decimal) -> Decimal:
    if field not in change:
        return known
    try:
        value = Decimal(str(change[field]))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 < value <= LARGEST_NUMBER:
        raise PairChangeError(f"{field} is a number above zero")
    exponent = value.as_tuple().exponent
    if isinstance(change[field], bool) or (isinstance(exponent, int) and exponent < -18):
        raise PairChangeError(f"{field} is a number of at most 18 decimals")
    return value


def _kept(altered: Instrument, altname: str) -> dict[str, Any]:
    """Return a pair as it is kept over restarts; its mode is kept elsewhere."""
    return {
        "tick_size": str(altered.price_increment),
        "pair_decimals": altered.price_precision,
        "ordermin": str(altered.quantity_minimum),
        "costmin": str(altered.cost_minimum),
        "id": altered.rest_id,
        "altname": altname,
    }


def _take_up_tick(exchange_state: ExchangeState, symbol: str) -> None:
    book = exchange_state.books[symbol]
    instrument = book.instrument
    for side in Side:
        for order in list(book.resting[side]):
            assert order.limit_price is not None
            if order.limit_price % instrument.price_increment:
                cancel(exchange_state, order, OFF_THE_TICK)
    bids = on_tick(instrument, Side.BUY, book.others[Side.BUY])
    asks = on_tick(instrument, Side.SELL, book.others[Side.SELL])
    book.replace(bids, asks)
    exchange_state.emit_book(symbol)


def step_on_tick(exchange_state: ExchangeState, step: MarketStep) -> MarketStep:
    """Return a step of the market with the prices of altered pairs on the ticks of now."""
    if not exchange_state.pair_changes:
        return step
    symbols = tuple(
        _symbol_on_tick(exchange_state.books[one.symbol].instrument, one)
        if one.symbol in exchange_state.pair_changes
        else one
        for one in step.symbols
    )
    return replace(step, symbols=symbols)


def _symbol_on_tick(instrument: Instrument, step: SymbolStep) -> SymbolStep:
    least = instrument.price_increment
    prints = tuple(
        Print(one.side, max(least, instrument.nearest_price(one.price)), one.quantity)
        for one in step.prints
    )
    bids = on_tick(instrument, Side.BUY, step.bids)
    return SymbolStep(step.symbol, prints, bids, on_tick(instrument, Side.SELL, step.asks))


def on_tick(instrument: Instrument, side: Side, levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """Return levels on the tick, away from the other side; those that meet are one level."""
    merged: dict[Decimal, Decimal] = {}
    for level in levels:
        down = side is Side.BUY
        price = instrument.floor_price(level.price) if down else instrument.ceil_price(level.price)
        if price > 0:
            merged[price] = merged.get(price, Decimal(0)) + level.quantity
    return tuple(Level(price, quantity) for price, quantity in merged.items())
