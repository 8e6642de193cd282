"""The public WebSocket v2 endpoint: subscriptions, acknowledgements, snapshots and fan-out."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from aiohttp import WSMsgType, web

from models.simulation.public.book_lines import DEPTHS
from models.simulation.public.candles import INTERVALS
from models.simulation.public.market import PublicChange, PublicMarket
from workers.exchange.faults import Faults
from workers.exchange.websocket import public_frames as frames
from workers.exchange.websocket.sockets import (
    Connection,
    answer_ping,
    failure,
    status_frame,
    success,
)
from workers.exchange.websocket.topics import (
    WRONG_HOST,
    SubscriptionRefusedError,
    Topic,
    read_symbols,
    read_topic,
    require,
)
from workers.exchange.wire import load

IDLE_SECONDS = 60.0
"""A socket that subscribes to nothing is closed after this long in silence."""
TRADING_METHODS = frozenset(
    ("add_order", "amend_order", "edit_order", "cancel_order", "cancel_all", "batch_add",
     "batch_cancel", "cancel_all_orders_after")
)  # fmt: skip


class PublicStreams:
    """Serve every public socket. Call ``publish`` right after ``PublicMarket.apply``."""

    def __init__(self, market: PublicMarket, faults: Faults) -> None:
        self._market = market
        self._faults = faults
        self._topics: dict[Topic, dict[Connection, None]] = {}
        self._connections: dict[Connection, None] = {}

    # --- the market moves --------------------------------------------------------------------

    def publish(self, change: PublicChange) -> None:
        """Send what became public to those who subscribed to it."""
        for symbol, entries in change.trades.items():
            self._fan_out(Topic("trade", symbol), frames.trades, "update", symbol, entries)
        self._publish_books(change)
        for trigger, symbols in (("trades", list(change.trades)), ("bbo", change.touched)):
            for symbol in symbols:
                topic = Topic("ticker", symbol, trigger)
                record = self._market.pairs[symbol]
                self._fan_out(topic, frames.ticker, "update", record, change.at)
        for symbol in change.trades:
            record = self._market.pairs[symbol]
            for interval in INTERVALS:
                topic = Topic("ohlc", symbol, interval)
                self._fan_out(topic, frames.candle_update, record, interval, change.at)
        if change.statuses:
            topic = Topic("instrument", "")
            self._fan_out(topic, frames.instruments, "update", self._market, change.statuses)
        for symbol in change.altered:
            self.resend_books(symbol)
        if change.system_changed:
            self.announce_status()

    def _publish_books(self, change: PublicChange) -> None:
        for symbol in change.books:
            record = self._market.pairs[symbol]
            for depth in () if symbol in change.altered else DEPTHS:
                topic = Topic("book", symbol, depth)
                self._fan_out(topic, frames.book_update, record, depth, change.at)

    def _fan_out(self, topic: Topic, build: Callable[..., bytes | None], *arguments: Any) -> None:
        """Build a frame once, only when someone wants it, and send it to every subscriber."""
        subscribers = self._topics.get(topic)
        if not subscribers:
            return
        frame = build(*arguments)
        if frame is None:
            return
        event = {"channel": topic.channel, "type": "update", "pair": topic.symbol}
        for connection in list(subscribers):
            connection.publish(frame, event)

    def announce_status(self) -> None:
        """Tell every socket the exchange's mode."""
        for connection in self._connections:
            connection.send(status_frame(connection, self._market.venue.system_status))

    def resend_books(self, symbol: str | None = None) -> None:
        """Send a snapshot in mid-stream to the subscribers of a book (None: of every book)."""
        for topic, subscribers in self._topics.items():
            if topic.channel == "book" and symbol in (None, topic.symbol):
                for connection in subscribers:
                    self._send_snapshot(connection, topic)

    def connected(self) -> int:
        """Return how many sockets are open."""
        return len(self._connections)

    def abort_all(self) -> None:
        """Cut every socket as a dropped line does."""
        for connection in list(self._connections):
            connection.abort()

    # --- one socket --------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one client from the status frame to its end."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        connection = Connection("public", socket, self._faults, request.transport)
        connection.send(status_frame(connection, self._market.venue.system_status))
        self._connections[connection] = None
        tasks = [asyncio.create_task(connection.write()), asyncio.create_task(connection.beat())]
        try:
            await self._read(socket, connection)
        finally:
            self._forget(connection)
            for task in tasks:
                task.cancel()
            for task in tasks:
                # A writer on a cut transport ends with the reset it met: the client is gone.
                with suppress(asyncio.CancelledError, ConnectionError):
                    await task
        return socket

    async def _read(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        while True:
            try:
                message = await socket.receive(timeout=IDLE_SECONDS)
            except TimeoutError:
                if connection.subscribed:
                    continue
                await socket.close()
                return
            if message.type is not WSMsgType.TEXT:
                return
            self.answer(connection, message.data)

    def answer(self, connection: Connection, text: str) -> None:
        """Answer one request of a client."""
        received = datetime.now(UTC)
        try:
            request = load(text)
        except ValueError:
            request = None
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            connection.send(failure(None, None, "Malformed request", received))
            return
        method, request_id = request["method"], request.get("req_id")
        if method == "ping":
            connection.send(answer_ping(request, received))
        elif method in ("subscribe", "unsubscribe"):
            self._change_subscriptions(connection, request, received)
        else:
            error = WRONG_HOST if method in TRADING_METHODS else "Unsupported event"
            connection.send(failure(method, request_id, error, received))

    def _change_subscriptions(
        self, connection: Connection, request: Mapping[str, Any], received: datetime
    ) -> None:
        method, request_id, parameters = (
            request["method"],
            request.get("req_id"),
            request.get("params"),
        )
        try:
            symbols = read_symbols(parameters)
        except SubscriptionRefusedError as refusal:
            connection.send(failure(method, request_id, str(refusal), received))
            return
        assert isinstance(parameters, dict)
        for symbol in symbols:
            try:
                topic = read_topic(parameters, symbol, self._market.universe)
                listed = not symbol or self._market.venue.is_listed(symbol)
                require(listed or method != "subscribe", f"Currency pair not supported {symbol}")
                if method == "subscribe":
                    result = self._subscribe(connection, topic, parameters.get("snapshot"))
                else:
                    result = self._unsubscribe(connection, topic)
            except SubscriptionRefusedError as refusal:
                named = {"symbol": symbol} if symbol else {}
                connection.send(failure(method, request_id, str(refusal), received, **named))
                continue
            connection.send(success(method, request_id, result, received))
            if result.get("snapshot"):
                self._send_snapshot(connection, topic)
        connection.subscribed = any(connection in taken for taken in self._topics.values())

    def _subscribe(self, connection: Connection, topic: Topic, wanted: Any) -> dict[str, Any]:
        taken = self._topic_of(connection, topic)
        if taken is not None and taken != topic and topic.channel == "ohlc":
            text = "Already subscribed to one ohlc interval on this symbol"
            raise SubscriptionRefusedError(text)
        require(taken is None, "Already subscribed")
        snapshot = topic.channel != "trade" if wanted is None else wanted
        require(isinstance(snapshot, bool), "Malformed request")
        self._topics.setdefault(topic, {})[connection] = None
        return topic.acknowledged(snapshot)

    def _unsubscribe(self, connection: Connection, topic: Topic) -> dict[str, Any]:
        subscribers = self._topics.get(topic, {})
        require(connection in subscribers, "Subscription Not Found")
        del subscribers[connection]
        return topic.acknowledged()

    def _topic_of(self, connection: Connection, wanted: Topic) -> Topic | None:
        if connection in self._topics.get(wanted, {}):
            return wanted
        for topic, subscribers in self._topics.items():
            same = (topic.channel, topic.symbol) == (wanted.channel, wanted.symbol)
            if same and topic.channel != "book" and connection in subscribers:
                return topic
        return None

    def _send_snapshot(self, connection: Connection, topic: Topic) -> None:
        frame = self._snapshot(topic)
        if frame is not None:
            event = {"channel": topic.channel, "type": "snapshot", "pair": topic.symbol}
            connection.publish(frame, event)

    def _snapshot(self, topic: Topic) -> bytes | None:
        at = self._market.venue.market_time
        if topic.channel == "instrument":
            return frames.instruments("snapshot", self._market)
        record = self._market.pairs[topic.symbol]
        if topic.channel == "book":
            return frames.book_snapshot(record, int(topic.option), at)
        if topic.channel == "ohlc":
            return frames.candle_snapshot(record, int(topic.option), at)
        if topic.channel == "ticker":
            return frames.ticker("snapshot", record, at)
        newest = record.tape.newest(frames.SNAPSHOT_TRADES)
        return frames.trades("snapshot", topic.symbol, newest)

    def _forget(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        for subscribers in self._topics.values():
            subscribers.pop(connection, None)
