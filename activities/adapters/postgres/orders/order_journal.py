"""Orders and executions in the record: the hot path, one statement and one commit per call."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg import errors
from sqlalchemy import or_, text
from sqlmodel import col, select

from activities.ports.journal import (
    IntentDiffersError,
    IntentStored,
    RecordedOrder,
    StoredOrder,
    UnknownOrderError,
)
from infra.runtime.database.connections import Database
from models.tables import FillRow, OrderRow
from models.tables.documents import fills_text, order_spec, order_spec_text, reports_text
from models.trading.bounds import cleaned_text
from models.trading.orders import Fill, OrderReport, OrderSpec, OrderStatus

INTENT_DIFFERS = "AE001"
ENDED_AT_MOST = 50
"""Orders that one question to the exchange can name."""

_STORE_INTENT = text(
    """SELECT (i.stored).status, (i.stored).order_id, (i.stored).intended_at, (i.stored).sent_at,
              (i.stored).acknowledged_at, (i.stored).sends, i.is_new, i.halted
       FROM store_intent(:account, CAST(:spec AS jsonb), :intended_at, :sending_at) AS i"""
)
_MARK_SENT = text("SELECT mark_sent(:account, :client_order_id, :at)")
_MARK_ORDER = text(
    "SELECT mark_order(:account, :client_order_id, :status, :order_id, :at, :reason)"
)
_RECORD_REPORTS = text("SELECT record_reports(:account, CAST(:reports AS jsonb), :at)")
_RECORD_FILLS = text("SELECT record_fills(:account, CAST(:fills AS jsonb))")
_OWNER = text(
    """SELECT trade, client_order_id
       FROM owner_of_order(:account, :order_id, :client_order_id, :parent, :userref)"""
)
_DELIVERED = text(
    """UPDATE fills SET delivered_at = clock_timestamp()
       WHERE account_id = :account AND execution_id = ANY (:ids) AND delivered_at IS NULL"""
)
_LACKING = text(
    """SELECT orders.order_id FROM orders
       LEFT JOIN fills ON fills.account_id = orders.account_id AND fills.order_id = orders.order_id
       WHERE orders.account_id = :account
         AND (orders.filled_quantity > 0 OR orders.ended_at IS NULL)
         AND (orders.ended_at IS NULL OR orders.ended_at > clock_timestamp() - interval '1 hour'
              OR orders.closed_at >= coalesce(
                  (SELECT complete_until FROM checkpoints WHERE account_id = :account),
                  '-infinity'))
       GROUP BY orders.order_id, orders.filled_quantity, orders.quantity, orders.ended_at
       HAVING orders.filled_quantity > coalesce(sum(fills.quantity), 0)
           OR orders.ended_at IS NULL AND sum(fills.quantity) >= orders.quantity"""
)

_NEWEST_BEFORE = text(
    """SELECT max(exchange_time) FROM fills
       WHERE account_id = :account AND recorded_at < :at"""
)

_HOLDINGS = text(
    """SELECT coalesce(trade, 0), sum(quantity) FROM (
           SELECT trade, CASE side WHEN 'buy' THEN quantity ELSE -quantity END AS quantity
           FROM fills WHERE account_id = :account AND symbol = :symbol
           UNION ALL
           SELECT trade, 0 FROM orders
           WHERE account_id = :account AND symbol = :symbol AND leg = 'entry' AND ended_at IS NULL
       ) AS moved
       GROUP BY 1 HAVING sum(quantity) <> 0 OR bool_or(quantity = 0)"""
)

_UNOWNED = text(
    """SELECT fills.execution_id FROM fills
       JOIN trades ON trades.account_id = fills.account_id AND trades.number = fills.trade
       WHERE fills.account_id = :account AND trades.phase = 'settled' AND trades.number IN (
           SELECT t.number FROM trades t
           JOIN fills f ON f.account_id = t.account_id AND f.trade = t.number
           WHERE t.account_id = :account AND t.phase = 'settled'
           GROUP BY t.number, t.bought, t.sold
           HAVING coalesce(sum(f.quantity) FILTER (WHERE f.side = 'buy'), 0) <> t.bought
               OR coalesce(sum(f.quantity) FILTER (WHERE f.side = 'sell'), 0) <> t.sold)"""
)


class OrderJournal:
    """The part of the journal that holds orders and executions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def store_intent(
        self, order: OrderSpec, intended_at: datetime, sending_at: datetime | None = None
    ) -> IntentStored:
        """Commit an intent before its first send; returns the stored one when it exists.

        Args:
            order: the intent; ``halted`` in the answer concerns entries only.
            intended_at: protocol time of the decision.
            sending_at: when the caller sends right after this call: a new intent that is not halted
                is counted as sent at this time, which saves ``mark_sent`` its own commit.

        Raises:
            IntentDiffersError: the id belongs to an intent with another content.
        """
        values = {
            "account": order.account,
            "spec": order_spec_text(order),
            "intended_at": intended_at,
            "sending_at": sending_at,
        }
        try:
            (row,) = await self._database.call(_STORE_INTENT, values)
        except errors.Error as error:
            if error.sqlstate == INTENT_DIFFERS:
                raise IntentDiffersError(str(error)) from error
            raise
        return IntentStored(_stored(order, row), is_new=row.is_new, halted=row.halted)

    async def mark_sent(self, account: str, client_order_id: str, at: datetime) -> int:
        """Count a send before it happens and return the count: who meets a send of others asks."""
        values = {"account": account, "client_order_id": client_order_id, "at": at}
        ((sends,),) = await self._database.call(_MARK_SENT, values)
        if sends is None:
            raise UnknownOrderError(client_order_id)
        return int(sends)

    async def holdings_of_trades(self, account: str, symbol: str) -> dict[int, Decimal]:
        """Return base units by trade that holds some of a pair, or whose entry has not ended."""
        async with self._database.light_scope(account) as session:
            rows = await session.sql(_HOLDINGS, {"account": account, "symbol": symbol})
        return {int(trade): Decimal(quantity) for trade, quantity in rows}

    async def newest_execution_before(self, account: str, at: datetime) -> datetime | None:
        """Return the market time of the newest execution recorded before a protocol time."""
        async with self._database.light_scope(account) as session:
            ((newest,),) = await session.sql(_NEWEST_BEFORE, {"account": account, "at": at})
        return newest if isinstance(newest, datetime) else None

    async def mark_order(
        self,
        account: str,
        client_order_id: str,
        status: OrderStatus,
        order_id: str | None,
        at: datetime,
        reason: str | None = None,
    ) -> None:
        """Record what became of an intent; a status never goes back from what is known."""
        values = {
            "account": account,
            "client_order_id": client_order_id,
            "status": status.value,
            "order_id": order_id,
            "at": at,
            # The exchange's words; what the record cannot hold of them must not hold up the order.
            "reason": None if reason is None else cleaned_text(reason),
        }
        ((known,),) = await self._database.call(_MARK_ORDER, values)
        if not known:
            raise UnknownOrderError(client_order_id)

    async def record_reports(self, account: str, reports: Sequence[OrderReport]) -> None:
        """Bring orders up to the exchange's reports; adds children under their parent's trade.

        Orders that are not ours are left out: finding them is the reconciliation's work.
        """
        if reports:
            values = {
                "account": account,
                "reports": reports_text(list(reports)),
                "at": datetime.now(UTC),  # noqa: TID251 - the time of writing, decides nothing
            }
            await self._database.call(_RECORD_REPORTS, values)

    async def record_fills(self, account: str, fills: Sequence[Fill]) -> list[str]:
        """Insert fills once by execution id and return the ids that were new."""
        if not fills:
            return []
        values = {"account": account, "fills": fills_text(list(fills))}
        return [row[0] for row in await self._database.call(_RECORD_FILLS, values)]

    async def undelivered_fills(self, account: str) -> list[Fill]:
        """Return fills recorded but not yet told to their trade, oldest first."""
        query = select(FillRow).where(
            FillRow.account_id == account, col(FillRow.delivered_at).is_(None)
        )
        order = (col(FillRow.exchange_time), col(FillRow.execution_id))
        async with self._database.account_scope(account) as session:
            return [row.fill() for row in await session.exec(query.order_by(*order))]

    async def mark_delivered(self, account: str, execution_ids: Sequence[str]) -> None:
        """Note that the trade was told."""
        async with self._database.light_scope(account) as session:
            await session.sql(_DELIVERED, {"account": account, "ids": list(execution_ids)})

    async def unowned_fills(self, account: str) -> list[Fill]:
        """Return the executions of settled trades that have settled with other sums than these."""
        async with self._database.light_scope(account) as session:
            names = [row[0] for row in await session.sql(_UNOWNED, {"account": account})]
        if not names:
            return []
        query = select(FillRow).where(
            FillRow.account_id == account, col(FillRow.execution_id).in_(names)
        )
        async with self._database.account_scope(account) as session:
            return [row.fill() for row in await session.exec(query)]

    async def orders_lacking_executions(self, account: str) -> list[str]:
        """Return orders that show more executed than is recorded, if open or lately ended.

        And those that are executed in full, and have not ended: their end went unheard, and was
        asked about while the exchange's reads lagged. Lately is in the last hour, or since the
        checkpoint, however long nobody ran meanwhile.
        """
        async with self._database.light_scope(account) as session:
            rows = await session.sql(_LACKING, {"account": account})
            return [str(row[0]) for row in rows if row[0] is not None]

    async def owner_of_order(
        self,
        account: str,
        order_id: str,
        client_order_id: str | None,
        parent: str | None,
        userref: int | None = None,
    ) -> tuple[int, str | None] | None:
        """Return trade number and client order id that an order belongs to, None if unknown.

        ``userref`` finds an entry with a conditional close before its acknowledgement is recorded.
        """
        values = {
            "account": account,
            "order_id": order_id,
            "client_order_id": client_order_id,
            "parent": parent,
            "userref": userref,
        }
        (row,) = await self._database.call(_OWNER, values)
        return None if row.trade is None else (row.trade, row.client_order_id)

    async def orders(self, account: str, *, only_open: bool) -> list[StoredOrder]:
        """Return stored orders, oldest first; open ones include those whose fate is unknown."""
        query = select(OrderRow).where(OrderRow.account_id == account)
        if only_open:
            unfinished = [status.value for status in OrderStatus if not status.is_final]
            query = query.where(col(OrderRow.status).in_(unfinished))
        order = (col(OrderRow.intended_at), col(OrderRow.client_order_id))
        async with self._database.account_scope(account) as session:
            rows = (await session.exec(query.order_by(*order))).all()
        return [_stored(order_spec(row.spec), row) for row in rows]

    async def orders_ended_unfilled(self, account: str, since: datetime) -> list[StoredOrder]:
        """Return sent orders that ended since then and were not executed whole, newest first."""
        query = select(OrderRow).where(
            OrderRow.account_id == account,
            col(OrderRow.ended_at) >= since,
            col(OrderRow.status) != OrderStatus.REJECTED.value,
            col(OrderRow.sends) > 0,
            col(OrderRow.filled_quantity) < col(OrderRow.quantity),
        )
        newest = query.order_by(col(OrderRow.ended_at).desc()).limit(ENDED_AT_MOST)
        async with self._database.account_scope(account) as session:
            rows = (await session.exec(newest)).all()
        return [_stored(order_spec(row.spec), row) for row in rows]

    async def recorded_orders(self, account: str, order_ids: Sequence[str]) -> list[RecordedOrder]:
        """Return what is recorded of orders, by exchange id, and of their children."""
        wanted = list(order_ids)
        orders = select(OrderRow).where(
            OrderRow.account_id == account,
            or_(col(OrderRow.order_id).in_(wanted), col(OrderRow.parent_order_id).in_(wanted)),
        )
        async with self._database.account_scope(account) as session:
            rows = (await session.exec(orders.order_by(col(OrderRow.order_id)))).all()
            executed = select(FillRow).where(
                FillRow.account_id == account,
                col(FillRow.order_id).in_([row.order_id for row in rows]),
            )
            by_time = executed.order_by(col(FillRow.exchange_time), col(FillRow.execution_id))
            fills = [row.fill() for row in await session.exec(by_time)]
        return [
            RecordedOrder(row.report(), tuple(f for f in fills if f.order_id == row.order_id))
            for row in rows
        ]

    async def known_executions(self, account: str) -> set[str]:
        """Return the ids of all recorded fills."""
        query = select(FillRow.execution_id).where(FillRow.account_id == account)
        async with self._database.account_scope(account) as session:
            return set(await session.exec(query))


def _stored(order: OrderSpec, row: Any) -> StoredOrder:
    return StoredOrder(
        spec=order,
        status=OrderStatus(row.status),
        order_id=row.order_id,
        intended_at=row.intended_at,
        sent_at=row.sent_at,
        acknowledged_at=row.acknowledged_at,
        sends=row.sends,
    )
