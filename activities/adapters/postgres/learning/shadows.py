"""Models in shadow, in PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import text

from activities.adapters.postgres.learning.models import PostgresModelRecord
from activities.ports.learning.models import ResolvedPrediction
from activities.ports.learning.shadow import Shadow
from infra.runtime.database.connections import Database

_BEGIN = text(
    """INSERT INTO shadows VALUES (:run_id, :version, :wanted, :at) ON CONFLICT DO NOTHING"""
)
_END = text(
    """INSERT INTO shadow_ends VALUES (:run_id, :decisions, :reason, :at) ON CONFLICT DO NOTHING"""
)
_STANDING = text(
    """SELECT s.run_id, s.version, s.wanted, s.began_at, e.decisions, e.reason
       FROM shadows s LEFT JOIN shadow_ends e USING (run_id) WHERE s.run_id = :run_id"""
)


class PostgresShadows:
    """Implement ``ports.learning.shadow.ShadowRecord``; needs the role ``aether_learning``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models = PostgresModelRecord(database)

    async def begin_shadow(self, run_id: str, version: int, wanted: int) -> Shadow:
        """Let a run's model decide in shadow from now on, once; return it as it stands."""
        values = {"run_id": run_id, "version": version, "wanted": wanted, "at": _now()}
        async with self._database.no_scope() as session:
            await session.sql(_BEGIN, values)
        return await self._standing(run_id)

    async def end_shadow(self, run_id: str, decisions: int, reason: str) -> Shadow:
        """End it, once; return it as it ended."""
        values = {"run_id": run_id, "decisions": decisions, "reason": reason, "at": _now()}
        async with self._database.no_scope() as session:
            await session.sql(_END, values)
        return await self._standing(run_id)

    async def decisions(self, version: int, since: datetime) -> Sequence[ResolvedPrediction]:
        """Return the decisions of a version since a time, oldest first."""
        return await self._models.decisions(version, since)

    async def _standing(self, run_id: str) -> Shadow:
        (row,) = await self._database.call(_STANDING, {"run_id": run_id})
        return Shadow(**row._asdict())


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the time of writing, decides nothing
