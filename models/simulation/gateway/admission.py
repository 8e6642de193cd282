"""The gateway: every check an order passes before the engine sees it (§3, §8.4).

Order of checks: rate, arguments, pair status, minimums and tick, number of orders, funds.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from models.simulation.engine.orders import ForceKind, Moment, Order, OrderKind, OrderRequest
from models.simulation.errors import VenueError
from models.simulation.exchange_state import ExchangeState
from models.simulation.gateway.arguments import check_arguments
from models.simulation.gateway.parsing import invalid
from models.simulation.gateway.prices import ResolvedPrices, resolve
from models.simulation.ledger.settlement import affordable, held_asset, required_hold
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.orders import Side

_DEADLINE_MAXIMUM = timedelta(seconds=60)


def require_listed(exchange_state: ExchangeState, symbol: str) -> None:
    """Refuse orders for a pair that is not listed any more."""
    if exchange_state.pair_status[symbol] is InstrumentStatus.DELISTED:
        raise VenueError("EQuery:Unknown asset pair")


def charge_engine(
    exchange_state: ExchangeState,
    account: str,
    symbol: str,
    cost: Decimal,
    wall: datetime,
    *,
    force: bool = False,
) -> None:
    """Charge the trading-engine counter of account and pair, or refuse without charging.

    ``force`` charges even beyond the threshold (batch cancels are accepted when they overshoot).
    """
    book = exchange_state.account(account)
    limits = book.limits
    counter = book.engine_counter(symbol)
    level = counter.level(wall, limits.engine_decay)
    if cost and not force and level + cost > limits.engine_maximum:
        raise VenueError("EOrder:Rate limit exceeded")
    counter.charge(cost, wall, limits.engine_decay)


def check_deadline(deadline: datetime | None, wall: datetime) -> None:
    """Refuse a request whose deadline has passed or lies more than 60 s ahead."""
    if deadline is None:
        return
    if deadline - wall > _DEADLINE_MAXIMUM:
        raise invalid("deadline")
    if deadline <= wall:
        raise VenueError("EService:Deadline elapsed")


def check_gate(exchange_state: ExchangeState, symbol: str, request: OrderRequest | None) -> None:
    """Refuse what the mode of the system or of the pair does not let in; None is an amend."""
    require_listed(exchange_state, symbol)
    for status in (exchange_state.system_status, exchange_state.pair_status[symbol]):
        if status is InstrumentStatus.ONLINE:
            continue
        if status is InstrumentStatus.POST_ONLY:
            refused = request is not None and not request.post_only
        elif status is InstrumentStatus.LIMIT_ONLY:
            limits = (OrderKind.LIMIT, OrderKind.ICEBERG)
            refused = request is not None and request.kind not in limits
        else:
            refused = True
        if refused and status is InstrumentStatus.MAINTENANCE:
            raise VenueError("EService:Unavailable")
        if refused:
            mode = status.value
            raise VenueError(f"EService:Market in {mode} mode")


def admit(
    exchange_state: ExchangeState, account: str, request: OrderRequest, moment: Moment
) -> Order:
    """Check a request whose rate was charged and return the order, not yet accepted."""
    instrument = exchange_state.instrument(request.symbol)
    check_arguments(request, instrument, moment.market)
    _check_client_id(exchange_state, account, request)
    check_deadline(request.deadline, moment.wall)
    check_gate(exchange_state, request.symbol, request)
    last = exchange_state.books[request.symbol].last
    prices = resolve(instrument, request.side, request.kind, request.price, request.price2, last)
    request = _in_base_units(exchange_state, account, request, instrument, moment)
    check_minimums(exchange_state, instrument, request.volume, prices)
    _check_close(request, instrument, prices, last)
    _check_counts(exchange_state, account, request, moment)
    order = _build(exchange_state, account, request, prices, moment)
    check_funds(exchange_state, order)
    return order


def check_minimums(
    exchange_state: ExchangeState, instrument: Instrument, volume: Decimal, prices: ResolvedPrices
) -> None:
    """Refuse a volume or a value below the pair's minimum."""
    if volume < instrument.quantity_minimum:
        raise VenueError("EOrder:Order minimum not met")
    price = prices.limit or prices.trigger or exchange_state.books[instrument.symbol].last
    if price is not None and price * volume < instrument.cost_minimum:
        raise VenueError("EOrder:Cost minimum not met")


