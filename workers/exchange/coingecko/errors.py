"""CoinGecko's refusals in its three body shapes, and its rate limit by key and minute."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from workers.exchange.errors import ApiError
from workers.exchange.wire import dump

DEMO_CALLS_PER_MINUTE: Final = 100
KEYLESS_CALLS_PER_MINUTE: Final = 30
MONTHLY_CALLS: Final = 10_000
MINUTE: Final = 60.0


class CoinGeckoRefusalError(Exception):
    """A request that CoinGecko answers with an HTTP error."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body
        self.headers = headers or {}

    def response(self) -> web.Response:
        """Return the HTTP answer."""
        return web.Response(
            status=self.status,
            body=dump(self.body),
            content_type="application/json",
            headers=self.headers,
        )

    @classmethod
    def too_many_requests(cls, retry_after: int) -> "CoinGeckoRefusalError":
        """Return the refusal of a call beyond the rate limit."""
        message = (
            "You've exceeded the Rate Limit. Please visit https://www.coingecko.com/en/api/pricing"
            " to subscribe to our API plans for higher rate limits."
        )
        body = {"status": {"error_code": 429, "error_message": message}}
        return cls(429, body, {"Retry-After": str(retry_after)})

    @classmethod
    def beyond_allowed_range(cls) -> "CoinGeckoRefusalError":
        """Return the refusal of history older than the plan allows."""
        message = (
            "Your request exceeds the allowed time range. Public API users are limited to querying"
            " historical data within the past 365 days. Upgrade to a paid plan to enjoy full"
            " historical data access: https://www.coingecko.com/en/api/pricing. "
        )
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        status = {"timestamp": stamp, "error_code": 10012, "error_message": message}
        return cls(401, {"error": {"status": status}})

    @classmethod
    def from_fault(cls, fault: ApiError) -> "CoinGeckoRefusalError":
        """Return a scripted fault in CoinGecko's words."""
        if "Rate limit" in fault.message:
            return cls.too_many_requests(60)
        return cls(503, {"error": fault.message})


class Limiter:
    """Count calls per key and minute of protocol time; calls that fail count too."""

    def __init__(
        self,
        demo_calls: int = DEMO_CALLS_PER_MINUTE,
        keyless_calls: int = KEYLESS_CALLS_PER_MINUTE,
    ) -> None:
        self._demo_calls = demo_calls
        self._keyless_calls = keyless_calls
        self._minute = -1
        self._counts: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()

    def count(self, request: web.Request, now: float) -> None:
        """Count a call at a protocol second.

        Raises:
            CoinGeckoRefusalError: beyond the limit, or a key of the wrong kind.
        """
        minute = int(now // MINUTE)
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        key = _key(request)
        self._counts[key] += 1
        self._totals[key] += 1
        if self._counts[key] > (self._demo_calls if key else self._keyless_calls):
            retry_after = max(1, round(MINUTE - now % MINUTE))
            raise CoinGeckoRefusalError.too_many_requests(retry_after)
        if _value(request, "x-cg-pro-api-key", "x_cg_pro_api_key"):
            message = (
                "If you are using Pro API key, please change your root URL from api.coingecko.com"
                " to pro-api.coingecko.com"
            )
            body = {"status": {"error_code": 10010, "error_message": message}}
            raise CoinGeckoRefusalError(400, body)

    def usage(self, request: web.Request, _now: float) -> dict[str, Any]:
        """Return what ``/key`` says; raises CoinGeckoRefusalError without a key."""
        key = _key(request)
        if not key:
            body = {"status": {"error_code": 10002, "error_message": "API Key Missing"}}
            raise CoinGeckoRefusalError(401, body)
        used = self._totals[key]
        return {
            "plan": "Demo",
            "rate_limit_request_per_minute": self._demo_calls,
            "monthly_call_credit": MONTHLY_CALLS,
            "current_total_monthly_calls": used,
            "current_remaining_monthly_calls": max(0, MONTHLY_CALLS - used),
        }


def _key(request: web.Request) -> str:
    return _value(request, "x-cg-demo-api-key", "x_cg_demo_api_key")


def _value(request: web.Request, header: str, parameter: str) -> str:
    return request.headers.get(header) or request.query.get(parameter) or ""
