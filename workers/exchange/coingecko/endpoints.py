"""CoinGecko's REST v3 endpoints that the platform uses, answered from the simulated market.

Shapes, limits and error bodies follow kraken-protocol §17. All history is in market time; the rate
limit runs on protocol time.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from models.simulation.public.market import PublicMarket
from workers.exchange.clock import ProtocolClock
from workers.exchange.coingecko.charts import Charts
from workers.exchange.coingecko.coins import COINS, Coin, CoinFigures
from workers.exchange.coingecko.errors import CoinGeckoRefusalError, Limiter
from workers.exchange.errors import ApiError, ConnectionAbortedByFaultError, HttpStatusFaultError
from workers.exchange.faults import Faults
from workers.exchange.wire import dump

Query = Mapping[str, str]
PREFIX = "/coingecko/api/v3"
CHART_DAYS_LIMIT = 365
OHLC_DAYS = (1, 7, 14, 30, 90, 180, 365)
CURRENCY = "usd"


class CoinGecko:
    """Answer CoinGecko requests from the public record of the exchange.

    Args:
        market: the public record.
        clock: protocol time, for the rate limit.
        faults: scripted faults; requests appear with plane ``coingecko``.
        limiter: calls per minute by key; None makes one with CoinGecko's limits.
    """

    def __init__(
        self,
        market: PublicMarket,
        clock: ProtocolClock,
        faults: Faults,
        limiter: Limiter | None = None,
    ) -> None:
        self._market = market
        self._clock = clock
        self._faults = faults
        self._limiter = limiter or Limiter()
        self._figures = CoinFigures(market)
        self._charts = Charts(market)
        self._cache: dict[tuple[str, ...], tuple[int, bytes]] = {}
        self._coins = {coin.id: coin for coin in COINS if coin.symbol_pair in market.pairs}

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints under ``/coingecko/api/v3``."""
        routes: dict[str, Callable[[web.Request], Any]] = {
            "/ping": lambda _: {"gecko_says": "(V3) To the Moon!"},
            "/key": self._key,
            "/simple/price": self._simple_price,
            "/coins/list": lambda _: [coin.listed for coin in self._coins.values()],
            "/coins/markets": self._markets,
            "/coins/{id}/market_chart": self._market_chart,
            "/coins/{id}/market_chart/range": self._market_chart_range,
            "/coins/{id}/ohlc": self._ohlc,
        }
        for path, answer in routes.items():
            app.router.add_get(PREFIX + path, self._handler(path, answer))

    def _handler(
        self, path: str, answer: Callable[[web.Request], Any]
    ) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            event = {"method": path, "plane": "coingecko"}
            try:
                self._limiter.count(request, self._clock.seconds())
                await self._faults.request("before", event)
                body = answer(request)
                await self._faults.request("after", event)
            except CoinGeckoRefusalError as refusal:
                return refusal.response()
            except ApiError as fault:
                return CoinGeckoRefusalError.from_fault(fault).response()
            except HttpStatusFaultError as fault:
                return web.Response(status=fault.status)
            except ConnectionAbortedByFaultError:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=520)
            raw = body if isinstance(body, bytes) else dump(body)
            return web.Response(body=raw, content_type="application/json")

        return handle

    def _key(self, request: web.Request) -> Any:
        return self._limiter.usage(request, self._clock.seconds())

    def _simple_price(self, request: web.Request) -> Any:
        query = request.query
        currencies = _required(query, "vs_currencies").split(",")
        if not any(query.get(name) for name in ("ids", "names", "symbols")):
            raise CoinGeckoRefusalError(422, {"error": "Missing parameter ids"})
        answer: dict[str, Any] = {}
        for coin in self._chosen(query):
            price = self._figures.simple(coin, query)
            if price is not None:
                answer[coin.id] = price if CURRENCY in currencies else {}
        return answer

    def _markets(self, request: web.Request) -> Any:
        query = request.query
        _usd(query)
        per_page = _bounded(query, "per_page", 100, 250)
        page = _bounded(query, "page", 1, 1_000_000)
        rows = self._figures.markets(self._chosen(query, everything=True), query)
        return rows[(page - 1) * per_page : page * per_page]

    def _market_chart(self, request: web.Request) -> Any:
        coin, query = self._coin(request), request.query
        _usd(query)
        days = _days(query)
        interval = query.get("interval")
        if interval not in (None, "", "hourly", "daily"):
            raise CoinGeckoRefusalError(400, {"error": "invalid interval"})
        _within_allowance(days)
        now = self._market.second
        lifetime = 30 if days <= 1 else 1800 if days <= 90 else 43_200
        name = ("chart", coin.id, str(days), interval or "", query.get("precision", ""))
        return self._cached(
            name, lifetime, lambda: self._charts.last_days(coin, days, interval, query, now)
        )

    def _market_chart_range(self, request: web.Request) -> Any:
        coin, query = self._coin(request), request.query
        _usd(query)
        first, last = _moment(query, "from"), _moment(query, "to")
        if first > last:
            raise CoinGeckoRefusalError(400, {"error": "from must not be after to"})
        now = self._market.second
        _within_allowance((now - first) / 86_400)
        return self._charts.between(coin, first, min(last, now), query, now)

    def _ohlc(self, request: web.Request) -> Any:
        coin, query = self._coin(request), request.query
        _usd(query)
        days = _days(query)
        _within_allowance(days)
        if days not in OHLC_DAYS:
            raise CoinGeckoRefusalError(400, {"error": "Invalid days parameter"})
        name = ("ohlc", coin.id, str(days), query.get("precision", ""))
        now = self._market.second
        return self._cached(name, 900, lambda: self._charts.candles(coin, int(days), query, now))

    def _cached(self, name: tuple[str, ...], lifetime: int, build: Callable[[], Any]) -> bytes:
        """Return an answer as CoinGecko's cache holds it: late by up to its lifetime."""
        now = self._market.second
        made, body = self._cache.get(name, (now - lifetime, b""))
        if not 0 <= now - made < lifetime:
            made, body = now, dump(build())
            self._cache[name] = (made, body)
        return body

    def _coin(self, request: web.Request) -> Coin:
        coin = self._coins.get(request.match_info["id"])
        if coin is None:
            raise CoinGeckoRefusalError(404, {"error": "coin not found"})
        return coin

    def _chosen(self, query: Query, *, everything: bool = False) -> list[Coin]:
        wanted = {field: _list(query, field) for field in ("ids", "names", "symbols")}
        if everything and not any(wanted.values()):
            return list(self._coins.values())
        return [
            coin
            for coin in self._coins.values()
            if coin.id in wanted["ids"]
            or coin.name.lower() in wanted["names"]
            or coin.ticker in wanted["symbols"]
        ]


