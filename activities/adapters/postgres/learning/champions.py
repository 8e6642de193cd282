"""Which model trades: the newest champion of the record. No numeric library: the API loads it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text
from sqlmodel import col, select

from activities.adapters.postgres import audit
from infra.runtime.database.connections import PLATFORM_SCOPE, Database, RecordSession
from models.contracts.learning import NO_TRADE, Promotion
from models.tables.learning.training import ChampionRow

_STANDING = text(
    """SELECT c.model, coalesce(p.refusal, '') AS refusal,
              coalesce(jsonb_array_length(r.differing), 0) AS differing,
              (SELECT count(*) FROM champions w JOIN champions b ON b.number = w.number - 1
               WHERE w.changed_by = 'aether' AND w.model = b.previous AND w.number > 1
                 AND w.reason NOT LIKE '%: approved') AS withdrawn,
              (SELECT extract(epoch FROM n.changed_at - a.decided_at)::float8
               FROM champions n JOIN approvals a ON a.approval_id = 'promote-' || n.model
               ORDER BY n.number DESC LIMIT 1) AS promotion_seconds
       FROM (SELECT model FROM champions ORDER BY number DESC LIMIT 1) c
       LEFT JOIN model_versions m ON m.run_id = c.model
       LEFT JOIN LATERAL (
           SELECT refusal FROM champion_predictions WHERE version = m.version
           ORDER BY decided_at DESC LIMIT 1) p ON true
       LEFT JOIN LATERAL (
           SELECT differing FROM feature_replays ORDER BY number DESC LIMIT 1) r ON true"""
)


_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('aether.champions'))")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What followed a champion; not ``done`` where that had been named before, by whomever."""

    followed_by: ChampionRow
    done: bool


@dataclass(frozen=True, slots=True)
class ChampionStanding:
    """Who decides, why the newest idea was refused ("": it was not), what the replay found.

    ``withdrawn`` counts champions that their watch has withdrawn; ``promotion_seconds`` is from the
    newest promotion's approval to its effect, None before the first.
    """

    model: str
    refusal: str
    differing: int
    withdrawn: int
    promotion_seconds: float | None


async def standing_of_champion(database: Database) -> ChampionStanding:
    """Return how the champion does."""
    async with database.account_scope(PLATFORM_SCOPE) as session:
        row = (await session.sql(_STANDING)).one()
    return ChampionStanding(**row._mapping)  # noqa: SLF001 the row's documented mapping


async def champion(database: Database) -> ChampionRow:
    """Return the champion in force."""
    async with database.no_scope() as session:
        return await _newest(session)


async def promote(database: Database, promotion: Promotion) -> None:
    """Make the run's model the champion, audited; once for ever, however often it is tried.

    A step that is repeated after its model was withdrawn must not bring it back.
    """
    was_champion = select(ChampionRow).where(col(ChampionRow.model) == promotion.run_id).limit(1)
    async with database.account_scope(PLATFORM_SCOPE) as session:
        await session.sql(_ONE_AT_A_TIME)
        if (await session.exec(was_champion)).one_or_none() is None:
            newest = await _newest(session)
            await _crown(session, newest, promotion, newest.model, "aether")


async def roll_back(database: Database, by: str, reason: str, *, expected: int) -> Withdrawal:
    """Put the champion before this one in force again, and no trade when that fails too.

    Nothing changes where another than number ``expected`` is in force: a judgement of one champion
    withdraws no other. Needs the role ``aether_api`` (a person) or ``aether_learning`` (``by`` is
    ``aether``).
    """
    async with database.account_scope(PLATFORM_SCOPE) as session:
        await session.sql(_ONE_AT_A_TIME)
        newest = await _newest(session)
        if newest.number != expected:
            followed_by = await session.get_one(ChampionRow, expected + 1)
            return Withdrawal(followed_by, done=False)
        # What was rolled back to has nothing before it: the way back ends at no trade.
        change = Promotion(newest.previous, by, reason)
        return Withdrawal(await _crown(session, newest, change, NO_TRADE, by), done=True)


async def _newest(session: RecordSession) -> ChampionRow:
    asked = select(ChampionRow).order_by(col(ChampionRow.number).desc()).limit(1)
    return (await session.exec(asked)).one()


async def _crown(
    session: RecordSession, newest: ChampionRow, change: Promotion, previous: str, actor: str
) -> ChampionRow:
    # One at a time; two that met all the same would meet at the number, and the second be refused.
    row = ChampionRow(
        number=newest.number + 1,
        model=change.run_id,
        previous=previous,
        changed_by=change.by,
        reason=change.reason,
        changed_at=datetime.now(UTC),  # noqa: TID251 - the time of writing, decides nothing
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