def check_funds(exchange_state: ExchangeState, order: Order) -> None:
    """Refuse an order that the available balance does not cover (resting stops: switchable)."""
    if order.waits_for_trigger and not exchange_state.options.stops_place_holds:
        return
    asset = held_asset(order, exchange_state.instrument(order.symbol))
    if required_hold(exchange_state, order) - order.held > exchange_state.account(
        order.account
    ).available(asset):
        raise VenueError("EOrder:Insufficient funds")


def _check_client_id(exchange_state: ExchangeState, account: str, request: OrderRequest) -> None:
    if request.cl_ord_id is None:
        return
    if request.close is not None:
        raise invalid("cl_ord_id not allowed with conditional close")
    if exchange_state.account(account).live_with(request.cl_ord_id) is not None:
        raise invalid("cl_ord_id not unique")


def _check_counts(
    exchange_state: ExchangeState, account: str, request: OrderRequest, moment: Moment
) -> None:
    book = exchange_state.account(account)
    live = sum(1 for order in book.live.values() if order.symbol == request.symbol)
    if live >= book.limits.open_orders_per_pair:
        raise VenueError("EOrder:Orders limit exceeded")
    if request.starts_at is not None and request.starts_at > moment.market:
        scheduled = sum(1 for order in book.live.values() if order.starts_at is not None)
        if scheduled >= exchange_state.options.scheduled_orders_maximum:
            raise VenueError("EOrder:Scheduled orders limit exceeded")


def _check_close(
    request: OrderRequest, instrument: Instrument, prices: ResolvedPrices, last: Decimal | None
) -> None:
    """Check the close's prices as far as they are known before the fill."""
    close = request.close
    if close is None:
        return
    side = Side.SELL if request.side is Side.BUY else Side.BUY
    resolve(instrument, side, close.kind, close.price, close.price2, prices.limit or last)


def _in_base_units(
    exchange_state: ExchangeState,
    account: str,
    request: OrderRequest,
    instrument: Instrument,
    moment: Moment,
) -> OrderRequest:
    """Turn ``viqc`` into base volume: what the amount buys from the present book.

    The fee comes on top of the amount. Without a book the last price counts.
    """
    if not request.volume_in_quote:
        return request
    if request.volume < instrument.cost_minimum:
        raise VenueError("EOrder:Cost minimum not met")
    order = _build(exchange_state, account, request, ResolvedPrices(), moment)
    volume = affordable(exchange_state, order, request.volume)
    last = exchange_state.books[request.symbol].last
    if not volume and last is not None:
        volume = instrument.floor_quantity(request.volume / last)
    return replace(request, volume=volume)


def _build(
    exchange_state: ExchangeState,
    account: str,
    request: OrderRequest,
    prices: ResolvedPrices,
    moment: Moment,
) -> Order:
    """Return the order without an id: ids are only drawn for orders that are accepted."""
    force = request.time_in_force
    return Order(
        txid="",
        account=account,
        symbol=request.symbol,
        side=request.side,
        kind=request.kind,
        volume=request.volume,
        price=request.price,
        price2=request.price2,
        limit_price=prices.limit,
        trigger_price=prices.trigger,
        display_volume=request.display_volume,
        post_only=request.post_only,
        fee_in_base=request.fee_in_base,
        volume_in_quote=request.volume_in_quote,
        time_in_force=force,
        starts_at=request.starts_at,
        expires_at=request.expires_at if force is ForceKind.GTD else None,
        userref=request.userref,
        cl_ord_id=request.cl_ord_id,
        self_trade=request.self_trade,
        close=request.close,
        parent=None,
        opened_at=exchange_state.market_time,
        opened_wall=moment.wall,
    )
