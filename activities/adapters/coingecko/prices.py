"""CoinGecko's prices for sanity checks: cross-exchange averages, never an execution price."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pycoingecko
import requests
from requests.adapters import HTTPAdapter

# CoinGecko's own ids: its symbols are not unique, so ids come from this table and nowhere else.
COIN_IDS = {
    "BTC": "bitcoin",
    "ETH": "ethereum",
    "SOL": "solana",
    "XRP": "ripple",
    "ADA": "cardano",
    "DOGE": "dogecoin",
    "LTC": "litecoin",
    "DOT": "polkadot",
    "LINK": "chainlink",
    "AVAX": "avalanche-2",
    "USDT": "tether",
    "USDC": "usd-coin",
}

_TIMEOUT_SECONDS = 5.0
_DEFAULT_PAUSE_SECONDS = 60.0


class CoinGeckoError(Exception):
    """Base of everything a call can end in."""


class CoinGeckoUnavailableError(CoinGeckoError):
    """No usable answer: no connection, a timeout, a server error or not JSON."""


class CoinGeckoRefusedError(CoinGeckoError):
    """The request was refused: key, range or arguments. Asking again does not help."""


class CoinGeckoRateLimitedError(CoinGeckoError):
    """Too many calls; none is sent before the pause has passed, because failed calls count too."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"rate limited for {retry_after_seconds:.0f} s")
        self.retry_after_seconds = retry_after_seconds


class CoinGeckoPrices:
    """Read current USD prices.

    Args:
        base_url: root of the API with a trailing slash, as ``https://api.coingecko.com/api/v3/``.
    """

    def __init__(self, base_url: str, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._client = pycoingecko.CoinGeckoAPI(retries=0)
        self._client.api_base_url = base_url.rstrip("/") + "/"
        self._client.request_timeout = timeout_seconds
        session: requests.Session = self._client.session
        session.trust_env = False
        for scheme in ("https://", "http://"):
            # pycoingecko's own adapter would sleep out a Retry-After inside the call.
            session.mount(scheme, HTTPAdapter(max_retries=0))
        session.hooks["response"].append(self._keep)
        self._response: requests.Response | None = None
        self._blocked_until = 0.0
        self._thread = ThreadPoolExecutor(1, "coingecko")

    async def prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        """Return USD prices by symbol (``BTC/USD``); symbols it does not know are missing.

        Raises:
            CoinGeckoError: typed by what went wrong.
        """
        ids = {symbol: COIN_IDS[base] for symbol in symbols if (base := _base(symbol)) in COIN_IDS}
        if not ids:
            return {}
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._thread, self._ask, sorted(set(ids.values())))
        told = {symbol: _price(answer.get(coin)) for symbol, coin in ids.items()}
        return {symbol: price for symbol, price in told.items() if price is not None}

    async def close(self) -> None:
        """Release the thread and the connections."""
        self._thread.shutdown(wait=True)
        self._client.session.close()

    def _keep(self, response: requests.Response, **_: Any) -> None:
        self._response = response

    def _ask(self, ids: list[str]) -> dict[str, Any]:
        wait = self._blocked_until - time.monotonic()
        if wait > 0:
            raise CoinGeckoRateLimitedError(wait)
        self._response = None
        try:
            answer = self._client.get_price(ids=ids, vs_currencies="usd", precision="full")
        except (OSError, ValueError) as failure:
            raise self._typed(failure) from failure
        if not isinstance(answer, dict):
            raise CoinGeckoUnavailableError(f"the answer was no object: {str(answer)[:200]}")
        return answer

    def _typed(self, failure: Exception) -> CoinGeckoError:
        response = self._response
        status = None if response is None else response.status_code
        if response is not None and status == requests.codes.too_many_requests:
            pause = _seconds(response.headers.get("Retry-After"))
            self._blocked_until = time.monotonic() + pause
            return CoinGeckoRateLimitedError(pause)
        if status is not None and 400 <= status < 500 and status != requests.codes.request_timeout:
            return CoinGeckoRefusedError(f"HTTP status {status}: {str(failure)[:300]}")
        return CoinGeckoUnavailableError(f"{type(failure).__name__}: {str(failure)[:300]}")


def _base(symbol: str) -> str:
    base, _, quote = symbol.partition("/")
    return base if quote == "USD" else ""


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text or ""), 1.0), 3600.0)
    except ValueError:
        return _DEFAULT_PAUSE_SECONDS


def _price(told: Any) -> Decimal | None:
    """Return a coin's price in USD, None where it tells none that is a positive number."""
    try:
        price = Decimal(str(told["usd"]))
    except (ArithmeticError, LookupError, TypeError):
        return None
    return price if price.is_finite() and price > 0 else None
