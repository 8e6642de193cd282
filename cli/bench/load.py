"""The load of a benchmark: trades opened through the API, closed by the market itself.

Trades come in waves of one for each account and pair. In each wave one trade a pair has a
take-profit, through which the exchange is made to print; all others end at their stops. So the
trading rate counters of Kraken, which charge young orders heavily for being cancelled, are kept.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx

from activities.adapters.kraken.symbols import v2_symbol
from cli.client import ApiClient
from infra.runtime.control_token import control_headers
from infra.runtime.errors import PlatformError
from infra.runtime.settings import Settings

PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD", "ADA/USD", "XRP/USD", "LTC/USD")
WORTH_USD = Decimal(200)
STOP, LOWEST = Decimal("0.90"), Decimal("0.88")
TAKE_PROFIT, HIGHEST = Decimal("1.05"), Decimal("1.06")
CALM = Decimal("0.02")
PATIENCE_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.1
WATCH_SECONDS = 0.3
"""How long the market worker may take to index a watch that is in the record."""


class BenchError(PlatformError):
    """The stack did not do within its patience what the benchmark waits for."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A trade that the API accepted; ``asked`` and ``answered`` are the client's wall clock."""

    account: str
    symbol: str
    number: int
    client_order_id: str
    asked: datetime
    answered: datetime
    takes_profit: bool


