"""What the API gives of two decision paths side by side."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import text

from api.messages.schemas import Money
from infra.runtime.database.connections import Database
from models.trading.strategies.shadow import Comparison, Decided, Difference, Traded

_DECISIONS = text(
    """SELECT i.idea_id, i.symbol, i.bar_start, i.verdict, t.number, t.bought,
              t.average_entry_price, t.average_exit_price, t.fees, t.pnl
       FROM ideas i
       LEFT JOIN trades t ON t.account_id = i.account_id AND t.number = i.trade
       WHERE i.account_id = :account AND (CAST(:since AS timestamptz) IS NULL
           OR i.bar_start >= :since)
       ORDER BY i.bar_start DESC LIMIT :limit"""
)


class TradedView(BaseModel):
    """What became of an idea that was traded; USD."""

    number: int
    quantity: Money
    entry_price: Money | None
    exit_price: Money | None
    fees: Money
    profit: Money | None


class DecidedView(BaseModel):
    """One account's decision: the codes of what refused it, or its trade."""

    failed: list[str]
    traded: TradedView | None


class DifferenceView(BaseModel):
    """One idea as both decided on it; null where one never saw it."""

    idea_id: str
    symbol: str
    bar_start: datetime
    agreement: str
    account: DecidedView | None
    shadow: DecidedView | None
    profit_difference: Money | None


class ShadowReport(BaseModel):
    """Two accounts on the same ideas; profit of settled trades that came from ideas, in USD."""

    account: str
    shadow: str
    counts: dict[str, int]
    account_profit: Money
    shadow_profit: Money
    ideas: list[DifferenceView]


async def decisions(
    database: Database, account: str, since: datetime | None, limit: int
) -> dict[str, Decided]:
    """Return an account's newest decisions on ideas, with what became of them."""
    values = {"account": account, "since": since, "limit": limit}
    async with database.account_scope(account) as session:
        rows = (await session.sql(_DECISIONS, values)).all()
    found = {}
    for row in rows:
        failed = [check["code"] for check in row.verdict["checks"] if not check["passed"]]
        traded = None
        if row.number is not None:
            traded = Traded(
                row.number,
                row.bought,
                row.average_entry_price,
                row.average_exit_price,
                row.fees,
                row.pnl,
            )
        found[row.idea_id] = Decided(row.symbol, row.bar_start, tuple(failed), traded)
    return found


def report_view(account: str, shadow: str, comparison: Comparison) -> ShadowReport:
    """Show a comparison."""
    return ShadowReport(
        account=account,
        shadow=shadow,
        counts={kind.value: count for kind, count in comparison.counts.items()},
        account_profit=comparison.account_profit,
        shadow_profit=comparison.shadow_profit,
        ideas=[_difference(one) for one in comparison.differences],
    )


def _difference(one: Difference) -> DifferenceView:
    known = one.account or one.shadow
    assert known is not None
    return DifferenceView(
        idea_id=one.idea_id,
        symbol=known.symbol,
        bar_start=known.bar_start,
        agreement=one.agreement.value,
        account=_decided(one.account),
        shadow=_decided(one.shadow),
        profit_difference=one.profit_difference,
    )


def _decided(one: Decided | None) -> DecidedView | None:
    if one is None:
        return None
    traded = one.traded
    view = None
    if traded is not None:
        view = TradedView(
            number=traded.number,
            quantity=traded.quantity,
            entry_price=traded.entry_price,
            exit_price=traded.exit_price,
            fees=traded.fees,
            profit=traded.profit,
        )
    return DecidedView(failed=list(one.failed), traded=view)
