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
OHLC_MINUTES: Final = (30, 240)
IN_USD: Final = {"vs_currency": "usd", "precision": "full"}
CANDIDATES_SHOWN: Final = 4


class CoinGeckoHistoryError(PlatformError):
    """CoinGecko refused, or did not answer however often it was asked."""


class UnknownCoinError(CoinGeckoHistoryError):
    """No coin of CoinGecko's is certainly the one of a pair."""


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
        self._listed: list[dict[str, Any]] | None = None

    def candles(self, symbol: str, interval_minutes: int, days: int) -> Any:
        """Return CoinGecko's answer: ``ohlc`` for 30 min and 4 h, else ``market_chart``.

        Raises:
            UnknownCoinError: no coin, or several, go by the pair's ticker.
            CoinGeckoHistoryError: the interval is none of its own, or nothing can be had.
        """
        if interval_minutes not in (*OHLC_MINUTES, DAY_MINUTES):
            raise CoinGeckoHistoryError(
                f"CoinGecko has bars of 30, 240 and 1440 minutes, not of {interval_minutes}"
            )
        words: dict[str, Any] = {"id": self.coin(symbol), "days": days, **IN_USD}
        if interval_minutes in OHLC_MINUTES:
            return self._ask(self._client.get_coin_ohlc_by_id, **words)
        return self._ask(self._client.get_coin_market_chart_by_id, interval="daily", **words)

    def coin(self, symbol: str) -> str:
        """Return CoinGecko's id of a pair's asset: of the known ones, else of the list of coins.

        Tickers are not unique there: where several coins have one, none of them is guessed.

        Raises:
            UnknownCoinError: no coin, or several, go by the pair's ticker.
            CoinGeckoHistoryError: the list cannot be had.
        """
        base, _, quote = symbol.partition("/")
        if quote != "USD":
            raise UnknownCoinError(f"{symbol}: only pairs in USD are asked of CoinGecko")
        if base in COIN_IDS:
            return COIN_IDS[base]
        if self._listed is None:
            self._listed = _coins(self._ask(self._client.get_coins_list))
        ids = sorted(coin["id"] for coin in self._listed if coin["symbol"].upper() == base)
        if not ids:
            raise UnknownCoinError(f"{symbol}: CoinGecko lists no coin of the ticker {base}")
        if len(ids) > 1:
            shown = ", ".join(ids[:CANDIDATES_SHOWN]) + (", …" if ids[CANDIDATES_SHOWN:] else "")
            raise UnknownCoinError(
                f"{symbol}: CoinGecko lists {len(ids)} coins of the ticker {base} ({shown}), and "
                f"which of them is meant is not known here"
            )
        return str(ids[0])

    def close(self) -> None:
        """Release the connections."""
        self._client.session.close()

    def _ask(self, call: Callable[..., Any], **words: Any) -> Any:
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(PAUSE_SECONDS)
            try:
                return call(**words)
            except (OSError, ValueError) as error:
                reason = f"{type(error).__name__}: {str(error)[:300]}"
                if not any(word in reason for word in ("429", "Rate Limit", "Connection", "5")):
                    break
        raise CoinGeckoHistoryError(f"CoinGecko, {words}: {reason}")


def _coins(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, list):
        raise CoinGeckoHistoryError(f"CoinGecko's list of coins is none: {str(answer)[:200]}")
    whole = (one for one in answer if isinstance(one, dict))
    return [one for one in whole if all(isinstance(one.get(k), str) for k in ("id", "symbol"))]
