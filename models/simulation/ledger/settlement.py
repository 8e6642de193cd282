"""What money moves: holds of orders, and the booking of one fill on one account."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from models.simulation.engine.book import PairBook, is_better, opposite
from models.simulation.engine.orders import Execution, LedgerEntry, Order, SelfTradePrevention
from models.simulation.events import BalanceChanged, ExecutionType
from models.simulation.exchange_state import ExchangeState
from models.simulation.ids import identifier
from models.simulation.ledger.accounts import AccountBook
from models.simulation.ledger.fees import fee_in_base, is_stable, rounded_cost, rounded_fee
from models.simulation.ledger.funding import move_earning
from models.trading.instruments import Instrument
from models.trading.orders import Side

ZERO = Decimal(0)


def held_asset(order: Order, instrument: Instrument) -> str:
    """Return the asset an order spends."""
    return instrument.quote if order.side is Side.BUY else instrument.base


def required_hold(exchange_state: ExchangeState, order: Order) -> Decimal:
    """Return what the rest of an order may cost at most, fee included, rounded up.

    A sale needs its base quantity (and the fee, when paid in base); a priced purchase its limit
    times quantity and the taker fee; a market purchase what walking the present book costs.
    """
    instrument = exchange_state.instrument(order.symbol)
    rate = exchange_state.fee_rates(exchange_state.account(order.account), instrument).taker
    if order.side is Side.SELL:
        if not order.fee_in_base:
            return order.remaining
        return _ceiling(order.remaining * (1 + rate), instrument.quantity_precision)
    if order.limit_price is None:
        return walk(exchange_state, order, rate)[1]
    cost = order.remaining * order.limit_price
    fee = ZERO if order.fee_in_base else cost * rate
    return _ceiling(cost, instrument.cost_precision) + _ceiling(fee, instrument.cost_precision)


def walk(exchange_state: ExchangeState, order: Order, rate: Decimal) -> tuple[Decimal, Decimal]:
    """Return quantity and quote amount (fee included) an order could take from the book now."""
    book = exchange_state.books[order.symbol]
    side = opposite(order.side)
    bound = worst_price(exchange_state, order)
    quantity = spent = ZERO
    for price, available in _offers(book, side, order):
        if quantity >= order.remaining or (bound is not None and is_better(side, bound, price)):
            break
        taken = min(available, order.remaining - quantity)
        cost = rounded_cost(book.instrument, price, taken)
        fee = ZERO if order.fee_in_base else rounded_fee(book.instrument, cost, rate)
        quantity += taken
        spent += cost + fee
    return quantity, spent


def affordable(exchange_state: ExchangeState, order: Order, amount: Decimal) -> Decimal:
    """Return the base quantity that a quote amount, fee not included, buys from the book now."""
    book = exchange_state.books[order.symbol]
    bound = worst_price(exchange_state, order)
    quantity = ZERO
    for price, available in _offers(book, opposite(order.side), order):
        if bound is not None and is_better(opposite(order.side), bound, price):
            break
        taken = min(available, book.instrument.floor_quantity(amount / price))
        quantity += taken
        amount -= taken * price
        if taken < available:
            break
    return quantity


def worst_price(exchange_state: ExchangeState, order: Order) -> Decimal | None:
    """Return the worst price an order may take: its limit, or the market price protection."""
    if order.limit_price is not None:
        return order.limit_price
    best = exchange_state.books[order.symbol].best_price(opposite(order.side))
    if best is None:
        return None
    share = exchange_state.options.market_protection
    return best * (1 + share) if order.side is Side.BUY else best * (1 - share)


def _offers(book: PairBook, side: Side, order: Order) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield what can be taken in price-time priority, one entry per match that would happen."""
    consumed = book.consumed[side]
    own = book.resting[side]
    if not own:
        for level in book.others[side]:
            left = level.quantity - consumed.get(level.price, ZERO)
            if left > ZERO:
                yield level.price, left
        return
    others = {x.price: x.quantity - consumed.get(x.price, ZERO) for x in book.others[side]}
    prices = {*others, *(o.limit_price for o in own if o.limit_price is not None)}
    for price in sorted(prices, reverse=side is Side.BUY):
        queue = [resting for resting in own if resting.limit_price == price]
        left, gone = others.get(price, ZERO), ZERO
        for resting in queue:
            ahead = min((resting.ahead or ZERO) - gone, left)
            if ahead > ZERO:
                yield price, ahead
                left, gone = left - ahead, gone + ahead
            if resting.account != order.account:
                yield price, resting.remaining
            elif order.self_trade is not SelfTradePrevention.CANCEL_OLDEST:
                return
        if left > ZERO:
            yield price, left


