"""Counters of failed attempts, locked while an attempt is weighed, so that none slips between."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import text

from infra.runtime.database.connections import Database
from models.trading.governance.throttling import Limit, wait_before, worth_keeping

_NOTE = text(
    "INSERT INTO sign_in_failures (bucket, failures) VALUES (:bucket, '{}') ON CONFLICT DO NOTHING"
)
_LOCK = text("SELECT failures FROM sign_in_failures WHERE bucket = :bucket FOR UPDATE")
_WRITE = text(
    """UPDATE sign_in_failures SET failures = CAST(:failures AS timestamptz[])
       WHERE bucket = :bucket"""
)
_FORGIVE = text(
    """UPDATE sign_in_failures SET failures = trim_array(failures, 1)
       WHERE bucket = :bucket AND cardinality(failures) > 0"""
)
_CLEAR = text("UPDATE sign_in_failures SET failures = '{}' WHERE bucket = :bucket")
_PRUNE = text(
    """DELETE FROM sign_in_failures
       WHERE NOT EXISTS (SELECT FROM unnest(failures) f WHERE f > :before)"""
)


class PostgresFailures:
    """Needs a Database of the role ``aether_api``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, buckets: Iterable[str], limits: Iterable[Limit], now: datetime
    ) -> timedelta | None:
        """Count an attempt as failed until it is known to be good; return how long it must wait.

        One that must wait is not counted. Attempts at once are weighed one after the other.
        """
        limits = tuple(limits)
        async with self._database.no_scope() as session:
            waits, kept = [], {}
            for bucket in sorted(set(buckets)):
                await session.sql(_NOTE, {"bucket": bucket})
                row = (await session.sql(_LOCK, {"bucket": bucket})).one()
                wait = wait_before(row.failures, now, limits)
                if wait is not None:
                    waits.append(wait)
                kept[bucket] = [*worth_keeping(row.failures, now, limits), now]
            if not waits:
                for bucket, failures in kept.items():
                    await session.sql(_WRITE, {"bucket": bucket, "failures": failures})
        return max(waits, default=None)

    async def forgive(self, buckets: Iterable[str]) -> None:
        """Take one attempt back: it was good."""
        async with self._database.no_scope() as session:
            for bucket in sorted(set(buckets)):
                await session.sql(_FORGIVE, {"bucket": bucket})

    async def clear(self, buckets: Iterable[str]) -> None:
        """Take all attempts back: who they are about has signed in."""
        async with self._database.no_scope() as session:
            for bucket in sorted(set(buckets)):
                await session.sql(_CLEAR, {"bucket": bucket})

    async def prune(self, before: datetime) -> None:
        """Forget counters in which nothing counts any more."""
        async with self._database.no_scope() as session:
            await session.sql(_PRUNE, {"before": before})
