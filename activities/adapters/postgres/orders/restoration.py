"""What the record holds for starting workflows anew that were ended from outside."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select

from infra.runtime.database.connections import PLATFORM_SCOPE, Database
from models.tables import AccountStateRow, ApprovalRow, FillRow, OrderRow, TradeRow, TradeStateRow
from models.tables.documents import account_state, order_spec, trade_state
from models.trading.governance.approval import ApprovalRequest, ApprovalStatus
from models.trading.orders import Fill, Leg, OrderStatus
from models.trading.trade.recovery.restore import RecordedIntent
from models.trading.trade.state import TradePhase, TradeState

_UNSETTLED = text("SELECT account_id, number FROM unsettled_trades(:all)")


@dataclass(frozen=True, slots=True)
class TradeMaterial:
    """Everything recorded of one trade; ``state`` is None when its plan was never written down."""

    state: TradeState | None
    orders: tuple[RecordedIntent, ...]
    fills: tuple[Fill, ...]
    known_stop_price: Decimal | None = None

    @property
    def entry(self) -> RecordedIntent | None:
        """Return the intent of the entry."""
        return next((o for o in self.orders if o.spec.leg is Leg.ENTRY), None)

    @property
    def price(self) -> Decimal | None:
        """Return the price paid, or asked for; None when the record tells neither."""
        bought = sum((f.quantity for f in self.fills), Decimal(0))
        if bought:
            return sum((f.cost for f in self.fills), Decimal(0)) / bought
        return self.entry.spec.limit_price if self.entry else None


class RestorationRecord:
    """Reads the record of one platform; needs a Database of the role ``aether_app``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unsettled_trades(self, *, everything: bool) -> list[tuple[str, int]]:
        """Return every trade that has not come to its end, of all accounts.

        Args:
            everything: of those of which only the entry's intent was recorded (2 s ago or longer)
                all, else those among an account's newest 200.
        """
        rows = await self._database.call(_UNSETTLED, {"all": everything})
        return [(str(row[0]), int(row[1])) for row in rows]

    async def trade(self, account: str, number: int) -> TradeMaterial:
        """Return everything recorded of one trade."""
        orders = select(OrderRow).where(OrderRow.account_id == account, OrderRow.trade == number)
        by_time = (col(OrderRow.intended_at), col(OrderRow.client_order_id))
        async with self._database.account_scope(account) as session:
            kept = await session.get(TradeStateRow, (account, number))
            rows = (await session.exec(orders.order_by(*by_time))).all()
            ids = [row.order_id for row in rows if row.order_id is not None]
            fills = select(FillRow).where(
                FillRow.account_id == account, col(FillRow.order_id).in_(ids)
            )
            first = (col(FillRow.exchange_time), col(FillRow.execution_id))
            executed = [row.fill() for row in await session.exec(fills.order_by(*first))]
            owner = await session.get(AccountStateRow, account)
        known = account_state(owner.state).trades.get(number) if owner and not kept else None
        return TradeMaterial(
            trade_state(kept.state) if kept else None,
            tuple(_intent(row) for row in rows),
            tuple(executed),
            known.stop_price if known else None,
        )

    async def ended_trades(self, account: str, numbers: list[int]) -> list[TradeState]:
        """Return those of the trades that are settled, as last written down."""
        query = select(TradeRow.number).where(
            TradeRow.account_id == account,
            col(TradeRow.number).in_(numbers),
            TradeRow.phase == TradePhase.SETTLED.value,
        )
        async with self._database.account_scope(account) as session:
            settled = (await session.exec(query)).all()
            rows = [await session.get(TradeStateRow, (account, number)) for number in settled]
        return [trade_state(row.state) for row in rows if row is not None]

    async def pending_approvals(self, account: str) -> list[ApprovalRequest]:
        """Return what waits for another person; ``account`` may be ``platform``."""
        query = select(ApprovalRow).where(
            ApprovalRow.account_id == account, ApprovalRow.status == ApprovalStatus.PENDING.value
        )
        scope = (
            self._database.platform_scope()
            if account == PLATFORM_SCOPE
            else self._database.account_scope(account)
        )
        async with scope as session:
            return [row.request() for row in await session.exec(query)]


def _intent(row: OrderRow) -> RecordedIntent:
    document: dict[str, Any] = row.spec
    return RecordedIntent(
        spec=order_spec(document),
        status=OrderStatus(row.status),
        order_id=row.order_id,
        parent_order_id=row.parent_order_id,
        quantity=row.quantity,
        trigger_price=row.trigger_price,
        filled_quantity=row.filled_quantity,
        reason=row.reason,
        at=row.closed_at or row.acknowledged_at or row.intended_at,
    )
