"""What came from outside in the record, as ``activities.ports.market_data`` asks for it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from psycopg.types.json import Jsonb
from sqlalchemy import text

from activities.ports.market_data import ReadSanctions, SentimentValue
from infra.runtime.database.connections import Database
from models.contracts.market.data import DataWork, MarketDataDone
from models.tables.rules_documents import universe_pairs, verdicts_by_symbol
from models.trading.universe.pairs import Universe

_UNIVERSE = text("SELECT version, pairs FROM universe_versions ORDER BY version DESC LIMIT 1")
_JUDGED = text("SELECT verdicts FROM universe_proposals ORDER BY number DESC LIMIT 1")
_NAMED = text("SELECT named FROM sanctions_lists ORDER BY read_at DESC LIMIT 1")
_SAVE_LIST = text(
    """INSERT INTO sanctions_lists
           (digest, source, published, entries, named, first_read_at, read_at)
       VALUES (:digest, :source, :published, :entries, :named, :at, :at)
       ON CONFLICT (digest) DO UPDATE SET read_at = excluded.read_at, named = excluded.named"""
)
# A value that the source tells again is not news; one that it has changed is, from now on.
_SAVE_SENTIMENT = text(
    """INSERT INTO sentiment_values (source, at, available_at, value, words)
       SELECT :source, :at, :now, :value, :words
       WHERE :value IS DISTINCT FROM (
           SELECT value FROM sentiment_values WHERE source = :source AND at = :at
           ORDER BY available_at DESC LIMIT 1)
       ON CONFLICT DO NOTHING"""
)
_SCHEDULED = text(
    """INSERT INTO market_data_work (work, scheduled_since) VALUES (:work, :at)
       ON CONFLICT DO NOTHING"""
)
_NOT_SCHEDULED = text("DELETE FROM market_data_work WHERE work = :work")
_DONE = text(
    """INSERT INTO market_data_work
           (work, scheduled_since, finished_at, succeeded_at, failures, detail)
       VALUES (:work, :at, :at, CASE WHEN :failures = 0 THEN :at END, :failures, :detail)
       ON CONFLICT (work) DO UPDATE SET finished_at = excluded.finished_at,
           succeeded_at = coalesce(excluded.succeeded_at, market_data_work.succeeded_at),
           failures = excluded.failures, detail = excluded.detail"""
)


class PostgresMarketData:
    """Needs a Database of the role ``aether_market``; every method may be repeated."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def allowed_pairs(self) -> list[str]:
        """Return the pairs of the universe that entries may be made in."""
        return sorted((await self._universe()).allowed)

    async def listed_assets(self) -> list[str]:
        """Return the assets of the universe, and of all pairs that the rules have judged last."""
        async with self._database.no_scope() as session:
            rows = list(await session.sql(_JUDGED))
        symbols = set((await self._universe()).pairs)
        symbols |= set(verdicts_by_symbol(rows[0].verdicts)) if rows else set()
        return sorted({symbol.partition("/")[0] for symbol in symbols})

    async def named_assets(self) -> frozenset[str]:
        """Return the assets that the list named that was read last."""
        async with self._database.no_scope() as session:
            rows = list(await session.sql(_NAMED))
        return frozenset(rows[0].named) if rows else frozenset()

    async def save_sanctions(self, read: ReadSanctions, at: datetime) -> None:
        """Write that a list was read; the same one again is only read anew."""
        values = asdict(read) | {"named": Jsonb(dict(read.named)), "at": at}
        async with self._database.no_scope() as session:
            await session.sql(_SAVE_LIST, values)

    async def save_sentiment(self, values: Sequence[SentimentValue], at: datetime) -> int:
        """Keep what was not told before, as available from now; return how many that were."""
        new = 0
        async with self._database.no_scope() as session:
            for one in values:
                saved = await session.sql(_SAVE_SENTIMENT, asdict(one) | {"now": at})
                new += saved.rowcount
        return new

    async def keep_scheduled(self, work: DataWork, at: datetime, *, wanted: bool) -> None:
        """Note that a work is scheduled, from the first time on; or that it is not any more."""
        async with self._database.no_scope() as session:
            if wanted:
                await session.sql(_SCHEDULED, {"work": work.value, "at": at})
            else:
                await session.sql(_NOT_SCHEDULED, {"work": work.value})

    async def note_done(self, done: MarketDataDone, at: datetime) -> None:
        """Write what came of a run."""
        detail = {name: value for name, value in asdict(done).items() if value}
        values = {"work": done.work, "at": at, "failures": done.failures, "detail": Jsonb(detail)}
        async with self._database.no_scope() as session:
            await session.sql(_DONE, values)

    async def _universe(self) -> Universe:
        async with self._database.no_scope() as session:
            rows = list(await session.sql(_UNIVERSE))
        return Universe(rows[0].version, universe_pairs(rows[0].pairs)) if rows else Universe()
