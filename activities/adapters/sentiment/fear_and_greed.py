"""The fear-and-greed index in its JSON form: one value a day from 0 (fear) to 100 (greed).

``GET /fng/?limit=N`` answers ``{"name": …, "data": [{"value": "40", "value_classification": "Fear",
"timestamp": "1551157200"}, …], "metadata": {"error": null}}``, newest first; texts throughout.
Source: alternative.me, "Crypto Fear & Greed Index API".
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from activities.ports.market_data import SentimentValue
from infra.runtime.errors import PlatformError

SOURCE: Final = "fear_and_greed"
DAYS: Final = 30
SECONDS: Final = 20.0
LARGEST_BYTES: Final = 1 << 20
LONGEST_WORDS: Final = 50
HIGHEST: Final = Decimal(100)
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class SentimentError(PlatformError):
    """The source does not answer, or what it answers is no index."""


class FearAndGreed:
    """Ask one address for the index.

    Args:
        address: https, or http of this machine, as ``https://api.alternative.me/fng/``.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if not secure or not parts.hostname:
            raise SentimentError("AETHER_SENTIMENT is https://HOST/PATH, or http of this machine")
        self._address = address

    async def values(self) -> list[SentimentValue]:
        """Return the values of recent days, oldest first.

        Raises:
            SentimentError: no answer, or one that is no index; nothing of it counts then.
        """
        try:
            async with httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
                answer = await client.get(self._address, params={"limit": DAYS, "format": "json"})
                answer.raise_for_status()
                if len(answer.content) > LARGEST_BYTES:
                    raise SentimentError(f"{self._address}: larger than {LARGEST_BYTES} bytes")
                document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise SentimentError(f"{self._address}: {error or type(error).__name__}") from None
        return read_index(document)


def read_index(document: Any) -> list[SentimentValue]:
    """Read an answer; raises SentimentError where it is no index."""
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise SentimentError("the index has no data")
    found = [_value(row) for row in rows]
    if len({one.at for one in found}) != len(found):
        raise SentimentError("the index tells two values of one moment")
    return sorted(found, key=lambda one: one.at)


def _value(row: Any) -> SentimentValue:
    try:
        value = Decimal(str(row["value"]))
        at = datetime.fromtimestamp(int(row["timestamp"]), UTC)
        words = str(row.get("value_classification") or "")[:LONGEST_WORDS]
    except (KeyError, TypeError, ValueError, OverflowError, OSError, InvalidOperation) as error:
        raise SentimentError(f"not a value of the index: {str(row)[:100]}") from error
    if not value.is_finite() or not 0 <= value <= HIGHEST:
        raise SentimentError(f"the index is from 0 to 100, not {str(row['value'])[:20]}")
    return SentimentValue(SOURCE, at, value, words)
