"""Market data: bars and the latest snapshot of each symbol. Not owned by any account."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment
from models.trading.account.entries.book_costs import BookLevel, BookView
from models.trading.market import Candle, MarketSnapshot


class CandleRow(SQLModel, table=True):
    """One closed bar; a hypertable over ``start`` where TimescaleDB is installed."""

    __tablename__ = "candles"

    symbol: str = Field(primary_key=True)
    interval_minutes: int = Field(primary_key=True)
    start: datetime = Field(primary_key=True, sa_type=Moment)
    open: Decimal = Field(sa_type=Amount)
    high: Decimal = Field(sa_type=Amount)
    low: Decimal = Field(sa_type=Amount)
    close: Decimal = Field(sa_type=Amount)
    volume: Decimal = Field(sa_type=Amount)
    trades: int = 0

    def candle(self) -> Candle:
        """Return the bar in the domain's words."""
        return Candle(
            symbol=self.symbol,
            interval_minutes=self.interval_minutes,
            start=self.start,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
            trades=self.trades,
        )


class MarketSnapshotRow(SQLModel, table=True):
    """The latest figures of one symbol; ``observed_at`` is market time."""

    __tablename__ = "market_snapshots"

    symbol: str = Field(primary_key=True)
    bid: Decimal = Field(sa_type=Amount)
    ask: Decimal = Field(sa_type=Amount)
    last: Decimal = Field(sa_type=Amount)
    observed_at: datetime = Field(sa_type=Moment)
    average_true_range: Decimal | None = Field(default=None, sa_type=Amount)
    volatility: Decimal | None = Field(default=None, sa_type=Amount)
    depth_quantity: Decimal | None = Field(default=None, sa_type=Amount)
    stale: bool
    book: dict[str, Any] | None = Field(default=None, sa_type=Document)
    book_at: datetime | None = Field(default=None, sa_type=Moment)
    measured_at: datetime | None = Field(default=None, sa_type=Moment)
    daily_volatility: Decimal | None = Field(default=None, sa_type=Amount)
    bar_minutes: int = 1
    second_apart: Decimal | None = Field(default=None, sa_type=Amount)

    def snapshot(self) -> MarketSnapshot:
        """Return the figures in the domain's words."""
        return MarketSnapshot(
            symbol=self.symbol,
            bid=self.bid,
            ask=self.ask,
            last=self.last,
            observed_at=self.observed_at,
            average_true_range=self.average_true_range,
            volatility=self.volatility,
            depth_quantity=self.depth_quantity,
            measured_at=self.measured_at,
            daily_volatility=self.daily_volatility,
            bar_minutes=self.bar_minutes,
            stale=self.stale,
            book=None if self.book is None else book_of(self.book),
            book_at=self.book_at,
            second_apart=self.second_apart,
        )


def book_document(book: BookView | None) -> dict[str, Any] | None:
    """Return the levels of a book as they are kept: pairs of texts, best first."""
    if book is None:
        return None
    return {
        "bids": [[format(one.price, "f"), format(one.quantity, "f")] for one in book.bids],
        "asks": [[format(one.price, "f"), format(one.quantity, "f")] for one in book.asks],
    }


def book_of(document: dict[str, Any]) -> BookView:
    """Return the book of a document."""
    bids, asks = (
        tuple(BookLevel(Decimal(price), Decimal(quantity)) for price, quantity in document[side])
        for side in ("bids", "asks")
    )
    return BookView(bids, asks)
