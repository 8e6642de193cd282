"""The public REST endpoints: GET ``/0/public/…`` in Kraken's envelope (kraken-protocol §1, §5)."""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from models.simulation.markets.instruments import AssetListing, Listing, UnknownPairError
from models.simulation.public.candles import INTERVALS, ROWS
from models.simulation.public.market import PairRecord, PublicMarket
from workers.exchange.clock import ProtocolClock
from workers.exchange.errors import ApiError, ConnectionAbortedByFaultError, HttpStatusFaultError
from workers.exchange.faults import Faults
from workers.exchange.rest import rows
from workers.exchange.wire import dump

Query = Mapping[str, str]
MAXIMUM_TRADES = 1000
MAXIMUM_DEPTH = 500


class PublicRest:
    """Answer public requests from the public record; protocol time comes from the clock."""

    def __init__(self, market: PublicMarket, clock: ProtocolClock, faults: Faults) -> None:
        self._market = market
        self._clock = clock
        self._faults = faults
        self._methods: dict[str, Callable[[Query], Any]] = {
            "Time": self._time,
            "SystemStatus": self._system_status,
            "Assets": self._assets,
            "AssetPairs": self._asset_pairs,
            "Ticker": self._ticker,
            "OHLC": self._ohlc,
            "Depth": self._depth,
            "Trades": self._trades,
            "Spread": self._spread,
        }

    def add_routes(self, app: web.Application) -> None:
        """Add the public paths to an application; other HTTP methods than GET get a 405."""
        app.router.add_get("/0/public/{method}", self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; every refusal of the API itself is HTTP 200 with an error list."""
        method = request.match_info["method"]
        event = {"method": method, "plane": "rest", "pair": request.query.get("pair")}
        try:
            await self._faults.request("before", event)
            body = dump({"error": [], "result": self.answer(method, request.query)})
            await self._faults.request("after", event)
        except ApiError as refusal:
            body = dump({"error": [refusal.message]})
        except HttpStatusFaultError as fault:
            return web.Response(status=fault.status)
        except ConnectionAbortedByFaultError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=520)
        return web.Response(body=body, content_type="application/json")

    def answer(self, method: str, query: Query) -> Any:
        """Return the ``result`` of a public method; raises ApiError in Kraken's words."""
        handler = self._methods.get(method)
        if handler is None:
            raise ApiError("EGeneral:Unknown method")
        return handler(query)

    def _time(self, _query: Query) -> Any:
        now = self._clock.now()
        return {
            "unixtime": int(now.timestamp()),
            "rfc1123": now.strftime("%a, %d %b %y %H:%M:%S +0000"),
        }

    def _system_status(self, _query: Query) -> Any:
        now = self._clock.now()
        status = self._market.venue.system_status
        return {"status": status, "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _assets(self, query: Query) -> Any:
        asset_class = query.get("aclass", "currency")
        if asset_class == "tokenized_asset":
            return {}  # known to Kraken; none is simulated
        if asset_class != "currency":
            raise ApiError("EQuery:Unknown asset class")
        names = _names(query, "asset")
        assets = self._market.universe.assets
        chosen = assets if names is None else [self._asset(name) for name in names]
        return {asset.rest_id: rows.asset_row(asset) for asset in chosen}

    def _asset_pairs(self, query: Query) -> Any:
        describe = rows.PAIR_VIEWS.get(query.get("info", "info"))
        if describe is None:
            raise ApiError("EGeneral:Invalid arguments:info")
        if query.get("aclass_base", "currency") != "currency":
            return {}
        return {
            key: describe(listing, str(self._market.venue.pair_status(listing.symbol)))
            for key, listing in self._pairs(query).items()
        }

    def _ticker(self, query: Query) -> Any:
        second = self._market.second
        records = {key: self._record(listing) for key, listing in self._pairs(query).items()}
        return {
            key: rows.ticker_row(record, second)
            for key, record in records.items()
            if record.ticker.last is not None
        }

    def _ohlc(self, query: Query) -> Any:
        key, listing = self._one_pair(query)
        interval = _integer(query, "interval", 1)
        if interval not in INTERVALS:
            raise ApiError("EGeneral:Invalid arguments:interval")
        since = _integer(query, "since", -1)
        series = self._record(listing).candles[interval]
        second = self._market.second
        kept = series.rows(second)[-ROWS:]
        committed = second - second % series.seconds - series.seconds
        return {key: [row for row in kept if row[0] > since], "last": committed}

    def _depth(self, query: Query) -> Any:
        key, listing = self._one_pair(query)
        count = _bounded(query, "count", 100, MAXIMUM_DEPTH)
        book = self._record(listing).book
        return {
            key: {
                "asks": [rows.depth_row(line) for line in book.asks[:count]],
                "bids": [rows.depth_row(line) for line in book.bids[:count]],
            }
        }

    def _trades(self, query: Query) -> Any:
        key, listing = self._one_pair(query)
        count = _bounded(query, "count", MAXIMUM_TRADES, MAXIMUM_TRADES)
        tape = self._record(listing).tape
        if "since" in query:
            cursor = rows.trades_cursor(query["since"])
            entries = tape.after(cursor, count)
        else:
            cursor = 0
            entries = tape.newest(count)
        last = entries[-1].nanoseconds if entries else cursor
        return {key: [rows.trade_row(entry) for entry in entries], "last": str(last)}

    def _spread(self, query: Query) -> Any:
        key, listing = self._one_pair(query)
        since = _integer(query, "since", 0)
        entries = self._record(listing).spreads.since(since)
        return {
            key: [list(entry) for entry in entries],
            "last": entries[-1][0] if entries else since,
        }

    def _record(self, listing: Listing) -> PairRecord:
        return self._market.pairs[listing.symbol]

    def _asset(self, name: str) -> AssetListing:
        try:
            return self._market.universe.asset(name)
        except UnknownPairError:
            raise ApiError("EQuery:Unknown asset") from None

    def _pairs(self, query: Query) -> dict[str, Listing]:
        """Return the pairs asked for by the key of the answer; all when none is named."""
        names = _names(query, "pair")
        if names is None:
            return {
                listing.instrument.rest_id: listing
                for listing in self._market.universe
                if self._market.venue.is_listed(listing.symbol)
            }
        return dict(self._keyed(name) for name in names)

    def _one_pair(self, query: Query) -> tuple[str, Listing]:
        name = query.get("pair")
        if not name:
            raise ApiError("EGeneral:Invalid arguments")
        return self._keyed(name)

    def _keyed(self, name: str) -> tuple[str, Listing]:
        try:
            listing = self._market.universe.pair(name)
        except UnknownPairError:
            raise ApiError("EQuery:Unknown asset pair") from None
        if not self._market.venue.is_listed(listing.symbol):
            raise ApiError("EQuery:Unknown asset pair")
        # Kraken echoes the v2 spelling and answers every other one under the pair's id (§5).
        return (name if name == listing.symbol else listing.instrument.rest_id), listing


def _names(query: Query, field: str) -> list[str] | None:
    text = query.get(field)
    return [name.strip() for name in text.split(",")] if text else None


def _integer(query: Query, field: str, default: int) -> int:
    text = query.get(field)
    if text is None or text == "":
        return default
    try:
        return int(text)
    except ValueError:
        raise ApiError(f"EGeneral:Invalid arguments:{field}") from None


def _bounded(query: Query, field: str, default: int, maximum: int) -> int:
    value = _integer(query, field, default)
    if not 1 <= value <= maximum:
        raise ApiError(f"EGeneral:Invalid arguments:{field}")
    return value
