"""The exchange's control endpoint as the suite uses it: scripted faults, prices, its own record."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import orjson

from tests.faults.catalogue import Rule

ZERO = Decimal(0)
FINAL = ("closed", "canceled", "expired")
CLOSING_TYPES = ("stop-loss", "stop-loss-limit", "trailing-stop", "trailing-stop-limit", "market")
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.05


class ExchangeAwayError(Exception):
    """The exchange does not answer."""


class FaultSuiteError(Exception):
    """The stack did not do within the suite's patience what a life waits for."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What the exchange has of one trade: everything in its pair since the trade began."""

    orders: Sequence[Mapping[str, Any]]
    fills: Sequence[Mapping[str, Any]]

    @property
    def bought(self) -> Decimal:
        """Return the base bought."""
        return self._filled("buy")

    @property
    def sold(self) -> Decimal:
        """Return the base sold."""
        return self._filled("sell")

    @property
    def held(self) -> Decimal:
        """Return what is held."""
        return self.bought - self.sold

    @property
    def live(self) -> list[Mapping[str, Any]]:
        """Return the orders that may still do something."""
        return [order for order in self.orders if order["status"] not in FINAL]

    @property
    def covered(self) -> Decimal:
        """Return what live orders will sell whatever the market does."""
        return sum(
            (
                Decimal(order["quantity"]) - Decimal(order["filled_quantity"])
                for order in self.live
                if order["side"] == "sell" and order["order_type"] in CLOSING_TYPES
            ),
            ZERO,
        )

    def _filled(self, side: str) -> Decimal:
        return sum((Decimal(f["quantity"]) for f in self.fills if f["side"] == side), ZERO)


class Control:
    """Calls to the control endpoint, from any thread."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=10, trust_env=False, verify=False)
        pairs = self._call("GET", "/0/public/AssetPairs")["result"].values()
        names = {
            pair["wsname"].replace("XBT", "BTC").replace("XDG", "DOGE"): pair for pair in pairs
        }
        self._ticks = {name: Decimal(pair["tick_size"]) for name, pair in names.items()}
        self.minimums = {name: Decimal(pair["ordermin"]) for name, pair in names.items()}
        self.decimals = {name: int(pair["lot_decimals"]) for name, pair in names.items()}

    def state(self) -> dict[str, Any]:
        """Return where market, fills and open orders are."""
        found: dict[str, Any] = self._call("GET", "/control/state")
        return found

    def record(self, account: str) -> dict[str, Any]:
        """Return the exchange's own truth about an account."""
        found: dict[str, Any] = self._call("GET", f"/control/record?account={account}")
        return found

    def slice(self, account: str, symbol: str, before: frozenset[str]) -> Slice:
        """Return an account's orders and fills in a pair, without the orders of earlier trades."""
        record = self.record(account)
        orders = [
            order
            for order in record["orders"]
            if order["symbol"] == symbol and order["order_id"] not in before
        ]
        mine = {order["order_id"] for order in orders}
        return Slice(orders, [fill for fill in record["fills"] if fill["order_id"] in mine])

    def order_ids(self, account: str) -> frozenset[str]:
        """Return every order that an account ever had."""
        return frozenset(order["order_id"] for order in self.record(account)["orders"])

    def print_at(self, symbol: str, price: Decimal) -> None:
        """Let others trade at a price, on the tick below it."""
        tick = self._ticks[symbol]
        body = {"symbol": symbol, "price": f"{price // tick * tick:f}"}
        insist(lambda: self._call("POST", "/control/prices", body))

    def on_tick(self, symbol: str, price: Decimal) -> str:
        """Return a price on the tick below it, as text."""
        tick = self._ticks[symbol]
        return f"{price // tick * tick:f}"

    def put_in_force(self, rules: Sequence[Rule]) -> list[int]:
        """Put rules in force and return their numbers."""
        created = self._call("POST", "/control/faults", {"rules": [rule.body() for rule in rules]})
        return [rule["id"] for rule in created["rules"]]

    def hits(self) -> dict[int, int]:
        """Return how often each rule has struck."""
        return {rule["id"]: rule["hits"] for rule in self._call("GET", "/control/faults")["rules"]}

    def lift_faults(self) -> None:
        """Take every rule out of force; modes go back to online, the clock to the right time."""
        insist(lambda: self._call("DELETE", "/control/faults"))
        insist(lambda: self.set_clock(0.0))

    def lift(self, numbers: Sequence[int]) -> None:
        """Take some rules out of force."""
        asked = "&".join(f"id={number}" for number in numbers)
        self._call("DELETE", f"/control/faults?{asked}")

    def set_mode(self, status: str) -> None:
        """Set the mode of the whole exchange."""
        rule = Rule("mode", params={"status": status})
        insist(lambda: self.put_in_force([rule]))

    def set_clock(self, offset: float) -> None:
        """Set how far the exchange's protocol time is off."""
        self._call("POST", "/control/clock", {"offset_seconds": int(offset)})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise ExchangeAwayError(repr(error)) from None
        if answer.status_code >= 400:
            raise FaultSuiteError(f"{method} {path}: {answer.text}")
        return orjson.loads(answer.content)


def insist(act: Callable[[], Any], every: float = LOOK_SECONDS) -> Any:
    """Do something at the exchange as soon as it answers, trying so often (seconds)."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except ExchangeAwayError:
            if time.monotonic() > until:
                raise
            time.sleep(every)
