"""Kraken's public past: the newest 720 bars of ``OHLC``, and every trade page by page (§5).

``Trades`` answers up to 1,000 trades after a cursor in nanoseconds, oldest first, with the cursor
of the next page. Public calls count about one a second for an address; a refusal for the rate is
waited out and asked again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import requests

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.instruments import moment
from activities.adapters.kraken.rest.transport import KrakenApi
from activities.pauses import GrowingPause
from infra.runtime.errors import PlatformError

TIMEOUT: Final = (5.0, 30.0)
PAGE_PAUSE_SECONDS: Final = 1.1
ATTEMPTS: Final = 8
FIRST_PAUSE_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 60.0
PAGE_TRADES: Final = 1000
_BUSY: Final = ("EGeneral:Too many requests", "EAPI:Rate limit exceeded", "EService:")
_SIDES: Final = {"b": "buy", "s": "sell"}


class HistoryServiceError(PlatformError):
    """The exchange refused, or did not answer however often it was asked."""


@dataclass(frozen=True, slots=True)
class PastTrade:
    """One public trade as it was answered; price and quantity are the answer's texts."""

    trade_id: int
    at: datetime
    price: str
    quantity: str
    side: str


@dataclass(frozen=True, slots=True)
class TradePage:
    """A page of trades, and the cursor that the next one begins at."""

    trades: tuple[PastTrade, ...]
    cursor: str


class KrakenHistory:
    """Ask one exchange for its past.

    Args:
        base: REST base address.
        allowed: hosts that may be asked.
        sleep: waits between pages, and before asking again.
        pause_seconds: between two pages; none is needed on this machine.
    """

    def __init__(
        self,
        base: str,
        allowed: AllowedHosts,
        sleep: Callable[[float], None],
        pause_seconds: float = PAGE_PAUSE_SECONDS,
    ) -> None:
        self._api = KrakenApi(base, allowed)
        self._pause = pause_seconds
        self._sleep = sleep

    def candles(self, symbol: str, interval_minutes: int) -> list[tuple[int, tuple[str, ...]]]:
        """Return the newest closed bars (at most 719), oldest first; none without trades."""
        answer = self._ask("OHLC", {"pair": symbol, "interval": interval_minutes})
        return [
            (int(row[0]), (*(str(row[place]) for place in (1, 2, 3, 4, 6)), str(int(row[7]))))
            for row in _rows(answer)[:-1]
            if int(row[7])
        ]

    def trades(self, symbol: str, cursor: str) -> Iterator[TradePage]:
        """Yield every page after a cursor, up to the present."""
        while True:
            answer = self._ask("Trades", {"pair": symbol, "since": cursor, "count": PAGE_TRADES})
            found = tuple(_trade(row) for row in _rows(answer))
            last = str(answer["last"])
            if found:
                yield TradePage(found, last)
            if len(found) < PAGE_TRADES or last == cursor:
                return
            cursor = last
            self._sleep(self._pause)

    def close(self) -> None:
        """Release the connections."""
        self._api.session.close()

    def _ask(self, method: str, data: dict[str, Any]) -> Any:
        pause = GrowingPause(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(pause.next())
            try:
                answer = self._api.query_public(method, data, timeout=TIMEOUT)
            except (requests.RequestException, ValueError) as error:
                reason = f"{type(error).__name__}: {error}"
                continue
            errors = answer.get("error", [])
            if not errors:
                return answer["result"]
            reason = ", ".join(map(str, errors))
            if not any(str(one).startswith(_BUSY) for one in errors):
                break
        raise HistoryServiceError(f"{method} of {data['pair']}: {reason[:300]}")


def _rows(answer: Any) -> list[Any]:
    return next((rows for key, rows in answer.items() if key != "last"), [])


def _trade(row: Any) -> PastTrade:
    return PastTrade(int(row[6]), moment(row[2]), str(row[0]), str(row[1]), _SIDES[row[3]])
