"""The public record of the exchange: candles, tickers, trades and books of every pair.

It is fed the venue's events and answers the public REST and WebSocket endpoints. Pure: market time
comes with the events, everything lives in ``state()``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from models.simulation.events import BookChanged, Event, PairAltered, PublicTrade, StatusChanged
from models.simulation.markets.instruments import Listing, Universe
from models.simulation.outcomes import BookView
from models.simulation.public.book_lines import BookLines
from models.simulation.public.candles import INTERVALS, CandleSeries, batch_of
from models.simulation.public.tickers import Ticker
from models.simulation.public.trade_tape import SpreadTape, TapeEntry, TradeTape
from models.simulation.symbols import Directory
from models.trading.instruments import InstrumentStatus


class VenueView(Protocol):
    """What the public record reads from the venue."""

    @property
    def market_time(self) -> datetime:
        """Return the latest market time."""
        ...

    def book(self, symbol: str, depth: int | None = None) -> BookView:
        """Return the merged public book."""
        ...

    @property
    def system_status(self) -> str:
        """Return the exchange's mode."""
        ...

    @property
    def directory(self) -> Directory:
        """Return the names of pairs and assets as they are now."""
        ...

    def is_listed(self, symbol: str) -> bool:
        """Tell whether a pair is listed."""
        ...

    def pair_status(self, symbol: str) -> InstrumentStatus:
        """Return a pair's mode."""
        ...


@dataclass(slots=True)
class PublicChange:
    """What became public at one moment: new trades, changed books, modes.

    ``touched`` are the symbols whose best bid or ask changed; ``statuses`` names pairs whose mode
    changed, ``system_changed`` tells the same of the exchange. The books of ``altered`` pairs are
    written otherwise from now on: whoever follows them needs a snapshot.
    """

    at: datetime
    trades: dict[str, list[TapeEntry]] = field(default_factory=dict)
    books: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    system_changed: bool = False


class PairRecord:
    """The public record of one pair."""

    def __init__(self, listing: Listing) -> None:
        precision = (listing.instrument.price_precision, listing.instrument.quantity_precision)
        self.listing = listing
        self.book = BookLines(*precision)
        self.tape = TradeTape(*precision)
        self.spreads = SpreadTape()
        self.ticker = Ticker()
        self.candles = {interval: CandleSeries(interval, *precision) for interval in INTERVALS}

    def alter(self, listing: Listing) -> None:
        """Take the pair as it is now."""
        self.listing = listing
        precision = listing.instrument.price_precision
        self.book.alter(precision)
        self.tape.alter(precision)
        for series in self.candles.values():
            series.alter(precision)

    def add_trades(self, trades: list[PublicTrade], second: int) -> list[TapeEntry]:
        """Record trades of one moment."""
        batch = batch_of([(trade.price, trade.quantity) for trade in trades])
        for series in self.candles.values():
            series.add(batch, second)
        self.ticker.add(batch, trades[-1].quantity, second)
        return [self.tape.add(trade) for trade in trades]

    def replace_book(self, view: BookView, second: int) -> bool:
        """Take the book as it is now; tell whether the best bid or ask changed."""
        touched = self.book.replace(view.bids, view.asks, second)
        if touched and view.bids and view.asks:
            precision = self.listing.instrument.price_precision
            self.spreads.add(second, view.bids[0].price, view.asks[0].price, precision)
        return touched

    def state(self) -> dict[str, Any]:
        """Return the record but for the book, which is the venue's."""
        return {
            "tape": self.tape.state(),
            "spreads": self.spreads.state(),
            "ticker": self.ticker.state(),
            "candles": {str(key): series.state() for key, series in self.candles.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a state."""
        self.tape.restore(state["tape"])
        self.spreads.restore(state["spreads"])
        self.ticker.restore(state["ticker"])
        for interval, series in self.candles.items():
            series.restore(state["candles"][str(interval)])


class PublicMarket:
    """The public record of every pair of a universe, in step with a venue."""

    def __init__(self, universe: Universe, venue: VenueView) -> None:
        self.universe = universe
        self.venue = venue
        self.pairs = {listing.symbol: PairRecord(listing) for listing in universe}

    @property
    def second(self) -> int:
        """Return the market time as a unix second."""
        return int(self.venue.market_time.timestamp())

    def apply(self, events: Iterable[Event]) -> PublicChange:
        """Record what the venue's events made public and return it for the WebSocket channels.

        Call it once per step or command with all its events, before the next one.
        """
        change = PublicChange(self.venue.market_time)
        trades: dict[str, list[PublicTrade]] = {}
        books: dict[str, None] = {}
        for event in events:
            if isinstance(event, PublicTrade):
                trades.setdefault(event.symbol, []).append(event)
            elif isinstance(event, BookChanged):
                books[event.symbol] = None
            elif isinstance(event, StatusChanged):
                if event.symbol is None:
                    change.system_changed = True
                else:
                    change.statuses.append(event.symbol)
            elif isinstance(event, PairAltered):
                self._alter(event.symbol)
                change.altered.append(event.symbol)
                books[event.symbol] = None
        second = self.second
        for symbol, new in trades.items():
            change.trades[symbol] = self.pairs[symbol].add_trades(new, second)
        for symbol in books:
            change.books.append(symbol)
            if self.pairs[symbol].replace_book(self.venue.book(symbol), second):
                change.touched.append(symbol)
        return change

    def _alter(self, symbol: str) -> None:
        instrument = self.venue.directory.instruments[symbol]
        altname = self.venue.directory.names(symbol).altname
        self.universe = self.universe.altered(instrument, altname)
        self.pairs[symbol].alter(self.universe.by_symbol(symbol))

    def state(self) -> dict[str, Any]:
        """Return the record as JSON-ready values; the books are the venue's."""
        return {symbol: record.state() for symbol, record in self.pairs.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a state and the books of the (already restored) venue."""
        for listing in self.universe:
            names = self.venue.directory.names(listing.symbol)
            instrument = self.venue.directory.instruments[listing.symbol]
            if (instrument, names.altname) != (listing.instrument, listing.altname):
                self._alter(listing.symbol)
        for symbol, record in self.pairs.items():
            if symbol in state:
                record.restore(state[symbol])
            record.replace_book(self.venue.book(symbol), self.second)