class Market:
    """The exchange's control endpoint, as far as a benchmark moves prices with it."""

    def __init__(self, settings: Settings) -> None:
        self._client = httpx.Client(
            base_url=settings.exchange_url, headers=control_headers(settings), timeout=10
        )
        pairs = self._get("/0/public/AssetPairs")["result"].values()
        self._ticks = {v2_symbol(pair["wsname"]): pair["tick_size"] for pair in pairs}

    def print_at(self, symbol: str, price: Decimal) -> datetime:
        """Let others trade at a price; returns the wall clock just before that."""
        tick = Decimal(self._ticks[symbol])
        at = datetime.now(UTC)
        body = {"symbol": symbol, "price": str(price // tick * tick)}
        self._client.post("/control/prices", json=body).raise_for_status()
        return at

    def record(self, account: str) -> dict[str, Any]:
        """Return the exchange's own record of an account, with its wall clock."""
        found: dict[str, Any] = self._get("/control/record", account=account, protocol_times="1")
        return found

    def open_orders(self) -> int:
        """Return how many orders of all accounts are live at the exchange."""
        return sum(self._get("/control/state")["open_orders"].values())

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _get(self, path: str, **parameters: str) -> Any:
        return self._client.get(path, params=parameters).raise_for_status().json()


class Load:
    """Opens trades at a steady pace and lets the market close them."""

    def __init__(
        self,
        api: ApiClient,
        market: Market,
        accounts: Sequence[str],
        rate: float,
        pairs: Sequence[str] = PAIRS,
    ) -> None:
        self.opened: list[Opened] = []
        self.crossed: dict[tuple[str, int], datetime] = {}
        self.failures: list[str] = []
        self._api = api
        self._market = market
        self._accounts = accounts
        self.pairs = pairs
        self._gap = 1 / rate
        self._next = time.monotonic()

    def await_readiness(self) -> None:
        """Wait until every account takes entries and every pair has a price."""
        wait_until(
            "the accounts take entries",
            lambda: self.are_free() and set(PAIRS) <= self.prices().keys(),
        )

    def are_free(self) -> bool:
        """Tell whether no account is halted."""
        return not any(account["halts"] for account in self._api.get("/accounts"))

    def run_wave(self, wave: int) -> None:
        """Open one trade for each account and pair, then close them all."""
        prices = self.prices()
        mine = [
            opened
            for account, symbol, protection, takes in self._turns(wave)
            if (opened := self.open(account, symbol, prices[symbol], protection, takes=takes))
        ]
        self._await_watches([trade for trade in mine if trade.takes_profit])
        for trade in mine:
            if trade.takes_profit:
                self._cross(trade, prices[trade.symbol])
        for symbol in self.pairs:
            self._market.print_at(symbol, prices[symbol] * LOWEST)
        wait_until("its trades are settled", lambda: self._are_settled(mine))
        self.calm(prices)

    def prices(self) -> dict[str, Decimal]:
        """Return the last prices that the platform has recorded."""
        symbols = self._api.get("/status")["market"]["symbols"]
        return {row["symbol"]: Decimal(row["last"]) for row in symbols}

    def _turns(self, wave: int) -> Iterator[tuple[str, str, str, bool]]:
        for row, account in enumerate(self._accounts):
            for column, symbol in enumerate(self.pairs):
                protection = ("separate", "attached")[(wave + row + column) % 2]
                yield account, symbol, protection, (wave + column) % len(self._accounts) == row

    def open(
        self, account: str, symbol: str, price: Decimal, protection: str, *, takes: bool = False
    ) -> Opened | None:
        """Open a trade when the pace allows it; None, and a failure noted, when it is refused."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = max(self._next, time.monotonic() - self._gap) + self._gap
        return self.open_now(account, symbol, price, protection, takes=takes)

    def open_now(
        self, account: str, symbol: str, price: Decimal, protection: str, *, takes: bool = False
    ) -> Opened | None:
        """Open a trade at once."""
        body = entry_body(symbol, price, protection)
        if takes:
            body["take_profit_price"] = str(price * TAKE_PROFIT)
        asked = datetime.now(UTC)
        try:
            answer = self._api.post(f"/accounts/{account}/trades", body)
        except PlatformError as error:
            self.failures.append(f"{account} {symbol}: {error}")
            return None
        answered = datetime.now(UTC)
        number, name = answer["trade"], answer["client_order_id"]
        opened = Opened(account, symbol, number, name, asked, answered, takes)
        self.opened.append(opened)
        return opened

    def _await_watches(self, trades: Sequence[Opened]) -> None:
        def are_watched() -> bool:
            watched = {
                (account, watch["trade"])
                for account in self._accounts
                for watch in self._api.get(f"/accounts/{account}/watches")
            }
            return all((trade.account, trade.number) in watched for trade in trades)

        wait_until("take-profits are watched", are_watched)
        time.sleep(WATCH_SECONDS)

    def _cross(self, trade: Opened, price: Decimal) -> None:
        at = self._market.print_at(trade.symbol, price * HIGHEST)
        self.crossed[trade.account, trade.number] = at
        wait_until(
            f"trade {trade.number} of {trade.account} has left at its take-profit",
            lambda: self._are_settled([trade]),
        )

    def _are_settled(self, trades: Sequence[Opened]) -> bool:
        return not {(trade.account, trade.number) for trade in trades} & {
            (account, trade["number"])
            for account in {trade.account for trade in trades}
            for trade in self._api.get(f"/accounts/{account}/trades", open=True)
        }

    def calm(self, before: dict[str, Decimal]) -> None:
        """Let prices return to what they were, and wait until the platform has recorded that."""
        for symbol in self.pairs:
            self._market.print_at(symbol, before[symbol])

        def is_calm() -> bool:
            now = self.prices()
            return all(abs(now[symbol] / before[symbol] - 1) < CALM for symbol in self.pairs)

        wait_until("prices are back", is_calm)


def entry_body(symbol: str, price: Decimal, protection: str) -> dict[str, str]:
    """Return a request for an entry at the market with its stop."""
    return {
        "symbol": symbol,
        "quantity": str((WORTH_USD / price).quantize(Decimal("0.0001"))),
        "stop_price": str(price * STOP),
        "protection": protection,
    }


def wait_until(
    what: str,
    condition: Callable[[], bool],
    every: float = LOOK_EVERY_SECONDS,
    seconds: float = PATIENCE_SECONDS,
) -> datetime:
    """Look until a condition holds and return the wall clock of that look.

    Raises:
        BenchError: it does not within the patience.
    """
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise BenchError(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(every)
    return datetime.now(UTC)
