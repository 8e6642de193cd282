"""How near each account is to its limits on losses and open risk, as metrics."""

import asyncio
import math

import structlog
from sqlmodel import select

from activities.metrics import LIMIT_USED
from infra.runtime.database.connections import Database, DatabaseUnavailableError
from models.tables import AccountStateRow, MarketSnapshotRow
from models.tables.documents import account_state
from models.trading.risk.standing import limits_at

log = structlog.get_logger(__name__)

PUBLISH_SECONDS = 15.0


async def keep_limits_published(database: Database) -> None:
    """Publish how much of each limit every account uses, for ever."""
    while True:
        try:
            await publish_limits(database)
        except DatabaseUnavailableError as error:
            log.info("limits are not published", error=str(error))
        await asyncio.sleep(PUBLISH_SECONDS)


async def publish_limits(database: Database) -> None:
    """Bring the figures of every account up to date; what is not known shows as NaN."""
    async with database.no_scope() as session:
        rows = (await session.exec(select(MarketSnapshotRow))).all()
    prices = {row.symbol: row.last for row in rows}
    for account in await database.accounts():
        async with database.account_scope(account) as session:
            kept = await session.get(AccountStateRow, account)
        if kept is None:
            continue
        for limit in limits_at(account_state(kept.state), prices):
            used = math.nan if limit.used is None else float(limit.used)
            LIMIT_USED.labels(account, limit.name, limit.subject).set(used)
