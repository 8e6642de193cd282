"""Backtests in PostgreSQL: asked for by the API, run by the research process."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from activities.adapters.postgres.accounts.evidence import append_backtest
from activities.ports.backtests import BacktestProgress
from infra.runtime.database.connections import Database
from models.tables.learning.backtests import BacktestPageRow, BacktestResultRow
from models.trading.strategies.out_of_sample import OutOfSampleTrade

_OPEN = "run_id = :run_id AND state IN ('queued', 'running')"
_PROGRESS = text(
    f"""UPDATE backtests SET state = 'running', stage = :stage, done = :done, planned = :planned,
            started_at = coalesce(started_at, :at) WHERE {_OPEN}"""  # noqa: S608
)
_END = text(
    f"""UPDATE backtests SET state = :state, reason = :reason, ended_at = :at
        WHERE {_OPEN}"""  # noqa: S608
)
_FINISH = text(
    f"""UPDATE backtests SET state = 'finished', stage = 'finished', done = planned, ended_at = :at
        WHERE {_OPEN}"""  # noqa: S608
)


class PostgresBacktests:
    """Needs a Database of the role ``aether_learning``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def progress(self, run_id: str, progress: BacktestProgress, at: datetime) -> None:
        """Note that the backtest runs and how far it is."""
        values = asdict(progress) | {"run_id": run_id, "at": at}
        async with self._database.no_scope() as session:
            await session.sql(_PROGRESS, values)

    async def finish(
        self,
        run_id: str,
        documents: Sequence[dict[str, Any]],
        page: str,
        proven: Sequence[OutOfSampleTrade],
        at: datetime,
    ) -> None:
        """Keep every result, the page, what is proven, and that it is finished: all or nothing."""
        async with self._database.platform_scope() as session:
            closed = await session.sql(_FINISH, {"run_id": run_id, "at": at})
            if closed.rowcount != 1:
                return
            rows = [
                {"run_id": run_id, "number": number, "document": document}
                for number, document in enumerate(documents, 1)
            ]
            await session.exec(insert(BacktestResultRow).values(rows))
            await session.exec(insert(BacktestPageRow).values(run_id=run_id, html=page))
            await append_backtest(session, run_id, proven, at)

    async def end(self, run_id: str, state: str, reason: str, at: datetime) -> None:
        """Note that it ended without a result."""
        async with self._database.no_scope() as session:
            values = {"run_id": run_id, "state": state, "reason": reason[:1000], "at": at}
            await session.sql(_END, values)