def reserve(exchange_state: ExchangeState, order: Order) -> bool:
    """Hold what the order needs in place of what it holds; False when it is not available."""
    account = exchange_state.account(order.account)
    asset = held_asset(order, exchange_state.instrument(order.symbol))
    needed = required_hold(exchange_state, order)
    if needed - order.held > account.available(asset):
        return False
    account.hold(asset, needed - order.held)
    order.held = needed
    return True


def release(exchange_state: ExchangeState, order: Order) -> None:
    """Give back whatever the order still holds."""
    if order.held:
        asset = held_asset(order, exchange_state.instrument(order.symbol))
        exchange_state.account(order.account).hold(asset, -order.held)
        order.held = ZERO


def book_fill(
    exchange_state: ExchangeState,
    order: Order,
    price: Decimal,
    quantity: Decimal,
    trade_id: int,
    *,
    maker: bool,
) -> Execution:
    """Book one fill: two ledger entries, the order's sums, its hold, the account's volume."""
    account = exchange_state.account(order.account)
    instrument = exchange_state.instrument(order.symbol)
    rates = exchange_state.fee_rates(account, instrument)
    cost = rounded_cost(instrument, price, quantity)
    fee = rounded_fee(instrument, cost, rates.maker if maker else rates.taker)
    base_fee = fee_in_base(instrument, fee, price) if order.fee_in_base else ZERO
    quote_fee = ZERO if order.fee_in_base else fee
    spendable = order.held + account.available(held_asset(order, instrument))
    if order.side is Side.BUY:
        # Half-up rounding over many partial fills may exceed the hold by some last digits.
        cost = min(cost, spendable)
        quote_fee = min(quote_fee, spendable - cost)
        used = cost + quote_fee
    else:
        base_fee = min(base_fee, spendable - quantity)
        used = quantity + base_fee
    execution = Execution(
        txid=account.new_id("T"),
        order_txid=order.txid,
        postxid=identifier("T", exchange_state.seed, f"position/{order.symbol}", trade_id),
        account=account.name,
        symbol=order.symbol,
        side=order.side,
        kind=order.kind,
        price=price,
        quantity=quantity,
        cost=cost,
        fee=base_fee if order.fee_in_base else quote_fee,
        fee_asset=instrument.base if order.fee_in_base else instrument.quote,
        fee_quote=fee if order.fee_in_base else quote_fee,
        maker=maker,
        trade_id=trade_id,
        at=exchange_state.market_time,
        wall=exchange_state.wall_time,
    )
    return _post(exchange_state, account, order, execution, used)


def _post(
    exchange_state: ExchangeState,
    account: AccountBook,
    order: Order,
    execution: Execution,
    used: Decimal,
) -> Execution:
    instrument = exchange_state.instrument(order.symbol)
    sign = 1 if order.side is Side.BUY else -1
    fee_is_base = execution.fee_asset == instrument.base
    base_fee, quote_fee = (execution.fee, ZERO) if fee_is_base else (ZERO, execution.fee)
    entries = tuple(
        _book(exchange_state, account, execution.txid, asset, amount, fee)
        for asset, amount, fee in (
            (instrument.base, sign * execution.quantity, base_fee),
            (instrument.quote, -sign * execution.cost, quote_fee),
        )
    )
    execution = replace(execution, ledger_ids=tuple(entry.txid for entry in entries))
    account.executions[execution.txid] = execution
    if not is_stable(instrument):
        account.add_volume(exchange_state.market_time, execution.cost)
    order.executed += execution.quantity
    order.cost += execution.cost
    order.fee += execution.fee_quote
    order.fill_ids = (*order.fill_ids, execution.txid)
    _shrink_hold(exchange_state, account, order, used)
    exchange_state.emit_order(ExecutionType.TRADE, order, execution)
    for entry in entries:
        exchange_state.emit(BalanceChanged(account.name, entry))
    return execution


def _book(
    exchange_state: ExchangeState,
    account: AccountBook,
    refid: str,
    asset: str,
    amount: Decimal,
    fee: Decimal,
) -> LedgerEntry:
    other_side = exchange_state.counterparty.get(asset, ZERO) - amount + fee
    exchange_state.counterparty[asset] = other_side
    lacking = fee - amount - account.balances.get(asset, ZERO)
    if lacking > ZERO:
        move_earning(
            exchange_state, account, account.new_id("Q"), asset, -lacking, "autodeallocation"
        )
    return account.write(
        refid, exchange_state.market_time, "trade", "tradespot", asset, amount, fee
    )


def _shrink_hold(
    exchange_state: ExchangeState, account: AccountBook, order: Order, used: Decimal
) -> None:
    """Free what the fill used and what the rest of a priced order no longer needs."""
    left = max(ZERO, order.held - used)
    if not order.remaining:
        left = ZERO
    elif order.limit_price is not None:
        left = min(left, required_hold(exchange_state, order))
    account.hold(held_asset(order, exchange_state.instrument(order.symbol)), left - order.held)
    order.held = left


def _ceiling(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_CEILING)
