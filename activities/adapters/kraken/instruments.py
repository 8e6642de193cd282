"""Pairs and fees as Kraken publishes them: AssetPairs, TradeVolume, OHLC, channel instrument."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from activities.adapters.kraken.errors import UNREADABLE
from activities.adapters.kraken.symbols import SymbolTable, v2_symbol
from activities.ports.rules import PairQuote
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.market import Candle
from models.trading.risk.limits import FeeRates

_log = logging.getLogger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Older answers lack costmin; Kraken publishes 0.5 USD for USD pairs (§5).
_COST_MINIMUM = "0.5"


def number(value: Any) -> Decimal:
    """Return a number of the wire, whether it came as text or as a number.

    Raises:
        ValueError, ArithmeticError: it is none, or not finite.
    """
    result = value if isinstance(value, Decimal) else Decimal(str(value))
    if not result.is_finite():
        raise ValueError(f"the number was {value!r}")
    return result


def moment(seconds: Any) -> datetime:
    """Return a REST time (seconds since 1970, fractions allowed) without binary rounding."""
    return _EPOCH + timedelta(microseconds=int(number(seconds) * 1_000_000))


def instrument_status(text: str) -> InstrumentStatus:
    """Return a pair's status; words not known to us are ``unknown``, never an error."""
    try:
        return InstrumentStatus(text)
    except ValueError:
        return InstrumentStatus.UNKNOWN


def usd_spot_instruments(pairs: Mapping[str, Any]) -> dict[str, Instrument]:
    """Return the USD spot pairs of an AssetPairs answer by v2 symbol, and nothing else.

    A pair that cannot be read is left out, and so not traded; it must not cost us the others.
    """
    instruments: dict[str, Instrument] = {}
    for rest_id, row in pairs.items():
        try:
            if _is_usd_spot(row):
                instrument = _instrument(rest_id, row)
                instruments[instrument.symbol] = instrument
        except UNREADABLE:
            _log.exception("the pair %s could not be read", rest_id)
    return instruments


def _is_usd_spot(row: Mapping[str, Any]) -> bool:
    return (
        row.get("quote") in ("ZUSD", "USD")
        and (row.get("aclass_base") or "currency") == "currency"
        and (row.get("aclass_quote") or "currency") == "currency"
        and str(row.get("wsname", "")).endswith("/USD")
    )


def _instrument(rest_id: str, row: Mapping[str, Any]) -> Instrument:
    symbol = v2_symbol(str(row["wsname"]))
    decimals = int(row["pair_decimals"])
    increment = number(row.get("tick_size") or Decimal(1).scaleb(-decimals))
    return Instrument(
        symbol=symbol,
        base=symbol.partition("/")[0],
        quote="USD",
        rest_id=rest_id,
        price_precision=decimals,
        price_increment=increment,
        quantity_precision=int(row["lot_decimals"]),
        quantity_minimum=number(row.get("ordermin") or "0"),
        cost_precision=int(_given(row, "cost_decimals", 5)),
        cost_minimum=number(_given(row, "costmin", _COST_MINIMUM)),
        status=instrument_status(str(row.get("status") or "online")),
    )


def _given(row: Mapping[str, Any], name: str, default: Any) -> Any:
    value = row.get(name)
    return default if value is None else value


def fee_rates(answer: Mapping[str, Any], symbols: SymbolTable) -> dict[str, FeeRates]:
    """Return the fee rates of a TradeVolume answer by symbol; its figures are percent."""
    taker = answer.get("fees") or {}
    maker = answer.get("fees_maker") or {}
    return {
        symbols.symbol(pair): FeeRates(maker=_share(maker.get(pair, row)), taker=_share(row))
        for pair, row in taker.items()
    }


def _share(row: Mapping[str, Any]) -> Decimal:
    return number(row["fee"]) / 100


def pair_quotes(
    answer: Mapping[str, Any], instruments: Mapping[str, Instrument]
) -> dict[str, PairQuote]:
    """Return volume and spread of a Ticker answer; pairs that cannot be read are left out."""
    quotes: dict[str, PairQuote] = {}
    for symbol, instrument in instruments.items():
        row = answer.get(instrument.rest_id) or answer.get(symbol)
        if row is None:
            continue
        try:
            quotes[symbol] = _quote(row)
        except UNREADABLE:
            _log.exception("the ticker of %s could not be read", symbol)
    return quotes


def _quote(row: Mapping[str, Any]) -> PairQuote:
    ask, bid = number(row["a"][0]), number(row["b"][0])
    middle = (ask + bid) / 2
    # The second figure of each is that of the last 24 hours.
    volume = number(row["v"][1]) * number(row["p"][1])
    return PairQuote(volume, (ask - bid) / middle)


def closed_candles(answer: Mapping[str, Any], symbol: str, interval_minutes: int) -> list[Candle]:
    """Return the closed bars of an OHLC answer, oldest first; the last row is still forming.

    A flat row without trades is not a bar: our bars exist only where somebody traded.
    """
    rows: Sequence[Any] = next((rows for key, rows in answer.items() if key != "last"), [])
    return [
        _candle(row, symbol, interval_minutes) for row in rows[:-1] if int(row[7]) or number(row[6])
    ]


def _candle(row: Sequence[Any], symbol: str, interval_minutes: int) -> Candle:
    return Candle(
        symbol=symbol,
        interval_minutes=interval_minutes,
        start=moment(row[0]),
        open=number(row[1]),
        high=number(row[2]),
        low=number(row[3]),
        close=number(row[4]),
        volume=number(row[6]),
        trades=int(row[7]),
    )
