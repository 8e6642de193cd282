"""What public WebSocket v2 frames mean: books, trades, bars and the health of each symbol.

No I/O: frames go in, market events and requests to send come out.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from activities import metrics
from activities.adapters.kraken.book import Book, PrecisionLostError
from activities.adapters.kraken.errors import UNREADABLE
from activities.adapters.kraken.feed_rows import TradeGap, candle, exactly, tick, time_or_now
from activities.adapters.kraken.instruments import instrument_status
from activities.ports import BarClosed, BestPrices, FeedStatus, MarketEvent, Tick
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.market import Candle

_log = logging.getLogger(__name__)

_BOOK_UPDATE = b'{"channel":"book","type":"update"'


class FeedState:
    """Everything known of the subscribed symbols; survives reconnections."""

    def __init__(self, symbols: tuple[str, ...], interval_minutes: int, depth: int) -> None:
        self.checksum_failures = 0
        self.unreadable_frames = 0
        # By ``time.monotonic``; a symbol that was never heard of counts from the beginning.
        self.heard_at = dict.fromkeys(symbols, time.monotonic())
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

    def take_gaps(self) -> list[TradeGap]:
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
        # Most frames are book updates with nothing to tell: no generator is made for them.
        if frame.startswith(_BOOK_UPDATE) and self._is_routine(frame):
            return ()
        events: list[MarketEvent] = []
        try:
            # What was understood before the unreadable part is told.
            for event in self._take(frame):
                events.append(event)  # noqa: PERF402 - what came before a failure must be kept
        except UNREADABLE:
            self._note_unreadable(frame)
        return events

    def _note_unreadable(self, frame: bytes) -> None:
        self.unreadable_frames += 1
        _log.exception("a public frame could not be read: %.500r", frame)

    def _is_routine(self, frame: bytes) -> bool:
        try:
            rows = orjson.loads(frame)["data"]
            if len(rows) != 1:
                return False
            row = rows[0]
            symbol = row["symbol"]
            book = self._books.get(symbol)
            if book is None or "book" in self._troubles[symbol]:
                return False
            agrees = book.update(row)
        except (PrecisionLostError, *UNREADABLE):
            return False
        if agrees:
            self.heard_at[symbol] = time.monotonic()
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
            yield from self._books_of(message, frame)
        elif channel == "trade":
            yield from self._trades(exactly(frame))
        elif channel == "ohlc":
            yield from self._bars(exactly(frame))
        elif channel == "instrument":
            yield from self._pairs(message["data"])
        elif channel == "status":
            yield from self._system(message["data"])
        elif message.get("method") == "pong":
            self._pongs.append(int(message.get("req_id") or 0))
        elif message.get("success") is False:
            yield from self._refused(message)

    def _books_of(self, message: dict[str, Any], frame: bytes) -> Iterator[MarketEvent]:
        snapshot = message["type"] == "snapshot"
        for index, data in enumerate(message["data"]):
            symbol = data["symbol"]
            if snapshot:
                instrument = self._instruments.get(symbol)
                if instrument is None or symbol not in self._troubles:
                    continue
                self._books[symbol] = Book(
                    instrument.price_precision, instrument.quantity_precision, self._depth
                )
            if symbol not in self._books:
                continue
            try:
                yield from self._book(symbol, data, index, frame)
            except UNREADABLE:
                self._note_unreadable(frame)
                # A half-applied book is none. A snapshot is not asked for at once again: it would
                # come in the same shape.
                yield from self._distrust(symbol, "unreadable", again=not snapshot)

    def _book(
        self, symbol: str, data: dict[str, Any], index: int, frame: bytes
    ) -> Iterator[MarketEvent]:
        book = self._books[symbol]
        try:
            agrees = book.update(data)
        except PrecisionLostError:
            agrees = book.update(exactly(frame)["data"][index])
        if not agrees:
            self.checksum_failures += 1
            metrics.FEED_CHECKSUM_FAILURES.inc()
            yield from self._distrust(symbol, "checksum", again=True)
            return
        self.heard_at[symbol] = time.monotonic()
        self._book_times[symbol] = data.get("timestamp") or ""
        self._changed[symbol] = None
        if "book" in self._troubles[symbol]:
            del self._troubles[symbol]["book"]
            yield from self._statuses()

    def _distrust(self, symbol: str, reason: str, *, again: bool) -> Iterator[MarketEvent]:
        _log.warning("book of %s is wrong (%s); subscribing again: %s", symbol, reason, again)
        del self._books[symbol]
        self._changed.pop(symbol, None)
        self._troubles[symbol]["book"] = reason
        if again:
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
                exchange_time=time_or_now(at),
            )

    def _trades(self, message: Mapping[str, Any]) -> Iterator[Tick]:
        received = datetime.now(UTC)
        rows = sorted(message["data"], key=lambda row: int(row["trade_id"]))
        # A snapshot at our first connection is history, not news.
        snapshot = message["type"] == "snapshot"
        history = {row["symbol"] for row in rows if snapshot} - self._last_trades.keys()
        for row in rows:
            symbol, trade_id = row["symbol"], int(row["trade_id"])
            last = self._last_trades.get(symbol)
            if last is not None and trade_id <= last[0]:
                continue
            # A row that cannot be read is not counted as seen: it shows as a gap at the next one.
            seen = tick(row, trade_id, received)
            self._last_trades[symbol] = (trade_id, seen.exchange_time)
            self.heard_at[symbol] = time.monotonic()
            if last is not None and trade_id > last[0] + 1 and symbol not in history:
                self._gaps.append(TradeGap(symbol, last[0], last[1], trade_id))
                metrics.FEED_TRADE_GAPS.inc()
            if symbol not in history:
                yield seen

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
        for row in data.get("pairs") or ():
            # A status that is not told is not ``online``: entries wait until one is.
            if row.get("symbol") in self._troubles:
                self._note_status(row["symbol"], instrument_status(str(row.get("status"))))
        yield from self._statuses()

    def _note_status(self, symbol: str, status: InstrumentStatus) -> None:
        if status is InstrumentStatus.ONLINE:
            self._troubles[symbol].pop("mode", None)
        else:
            self._troubles[symbol]["mode"] = f"pair is {status.value}"

    def _system(self, rows: list[Mapping[str, Any]]) -> Iterator[MarketEvent]:
        if not rows:
            return
        system = str(rows[-1].get("system"))
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
