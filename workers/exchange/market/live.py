"""Kraken's own public feed as the simulator's market: real prices, paper trading.

Books and trades of the live exchange become market steps. When the feed cannot be reached, or is
lost for longer than the patience, that is a ``LiveMarketError``: never another market instead.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from activities.adapters.kraken.repairs import Repairs
from models.simulation.markets.instruments import Listing, Universe
from models.simulation.markets.replay import SourceStateError
from models.simulation.public.book_lines import ChecksumMismatchError, MirroredBook
from models.simulation.steps import Level, MarketStep, Print, SymbolStep
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.orders import Side
from workers.exchange.wire import dump, load

KRAKEN_PUBLIC_FEED: Final = "wss://ws.kraken.com/v2"
DEPTH: Final = 25
STEP_SECONDS: Final = 0.25
SILENCE_SECONDS: Final = 10.0
"""Kraken sends a heartbeat each second; this long without a frame, the socket is dead."""


REPAIR_LOOK_SECONDS: Final = 0.5

log = logging.getLogger(__name__)


class LiveMarketError(Exception):
    """Kraken's public feed cannot be used; the message is one line that says why."""


class LiveMarket:
    """Mirror Kraken's public feed: ``open`` it, then await ``next_step`` again and again.

    Args:
        universe: the pairs to follow; precision and minimums are replaced by Kraken's own.
        url: address of the public WebSocket v2.
        bar_minutes: bar length that the platform trades on.
        patience: seconds to reach the feed, at first and again after a loss.
    """

    def __init__(
        self,
        universe: Universe,
        *,
        url: str = KRAKEN_PUBLIC_FEED,
        bar_minutes: int = 1,
        patience: float = 30.0,
    ) -> None:
        self.universe = universe
        self.bar_minutes = bar_minutes
        self._url = url
        self._patience = patience
        self._socket: ClientConnection | None = None
        self._books: dict[str, MirroredBook] = {}
        self._prints: dict[str, list[Print]] = {}
        self._changed: set[str] = set()
        self._repairs = Repairs()
        self._is_open = False
        self._altered: dict[str, dict[str, Any]] = {}
        self._number = 0
        self._at = datetime.now(UTC)
        self.instruments: dict[str, Instrument] = universe.instruments

    def start_time(self) -> datetime:
        """Return when this object began: a live market runs on the wall clock."""
        return self._at

    def state(self) -> dict[str, Any]:
        """Return the number of the last step; everything else is asked of Kraken again."""
        return {"kind": "kraken", "number": self._number}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on counting from a state; SourceStateError when it is another market's."""
        if state.get("kind") != "kraken":
            raise SourceStateError("the saved position belongs to another market")
        self._number = int(state["number"])

    async def open(self) -> None:
        """Connect, take over Kraken's instruments and wait for every book.

        Raises:
            LiveMarketError: not within the patience.
        """
        await self._reach()
        self._is_open = True
        self._altered.clear()

    def take_altered(self) -> dict[str, dict[str, Any]]:
        """Return what Kraken changed of its pairs since the last call, as fields of AssetPairs."""
        taken, self._altered = self._altered, {}
        return taken

    def differences(self, instruments: Mapping[str, Instrument]) -> dict[str, dict[str, Any]]:
        """Return what Kraken says otherwise of these pairs now, as fields of AssetPairs."""
        now = self.universe.instruments
        return {
            symbol: change
            for symbol, known in instruments.items()
            if (change := _difference(known, now[symbol]))
        }

    async def close(self) -> None:
        """Leave the feed."""
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def next_step(self) -> MarketStep:
        """Return what happened within the next quarter of a second, or the first thing after it.

        Raises:
            LiveMarketError: the feed was lost and did not come back within the patience.
        """
        if self._socket is None:
            await self._reach()
        loop = asyncio.get_running_loop()
        heard = loop.time()
        until = heard + STEP_SECONDS
        while loop.time() < until or not (self._changed or self._altered):
            wait = SILENCE_SECONDS if not self._changed else max(0.001, until - loop.time())
            try:
                async with asyncio.timeout(min(wait, REPAIR_LOOK_SECONDS)):
                    await self._receive()
                heard = loop.time()
            except TimeoutError:
                if loop.time() - heard >= SILENCE_SECONDS:
                    await self._reach()
                    heard = loop.time()
            except (OSError, WebSocketException):
                await self._reach()
            await self._mend()
        return self._take_step()

    def _take_step(self) -> MarketStep:
        self._number += 1
        self._at = max(self._at, datetime.now(UTC))
        symbols = tuple(
            SymbolStep(
                symbol,
                tuple(self._prints.pop(symbol, ())),
                self._books[symbol].bids,
                self._books[symbol].asks,
            )
            for symbol in self.universe.symbols
            if symbol in self._changed and symbol in self._books
        )
        self._changed.clear()
        return MarketStep(self._number, self._at, symbols)

    async def _reach(self) -> None:
        """Connect and subscribe, trying again until the patience ends."""
        await self.close()
        delay, reason = 0.2, "no answer"
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    try:
                        await self._connect()
                    except (OSError, WebSocketException) as error:
                        reason = str(error) or type(error).__name__
                        await self.close()
                        await asyncio.sleep(delay)
                        delay = min(5.0, delay * 2)
                    else:
                        return
        except TimeoutError:
            await self.close()
            raise LiveMarketError(
                f"Kraken's public feed at {self._url} cannot be reached: {reason}"
            ) from None

    async def _connect(self) -> None:
        self._socket = await connect(self._url, max_size=None, compression=None)
        self._books.clear()
        await self._request("subscribe", {"channel": "instrument"})
        while True:
            message = await self._next_message()
            if message.get("channel") == "instrument":
                break
        self._adopt(message["data"]["pairs"])
        self._repairs.suspend()
        listed = (one.symbol for one in self.universe if _is_listed(one.instrument))
        symbols = list(listed)
        await self._request("subscribe", {"channel": "trade", "symbol": symbols})
        await self._request("subscribe", {"channel": "book", "symbol": symbols, "depth": DEPTH})
        while any(
            one not in self._books and not self._repairs.is_pending(("book", one))
            for one in symbols
        ):
            await self._receive()

    def _adopt(self, rows: list[dict[str, Any]]) -> None:
        known = {row["symbol"]: row for row in rows}
        missing = [symbol for symbol in self.universe.symbols if symbol not in known]
        if missing and not self._is_open:
            raise LiveMarketError(f"Kraken does not list {', '.join(missing)}")
        # One that is gone while the exchange runs costs nobody the others.
        gone = [{"symbol": symbol, "status": "delisted"} for symbol in missing]
        self._learn([*known.values(), *gone])

    def _learn(self, rows: list[dict[str, Any]]) -> None:
        """Take pairs as Kraken describes them; a book of another precision begins anew."""
        told = {row["symbol"]: row for row in rows}
        listings = []
        for listing in self.universe:
            row = told.get(listing.symbol)
            adopted = listing if row is None else _adopted(listing, row)
            listings.append(adopted)
            if change := _difference(listing.instrument, adopted.instrument):
                self._altered[listing.symbol] = {**self._altered.get(listing.symbol, {}), **change}
            if "pair_decimals" in change and self._books.pop(listing.symbol, None) is not None:
                self._changed.discard(listing.symbol)
                self._repairs.broken(("book", listing.symbol))
        self.universe = Universe(tuple(listings), self.universe.assets)
        self.instruments = self.universe.instruments

    async def _mend(self) -> None:
        """Subscribe again to the books that are wrong, each after its pause."""
        for _, symbol in self._repairs.take_due() if self._socket is not None else ():
            about = {"channel": "book", "symbol": [symbol], "depth": DEPTH}
            await self._request("unsubscribe", about)
            await self._request("subscribe", about)

    async def _request(self, method: str, parameters: dict[str, Any]) -> None:
        assert self._socket is not None
        await self._socket.send(dump({"method": method, "params": parameters}).decode())

    async def _next_message(self) -> dict[str, Any]:
        assert self._socket is not None
        text = await self._socket.recv()
        try:
            message = load(text)
        except ValueError:
            return {}  # Kraken's proxy announces restarts in plain text (protocol §12).
        if not isinstance(message, dict):
            return {}
        if message.get("success") is False:
            self._refused(message)
        return message

    def _refused(self, message: Mapping[str, Any]) -> None:
        symbol = message.get("symbol")
        if message.get("method") == "unsubscribe" or message.get("error") == "Already subscribed":
            return
        if not self._is_open or symbol not in self.universe.symbols:
            raise LiveMarketError(f"Kraken's public feed refused: {message.get('error')}")
        log.warning("Kraken refused %s: %s", symbol, message.get("error"))
        self._repairs.broken(("book", str(symbol)), again_at_once=False)

    async def _receive(self) -> None:
        message = await self._next_message()
        if message.get("channel") == "trade":
            for row in message["data"]:
                printed = Print(Side(row["side"]), _decimal(row["price"]), _decimal(row["qty"]))
                self._prints.setdefault(row["symbol"], []).append(printed)
                if row["symbol"] in self._books:
                    self._changed.add(row["symbol"])
        elif message.get("channel") == "instrument":
            self._learn(message["data"].get("pairs") or [])
        elif message.get("channel") == "book":
            for row in message["data"]:
                await self._apply(row, snapshot=message["type"] == "snapshot")

    async def _apply(self, row: Mapping[str, Any], *, snapshot: bool) -> None:
        symbol = row["symbol"]
        book = self._books.get(symbol)
        if snapshot:
            instrument = self.universe.by_symbol(symbol).instrument
            book = MirroredBook(DEPTH, instrument.price_precision, instrument.quantity_precision)
        if book is None:
            return  # An update between a checksum failure and the new snapshot.
        bids, asks = _levels(row["bids"]), _levels(row["asks"])
        try:
            apply = book.snapshot if snapshot else book.update
            apply(bids, asks, row.get("checksum"))
        except ChecksumMismatchError:
            self._books.pop(symbol, None)
            self._changed.discard(symbol)
            self._repairs.broken(("book", symbol))
            return
        self._repairs.sound(("book", symbol))
        self._books[symbol] = book
        self._changed.add(symbol)


