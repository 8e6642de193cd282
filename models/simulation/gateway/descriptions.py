"""Kraken's sentences about orders: ``buy 1.25000000 XBTUSD @ limit 27500.0`` (§8.1)."""

from decimal import Decimal

from models.simulation.engine.orders import CloseTerms, Order, OrderKind, OrderRequest, PriceTerm
from models.simulation.symbols import Directory
from models.trading.instruments import Instrument

_WORDS = {
    OrderKind.STOP_LOSS: "stop loss",
    OrderKind.STOP_LOSS_LIMIT: "stop loss",
    OrderKind.TAKE_PROFIT: "take profit",
    OrderKind.TAKE_PROFIT_LIMIT: "take profit",
    OrderKind.TRAILING_STOP: "trailing stop",
    OrderKind.TRAILING_STOP_LIMIT: "trailing stop",
}


def describe_order(directory: Directory, order: Order | OrderRequest) -> str:
    """Return the sentence of an order: ``descr.order``."""
    instrument = directory.instruments[order.symbol]
    volume = f"{order.volume:.{instrument.quantity_precision}f}"
    pair = directory.names(order.symbol).altname
    terms = _terms(instrument, order.kind, order.price, order.price2)
    return f"{order.side.value} {volume} {pair} @ {terms}"


def describe_close(directory: Directory, symbol: str, close: CloseTerms | None) -> str | None:
    """Return the sentence of a conditional close, None without one."""
    if close is None:
        return None
    instrument = directory.instruments[symbol]
    return f"close position @ {_terms(instrument, close.kind, close.price, close.price2)}"


def price_text(instrument: Instrument, term: PriceTerm | None) -> str:
    """Return a price as Kraken repeats it: fixed decimals, sign and percent kept; ``0`` if none."""
    if term is None:
        return "0"
    if term.percent:
        return f"{term.sign}{term.value:.4f}%"
    return f"{term.sign}{_fixed(instrument, term.value)}"


def _terms(
    instrument: Instrument, kind: OrderKind, price: PriceTerm | None, price2: PriceTerm | None
) -> str:
    if kind is OrderKind.MARKET:
        return "market"
    first = price_text(instrument, price)
    if kind in (OrderKind.LIMIT, OrderKind.ICEBERG):
        return f"limit {first}"
    text = f"{_WORDS[kind]} {first}"
    if price2 is not None and kind.is_priced:
        text += f" -> limit {price_text(instrument, price2)}"
    return text


def _fixed(instrument: Instrument, value: Decimal) -> str:
    return f"{value:.{instrument.price_precision}f}"
