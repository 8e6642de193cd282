"""The invariants: what the exchange holds is what was intended, protected, and booked once.

Pure comparison of two records of one account: the exchange's own, and ours. A finding names its
subject, so that a look taken in the middle of an action can be told from a lasting difference: who
looks again and again counts only what stays.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from activities.accounts.compared_records import ExchangeRecord, Minimum, OwnOrder, OwnRecord
from activities.execution.timeouts import OrderTimeouts
from models.trading.account.capital.flows import USD_SLACK
from models.trading.orders import Fill, Side

ZERO = Decimal(0)
NO_TRADE = 0
NO_MINIMUM = Minimum(ZERO, ZERO)
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
SILENT = "workflows_not_answering"
QUARANTINED = "writes_quarantined"
UNOWNED = "positions_without_owner"

PROOF_SECONDS = OrderTimeouts().proof_seconds
"""Until then nobody need be able to say what became of an order; doubt that lasts is named."""

INVARIANTS = (
    UNKNOWN_ORDERS,
    MISSING_ORDERS,
    DOUBLED_ORDERS,
    STATUS_DIFFERENCES,
    UNPROTECTED,
    UNOWNED,
    FILL_DIFFERENCES,
    BALANCE_DIFFERENCES,
    AUDIT_BREAKS,
    LEAKS,
    SILENT,
    QUARANTINED,
)


EXCHANGE_RECORD = "the exchange's own record"
EXCHANGE_INTERFACE = "what the exchange's interface shows the key"
OWN_RECORD = "our record alone"
OWN_PROCESS = "what our trading process says"

BASIS = dict.fromkeys(INVARIANTS, (EXCHANGE_RECORD, EXCHANGE_INTERFACE)) | {
    AUDIT_BREAKS: (OWN_RECORD, OWN_RECORD),
    LEAKS: (OWN_RECORD, OWN_RECORD),
    QUARANTINED: (OWN_RECORD, OWN_RECORD),
    SILENT: (OWN_PROCESS, OWN_PROCESS),
}
"""What each invariant is checked by: at the simulator, and on an account that is live.

Kraken has no record beside its interface, and that may lag; ``aether verify`` reads the simulator's
own record, so that a live account is compared by its reconciliation only.
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation: which invariant, of what, in words; ``trade`` where it concerns one."""

    invariant: str
    account: str
    subject: str
    detail: str
    trade: int | None = None


@dataclass
class Findings:
    """Collects the findings of one account."""

    account: str
    found: list[Finding] = field(default_factory=list)

    def add(self, invariant: str, subject: str, detail: str, trade: int | None = None) -> None:
        """Note one violation."""
        self.found.append(Finding(invariant, self.account, subject, detail, trade))


def compare(
    account: str,
    exchange: ExchangeRecord,
    ours: OwnRecord,
    minimums: Mapping[str, Minimum],
    proof_seconds: float = PROOF_SECONDS,
) -> list[Finding]:
    """Return every difference between the exchange's record and ours.

    Args:
        account: whose records these are.
        exchange: the exchange's own record.
        ours: our record.
        minimums: smallest order by symbol.
        proof_seconds: how long a sent order may be in doubt in this market.
    """
    findings = Findings(account)
    owners = _owners(exchange, ours)
    _compare_orders(findings, exchange, ours, owners, proof_seconds)
    _compare_fills(findings, exchange, ours)
    _compare_balances(findings, exchange, ours)
    _find_unprotected(findings, exchange, owners, minimums)
    _find_unowned(findings, exchange, ours, owners, minimums)
    return findings.found


def is_in_doubt(order: OwnOrder) -> bool:
    """Tell whether nobody has said yet what became of an order."""
    return order.order_id is None and not order.status.is_final


def _owners(exchange: ExchangeRecord, ours: OwnRecord) -> dict[str, OwnOrder]:
    """Return which of our orders each order of the exchange is, by the exchange's id."""
    by_client = {order.client_order_id: order for order in ours.orders}
    by_exchange = {order.order_id: order for order in ours.orders if order.order_id}
    by_userref = {order.userref: order for order in ours.orders if order.attached}
    owners = {}
    for order in exchange.orders:
        own = by_exchange.get(order.order_id) or by_client.get(order.client_order_id or "")
        if own is None and order.parent_order_id is None and order.userref is not None:
            # An entry with a conditional close carries no client order id.
            own = by_userref.get(order.userref)
        if own is not None:
            owners[order.order_id] = own
    return owners


