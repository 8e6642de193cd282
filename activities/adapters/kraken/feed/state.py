"""What public WebSocket v2 frames mean: books, trades, bars and the health of each symbol.

No I/O: frames go in, market events and requests to send come out.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from activities import metrics
from activities.adapters.kraken.errors import UNREADABLE
from activities.adapters.kraken.feed.book import Book, PrecisionLostError
from activities.adapters.kraken.feed.book_doubts import BookDoubts
from activities.adapters.kraken.feed.requests import CHANNELS, FeedRequests
from activities.adapters.kraken.feed.rows import TradeGap, exactly, time_or_now
from activities.adapters.kraken.feed.trades import FeedTrades
from activities.adapters.kraken.pair_rules import PairRules, smells_of_stale_rules
from activities.adapters.kraken.repairs import Part, Repairs
from activities.ports.journal import OneSidedBook
from activities.ports.market import BestPrices, FeedStatus, MarketEvent, PairChanged, Tick
from models.trading.instruments import Instrument, InstrumentStatus

_log = logging.getLogger(__name__)

INSTRUMENT: Part = ("instrument", "")
SYSTEM: Part = ("status", "")
PAIRS: Part = ("pairs", "")
_BOOK_UPDATE = b'{"channel":"book","type":"update"'


class FeedState:
    """Everything known of the subscribed symbols; survives reconnections."""

    def __init__(
        self,
        symbols: tuple[str, ...],
        interval_minutes: int,
        depth: int,
        rules: PairRules | None = None,
    ) -> None:
        """Begin with nothing known; ``rules`` are those that the whole process goes by."""
        self.checksum_failures = 0
        self.unreadable_frames = 0
        # By ``time.monotonic``; a symbol that was never heard of counts from the beginning.
        self.heard_at = dict.fromkeys(symbols, time.monotonic())
        self._symbols = symbols
        self._depth = depth
        self._rules = rules or PairRules()
        self._followed = -1
        self._told_pairs: dict[str, Instrument] = {}
        self._repairs = Repairs()
        self._trades = FeedTrades(interval_minutes, self.heard_at)
        self._books: dict[str, Book] = {}
        self._precisions: dict[str, tuple[int, int]] = {}
        self._book_times: dict[str, str] = {}
        self._changed: dict[str, None] = {}
        # Why a symbol is unhealthy, by cause; healthy when nothing is left.
        self._troubles: dict[str, dict[str, str]] = {name: {"book": ""} for name in symbols}
        self._told: dict[str, tuple[bool, str]] = {}
        self._asked = FeedRequests(interval_minutes, depth)
        self._pongs: list[int] = []
        self._doubts = BookDoubts()
        self._is_connected = False
        self._is_untold = False
        self.is_fed = False
        """Whether this connection has brought a whole book: it works."""
        self.wants_system = False
        """Whether the mode of the exchange should be asked for: its end may not have been told."""

    # --- connecting -----------------------------------------------------------------------------

    def learn_instruments(self, instruments: Mapping[str, Instrument]) -> None:
        """Take the pairs' precision and status."""
        self._rules.take(instruments)
        for _ in self.follow_rules():
            pass

    def follow_rules(self) -> Iterator[MarketEvent]:
        """Bring books, troubles and subscriptions into line with the rules of the pairs."""
        if self._followed == self._rules.version:
            return
        self._followed = self._rules.version
        for symbol in self._symbols:
            instrument = self._rules.instruments.get(symbol)
            if instrument is None:
                self._troubles[symbol]["pair"] = "no USD spot pair"
                continue
            is_new = self._troubles[symbol].pop("pair", None) is not None
            self._note_status(symbol, instrument.status)
            told, self._told_pairs[symbol] = self._told_pairs.get(symbol), instrument
            if told is not None and told != instrument:
                yield PairChanged(instrument)
            if symbol in self._books and self._precisions[symbol] != _precision(instrument):
                yield from self._distrust(symbol, "precision changed")
            elif is_new and self._is_connected:
                for channel in CHANNELS:
                    self._repairs.broken((channel, symbol))
        self._watch_pairs()
        yield from self._statuses()

    def _watch_pairs(self) -> None:
        """Have the pairs read again as long as one of them is not online."""
        if any({"pair", "mode"} & troubles.keys() for troubles in self._troubles.values()):
            if not self._repairs.is_pending(PAIRS):
                self._repairs.asked(PAIRS)
        else:
            self._repairs.sound(PAIRS)

    def subscriptions(self) -> list[dict[str, Any]]:
        """Return the requests that a new connection begins with."""
        self._is_connected, self.is_fed = True, False
        known = [symbol for symbol in self._symbols if symbol in self._rules.instruments]
        for channel in CHANNELS if known else ():
            for symbol in known:
                self._repairs.asked((channel, symbol))
        self._repairs.asked(INSTRUMENT)
        first = self._asked.subscribe("instrument")
        return [first, *(self._asked.subscribe(one, known) for one in CHANNELS if known)]

    def take_requests(self) -> list[dict[str, Any]]:
        """Return the requests that are due because something is broken, each once."""
        due: dict[str, list[str]] = {}
        for channel, symbol in self._repairs.take_due():
            due.setdefault(channel, []).append(symbol)
        self.wants_system = due.pop(SYSTEM[0], None) is not None or self.wants_system
        if due.pop(PAIRS[0], None) is not None:
            self._rules.suspect("a pair is not online")
        requests: list[dict[str, Any]] = []
        for channel, symbols in due.items():
            named = [symbol for symbol in symbols if symbol]
            if channel in ("book", "instrument"):
                requests.append(self._asked.unsubscribe(channel, named))
            requests.append(self._asked.subscribe(channel, named))
        return requests

    def take_pongs(self) -> list[int]:
        """Return the ids of the pings answered since the last call."""
        taken, self._pongs = self._pongs, []
        return taken

    def take_gaps(self) -> list[TradeGap]:
        """Return the holes in the sequence of trades found since the last call."""
        return self._trades.take_gaps()

    def disconnected(self, reason: str) -> Iterator[MarketEvent]:
        """Note that the connection is gone: every book is out of date."""
        self._books.clear()
        self._changed.clear()
        self._repairs.suspend()
        self._is_connected, self.wants_system = False, False
        for symbol in self._symbols:
            kept = {n: v for n, v in self._troubles[symbol].items() if n in ("pair", "mode")}
            self._troubles[symbol] = {**kept, "book": reason}
        yield from self._statuses()

    # --- frames ---------------------------------------------------------------------------------

    def take(self, frame: bytes) -> Iterable[MarketEvent]:
        """Return what a frame says; one of a shape that we do not know never ends the feed."""
        self._doubts.heard()
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
            self._doubts.updated(symbol)
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
            yield from self._ticks(frame)
            yield from self._fed("trade", message["data"])
        elif channel == "ohlc":
            yield from self._trades.bars(exactly(frame))
            yield from self._fed("ohlc", message["data"])
        elif channel == "instrument":
            yield from self._pairs(message["data"])
        elif channel == "status":
            yield from self._system(message["data"])
        elif message.get("method") == "pong":
            self._pongs.append(int(message.get("req_id") or 0))
        elif "success" in message:
            yield from self._answered(message)

    def _ticks(self, frame: bytes) -> Iterator[Tick]:
        for tick in self._trades.trades(exactly(frame)):
            self._doubts.printed(tick, self._books.get(tick.symbol))
            yield tick

    def _answered(self, message: Mapping[str, Any]) -> Iterator[MarketEvent]:
        result = message.get("result")
        if message["success"] is False:
            yield from self._refused(message)
        elif message.get("method") == "subscribe" and isinstance(result, dict):
            yield from self._fed(str(result.get("channel")), [result])

    def _books_of(self, message: dict[str, Any], frame: bytes) -> Iterator[MarketEvent]:
        snapshot = message["type"] == "snapshot"
        for index, data in enumerate(message["data"]):
            symbol = data["symbol"]
            if snapshot:
                instrument = self._rules.instruments.get(symbol)
                if instrument is None or symbol not in self._troubles:
                    continue
                self._precisions[symbol] = _precision(instrument)
                self._books[symbol] = Book(*self._precisions[symbol], self._depth)
            if symbol not in self._books:
                continue
            try:
                yield from self._book(symbol, data, index, frame)
            except UNREADABLE:
                self._note_unreadable(frame)
                # A half-applied book is none. A snapshot is not asked for at once again: it would
                # come in the same shape.
                yield from self._distrust(symbol, "unreadable", again_at_once=not snapshot)

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
            # Prices of another precision than the one known have another checksum. One book that
            # is wrong may have missed a message; one that stays so is that of another pair.
            self._rules.suspect(f"the book of {symbol} has another checksum")
            if self._repairs.attempts(("book", symbol)):
                self._repairs.broken(INSTRUMENT)
            yield from self._distrust(symbol, "checksum")
            return
        self.heard_at[symbol] = time.monotonic()
        self._book_times[symbol] = data.get("timestamp") or ""
        self._changed[symbol] = None
        self._doubts.updated(symbol)
        self.is_fed = True
        if "book" in self._troubles[symbol] or self._repairs.is_pending(("book", symbol)):
            self._repairs.sound(("book", symbol))
            self._troubles[symbol].pop("book", None)
            self._troubles[symbol].pop("subscription of book", None)
            yield from self._statuses()

    def _distrust(
        self, symbol: str, reason: str, *, again_at_once: bool = True
    ) -> Iterator[MarketEvent]:
        _log.warning("book of %s is wrong (%s); it is subscribed again", symbol, reason)
        del self._books[symbol]
        self._changed.pop(symbol, None)
        self._troubles[symbol]["book"] = reason
        self._repairs.broken(("book", symbol), again_at_once=again_at_once)
        yield from self._statuses()

    def best_prices(self) -> Iterator[BestPrices | OneSidedBook]:
        """Return the best prices of the symbols whose book changed since the last call."""
        changed, self._changed = self._changed, {}
        for symbol in changed:
            book = self._books[symbol]
            at = time_or_now(self._book_times[symbol])
            if not book.has_both_sides:
                yield OneSidedBook(symbol, at, book.seen())
                continue
            bid, bid_quantity = book.best_bid()
            ask, ask_quantity = book.best_ask()
            yield BestPrices(
                symbol=symbol,
                bid=bid,
                bid_quantity=bid_quantity,
                ask=ask,
                ask_quantity=ask_quantity,
                depth_quantity=book.depth_quantity(),
                exchange_time=at,
                book=book.seen(),
            )

    def _pairs(self, data: Mapping[str, Any]) -> Iterator[MarketEvent]:
        self._repairs.sound(INSTRUMENT)
        self._rules.learn_rows(data.get("pairs") or ())
        yield from self.follow_rules()

    def _note_status(self, symbol: str, status: InstrumentStatus) -> None:
        if status is InstrumentStatus.ONLINE:
            self._troubles[symbol].pop("mode", None)
        else:
            self._troubles[symbol]["mode"] = f"pair is {status.value}"

    def _system(self, rows: list[Mapping[str, Any]]) -> Iterator[MarketEvent]:
        if rows:
            self.learn_system(str(rows[-1].get("system")))
        yield from self._statuses()

    def learn_system(self, system: str) -> None:
        """Take the mode of the exchange; one that is not ``online`` is asked after until it is."""
        self._is_untold = True
        for symbol in self._symbols:
            if system == "online":
                self._troubles[symbol].pop("system", None)
            else:
                self._troubles[symbol]["system"] = f"exchange is {system}"
        if system == "online":
            self._repairs.sound(SYSTEM)
        elif not self._repairs.is_pending(SYSTEM):
            self._repairs.asked(SYSTEM)

    def _fed(self, channel: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[MarketEvent]:
        """Note that a channel is subscribed; a book is only when its snapshot is there."""
        if channel == "book":
            return
        for symbol in {str(row.get("symbol") or "") for row in rows}:
            if self._repairs.is_pending((channel, symbol)):
                self._repairs.sound((channel, symbol))
                troubles = self._troubles.get(symbol, {})
                if troubles.pop(f"subscription of {channel}", None) is not None:
                    yield from self._statuses()

    def _refused(self, message: Mapping[str, Any]) -> Iterator[MarketEvent]:
        error = str(message.get("error", ""))
        _log.warning("the exchange refused %s: %s", message.get("method"), error)
        if message.get("method") != "subscribe":
            return
        if smells_of_stale_rules(error):
            self._rules.suspect(error)
        for part in self._asked.parts_refused(message, self._symbols):
            channel, symbol = part
            if error == "Already subscribed" and channel != "book":
                yield from self._fed(channel, [{"symbol": symbol}])
                continue
            self._repairs.broken(part, again_at_once=False)
            if symbol in self._troubles and error != "Already subscribed":
                self._troubles[symbol][f"subscription of {channel}"] = error
        yield from self._statuses()

    def take_statuses(self) -> Iterator[MarketEvent]:
        """Return the symbols whose health was changed by something else than a frame."""
        for symbol in self._doubts.take_overdue():
            if symbol in self._books:
                yield from self._distrust(symbol, "a trade outside of it")
        if self._is_untold:
            self._is_untold = False
            yield from self._statuses()

    def _statuses(self) -> Iterator[FeedStatus]:
        for symbol in self._symbols:
            troubles = self._troubles[symbol]
            if troubles == {"book": ""}:
                continue
            reasons = dict.fromkeys(reason for reason in troubles.values() if reason)
            status = (not troubles, "; ".join(reasons))
            if self._told.get(symbol) != status:
                self._told[symbol] = status
                yield FeedStatus(symbol, *status)


def _precision(instrument: Instrument) -> tuple[int, int]:
    return instrument.price_precision, instrument.quantity_precision
