"""Pairs and fees as Kraken publishes them: AssetPairs, TradeVolume, OHLC, channel instrument."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from activities.adapters.kraken.symbols import SymbolTable, v2_symbol
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.limits import FeeRates
from models.trading.market import Candle

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Older answers lack costmin; Kraken publishes 0.5 USD for USD pairs (§5).
_COST_MINIMUM = "0.5"


def moment(seconds: Any) -> datetime:
    """Return a REST time (seconds since 1970, fractions allowed) without binary rounding."""
    return _EPOCH + timedelta(microseconds=int(Decimal(str(seconds)) * 1_000_000))


def instrument_status(text: str) -> InstrumentStatus:
    """Return a pair's status; words not known to us are ``unknown``, never an error."""
    try:
        return InstrumentStatus(text)
    except ValueError:
        return InstrumentStatus.UNKNOWN


def usd_spot_instruments(pairs: Mapping[str, Any]) -> dict[str, Instrument]:
    """Return the USD spot pairs of an AssetPairs answer by v2 symbol, and nothing else."""
    instruments = (_instrument(rest_id, row) for rest_id, row in pairs.items() if _is_usd_spot(row))
    return {instrument.symbol: instrument for instrument in instruments}


def _is_usd_spot(row: Mapping[str, Any]) -> bool:
    return (
        row.get("quote") in ("ZUSD", "USD")
        and row.get("aclass_base", "currency") == "currency"
        and row.get("aclass_quote", "currency") == "currency"
        and str(row.get("wsname", "")).endswith("/USD")
    )


def _instrument(rest_id: str, row: Mapping[str, Any]) -> Instrument:
    symbol = v2_symbol(str(row["wsname"]))
    decimals = int(row["pair_decimals"])
    increment = Decimal(str(row.get("tick_size") or Decimal(1).scaleb(-decimals)))
    return Instrument(
        symbol=symbol,
        base=symbol.partition("/")[0],
        quote="USD",
        rest_id=rest_id,
        price_precision=decimals,
        price_increment=increment,
        quantity_precision=int(row["lot_decimals"]),
        quantity_minimum=Decimal(str(row.get("ordermin", "0"))),
        cost_precision=int(row.get("cost_decimals", 5)),
        cost_minimum=Decimal(str(row.get("costmin", _COST_MINIMUM))),
        status=instrument_status(str(row.get("status", "online"))),
    )


def fee_rates(answer: Mapping[str, Any], symbols: SymbolTable) -> dict[str, FeeRates]:
    """Return the fee rates of a TradeVolume answer by symbol; its figures are percent."""
    taker = answer.get("fees") or {}
    maker = answer.get("fees_maker") or {}
    return {
        symbols.symbol(pair): FeeRates(maker=_share(maker.get(pair, row)), taker=_share(row))
        for pair, row in taker.items()
    }


def _share(row: Mapping[str, Any]) -> Decimal:
    return Decimal(str(row["fee"])) / 100


def closed_candles(answer: Mapping[str, Any], symbol: str, interval_minutes: int) -> list[Candle]:
    """Return the closed bars of an OHLC answer, oldest first; the last row is still forming.

    A flat row without trades is not a bar: our bars exist only where somebody traded.
    """
    rows: Sequence[Any] = next((rows for key, rows in answer.items() if key != "last"), [])
    return [
        _candle(row, symbol, interval_minutes) for row in rows[:-1] if row[7] or Decimal(row[6])
    ]


def _candle(row: Sequence[Any], symbol: str, interval_minutes: int) -> Candle:
    return Candle(
        symbol=symbol,
        interval_minutes=interval_minutes,
        start=moment(row[0]),
        open=Decimal(row[1]),
        high=Decimal(row[2]),
        low=Decimal(row[3]),
        close=Decimal(row[4]),
        volume=Decimal(row[6]),
        trades=int(row[7]),
    )