def _list(query: Query, field: str) -> set[str]:
    return {part.strip().lower() for part in query.get(field, "").split(",") if part.strip()}


def _required(query: Query, field: str) -> str:
    value = query.get(field)
    if not value:
        raise CoinGeckoRefusalError(422, {"error": f"Missing parameter {field}"})
    return value


def _usd(query: Query) -> None:
    if _required(query, "vs_currency").lower() != CURRENCY:
        raise CoinGeckoRefusalError(400, {"error": "invalid vs_currency"})


def _days(query: Query) -> float:
    text = _required(query, "days")
    if text == "max":
        return float("inf")
    if not text.isdecimal() or int(text) < 1:
        raise CoinGeckoRefusalError(400, {"error": "Invalid days parameter"})
    return int(text)


def _within_allowance(days: float) -> None:
    if days > CHART_DAYS_LIMIT:
        raise CoinGeckoRefusalError.beyond_allowed_range()


def _bounded(query: Query, field: str, default: int, maximum: int) -> int:
    text = query.get(field) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= maximum:
        raise CoinGeckoRefusalError(400, {"error": f"Invalid {field} parameter"})
    return int(text)


def _moment(query: Query, field: str) -> int:
    """Return a unix second from unix seconds or an ISO date."""
    text = _required(query, field)
    try:
        return int(float(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CoinGeckoRefusalError(400, {"error": f"Invalid {field} parameter"}) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
