"""What comparing accounts with the exchange has found, as the API gives it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import col, or_, select

from api.messages.schemas import Row
from infra.runtime.database.connections import Database
from models.tables.accounts.reconciliations import ReconciliationRow

# Standing: met by the last whole comparison, or since.
_UNKNOWN_ORDERS = text(
    """SELECT met.order_id, min(r.at) AS first_seen, max(r.at) AS last_seen,
              max(r.number) >= (SELECT coalesce(max(number), 0) FROM reconciliations
                                WHERE complete) AS standing,
              (array_agg(r.unknown_orders -> met.order_id ORDER BY r.number DESC)
                  FILTER (WHERE jsonb_exists(r.unknown_orders, met.order_id)))[1] AS described
       FROM reconciliations r
       CROSS JOIN LATERAL jsonb_array_elements_text(r.differences -> 'unknown_orders')
           AS met (order_id)
       WHERE NOT r.clean
       GROUP BY met.order_id ORDER BY last_seen DESC, met.order_id LIMIT :limit"""
)


class Reconciliation(Row):
    """What was found different from the exchange at one time (protocol time).

    ``complete`` is a whole comparison; else the private stream met an order that nobody owns.
    ``differences`` were still there when looked at again, and stay until a person deals with them;
    ``repaired`` was missed and has been told to its trades. Both map a kind to names.
    """

    number: int
    at: datetime
    complete: bool
    clean: bool
    differences: dict[str, list[str]]
    repaired: dict[str, list[str]]
    unknown_orders: dict[str, dict[str, Any]]


class UnknownOrder(BaseModel):
    """An order on the account's key that is not ours: never cancelled, never adopted.

    ``standing`` until a whole comparison meets it no more; the account takes no entries while its
    comparisons differ. ``described`` is the order as the exchange showed it last.
    """

    order_id: str
    first_seen: datetime
    last_seen: datetime
    standing: bool
    described: dict[str, Any]


async def reconciliations(
    database: Database,
    account: str,
    *,
    before: int | None,
    complete: bool | None,
    eventful: bool,
    limit: int,
) -> list[Reconciliation]:
    """Return an account's reconciliations, newest first."""
    query = select(ReconciliationRow).order_by(col(ReconciliationRow.number).desc()).limit(limit)
    if before is not None:
        query = query.where(col(ReconciliationRow.number) < before)
    if complete is not None:
        query = query.where(col(ReconciliationRow.complete).is_(complete))
    if eventful:
        repaired = col(ReconciliationRow.repaired) != text("'{}'::jsonb")
        query = query.where(or_(col(ReconciliationRow.clean).is_(False), repaired))
    async with database.account_scope(account) as session:
        return [Reconciliation.model_validate(row) for row in await session.exec(query)]


async def unknown_orders(database: Database, account: str, limit: int) -> list[UnknownOrder]:
    """Return every order that was ever met on an account's key and is not ours, newest first."""
    async with database.account_scope(account) as session:
        rows = (await session.sql(_UNKNOWN_ORDERS, {"limit": limit})).all()
    return [
        UnknownOrder(
            order_id=row.order_id,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
            standing=row.standing,
            described=row.described or {},
        )
        for row in rows
    ]
