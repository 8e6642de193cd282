"""Which model trades: the newest champion of the record. No numeric library: the API loads it."""

from datetime import UTC, datetime

from sqlmodel import col, select

from activities.adapters.postgres import audit
from infra.runtime.database.connections import PLATFORM_SCOPE, Database, RecordSession
from models.contracts.learning import NO_TRADE, Promotion
from models.tables.learning.training import ChampionRow


async def champion(database: Database) -> ChampionRow:
    """Return the champion in force."""
    async with database.no_scope() as session:
        return await _newest(session)


async def promote(database: Database, promotion: Promotion) -> None:
    """Make the run's model the champion, audited; once, however often it is tried."""
    async with database.account_scope(PLATFORM_SCOPE) as session:
        newest = await _newest(session)
        if newest.model != promotion.run_id:
            await _crown(session, newest, promotion, newest.model, "aether")


async def roll_back(database: Database, by: str, reason: str) -> ChampionRow:
    """Put the champion before this one in force again, and no trade when that fails too.

    Needs the role ``aether_api`` (a person) or ``aether_learning`` (``by`` is ``aether``).
    """
    async with database.account_scope(PLATFORM_SCOPE) as session:
        newest = await _newest(session)
        # What was rolled back to has nothing before it: the way back ends at no trade.
        return await _crown(session, newest, Promotion(newest.previous, by, reason), NO_TRADE, by)


async def _newest(session: RecordSession) -> ChampionRow:
    asked = select(ChampionRow).order_by(col(ChampionRow.number).desc()).limit(1)
    return (await session.exec(asked)).one()


async def _crown(
    session: RecordSession, newest: ChampionRow, change: Promotion, previous: str, actor: str
) -> ChampionRow:
    # Two at once meet at the number: the second is refused and tried again on what is then true.
    row = ChampionRow(
        number=newest.number + 1,
        model=change.run_id,
        previous=previous,
        changed_by=change.by,
        reason=change.reason,
        changed_at=datetime.now(UTC),
    )
    session.add(row)
    details = {
        "from": newest.model,
        "to": change.run_id,
        "by": change.by,
        "reason": change.reason,
        "number": str(row.number),
    }
    await audit.append(session, PLATFORM_SCOPE, actor, "champion_changed", details)
    return row
