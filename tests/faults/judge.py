"""The verdict over one trade, from the exchange's own record alone and what we say beside it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.faults.exchange import ZERO, Slice

CASH_SLACK = Decimal("0.001")


@dataclass(slots=True)
class Verdict:
    """What is wrong with one trade at rest; all zero when nothing is.

    Attributes:
        duplicates: orders at the exchange beyond the one for each intent.
        orphans: live orders whose trade has ended.
        lost_fills: base quantity filled at the exchange that we did not book, as fills.
        ledger_difference: largest difference between the exchange's balances and ours.
        left: base still held, beyond what is too little to be sold.
        unowned: positions at the exchange that no open trade of ours owns.
        words: each finding in words.
    """

    duplicates: int = 0
    orphans: int = 0
    lost_fills: int = 0
    ledger_difference: Decimal = ZERO
    left: Decimal = ZERO
    unowned: int = 0
    words: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Tell whether every invariant holds."""
        return not self.words


def judge(
    found: Slice, asked: Decimal, minimum: Decimal, trade: Mapping[str, Any] | None
) -> Verdict:
    """Judge one trade that is at rest.

    Args:
        found: its orders and fills at the exchange.
        asked: quantity that the entry was to buy.
        minimum: smallest quantity that can be sold.
        trade: the trade as we record it, None when we say that there is none.
    """
    verdict = Verdict()
    _judge_duplicates(verdict, found, asked, carried_dust(trade, minimum))
    if trade is not None and "bought" not in trade:
        verdict.words.append(f"we do not know the trade: {trade.get('detail')}")
        trade = None
    for order in found.live:
        verdict.orphans += 1
        what = f"{order['side']} {order['order_type']} {order['quantity']}"
        verdict.words.append(f"orphan {order['order_id']}: {what} is {order['status']}")
    for side, booked in (("bought", "bought"), ("sold", "sold")):
        theirs = getattr(found, side)
        ours = Decimal(trade[booked]) if trade else ZERO
        if ours != theirs:
            verdict.lost_fills += 1
            verdict.words.append(f"the exchange {side} {theirs}, we booked {ours}")
    if found.held >= minimum:
        verdict.left = found.held
        if trade is None or trade.get("phase") == "settled":
            verdict.unowned += 1
            verdict.words.append(
                f"nobody owns {found.held}: the trade is settled, or there is none"
            )
        verdict.words.append(f"{found.held} is still held")
    return verdict


def carried_dust(trade: Mapping[str, Any] | None, minimum: Decimal) -> Decimal:
    """Return what a trade may sell beyond what it bought: dust, and never so much as a trade."""
    carried = Decimal(trade.get("carried", "0")) if trade is not None else ZERO
    return carried if carried < minimum else ZERO


def _judge_duplicates(verdict: Verdict, found: Slice, asked: Decimal, carried: Decimal) -> None:
    entries = [order for order in found.orders if order["side"] == "buy"]
    if len(entries) > 1:
        verdict.duplicates += len(entries) - 1
        verdict.words.append(f"{len(entries)} entries for one request")
    names = Counter(o["client_order_id"] for o in found.orders if o["client_order_id"])
    for name, count in names.items():
        if count > 1:
            verdict.duplicates += count - 1
            verdict.words.append(f"{count} orders under the id {name}")
    if found.bought > asked:
        verdict.words.append(f"bought {found.bought} where {asked} were asked for")
    if found.sold > found.bought + carried:
        verdict.duplicates += 1
        verdict.words.append(f"sold {found.sold} of {found.bought} bought")


def ledger_difference(theirs: Mapping[str, Any], ours: Mapping[str, str]) -> Decimal:
    """Return the largest difference between both sides' balances, and of balance and ledger."""
    sums: dict[str, Decimal] = {}
    for entry in theirs["ledger"]:
        change = Decimal(entry["amount"]) - Decimal(entry["fee"])
        sums[entry["asset"]] = sums.get(entry["asset"], ZERO) + change
    worst = ZERO
    for asset in theirs["balances"].keys() | ours.keys() | sums.keys():
        total = Decimal(theirs["balances"].get(asset, {}).get("total", "0"))
        own = abs(total - Decimal(ours.get(asset, "0")))
        slack = CASH_SLACK if asset == "USD" else ZERO
        worst = max(worst, own if own > slack else ZERO, abs(total - sums.get(asset, ZERO)))
    return worst
