"""What public WebSocket v2 frames mean: books, trades, bars and the health of each symbol.

No I/O: frames go in, market events and requests to send come out.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from activities.adapters.kraken.book import Book, PrecisionLostError
from activities.adapters.kraken.instruments import instrument_status, moment
from activities.ports import BarClosed, BestPrices, FeedStatus, MarketEvent, Tick
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.market import Candle

_log = logging.getLogger(__name__)

_BOOK_UPDATE = b'{"channel":"book","type":"update"'


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


class FeedState:
    """Everything known of the subscribed symbols; survives reconnections."""

    def __init__(self, symbols: tuple[str, ...], interval_minutes: int, depth: int) -> None:
        self.checksum_failures = 0
        self.unreadable_frames = 0
        self._symbols = symbols
        self._interval = interval_minutes
        self._depth = depth
        self._instruments: dict[str, Instrument] = {}
        self._books: dict[str, Book] = {}
        self._book_times: dict[str, str] = {}
        self._changed: dict[str, None] = {}
        self._forming: dict[str, Candle] = {}
        self._last_trades: dict[str, tuple[int, datetime]] = {}
        self._gaps: list[TradeGap] = []
        # Why a symbol is unhealthy, by cause; healthy when nothing is left.
        self._troubles: dict[str, dict[str, str]] = {name: {"book": ""} for name in symbols}
        self._told: dict[str, tuple[bool, str]] = {}
        self._requests: list[dict[str, Any]] = []
        self._pongs: list[int] = []
        self._request_number = 0

    # --- connecting -----------------------------------------------------------------------------

    @property
    def knows_instruments(self) -> bool:
        """Tell whether precisions are known; without them no book can be kept."""
        return bool(self._instruments)

    def learn_instruments(self, instruments: Mapping[str, Instrument]) -> None:
        """Take the pairs' precision and status."""
        self._instruments = dict(instruments)
        for symbol in self._symbols:
            if symbol not in instruments:
                self._troubles[symbol]["pair"] = "no USD spot pair"
            else:
                self._troubles[symbol].pop("pair", None)
                self._note_status(symbol, instruments[symbol].status)

    def subscriptions(self) -> list[dict[str, Any]]:
        """Return the requests that a new connection begins with."""
        known = [symbol for symbol in self._symbols if symbol in self._instruments]
        if not known:
            return []
        self._requests.clear()
        return [
            self._subscribe(channel="instrument"),
            self._subscribe(channel="book", symbol=known, depth=self._depth, snapshot=True),
            self._subscribe(channel="trade", symbol=known, snapshot=True),
            self._subscribe(channel="ohlc", symbol=known, interval=self._interval, snapshot=True),
        ]

    def _subscribe(self, **parameters: Any) -> dict[str, Any]:
        self._request_number += 1
        return {"method": "subscribe", "params": parameters, "req_id": self._request_number}

    def take_requests(self) -> list[dict[str, Any]]:
        """Return requests that frames have made necessary, once."""
        taken, self._requests = self._requests, []
        return taken

    def take_pongs(self) -> list[int]:
        """Return the ids of the pings answered since the last call."""
        taken, self._pongs = self._pongs, []
        return taken

    def take_gaps(self) -> list["TradeGap"]:
        """Return the holes in the sequence of trades found since the last call."""
        taken, self._gaps = self._gaps, []
        return taken

    def disconnected(self, reason: str) -> Iterator[MarketEvent]:
        """Note that the connection is gone: every book is out of date."""
        self._books.clear()
        self._changed.clear()
        for symbol in self._symbols:
            self._troubles[symbol].pop("system", None)
            self._troubles[symbol]["book"] = reason
        yield from self._statuses()

    # --- frames ---------------------------------------------------------------------------------

    def take(self, frame: bytes) -> Iterable[MarketEvent]:
        """Return what a frame says; one of a shape that we do not know never ends the feed."""
        try:
            # Most frames are book updates with nothing to tell: no generator is made for them.
            if frame.startswith(_BOOK_UPDATE) and self._is_routine(frame):
                return ()
            return list(self._take(frame))
        except (LookupError, ValueError, TypeError, ArithmeticError):
            # A lost book update shows at the next checksum.
            self.unreadable_frames += 1
            _log.exception("a public frame could not be read: %.500r", frame)
            return ()

    def _is_routine(self, frame: bytes) -> bool:
        rows = orjson.loads(frame)["data"]
        if len(rows) != 1:
            return False
        row = rows[0]
        symbol = row["symbol"]
        book = self._books.get(symbol)
        if book is None or "book" in self._troubles[symbol]:
            return False
        try:
            agrees = book.update(row)
        except PrecisionLostError:
            return False
        if agrees:
            self._book_times[symbol] = row.get("timestamp", "")
            self._changed[symbol] = None
        # What is not routine is applied once more by the general way, which changes nothing twice.
        return agrees

    def _take(self, frame: bytes) -> Iterator[MarketEvent]:
        # Frames that are not JSON or of unknown channels are ignored on purpose (§12).
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            _log.info("ignored a frame that is not JSON: %.100r", frame)
            return
        if not isinstance(message, dict):
            return
        channel = message.get("channel")
        if channel == "book":
            yield from self._book(message, frame)
        elif channel == "trade":
            yield from self._trades(_exact(frame))
        elif channel == "ohlc":
            yield from self._bars(_exact(frame))
        elif channel == "instrument":
            yield from self._pairs(message["data"])
        elif channel == "status":
            yield from self._system(message["data"])
        elif message.get("method") == "pong":
            self._pongs.append(int(message.get("req_id", 0)))
        elif message.get("success") is False:
            yield from self._refused(message)

    def _book(self, message: dict[str, Any], frame: bytes) -> Iterator[MarketEvent]:
        for index, data in enumerate(message["data"]):
            symbol = data["symbol"]
            if message["type"] == "snapshot":
                instrument = self._instruments.get(symbol)
                if instrument is None:
                    continue
                self._books[symbol] = Book(
                    instrument.price_precision, instrument.quantity_precision, self._depth
                )
            book = self._books.get(symbol)
            if book is None:
                continue
            try:
                agrees = book.update(data)
            except PrecisionLostError:
                agrees = book.update(_exact(frame)["data"][index])
            if agrees:
                self._book_times[symbol] = data.get("timestamp", "")
                self._changed[symbol] = None
                if "book" in self._troubles[symbol]:
                    del self._troubles[symbol]["book"]
                    yield from self._statuses()
            else:
                yield from self._distrust(symbol)

    def _distrust(self, symbol: str) -> Iterator[MarketEvent]:
        self.checksum_failures += 1
        _log.warning("book of %s failed its checksum; subscribing again", symbol)
        del self._books[symbol]
        self._changed.pop(symbol, None)
        self._troubles[symbol]["book"] = "checksum"
        book = {"channel": "book", "symbol": [symbol], "depth": self._depth}
        self._request_number += 1
        self._requests.append(
            {"method": "unsubscribe", "params": book, "req_id": self._request_number}
        )
        self._requests.append(self._subscribe(**book, snapshot=True))
        yield from self._statuses()

    def best_prices(self) -> Iterator[BestPrices]:
        """Return the best prices of the symbols whose book changed since the last call."""
        changed, self._changed = self._changed, {}
        for symbol in changed:
            book = self._books[symbol]
            if not book.has_both_sides:
                continue
            bid, bid_quantity = book.best_bid()
            ask, ask_quantity = book.best_ask()
            at = self._book_times[symbol]
            yield BestPrices(
                symbol=symbol,
                bid=bid,
                bid_quantity=bid_quantity,
                ask=ask,
                ask_quantity=ask_quantity,
                depth_quantity=book.depth_quantity(),
                exchange_time=wire_time(at) if at else datetime.now(UTC),
            )

    def _trades(self, message: Mapping[str, Any]) -> Iterator[Tick]:
        received = datetime.now(UTC)
        rows = sorted(message["data"], key=lambda row: int(row["trade_id"]))
        # A snapshot at our first connection is history, not news.
        snapshot = message["type"] == "snapshot"
        history = {row["symbol"] for row in rows if snapshot} - self._last_trades.keys()
        for row in rows:
            symbol, trade_id = row["symbol"], int(row["trade_id"])
            at = wire_time(row["timestamp"])
            last = self._last_trades.get(symbol)
            if last is not None and trade_id <= last[0]:
                continue
            self._last_trades[symbol] = (trade_id, at)
            if last is not None and trade_id > last[0] + 1 and symbol not in history:
                self._gaps.append(TradeGap(symbol, last[0], last[1], trade_id))
            if symbol in history:
                continue
            yield Tick(
                symbol=symbol,
                price=Decimal(row["price"]),
                quantity=Decimal(row["qty"]),
                trade_id=trade_id,
                exchange_time=at,
                received_at=received,
            )

    def _bars(self, message: Mapping[str, Any]) -> Iterator[BarClosed]:
        rows = [row for row in message["data"] if int(row["interval"]) == self._interval]
        bars = sorted((candle(row) for row in rows), key=lambda bar: (bar.symbol, bar.start))
        if message["type"] == "snapshot":
            bars = list(self._news(bars))
        for bar in bars:
            forming = self._forming.get(bar.symbol)
            if forming is not None and bar.start < forming.start:
                continue
            if forming is not None and bar.start > forming.start:
                yield BarClosed(forming)
            self._forming[bar.symbol] = bar

    def _news(self, bars: list[Candle]) -> Iterator[Candle]:
        # Of a first snapshot only the last two bars count: the newest closed and the forming one.
        # A consumer that read the history just before may see the closed one twice, never miss it.
        for symbol in {bar.symbol: None for bar in bars}:
            own = [bar for bar in bars if bar.symbol == symbol]
            yield from own if symbol in self._forming else own[-2:]

    # --- health ---------------------------------------------------------------------------------

    def _pairs(self, data: Mapping[str, Any]) -> Iterator[MarketEvent]:
        for row in data.get("pairs", ()):
            if row["symbol"] in self._troubles:
                self._note_status(row["symbol"], instrument_status(str(row.get("status", ""))))
        yield from self._statuses()

    def _note_status(self, symbol: str, status: InstrumentStatus) -> None:
        if status is InstrumentStatus.ONLINE:
            self._troubles[symbol].pop("mode", None)
        else:
            self._troubles[symbol]["mode"] = f"pair is {status.value}"

    def _system(self, rows: list[Mapping[str, Any]]) -> Iterator[MarketEvent]:
        system = str(rows[-1].get("system", "online")) if rows else "online"
        for symbol in self._symbols:
            if system == "online":
                self._troubles[symbol].pop("system", None)
            else:
                self._troubles[symbol]["system"] = f"exchange is {system}"
        yield from self._statuses()

    def _refused(self, message: Mapping[str, Any]) -> Iterator[MarketEvent]:
        error, symbol = str(message.get("error", "")), message.get("symbol")
        _log.warning("the exchange refused %s: %s", message.get("method"), error)
        if error == "Already subscribed" or message.get("method") != "subscribe":
            return
        for affected in [symbol] if symbol in self._troubles else self._symbols:
            self._troubles[affected]["subscription"] = error
        yield from self._statuses()

    def _statuses(self) -> Iterator[FeedStatus]:
        for symbol in self._symbols:
            troubles = self._troubles[symbol]
            if troubles == {"book": ""}:
                continue
            status = (not troubles, "; ".join(reason for reason in troubles.values() if reason))
            if self._told.get(symbol) != status:
                self._told[symbol] = status
                yield FeedStatus(symbol, *status)


