"""Lots and gains of an account, from the record."""

from sqlmodel import col, select

from infra.runtime.database.connections import Database
from models.reporting.lots import Gain, Lot, keep_lots, with_untracked
from models.tables.accounts.accounts import AccountRow, BalanceRow
from models.tables.accounts.lots import AssetMovementRow


async def lots_and_gains(
    database: Database, account: str
) -> tuple[tuple[Lot, ...], tuple[Gain, ...]]:
    """Return the lots that are left, with what is held beyond them, and every gain."""
    async with database.account_scope(account) as session:
        mode = (await session.get_one(AccountRow, account)).mode
        query = select(AssetMovementRow).where(AssetMovementRow.mode == mode)
        rows = await session.exec(query.order_by(col(AssetMovementRow.at)))
        book = keep_lots(row.movement() for row in rows)
        held = {b.asset: b.total for b in await session.exec(select(BalanceRow))}
    return with_untracked(book.lots, held), book.gains
