"""The invariants: what the exchange holds is what was intended, protected, and booked once.

Pure comparison of two records of one account: the exchange's own, and ours. A finding names its
subject, so that a look taken in the middle of an action can be told from a lasting difference: only
what two looks in a row show is a violation.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from models.trading.orders import Fill, OrderStatus, Side

ZERO = Decimal(0)
CLOSING_TYPES = ("stop-loss", "stop-loss-limit", "trailing-stop", "trailing-stop-limit", "market")
"""Sell orders that end a position whatever the market does; a resting limit order does not."""

UNKNOWN_ORDERS = "orders_unknown_to_us"
MISSING_ORDERS = "orders_unknown_to_exchange"
DOUBLED_ORDERS = "intents_with_two_orders"
STATUS_DIFFERENCES = "orders_in_another_state"
UNPROTECTED = "positions_unprotected"
FILL_DIFFERENCES = "fills_that_differ"
BALANCE_DIFFERENCES = "balances_that_differ"
AUDIT_BREAKS = "audit_chain_breaks"
LEAKS = "cross_account_leaks"

INVARIANTS = (
    UNKNOWN_ORDERS,
    MISSING_ORDERS,
    DOUBLED_ORDERS,
    STATUS_DIFFERENCES,
    UNPROTECTED,
    FILL_DIFFERENCES,
    BALANCE_DIFFERENCES,
    AUDIT_BREAKS,
    LEAKS,
)


@dataclass(frozen=True, slots=True)
class ExchangeOrder:
    """An order as the exchange has it; ``order_type`` is its own word, known to us or not."""

    order_id: str
    client_order_id: str | None
    userref: int | None
    parent_order_id: str | None
    symbol: str
    side: Side
    order_type: str
    status: OrderStatus
    quantity: Decimal
    filled_quantity: Decimal


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """What the exchange itself says of an account; balances and ledger in v2 asset names."""

    orders: tuple[ExchangeOrder, ...]
    fills: tuple[Fill, ...]
    balances: dict[str, Decimal]
    ledger_sums: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """An order as we recorded it."""

    client_order_id: str
    order_id: str | None
    status: OrderStatus
    userref: int
    sends: int
    attached: bool


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """What we say of an account. ``dust`` is what settled trades could not sell, by symbol."""

    orders: tuple[OwnOrder, ...]
    fills: dict[str, Fill]
    balances: dict[str, Decimal]
    dust: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation: which invariant, of what, in words."""

    invariant: str
    account: str
    subject: str
    detail: str


@dataclass
class Findings:
    """Collects the findings of one account."""

    account: str
    found: list[Finding] = field(default_factory=list)

    def add(self, invariant: str, subject: str, detail: str) -> None:
        """Note one violation."""
        self.found.append(Finding(invariant, self.account, subject, detail))


def compare(
    account: str, exchange: ExchangeRecord, ours: OwnRecord, minimums: dict[str, Decimal]
) -> list[Finding]:
    """Return every difference between the exchange's record and ours.

    Args:
        account: whose records these are.
        exchange: the exchange's own record.
        ours: our record.
        minimums: smallest order quantity by symbol: less than that cannot be protected.
    """
    findings = Findings(account)
    _compare_orders(findings, exchange, ours)
    _compare_fills(findings, exchange, ours)
    _compare_balances(findings, exchange, ours)
    for symbol, missing in unprotected(exchange, ours.dust, minimums).items():
        findings.add(UNPROTECTED, symbol, f"{missing} {symbol} held without a stop")
    return findings.found


def unprotected(
    exchange: ExchangeRecord, dust: dict[str, Decimal], minimums: dict[str, Decimal]
) -> dict[str, Decimal]:
    """Return, by symbol, the quantity held that no resting stop and no exit covers."""
    held: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for fill in exchange.fills:
        held[fill.symbol] += fill.quantity if fill.side is Side.BUY else -fill.quantity
    for order in exchange.orders:
        covers = order.side is Side.SELL and order.order_type in CLOSING_TYPES
        if covers and not order.status.is_final:
            held[order.symbol] -= order.quantity - order.filled_quantity
    open_quantity = {s: q - dust.get(s, ZERO) for s, q in held.items()}
    return {s: q for s, q in sorted(open_quantity.items()) if q >= minimums.get(s, ZERO) and q > 0}


def _compare_orders(findings: Findings, exchange: ExchangeRecord, ours: OwnRecord) -> None:
    by_client = {order.client_order_id: order for order in ours.orders}
    by_exchange = {order.order_id: order for order in ours.orders if order.order_id}
    by_userref = {order.userref: order for order in ours.orders if order.attached}
    seen: Counter[str] = Counter()
    found_ids = set()
    for report in exchange.orders:
        own = by_exchange.get(report.order_id) or by_client.get(report.client_order_id or "")
        if own is None and report.parent_order_id is None and report.userref is not None:
            own = by_userref.get(report.userref)
        if own is None:
            findings.add(UNKNOWN_ORDERS, report.order_id, f"{report.side} {report.symbol}")
            continue
        found_ids.add(own.client_order_id)
        seen[own.client_order_id] += 1
        if own.status.is_final != report.status.is_final:
            findings.add(
                STATUS_DIFFERENCES,
                report.order_id,
                f"the exchange says {report.status}, we say {own.status}",
            )
    for client_order_id, count in seen.items():
        if count > 1:
            findings.add(DOUBLED_ORDERS, client_order_id, f"{count} orders for one intent")
    for own in ours.orders:
        if own.client_order_id not in found_ids and own.order_id is not None:
            findings.add(MISSING_ORDERS, own.client_order_id, f"recorded as {own.order_id}")
        elif own.client_order_id not in found_ids and not own.status.is_final:
            findings.add(
                MISSING_ORDERS, own.client_order_id, f"{own.status} after {own.sends} sends"
            )


def _compare_fills(findings: Findings, exchange: ExchangeRecord, ours: OwnRecord) -> None:
    theirs = {fill.execution_id: fill for fill in exchange.fills}
    for execution_id, fill in theirs.items():
        own = ours.fills.get(execution_id)
        if own is None:
            findings.add(FILL_DIFFERENCES, execution_id, "not booked by us")
        elif _figures(own) != _figures(fill):
            findings.add(FILL_DIFFERENCES, execution_id, f"{_figures(own)} is not {_figures(fill)}")
    for execution_id in sorted(ours.fills.keys() - theirs.keys()):
        findings.add(FILL_DIFFERENCES, execution_id, "unknown to the exchange")


def _compare_balances(findings: Findings, exchange: ExchangeRecord, ours: OwnRecord) -> None:
    # Balances carry fewer decimals than fills: each booking may round by half a unit of the last.
    slack = Decimal("0.0001") * (len(exchange.fills) + 1)
    for asset in sorted(exchange.balances.keys() | ours.balances.keys()):
        total = exchange.balances.get(asset, ZERO)
        booked = exchange.ledger_sums.get(asset, ZERO)
        if total != booked:
            findings.add(BALANCE_DIFFERENCES, asset, f"balance {total}, ledger {booked}")
        own = ours.balances.get(asset, ZERO)
        if abs(own - total) > (slack if asset == "USD" else ZERO):
            findings.add(BALANCE_DIFFERENCES, asset, f"the exchange has {total}, we have {own}")


def _figures(fill: Fill) -> tuple[object, ...]:
    return (fill.order_id, fill.symbol, fill.side, fill.quantity, fill.price, fill.cost, fill.fee)