def _adopted(listing: Listing, row: Mapping[str, Any]) -> Listing:
    try:
        status = InstrumentStatus(row["status"])
    except ValueError:
        status = InstrumentStatus.UNKNOWN
    known = listing.instrument
    instrument = replace(
        known,
        price_precision=int(row.get("price_precision", known.price_precision)),
        price_increment=_decimal(row.get("price_increment", known.price_increment)),
        quantity_precision=int(row.get("qty_precision", known.quantity_precision)),
        quantity_minimum=_decimal(row.get("qty_min", known.quantity_minimum)),
        cost_precision=int(row.get("cost_precision", known.cost_precision)),
        cost_minimum=_decimal(row.get("cost_min", known.cost_minimum)),
        status=status,
    )
    return replace(listing, instrument=instrument)


def _difference(known: Instrument, now: Instrument) -> dict[str, Any]:
    """Return what changed as fields of AssetPairs."""
    fields = {
        "pair_decimals": (known.price_precision, now.price_precision),
        "tick_size": (known.price_increment, now.price_increment),
        "ordermin": (known.quantity_minimum, now.quantity_minimum),
        "costmin": (known.cost_minimum, now.cost_minimum),
        "status": (known.status.value, now.status.value),
    }
    changed = {name: new for name, (old, new) in fields.items() if old != new}
    if "pair_decimals" in changed:
        changed["tick_size"] = now.price_increment
    return {n: v if isinstance(v, int) else f"{v}" for n, v in changed.items()}


def _is_listed(instrument: Instrument) -> bool:
    return instrument.status is not InstrumentStatus.DELISTED


def _levels(rows: list[dict[str, Any]]) -> list[Level]:
    return [Level(_decimal(row["price"]), _decimal(row["qty"])) for row in rows]


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))
