"""Rows of the public side as the platform's words: trades, bars, times."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from activities.adapters.kraken.errors import UNREADABLE
from activities.adapters.kraken.exchange_clock import now
from activities.adapters.kraken.instruments import moment, number
from activities.ports.market import Tick
from models.trading.market import Candle


@dataclass(frozen=True, slots=True)
class TradeGap:
    """Trades of a symbol that were missed: after one id and time, before another id."""

    symbol: str
    after_id: int
    after: datetime
    before_id: int

    @property
    def since_nanoseconds(self) -> str:
        """Return where to begin asking (``Trades`` counts in nanoseconds since 1970)."""
        return str(int(self.after.timestamp() * 1_000_000 - 1) * 1000)


def missed_ticks(answer: Mapping[str, Any], gap: TradeGap) -> list[Tick]:
    """Return the trades of a ``Trades`` answer that lie within a gap."""
    rows: Sequence[Any] = next((rows for key, rows in answer.items() if key != "last"), [])
    received = now()
    return [
        Tick(
            symbol=gap.symbol,
            price=number(row[0]),
            quantity=number(row[1]),
            trade_id=int(row[6]),
            exchange_time=moment(row[2]),
            received_at=received,
        )
        for row in rows
        if gap.after_id < int(row[6]) < gap.before_id
    ]


def newest_trade_id(answer: Mapping[str, Any]) -> int:
    """Return the highest trade id of a ``Trades`` answer, 0 when it shows none."""
    rows: Sequence[Any] = next((rows for key, rows in answer.items() if key != "last"), [])
    return max((int(row[6]) for row in rows), default=0)


def candle(row: Mapping[str, Any]) -> Candle:
    """Return a row of channel ``ohlc``."""
    return Candle(
        symbol=row["symbol"],
        interval_minutes=int(row["interval"]),
        start=wire_time(row["interval_begin"]),
        open=number(row["open"]),
        high=number(row["high"]),
        low=number(row["low"]),
        close=number(row["close"]),
        volume=number(row["volume"]),
        trades=int(row.get("trades") or 0),
    )


def wire_time(text: str) -> datetime:
    """Return an RFC 3339 time of the wire; digits below microseconds are cut."""
    if text.endswith("Z"):
        stem, _, fraction = text[:-1].partition(".")
        return datetime.fromisoformat(f"{stem}.{(fraction + '000000')[:6]}+00:00")
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"the time {text!r} has no zone")
    return at.astimezone(UTC)


def time_or_now(text: str) -> datetime:
    """Return a time of the wire, the present when there is none that can be read."""
    try:
        return wire_time(text)
    except UNREADABLE:
        return now()


def tick(row: Mapping[str, Any], trade_id: int, received: datetime) -> Tick:
    """Return a row of channel ``trade``."""
    return Tick(
        symbol=row["symbol"],
        price=number(row["price"]),
        quantity=number(row["qty"]),
        trade_id=trade_id,
        exchange_time=wire_time(row["timestamp"]),
        received_at=received,
        side=str(row.get("side", "")),
    )


def exactly(frame: bytes) -> Any:
    """Return a frame with its numbers as they were written."""
    return json.loads(frame, parse_float=Decimal)
