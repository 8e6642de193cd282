"""Rows of the public REST answers, field by field as Kraken writes them."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from models.simulation.markets.instruments import AssetListing, Listing
from models.simulation.public.book_lines import BookLine
from models.simulation.public.market import PairRecord
from models.simulation.public.tickers import WindowFigures
from models.simulation.public.trade_tape import TapeEntry
from workers.exchange.errors import ApiError
from workers.exchange.wire import fixed

PRICE_DECIMALS: Final = 5
"""Ticker, Depth and Trades print at least five decimals, whatever the pair's precision."""
_MILLI: Final = Decimal("0.001")
_SECONDS_LIMIT: Final = Decimal(10) ** 12
"""A ``since`` below this is in seconds, above in nanoseconds."""


def asset_row(asset: AssetListing) -> dict[str, Any]:
    """Return one row of Assets."""
    row: dict[str, Any] = {
        "aclass": "currency",
        "altname": asset.altname,
        "decimals": asset.decimals,
        "display_decimals": asset.display_decimals,
    }
    if asset.collateral_value is not None:
        row["collateral_value"] = asset.collateral_value
    row["status"] = "enabled"
    if asset.margin_rate is not None:
        row["margin_rate"] = asset.margin_rate
    return row


def pair_info(listing: Listing, status: str) -> dict[str, Any]:
    """Return one row of AssetPairs; fee tables are empty since Kraken stopped publishing them."""
    instrument = listing.instrument
    row: dict[str, Any] = {
        "altname": listing.altname,
        "wsname": listing.wsname,
        "aclass_base": "currency",
        "base": listing.base_id,
        "aclass_quote": "currency",
        "quote": "ZUSD",
        "lot": "unit",
        "cost_decimals": instrument.cost_precision,
        "pair_decimals": instrument.price_precision,
        "lot_decimals": instrument.quantity_precision,
        "lot_multiplier": 1,
        **pair_leverage(listing, status),
        **pair_fees(listing, status),
        **pair_margin(listing, status),
        "ordermin": _plain(instrument.quantity_minimum),
        "costmin": _plain(instrument.cost_minimum),
        "tick_size": _plain(instrument.price_increment),
        "status": status,
        "execution_venue": "international",
    }
    if listing.leverage:
        row["long_position_limit"] = listing.long_limit
        row["short_position_limit"] = listing.short_limit
    return row


def pair_leverage(listing: Listing, _status: str) -> dict[str, Any]:
    """Return ``info=leverage``."""
    factors = list(listing.leverage)
    return {"leverage_buy": factors, "leverage_sell": factors}


def pair_fees(_listing: Listing, _status: str) -> dict[str, Any]:
    """Return ``info=fees``."""
    return {"fees": [], "fees_maker": [], "fee_volume_currency": "ZUSD"}


def pair_margin(_listing: Listing, _status: str) -> dict[str, Any]:
    """Return ``info=margin``."""
    return {"margin_call": 80, "margin_stop": 40}


PAIR_VIEWS: Final[dict[str, Callable[[Listing, str], dict[str, Any]]]] = {
    "info": pair_info,
    "leverage": pair_leverage,
    "fees": pair_fees,
    "margin": pair_margin,
}


def ticker_row(record: PairRecord, second: int) -> dict[str, Any]:
    """Return one row of Ticker; the record must have traded."""
    ticker = record.ticker
    assert ticker.last is not None
    decimals = _price_decimals(record)
    today, day = ticker.today(second), ticker.day(second)

    def prices(pick: Callable[[WindowFigures], Decimal]) -> list[str]:
        return [fixed(pick(today), decimals), fixed(pick(day), decimals)]

    return {
        "a": _touch(record.book.asks, ticker.last, decimals),
        "b": _touch(record.book.bids, ticker.last, decimals),
        "c": [fixed(ticker.last, decimals), fixed(ticker.last_quantity, 8)],
        "v": [fixed(today.volume, 8), fixed(day.volume, 8)],
        "p": prices(lambda window: window.vwap),
        "t": [today.count, day.count],
        "l": prices(lambda window: window.low),
        "h": prices(lambda window: window.high),
        "o": fixed(today.open, decimals),
    }


def depth_row(line: BookLine) -> list[Any]:
    """Return one level of Depth: price, volume to a thousandth, second of its last change."""
    return [_padded(line.price_text), _lots(line.quantity), line.changed_second]


def trade_row(entry: TapeEntry) -> list[Any]:
    """Return one row of Trades."""
    return [
        _padded(entry.price_text),
        entry.quantity_text,
        entry.nanoseconds // 1000 / 1_000_000,
        entry.side[0],
        entry.order_type[0],
        "",
        entry.trade_id,
    ]


def trades_cursor(since: str) -> int:
    """Return the nanosecond cursor of a ``since`` in nanoseconds or seconds; raises ApiError."""
    try:
        value = Decimal(since)
    except InvalidOperation:
        raise ApiError("EGeneral:Invalid arguments:since") from None
    if not value.is_finite() or value < 0:
        raise ApiError("EGeneral:Invalid arguments:since")
    return int(value * 1_000_000_000 if value < _SECONDS_LIMIT else value)


def _touch(side: list[BookLine], last: Decimal, decimals: int) -> list[str]:
    if not side:
        return [fixed(last, decimals), "0", "0.000"]
    quantity = side[0].quantity
    whole = max(1, int(quantity.to_integral_value(ROUND_HALF_UP)))
    return [fixed(side[0].price, decimals), str(whole), _lots(quantity)]


def _lots(quantity: Decimal) -> str:
    # A level never shows as empty: what is below a thousandth shows as one.
    return fixed(max(_MILLI, quantity.quantize(_MILLI, rounding=ROUND_HALF_UP)), 3)


def _padded(price_text: str) -> str:
    whole, _, fraction = price_text.partition(".")
    return f"{whole}.{fraction.ljust(PRICE_DECIMALS, '0')}"


def _price_decimals(record: PairRecord) -> int:
    return max(PRICE_DECIMALS, record.listing.instrument.price_precision)


def _plain(number: Decimal) -> str:
    return format(number, "f")
