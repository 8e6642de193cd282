"""The authenticated WebSocket v2 endpoint: executions, balances and the trading methods."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any

from aiohttp import WSMsgType, web

from models.simulation.errors import VenueError
from models.simulation.events import BalanceChanged, Event, OrderChanged
from models.simulation.public.market import PublicChange
from workers.exchange import accounts
from workers.exchange.accounts import AccountKey
from workers.exchange.authentication import Tokens, require
from workers.exchange.errors import (
    ApiError,
    ConnectionAbortedByFaultError,
    HttpStatusFaultError,
)
from workers.exchange.faults import Faults, leg_of
from workers.exchange.runtime import Exchange
from workers.exchange.trading_calls import Answer, Call
from workers.exchange.websocket import private_frames as frames
from workers.exchange.websocket.sockets import (
    Connection,
    answer_ping,
    failure,
    status_frame,
    success,
)
from workers.exchange.wire import dump, load

PUBLIC_CHANNELS = frozenset(("ticker", "trade", "ohlc", "instrument", "book", "level3"))
WRONG_HOST = "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com"
CHANNELS = ("executions", "balances")
WARNINGS = (
    "cancel_reason is deprecated, use reason",
    "stop_price is deprecated, use triggers.price",
    "trigger is deprecated use triggers.reference",
    "triggered_price is deprecated use triggers.last_price",
)
PERMISSIONS = {
    "add_order": (accounts.MODIFY,),
    "amend_order": (accounts.MODIFY,),
    "edit_order": (accounts.MODIFY,),
    "batch_add": (accounts.MODIFY,),
    "cancel_order": (accounts.CANCEL, accounts.MODIFY),
    "cancel_all": (accounts.CANCEL, accounts.MODIFY),
    "batch_cancel": (accounts.CANCEL, accounts.MODIFY),
    "cancel_all_orders_after": (accounts.CANCEL, accounts.MODIFY),
}


@dataclass(slots=True)
class Subscription:
    """One channel on one socket; ``sequence`` is that of the last message sent."""

    connection: Connection
    channel: str
    account: str
    sequence: int = 0
    order_status: bool = True
    rate_counter: bool = False


class PrivateStreams:
    """Serve every authenticated socket."""

    def __init__(self, exchange: Exchange, tokens: Tokens, faults: Faults) -> None:
        self._exchange = exchange
        self._tokens = tokens
        self._faults = faults
        self._connections: dict[Connection, dict[str, AccountKey]] = {}
        self._subscriptions: dict[tuple[str, str], dict[Connection, Subscription]] = {}

    # --- what happens at the exchange ----------------------------------------------------------

    def publish(self, events: Sequence[Event], change: PublicChange) -> None:
        """Tell each account what happened to it, and everybody a change of mode."""
        if change.system_changed:
            for connection in self._connections:
                connection.send(status_frame(connection, self._exchange.venue.system_status))
        if not self._subscriptions:
            return
        for event in events:
            if isinstance(event, OrderChanged):
                self._tell_execution(event)
            elif isinstance(event, BalanceChanged):
                self._tell_balance(event)

    def sequences(self) -> dict[str, int]:
        """Return the number of the last executions message of each account's newest socket."""
        return {
            account: list(subscribers.values())[-1].sequence
            for (channel, account), subscribers in self._subscriptions.items()
            if channel == "executions" and subscribers
        }

    def connected(self) -> int:
        """Return how many sockets are open."""
        return len(self._connections)

    def abort_all(self) -> None:
        """Cut every socket as a dropped line does."""
        for connection in list(self._connections):
            connection.abort()

    def _tell_execution(self, event: OrderChanged) -> None:
        subscribers = self._subscriptions.get(("executions", event.account))
        if not subscribers:
            return
        entry = frames.execution_entry(event, self._exchange.venue.directory)
        facts = {
            "pair": event.order.symbol,
            "exec_type": event.execution_type.value,
            "leg": leg_of(event.order.side.value, event.order.kind.value),
        }
        for subscription in list(subscribers.values()):
            if subscription.order_status or frames.is_open_or_close(event.execution_type):
                shown = entry
                if subscription.rate_counter:
                    shown = {**entry, "ratecount": self._rate_count(event)}
                self._send(subscription, "update", [shown], facts)

    def _rate_count(self, event: OrderChanged) -> int:
        now = self._exchange.clock.now()
        return ceil(self._exchange.venue.rate_count(event.account, event.order.symbol, now))

    def _tell_balance(self, event: BalanceChanged) -> None:
        subscribers = self._subscriptions.get(("balances", event.account))
        if not subscribers:
            return
        entry = frames.balance_entry(event.entry)
        for subscription in list(subscribers.values()):
            self._send(subscription, "update", [entry], {"asset": event.entry.asset})

    def _send(
        self, subscription: Subscription, kind: str, data: list[Any], facts: Mapping[str, Any]
    ) -> None:
        subscription.sequence += 1
        message = {
            "channel": subscription.channel,
            "type": kind,
            "data": data,
            "sequence": subscription.sequence,
        }
        event = {
            **facts,
            "channel": subscription.channel,
            "type": kind,
            "account": subscription.account,
        }
        subscription.connection.publish(dump(message), event)

    # --- one socket ------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one client from the status frame to its end."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        connection = Connection("private", socket, self._faults, request.transport)
        connection.send(status_frame(connection, self._exchange.venue.system_status))
        self._connections[connection] = {}
        tasks = [asyncio.create_task(connection.write()), asyncio.create_task(connection.beat())]
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                await self._receive(connection, message.data)
        finally:
            self._forget(connection)
            for task in tasks:
                task.cancel()
            for task in tasks:
                # A writer on a cut transport ends with the reset it met: the client is gone.
                with suppress(asyncio.CancelledError, ConnectionError):
                    await task
        return socket

    def _forget(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        for subscribers in self._subscriptions.values():
            subscribers.pop(connection, None)

    async def _receive(self, connection: Connection, text: str) -> None:
        received = datetime.now(UTC)
        try:
            request = load(text)
        except ValueError:
            request = None
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            connection.send(failure(None, None, "Malformed request", received))
            return
        method, params = request["method"], request.get("params")
        if method == "ping":
            connection.send(answer_ping(request, self._exchange.clock.now()))
        elif method not in PERMISSIONS and method not in ("subscribe", "unsubscribe"):
            text = "Unsupported event"
            connection.send(failure(method, request.get("req_id"), text, received))
        elif not isinstance(params, dict):
            connection.send(failure(method, request.get("req_id"), "Malformed request", received))
        elif method in PERMISSIONS:
            await self._trade(connection, request, params, received)
        else:
            self._change_subscription(connection, request, params, received)

    # --- subscriptions ---------------------------------------------------------------------------

    def _change_subscription(
        self,
        connection: Connection,
        request: Mapping[str, Any],
        params: Mapping[str, Any],
        received: datetime,
    ) -> None:
        method, request_id, channel = (
            request["method"],
            request.get("req_id"),
            params.get("channel"),
        )
        if channel not in CHANNELS:
            text = WRONG_HOST if channel in PUBLIC_CHANNELS else "Subscription name invalid"
            connection.send(failure(method, request_id, text, received))
            return
        try:
            account = self._tokens.resolve(
                str(params.get("token", "")), self._connections[connection]
            )
            _require_channel(account, channel)
        except ApiError as error:
            invalid = error.message == "EAPI:Invalid token"
            text = "ESession:Invalid session" if invalid else error.message
            more = {"channel": channel, "status": "error"}
            connection.send(failure(method, request_id, text, received, **more))
            return
        key = (channel, account.account)
        if method == "unsubscribe":
            self._unsubscribe(connection, key, request_id, received)
        elif connection in self._subscriptions.get(key, {}):
            connection.send(failure(method, request_id, "Already subscribed", received))
        else:
            self._subscribe(connection, key, request_id, params, received)

    def _subscribe(
        self,
        connection: Connection,
        key: tuple[str, str],
        request_id: Any,
        params: Mapping[str, Any],
        received: datetime,
    ) -> None:
        channel, account = key
        subscription = Subscription(
            connection,
            channel,
            account,
            order_status=params.get("order_status") is not False,
            rate_counter=params.get("ratecounter") is True,
        )
        if channel == "executions":
            result, snapshot = self._executions(account, params)
        else:
            wanted = params.get("snapshot") is not False
            result = {"channel": channel, "snapshot": wanted}
            balances = self._exchange.venue.balances(account)
            snapshot = frames.balances_snapshot(balances) if wanted else None
        self._subscriptions.setdefault(key, {})[connection] = subscription
        connection.subscribed = True
        connection.account = account
        connection.send(success("subscribe", request_id, result, received))
        if snapshot is not None:
            self._send(subscription, "snapshot", snapshot, {})

    def _executions(
        self, account: str, params: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Any] | None]:
        venue = self._exchange.venue
        orders = params.get("snap_orders", params.get("snapshot")) is not False
        trades = params.get("snap_trades") is True
        result = {
            "channel": "executions",
            "maxratecount": int(venue.rate_maximum(account)),
            "snap_orders": orders,
            "snap_trades": trades,
            "snapshot": orders or trades,
            "warnings": list(WARNINGS),
        }
        entries: list[Any] = []
        if orders:
            entries = [
                frames.open_order_entry(order, venue.directory)
                for order in venue.open_orders(account)
            ]
        if trades:
            for execution in frames.newest_trades(venue.executions(account)):
                order = venue.order(account, execution.order_txid)
                assert order is not None
                instrument = venue.directory.instruments[execution.symbol]
                entries.append(frames.trade_entry(execution, order, instrument, "filled"))
        return result, entries if orders or trades else None

    def _unsubscribe(
        self, connection: Connection, key: tuple[str, str], request_id: Any, received: datetime
    ) -> None:
        if self._subscriptions.get(key, {}).pop(connection, None) is None:
            text = "Subscription Not Found"
            connection.send(failure("unsubscribe", request_id, text, received))
            return
        connection.send(success("unsubscribe", request_id, {"channel": key[0]}, received))

    # --- trading ---------------------------------------------------------------------------------

    async def _trade(
        self,
        connection: Connection,
        request: Mapping[str, Any],
        params: Mapping[str, Any],
        received: datetime,
    ) -> None:
        method, request_id = request["method"], request.get("req_id")
        event = {
            "plane": "ws",
            "method": method,
            "pair": params.get("symbol"),
            "leg": leg_of(params.get("side"), params.get("order_type")),
        }
        try:
            account = self._authorize(connection, method, params)
            event["account"] = account.account
            await self._faults.request("before", event)
            call = Call(
                "ws",
                method,
                account.account,
                {name: params[name] for name in params if name != "token"},
            )
            # An answer that a fault will hold back or replace must not leave before the fault.
            hurried = not self._faults.rules
            answer = self._exchange.call(
                call,
                (lambda answer: self._reply(connection, method, request_id, answer, received))
                if hurried
                else None,
            )
            await self._faults.request("after", event)
            if not hurried:
                self._reply(connection, method, request_id, answer, received)
        except (ApiError, VenueError) as error:
            connection.send(failure(method, request_id, str(error), received))
        except (ConnectionAbortedByFaultError, HttpStatusFaultError):
            connection.abort()

    def _authorize(
        self, connection: Connection, method: str, params: Mapping[str, Any]
    ) -> AccountKey:
        token = params.get("token")
        if not isinstance(token, str) or not token:
            raise ApiError("Token(s) not found")
        account = self._tokens.resolve(token, self._connections[connection])
        require(account, *PERMISSIONS[method])
        return account

    def _reply(
        self,
        connection: Connection,
        method: str,
        request_id: Any,
        answer: Answer,
        received: datetime,
    ) -> None:
        for result in answer.results:
            if isinstance(result, VenueError):
                connection.send(failure(method, request_id, result.text, received))
            elif method == "batch_cancel":
                connection.send(success(method, request_id, None, received, **result))
            else:
                connection.send(success(method, request_id, result, received))


def _require_channel(account: AccountKey, channel: str) -> None:
    if channel == "balances":
        require(account, accounts.FUNDS)
    else:
        require(account, accounts.OPEN_ORDERS, accounts.CLOSED_ORDERS)
