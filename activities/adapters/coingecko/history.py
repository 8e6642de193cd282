"""CoinGecko's past: candles of ``ohlc`` and daily closes of ``market_chart``, by pycoingecko.

Without a key about 10 to 30 calls a minute are free and a year back can be had; ``ohlc`` gives four
days' bars beyond 30 days, so daily closes come from ``market_chart``.
"""

from collections.abc import Callable
from typing import Any, Final

import pycoingecko
import requests
from requests.adapters import HTTPAdapter

from activities.adapters.coingecko.prices import COIN_IDS
from infra.runtime.errors import PlatformError

TIMEOUT_SECONDS: Final = 30.0
ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 30.0
DAY_MINUTES: Final = 1440


class CoinGeckoHistoryError(PlatformError):
    """CoinGecko refused, or did not answer however often it was asked."""


class CoinGeckoHistory:
    """Ask CoinGecko for the past of a pair in USD.

    Args:
        base_url: root of the API.
        sleep: waits before asking again.
        key: of the free plan; empty: none.
    """

    def __init__(self, base_url: str, sleep: Callable[[float], None], key: str = "") -> None:
        self._client = pycoingecko.CoinGeckoAPI(retries=0, demo_api_key=key)
        self._client.api_base_url = base_url.rstrip("/") + "/"
        self._client.request_timeout = TIMEOUT_SECONDS
        session: requests.Session = self._client.session
        session.trust_env = False
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=0))
        self._sleep = sleep

    def candles(self, symbol: str, interval_minutes: int, days: int) -> Any:
        """Return CoinGecko's answer: ``ohlc`` for 30 min and 4 h, else ``market_chart``.

        Raises:
            CoinGeckoHistoryError: the coin or the interval is none of its own.
        """
        coin = COIN_IDS.get(symbol.partition("/")[0])
        if coin is None or not symbol.endswith("/USD"):
            raise CoinGeckoHistoryError(f"CoinGecko's id of {symbol} is not known here")
        if interval_minutes in (30, 240):
            return self._ask(self._client.get_coin_ohlc_by_id, id=coin, days=days)
        if interval_minutes == DAY_MINUTES:
            return self._ask(
                self._client.get_coin_market_chart_by_id, id=coin, days=days, interval="daily"
            )
        raise CoinGeckoHistoryError(
            f"CoinGecko has bars of 30, 240 and 1440 minutes, not of {interval_minutes}"
        )

    def close(self) -> None:
        """Release the connections."""
        self._client.session.close()

    def _ask(self, call: Callable[..., Any], **words: Any) -> Any:
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(PAUSE_SECONDS)
            try:
                return call(vs_currency="usd", precision="full", **words)
            except (OSError, ValueError) as error:
                reason = f"{type(error).__name__}: {str(error)[:300]}"
                if not any(word in reason for word in ("429", "Rate Limit", "Connection", "5")):
                    break
        raise CoinGeckoHistoryError(f"CoinGecko, {words}: {reason}")
