"""The control endpoint, which only the simulator has: state, steps, faults, prices, record."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from models.simulation.errors import VenueError
from models.simulation.pair_changes import PairChangeError
from models.trading.instruments import InstrumentStatus
from workers.exchange.control.pair_state import pair_state, relative_change
from workers.exchange.control.record import account_record, booking, protocol_times
from workers.exchange.faults import KINDS, FaultRule, Faults
from workers.exchange.market.pacing import Hold
from workers.exchange.runtime import Exchange
from workers.exchange.trading_calls import Call
from workers.exchange.websocket.private_ws import PrivateStreams
from workers.exchange.websocket.public_ws import PublicStreams
from workers.exchange.wire import dump, load

STATUSES = ("online", "maintenance", "cancel_only", "post_only", "limit_only")
MAXIMUM_STEPS = 1_000_000


class Control:
    """Answer ``/control/…``; problems are HTTP 400 with ``{"error": …}``."""

    def __init__(
        self,
        exchange: Exchange,
        faults: Faults,
        public: PublicStreams,
        private: PrivateStreams,
        speed: str,
    ) -> None:
        self._exchange = exchange
        self._faults = faults
        self._public = public
        self._private = private
        self._speed = speed
        self._hold = Hold(exchange)
        self._altered: dict[int, tuple[str, dict[str, Any]]] = {}

    def add_routes(self, app: web.Application) -> None:
        """Add the control paths to an application."""
        app.router.add_get("/control/state", self._get_state)
        app.router.add_post("/control/step", self._post_step)
        app.router.add_post("/control/hold", self._post_hold)
        app.router.add_get("/control/record", self._get_record)
        app.router.add_get("/control/faults", self._get_faults)
        app.router.add_post("/control/faults", self._post_faults)
        app.router.add_delete("/control/faults", self._delete_faults)
        app.router.add_post("/control/prices", self._post_prices)
        app.router.add_get("/control/pairs", self._get_pairs)
        app.router.add_post("/control/pairs", self._post_pairs)
        app.router.add_post("/control/transfers", self._post_transfers)
        app.router.add_post("/control/bookings", self._post_bookings)
        app.router.add_get("/control/clock", self._get_clock)
        app.router.add_post("/control/clock", self._post_clock)

    def state(self) -> dict[str, Any]:
        """Return where market and streams are."""
        venue = self._exchange.venue
        return {
            "market": self._exchange.market.name,
            "speed": self._speed,
            "step": self._exchange.steps,
            "market_time": venue.market_time.isoformat(),
            "finished": self._exchange.finished,
            "last_trade_ids": {
                symbol: venue.last_trade_id(symbol) for symbol in venue.directory.instruments
            },
            "execution_sequences": {
                **dict.fromkeys(venue.accounts, 0),
                **self._private.sequences(),
            },
            "fills": {name: venue.execution_count(name) for name in venue.accounts},
            "open_orders": {name: venue.open_order_count(name) for name in venue.accounts},
            "system_status": venue.system_status,
            "held_at": None if self._hold.at is None else self._hold.at.isoformat(),
            "held_steps": self._hold.refused,
        }

    async def _get_state(self, _: web.Request) -> web.Response:
        return _json(self.state())

    async def _post_step(self, request: web.Request) -> web.Response:
        self._require_lockstep()
        count = (await _body(request)).get("steps", 1)
        if type(count) is not int or not 1 <= count <= MAXIMUM_STEPS:
            raise _problem("steps is a whole number above zero")
        await self._hold.run_steps(count)
        return _json(self.state())

    async def _post_hold(self, request: web.Request) -> web.Response:
        self._require_lockstep()
        at = (await _body(request)).get("at")
        try:
            moment = None if at is None else datetime.fromisoformat(str(at))
        except ValueError:
            moment = None
        if at is not None and (moment is None or moment.tzinfo is None):
            raise _problem("at is a market time with its zone, or null to let the market go on")
        self._hold.at = moment
        return _json(self.state())

    def _require_lockstep(self) -> None:
        if self._speed != "lockstep":
            raise _problem("the market moves by itself: start with --speed lockstep")

    async def _get_record(self, request: web.Request) -> web.Response:
        account = request.query.get("account", "")
        if account not in self._exchange.venue.accounts:
            raise _problem(f"account {account!r} is unknown")
        record = account_record(self._exchange.venue, account)
        if request.query.get("protocol_times"):
            record["protocol_times"] = protocol_times(self._exchange.venue, account)
        return _json(record)

    async def _get_faults(self, _: web.Request) -> web.Response:
        return _json({"rules": [rule.describe() for rule in self._faults.rules]})

    async def _post_faults(self, request: web.Request) -> web.Response:
        body = await _body(request)
        rules = body.get("rules", [body])
        if not isinstance(rules, list):
            raise _problem("rules is a list")
        for rule in rules:
            _check_rule(rule)
            account = rule.get("match", {}).get("account")
            named = account in self._exchange.venue.accounts
            if rule["kind"] in ("auto_earn", "fill_after_cancel") and not named:
                raise _problem("match.account names whose account it is")
            self._check_pair_rule(rule)
        created = [self._put_in_force(rule) for rule in rules]
        return _json({"rules": created})

    def _check_pair_rule(self, rule: Mapping[str, Any]) -> None:
        if rule["kind"] != "pair":
            return
        symbol = str((rule.get("match") or {}).get("pair"))
        try:
            if symbol not in self._exchange.venue.directory.instruments:
                raise PairChangeError("match.pair is a v2 symbol")
            change = relative_change(
                pair_state(self._exchange.venue, symbol), rule.get("params") or {}
            )
            self._exchange.venue.check_pair_change(symbol, change)
        except (PairChangeError, InvalidOperation) as error:
            raise _problem(str(error)) from None

    def _put_in_force(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        kind, params = rule["kind"], rule.get("params") or {}
        created = self._faults.add(kind, rule)
        match = created.match
        if kind == "auto_earn":
            created.hits = 1
            self._exchange.call(Call("control", "Earn", str(match["account"]), {}))
        elif kind == "fill_after_cancel":
            self._fill_canceled(created)
        elif kind == "mode":
            symbol = match.get("pair")
            created.hits = 1
            self._exchange.set_status(params["status"], symbol)
        elif kind == "pair":
            created.hits = 1
            self._alter(created.number, str(match.get("pair")), params)
        elif kind == "socket_drop" and not match.keys() - {"plane"}:
            created.hits = 1
            self._drop_sockets(match.get("plane"))
        elif kind == "book_snapshot":
            created.hits = 1
            self._public.resend_books(match.get("pair"))
        return created.describe()

    def _fill_canceled(self, rule: FaultRule) -> None:
        symbol, account = str(rule.match.get("pair")), str(rule.match["account"])
        try:
            self._exchange.call(Call("control", "FillCanceled", account, {"symbol": symbol}))
        except VenueError as error:
            raise _problem(f"nothing canceled can be filled: {error}") from None
        rule.hits = 1

    def _alter(self, number: int, symbol: str, params: Mapping[str, Any]) -> None:
        """Change a pair until the rule of this number is taken out of force."""
        before = pair_state(self._exchange.venue, symbol)
        change = relative_change(before, params)
        self._exchange.alter_pair(symbol, change)
        self._altered[number] = symbol, {name: before[name] for name in change}

    def _restore_pairs(self, numbers: Collection[int]) -> None:
        for number in sorted(self._altered.keys() & numbers, reverse=True):
            symbol, before = self._altered.pop(number)
            self._exchange.alter_pair(symbol, before)

    def _drop_sockets(self, plane: str | None) -> None:
        targets: dict[str, Callable[[], None]] = {
            "public": self._public.abort_all,
            "private": self._private.abort_all,
        }
        for name, abort in targets.items():
            if plane in (None, name):
                abort()

    async def _delete_faults(self, request: web.Request) -> web.Response:
        if asked := request.query.getall("id", []):
            numbers = {int(one) for one in asked if one.isdecimal()}
            self._faults.remove(numbers)
            self._restore_pairs(numbers)
            return await self._get_faults(request)
        modes = [rule for rule in self._faults.rules if rule.kind == "mode"]
        self._faults.clear()
        self._restore_pairs(set(self._altered))
        for rule in modes:
            self._exchange.set_status("online", rule.match.get("pair"))
        return _json({"rules": []})

    async def _post_prices(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            price = Decimal(str(body.get("price", "")))
            self._exchange.push_price(str(body.get("symbol", "")), price)
        except (InvalidOperation, VenueError) as error:
            raise _problem(f"symbol and price do not fit: {error}") from None
        return _json(self.state())

    async def _get_pairs(self, _: web.Request) -> web.Response:
        venue = self._exchange.venue
        pairs = {symbol: pair_state(venue, symbol) for symbol in venue.directory.instruments}
        return _json({"pairs": pairs})

    async def _post_pairs(self, request: web.Request) -> web.Response:
        body = await _body(request)
        symbol = str(body.pop("symbol", ""))
        # As text: a number of the wire must be in the journal what it was here.
        change = {name: str(v) if isinstance(v, Decimal) else v for name, v in body.items()}
        try:
            self._exchange.alter_pair(symbol, change)
        except PairChangeError as error:
            raise _problem(str(error)) from None
        return _json({"symbol": symbol, **pair_state(self._exchange.venue, symbol)})

    async def _post_transfers(self, request: web.Request) -> web.Response:
        body = await _body(request)
        account, reference = str(body.get("account", "")), str(body.get("reference", ""))
        if account not in self._exchange.venue.accounts:
            raise _problem(f"account {account!r} is unknown")
        if not reference:
            raise _problem("reference names the transfer: a repeat books nothing")
        try:
            amount = Decimal(str(body.get("amount", "")))
            parameters = {
                "reference": reference,
                "asset": str(body.get("asset", "")),
                "amount": str(amount),
            }
            answer = self._exchange.call(Call("control", "Transfer", account, parameters))
        except (InvalidOperation, VenueError) as error:
            raise _problem(f"asset and amount do not fit: {error}") from None
        return _json({"entry": booking(answer.results[0])})

    async def _post_bookings(self, request: web.Request) -> web.Response:
        body = await _body(request)
        account, reference = str(body.get("account", "")), str(body.get("reference", ""))
        if account not in self._exchange.venue.accounts:
            raise _problem(f"account {account!r} is unknown")
        if not reference:
            raise _problem("reference names the booking: a repeat books nothing")
        try:
            rows = [
                (
                    str(row["type"]),
                    str(row.get("subtype", "")),
                    str(row["asset"]),
                    str(Decimal(str(row["amount"]))),
                )
                for row in body["rows"]
            ]
            parameters = {"reference": reference, "rows": rows}
            answer = self._exchange.call(Call("control", "Book", account, parameters))
        except (InvalidOperation, LookupError, TypeError, AttributeError, VenueError) as error:
            raise _problem(f"the rows do not fit: {error!r}") from None
        return _json({"entries": [booking(entry) for entry in answer.results]})

    async def _get_clock(self, _: web.Request) -> web.Response:
        clock = self._exchange.clock
        return _json({"offset_seconds": clock.offset, "now": clock.now().isoformat()})

    async def _post_clock(self, request: web.Request) -> web.Response:
        offset = (await _body(request)).get("offset_seconds")
        if isinstance(offset, bool) or not isinstance(offset, (int, Decimal)):
            raise _problem("offset_seconds is a number of seconds from the wall clock")
        self._exchange.set_clock_offset(float(offset))
        return await self._get_clock(request)


def _check_rule(rule: Any) -> None:
    if not isinstance(rule, dict) or rule.get("kind") not in KINDS:
        raise _problem(f"kind is one of {', '.join(sorted(KINDS))}")
    unknown = rule.keys() - {"kind", "match", "skip", "count", "params"}
    if unknown:
        raise _problem(f"unknown fields: {', '.join(sorted(unknown))}")
    match, params = rule.get("match", {}), rule.get("params", {})
    if not isinstance(match, dict) or not isinstance(params, dict):
        raise _problem("match and params are objects")
    counts = (rule.get("skip") or 0, rule.get("count") or 0)
    if any(type(value) is not int or value < 0 for value in counts):
        raise _problem("skip and count are whole numbers")
    if rule["kind"] == "mode":
        allowed = STATUSES if "pair" not in match else tuple(InstrumentStatus)
        if params.get("status") not in allowed:
            raise _problem(f"params.status is one of {', '.join(allowed)}")
    seconds = params.get("seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, Decimal)) or seconds < 0:
        raise _problem("params.seconds is a number of seconds")


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = load(await request.read() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _problem("the body is a JSON object")
    return body


def _json(value: Any) -> web.Response:
    return web.Response(body=dump(value), content_type="application/json")


def _problem(text: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=dump({"error": text}).decode(), content_type="application/json")