def _find_unprotected(
    findings: Findings,
    exchange: ExchangeRecord,
    owners: Mapping[str, OwnOrder],
    minimums: Mapping[str, Minimum],
) -> None:
    """Find what a trade holds, by the exchange's word, that no resting stop and no exit covers.

    Each trade is looked at by itself, settled or not: a stop of one covers no other. What belongs
    to orders that we do not know is looked at together, by pair.
    """
    held: dict[tuple[str, int], Decimal] = defaultdict(lambda: ZERO)
    prices: dict[tuple[str, int], Decimal] = {}

    def key(symbol: str, order_id: str) -> tuple[str, int]:
        return symbol, owners[order_id].trade if order_id in owners else NO_TRADE

    for fill in exchange.fills:
        group = key(fill.symbol, fill.order_id)
        held[group] += fill.quantity if fill.side is Side.BUY else -fill.quantity
        prices[group] = min(fill.price, prices.get(group, fill.price))
    for order in exchange.orders:
        covers = order.side is Side.SELL and order.order_type in CLOSING_TYPES
        if covers and not order.status.is_final:
            held[key(order.symbol, order.order_id)] -= order.quantity - order.filled_quantity
    for (symbol, trade), quantity in sorted(held.items()):
        least = minimums.get(symbol, NO_MINIMUM)
        worth = quantity * prices.get((symbol, trade), ZERO)
        if quantity > ZERO and quantity >= least.quantity and worth >= least.cost:
            subject = f"{symbol} of trade {trade}" if trade else f"{symbol} of unknown orders"
            detail = f"{quantity} {symbol} held without a stop"
            findings.add(UNPROTECTED, subject, detail, trade or None)


def _find_unowned(
    findings: Findings,
    exchange: ExchangeRecord,
    ours: OwnRecord,
    owners: Mapping[str, OwnOrder],
    minimums: Mapping[str, Minimum],
) -> None:
    """Find what is held for a trade that we call settled: no workflow looks after it."""
    held: dict[tuple[str, int], Decimal] = defaultdict(lambda: ZERO)
    for fill in exchange.fills:
        owner = owners.get(fill.order_id)
        if owner is not None and owner.trade in ours.settled:
            change = fill.quantity if fill.side is Side.BUY else -fill.quantity
            held[fill.symbol, owner.trade] += change
    for (symbol, trade), quantity in sorted(held.items()):
        if quantity > ZERO and quantity >= minimums.get(symbol, NO_MINIMUM).quantity:
            detail = f"{quantity} {symbol} held, and the trade is settled"
            findings.add(UNOWNED, f"{symbol} of trade {trade}", detail, trade)


def _compare_orders(
    findings: Findings,
    exchange: ExchangeRecord,
    ours: OwnRecord,
    owners: Mapping[str, OwnOrder],
    proof_seconds: float,
) -> None:
    seen: Counter[str] = Counter()
    for report in exchange.orders:
        own = owners.get(report.order_id)
        if own is None:
            findings.add(UNKNOWN_ORDERS, report.order_id, f"{report.side} {report.symbol}")
            continue
        seen[own.client_order_id] += 1
        # Open and pending are two words for an order that may still do something.
        same = own.status.is_final == report.status.is_final
        if not same or (own.status.is_final and own.status is not report.status):
            findings.add(
                STATUS_DIFFERENCES,
                report.order_id,
                f"the exchange says {report.status}, we say {own.status}",
                own.trade,
            )
    for client_order_id, count in seen.items():
        if count > 1:
            findings.add(DOUBLED_ORDERS, client_order_id, f"{count} orders for one intent")
    for own in ours.orders:
        if own.client_order_id in seen:
            continue
        if own.order_id is not None:
            detail = f"recorded as {own.order_id}"
            findings.add(MISSING_ORDERS, own.client_order_id, detail, own.trade)
        elif is_in_doubt(own) and own.age_seconds > proof_seconds:
            detail = f"{own.status} after {own.sends} sends"
            findings.add(MISSING_ORDERS, own.client_order_id, detail, own.trade)


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
    for asset in sorted(exchange.balances.keys() | ours.balances.keys()):
        total = exchange.balances.get(asset, ZERO)
        booked = exchange.ledger_sums.get(asset, ZERO)
        if total != booked:
            findings.add(BALANCE_DIFFERENCES, asset, f"balance {total}, ledger {booked}")
        own = ours.balances.get(asset, ZERO)
        if abs(own - total) > (USD_SLACK if asset == "USD" else ZERO):
            findings.add(BALANCE_DIFFERENCES, asset, f"the exchange has {total}, we have {own}")


def _figures(fill: Fill) -> tuple[object, ...]:
    return (fill.order_id, fill.symbol, fill.side, fill.quantity, fill.price, fill.cost, fill.fee)
