"""Frames of the public WebSocket v2 channels, built once and sent to every subscriber."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from models.simulation.markets.instruments import AssetListing, Listing
from models.simulation.public.book_lines import CHECKSUM_LEVELS, BookLine
from models.simulation.public.candles import Row, start_of
from models.simulation.public.market import PairRecord, PublicMarket
from models.simulation.public.trade_tape import TapeEntry
from workers.exchange.clock import to_rfc3339
from workers.exchange.wire import dump

SNAPSHOT_TRADES = 50
SNAPSHOT_CANDLES = 50


def book_snapshot(record: PairRecord, depth: int, at: datetime) -> bytes:
    """Return the book down to a depth; a thin book carries no checksum (protocol §13)."""
    bids, asks = record.book.bids[:depth], record.book.asks[:depth]
    thin = min(len(bids), len(asks)) < CHECKSUM_LEVELS
    return _book("snapshot", record, bids, asks, at, with_checksum=not thin)


def book_update(record: PairRecord, depth: int, at: datetime) -> bytes | None:
    """Return what the last replacement changed within a depth, None when nothing did."""
    bids, asks = record.book.changes(depth)
    if not bids and not asks:
        return None
    return _book("update", record, bids, asks, at, with_checksum=True)


def _book(
    kind: str,
    record: PairRecord,
    bids: Sequence[BookLine],
    asks: Sequence[BookLine],
    at: datetime,
    *,
    with_checksum: bool,
) -> bytes:
    checksum = f'"checksum":{record.book.checksum()},' if with_checksum else ""
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{record.listing.symbol}",'
        f'"bids":[{_levels(bids)}],"asks":[{_levels(asks)}],{checksum}'
        f'"timestamp":"{to_rfc3339(at)}"}}]}}'
    ).encode("ascii")


def _levels(lines: Sequence[BookLine]) -> str:
    return ",".join(f'{{"price":{x.price_text},"qty":{x.quantity_text}}}' for x in lines)


def trades(kind: str, symbol: str, entries: Sequence[TapeEntry]) -> bytes:
    """Return a frame of public trades, oldest first."""
    rows = ",".join(
        f'{{"symbol":"{symbol}","side":"{entry.side}","price":{entry.price_text},'
        f'"qty":{entry.quantity_text},"ord_type":"{entry.order_type}",'
        f'"trade_id":{entry.trade_id},"timestamp":"{to_rfc3339(entry.at)}"}}'
        for entry in entries
    )
    return f'{{"channel":"trade","type":"{kind}","data":[{rows}]}}'.encode("ascii")


def ticker(kind: str, record: PairRecord, at: datetime) -> bytes | None:
    """Return the whole ticker, None before the first trade or while a side is empty."""
    bids, asks, last = record.book.bids, record.book.asks, record.ticker.last
    if last is None or not bids or not asks:
        return None
    day = record.ticker.day(int(at.timestamp()))
    instrument = record.listing.instrument
    tick = Decimal(1).scaleb(-instrument.price_precision)
    lot = Decimal(1).scaleb(-instrument.quantity_precision)
    change = last - day.open
    percent = change / day.open * 100 if day.open else Decimal(0)
    data = {
        "symbol": instrument.symbol,
        "bid": bids[0].price.quantize(tick),
        "bid_qty": bids[0].quantity.quantize(lot),
        "ask": asks[0].price.quantize(tick),
        "ask_qty": asks[0].quantity.quantize(lot),
        "last": last.quantize(tick),
        "volume": day.volume.quantize(lot),
        "vwap": day.vwap.quantize(tick),
        "low": day.low.quantize(tick),
        "high": day.high.quantize(tick),
        "change": change.quantize(tick),
        "change_pct": percent.quantize(Decimal("0.01")),
        "trades": day.count,
        "timestamp": to_rfc3339(at),
    }
    return dump({"channel": "ticker", "type": kind, "data": [data]})


def candle_snapshot(record: PairRecord, interval: int, at: datetime) -> bytes:
    """Return the newest candles that had trades."""
    return _candles(
        "snapshot", record, interval, record.candles[interval].traded_rows(SNAPSHOT_CANDLES), at
    )


def candle_update(record: PairRecord, interval: int, at: datetime) -> bytes | None:
    """Return the forming candle, None before the first trade."""
    row = record.candles[interval].forming()
    return None if row is None else _candles("update", record, interval, [row], at)


def _candles(
    kind: str, record: PairRecord, interval: int, rows: Sequence[Row], at: datetime
) -> bytes:
    symbol = record.listing.symbol
    data = ",".join(
        f'{{"symbol":"{symbol}","open":{row[1]},"high":{row[2]},"low":{row[3]},"close":{row[4]},'
        f'"trades":{row[7]},"volume":{row[6]},"vwap":{row[5]},'
        f'"interval_begin":"{start_of(row):%Y-%m-%dT%H:%M:%S}.000000000Z","interval":{interval},'
        f'"timestamp":"{start_of(row) + timedelta(minutes=interval):%Y-%m-%dT%H:%M:%S}.000000Z"}}'
        for row in rows
    )
    stamp = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
    return (f'{{"channel":"ohlc","type":"{kind}","timestamp":"{stamp}","data":[{data}]}}').encode(
        "ascii"
    )


def instruments(kind: str, market: PublicMarket, symbols: Sequence[str] | None = None) -> bytes:
    """Return assets and pairs; with ``symbols`` only these pairs, as an update has them."""
    assets = [_asset(asset) for asset in market.universe.assets] if symbols is None else []
    chosen = market.universe.symbols if symbols is None else symbols
    pairs = [_pair(market, market.universe.by_symbol(symbol)) for symbol in chosen]
    return dump({"channel": "instrument", "type": kind, "data": {"assets": assets, "pairs": pairs}})


def _asset(asset: AssetListing) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": asset.name,
        "status": "enabled",
        "precision": asset.decimals,
        "precision_display": asset.display_decimals,
        "borrowable": asset.margin_rate is not None,
    }
    if asset.collateral_value is not None:
        row["collateral_value"] = asset.collateral_value.quantize(Decimal("0.01"))
    if asset.margin_rate is not None:
        row["margin_rate"] = asset.margin_rate.quantize(Decimal("0.000001"))
    return row


def _pair(market: PublicMarket, listing: Listing) -> dict[str, Any]:
    instrument = listing.instrument
    row: dict[str, Any] = {
        "symbol": instrument.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "status": str(market.venue.pair_status(instrument.symbol)),
        "qty_precision": instrument.quantity_precision,
        "qty_increment": Decimal(1).scaleb(-instrument.quantity_precision),
        "price_precision": instrument.price_precision,
        "cost_precision": instrument.cost_precision,
        "marginable": bool(listing.leverage),
        "has_index": True,
        "cost_min": instrument.cost_minimum.quantize(Decimal("0.01")),
    }
    if listing.leverage:
        row["margin_initial"] = (Decimal(1) / max(listing.leverage)).quantize(Decimal("0.01"))
        row["position_limit_long"] = listing.long_limit
        row["position_limit_short"] = listing.short_limit
    row["tick_size"] = instrument.price_increment
    row["price_increment"] = instrument.price_increment
    row["qty_min"] = instrument.quantity_minimum.quantize(
        Decimal(1).scaleb(-instrument.quantity_precision)
    )
    return row
