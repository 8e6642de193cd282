"""The private REST plane: raw body in, signature, nonce, permission, rate, then the call."""

import asyncio
import urllib.parse
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import web

from models.simulation.errors import VenueError
from workers.exchange import accounts
from workers.exchange.accounts import AccountKey, key_information
from workers.exchange.authentication import Tokens, require
from workers.exchange.errors import (
    ApiError,
    ConnectionAbortedByFaultError,
    HttpStatusFaultError,
    LateExecutionFaultError,
)
from workers.exchange.faults import Faults, leg_of
from workers.exchange.rest.account_calls import READS, ReadPlane
from workers.exchange.rest.syntax import flatten
from workers.exchange.runtime import Exchange
from workers.exchange.trading_calls import HANDLERS, Call
from workers.exchange.wire import dump, load

TOKEN_METHOD = "GetWebSocketsToken"  # noqa: S105 - the name of a method
KEY_INFO_METHOD = "GetApiKeyInfo"

PERMISSIONS: dict[str, tuple[str, ...]] = {
    "Balance": (accounts.FUNDS,),
    "BalanceEx": (accounts.FUNDS,),
    "TradeVolume": (accounts.FUNDS,),
    "TradeBalance": (accounts.OPEN_ORDERS,),
    "OpenOrders": (accounts.OPEN_ORDERS,),
    "OpenPositions": (accounts.OPEN_ORDERS,),
    "OrderAmends": (accounts.OPEN_ORDERS,),
    "QueryOrders": (accounts.OPEN_ORDERS, accounts.CLOSED_ORDERS),
    "ClosedOrders": (accounts.CLOSED_ORDERS,),
    "TradesHistory": (accounts.CLOSED_ORDERS,),
    "QueryTrades": (accounts.CLOSED_ORDERS,),
    "Ledgers": (accounts.LEDGER,),
    "QueryLedgers": (accounts.LEDGER,),
    TOKEN_METHOD: (accounts.WEBSOCKET,),
    "AddOrder": (accounts.MODIFY,),
    "AddOrderBatch": (accounts.MODIFY,),
    "AmendOrder": (accounts.MODIFY,),
    "EditOrder": (accounts.MODIFY,),
    "CancelOrder": (accounts.CANCEL, accounts.MODIFY),
    "CancelOrderBatch": (accounts.CANCEL, accounts.MODIFY),
    "CancelAll": (accounts.CANCEL, accounts.MODIFY),
    "CancelAllOrdersAfter": (accounts.CANCEL, accounts.MODIFY),
}
# Kraken has these too; a trading key has no right to them, and here no key can be given one.
NEVER_PERMITTED = frozenset(
    (
        "AccountTransfer",
        "AddExport",
        "CreateSubaccount",
        "CreditLines",
        "DepositAddresses",
        "DepositMethods",
        "DepositStatus",
        "Earn/Allocate",
        "Earn/AllocateStatus",
        "Earn/Allocations",
        "Earn/Deallocate",
        "Earn/DeallocateStatus",
        "Earn/Strategies",
        "ExportStatus",
        "RemoveExport",
        "RetrieveExport",
        "WalletTransfer",
        "Withdraw",
        "WithdrawAddresses",
        "WithdrawCancel",
        "WithdrawInfo",
        "WithdrawMethods",
        "WithdrawStatus",
    )
)
KNOWN_METHODS = frozenset((*PERMISSIONS, *NEVER_PERMITTED, KEY_INFO_METHOD))
HISTORY_CALLS = frozenset(("Ledgers", "QueryLedgers", "TradesHistory", "QueryTrades"))
HISTORY_COST = 2