def missed_ticks(answer: Mapping[str, Any], gap: TradeGap) -> list[Tick]:
    """Return the trades of a ``Trades`` answer that lie within a gap."""
    rows: Sequence[Any] = next((rows for key, rows in answer.items() if key != "last"), [])
    received = datetime.now(UTC)
    return [
        Tick(
            symbol=gap.symbol,
            price=Decimal(row[0]),
            quantity=Decimal(row[1]),
            trade_id=int(row[6]),
            exchange_time=moment(row[2]),
            received_at=received,
        )
        for row in rows
        if gap.after_id < int(row[6]) < gap.before_id
    ]


def candle(row: Mapping[str, Any]) -> Candle:
    """Return a row of channel ``ohlc``."""
    return Candle(
        symbol=row["symbol"],
        interval_minutes=int(row["interval"]),
        start=wire_time(row["interval_begin"]),
        open=Decimal(row["open"]),
        high=Decimal(row["high"]),
        low=Decimal(row["low"]),
        close=Decimal(row["close"]),
        volume=Decimal(row["volume"]),
        trades=int(row.get("trades", 0)),
    )


def wire_time(text: str) -> datetime:
    """Return an RFC 3339 time of the wire; digits below microseconds are cut."""
    stem, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{stem}.{(fraction + '000000')[:6]}+00:00")


def _exact(frame: bytes) -> Any:
    return json.loads(frame, parse_float=Decimal)