class PrivateRest:
    """Answer ``POST /0/private/<Method>``."""

    def __init__(self, exchange: Exchange, tokens: Tokens, faults: Faults) -> None:
        self._exchange = exchange
        self._tokens = tokens
        self._faults = faults

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one request: HTTP 200 also for errors, unless a fault says otherwise."""
        raw = await request.read()
        method = request.match_info["method"]
        try:
            result = await self._answer(request, method, raw)
            body = dump({"error": [], "result": result})
        except (ApiError, VenueError) as error:
            body = dump({"error": [str(error)]})
        except HttpStatusFaultError as fault:
            return web.Response(status=fault.status, text="", content_type="text/html")
        except ConnectionAbortedByFaultError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return web.Response(body=body, content_type="application/json")

    async def _answer(self, request: web.Request, method: str, raw: bytes) -> Any:
        if request.method != "POST" or method not in KNOWN_METHODS:
            raise ApiError("EGeneral:Unknown method")
        body = _parameters(request.content_type, raw)
        fields = flatten({name: body[name] for name in body if name != "orders"})
        event = {
            "plane": "rest",
            "method": method,
            "pair": self._symbol(fields.get("pair", "")),
            "leg": leg_of(fields.get("type"), fields.get("ordertype")),
        }
        account = self._authenticate(request, fields, raw)
        event["account"] = account.account
        try:
            await self._faults.request("before", event)
        except LateExecutionFaultError as late:
            self._perform_later(late.seconds, account, method, body, fields)
            raise
        result = self._perform(account, method, body, fields)
        await self._faults.request("after", event)
        return result

    def _perform_later(
        self,
        seconds: float,
        account: AccountKey,
        method: str,
        body: Mapping[str, Any],
        fields: dict[str, str],
    ) -> None:
        """Execute a request whose line was cut after so long, whatever its deadline says."""
        undated = {name: body[name] for name in body if name != "deadline"}

        def perform() -> None:
            # Nobody is there any more whom a refusal could be told.
            with suppress(ApiError, VenueError):
                self._perform(account, method, undated, fields)

        asyncio.get_running_loop().call_later(seconds, perform)

    def _authenticate(self, request: web.Request, fields: dict[str, str], raw: bytes) -> AccountKey:
        key, nonce = request.headers.get("API-Key", ""), fields.get("nonce", "")
        signature = request.headers.get("API-Sign", "")
        authenticator = self._exchange.authenticator
        account = authenticator.authenticate(request.path, key, signature, nonce, raw)
        self._exchange.note_nonce(key, int(nonce), account.nonce_window)
        return account

    def _perform(
        self, account: AccountKey, method: str, body: dict[str, Any], fields: dict[str, str]
    ) -> Any:
        exchange = self._exchange
        if method == KEY_INFO_METHOD:
            return key_information(account, fields["nonce"])
        require(account, *PERMISSIONS.get(method, ()))
        if ("rest", method) in HANDLERS:
            parameters = {name: body[name] for name in body if name not in ("nonce", "otp")}
            return exchange.call(Call("rest", method, account.account, parameters)).results[0]
        cost = HISTORY_COST if method in HISTORY_CALLS else 1
        now = exchange.clock.now()
        exchange.venue.charge_call(account.account, account.key, cost, now)
        if method == TOKEN_METHOD:
            return {"token": self._tokens.issue(account), "expires": 900}
        plane = ReadPlane.lagging(exchange.venue, now, self._faults.read_lag)
        return READS[method](plane, account.account, fields)

    def _symbol(self, pair: str) -> str | None:
        try:
            return self._exchange.venue.directory.pair(pair).symbol
        except VenueError:
            return None


def _parameters(content_type: str, raw: bytes) -> dict[str, Any]:
    parse = _READERS.get(content_type, _form)
    try:
        return parse(raw.decode())
    except ValueError:
        raise ApiError("EAPI:Bad request") from None


def _form(text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
        # Clients send lists as repeated ``name`` or ``name[]``; a comma list says the same.
        plain = name.removesuffix("[]")
        fields[plain] = f"{fields[plain]},{value}" if plain in fields else value
    return fields


def _json(text: str) -> dict[str, Any]:
    body = load(text)
    if not isinstance(body, dict):
        raise ApiError("EAPI:Bad request")
    return body


_READERS: dict[str, Callable[[str], dict[str, Any]]] = {"application/json": _json}
