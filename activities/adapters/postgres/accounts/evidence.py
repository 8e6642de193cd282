"""Evidence in the record: what a settled trade came to, and what a strategy version has earned."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from infra.runtime.database.connections import Database, SqlSession
from models.tables import PLATFORM
from models.trading.strategies.evidence import (
    RESULTS_READ,
    Evidence,
    EvidenceSource,
    StrategyResult,
    summarise_results,
)
from models.trading.trade.results import result_of
from models.trading.trade.state import TradeState

_APPEND = text(
    """INSERT INTO strategy_results (strategy, strategy_version, source, reference, account_id,
           trade, symbol, move, net, exit_reason, closed_at, recorded_at)
       VALUES (:strategy, :version, :source, :reference, :account,
           CAST(:trade AS integer), :symbol, :move, :net, :exit_reason, :closed_at, :at)
       ON CONFLICT (strategy, strategy_version, source, reference) DO UPDATE
           SET move = excluded.move, net = excluded.net, exit_reason = excluded.exit_reason,
               closed_at = excluded.closed_at, recorded_at = excluded.recorded_at
           WHERE strategy_results.recorded_at <= excluded.recorded_at"""
)
_NEWEST = text(
    """SELECT source, symbol, move, net, closed_at FROM (
           SELECT source, symbol, move, net, closed_at,
                  row_number() OVER (PARTITION BY source ORDER BY closed_at DESC) AS place
           FROM strategy_results WHERE strategy = :strategy AND strategy_version = :version
       ) AS newest WHERE place <= :most"""
)


async def append_trade(session: SqlSession, state: TradeState, at: datetime) -> None:
    """Append what a trade came to, in the transaction that settles it; most trades add nothing.

    A trade that is settled anew, because an execution was learned of late, corrects its own result.
    """
    result = result_of(state)
    if result is not None:
        plan = state.plan
        exit_reason = None if state.exit_reason is None else state.exit_reason.value
        more = {"account": plan.account, "trade": plan.number, "exit_reason": exit_reason}
        version = (plan.strategy, plan.strategy_version)
        await session.sql(_APPEND, _values(version, result, at) | more)


class PostgresEvidence:
    """Needs a Database of the role ``aether_app`` to write, of ``aether_market`` to read all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def evidence_of(self, strategy: str, version: str) -> Evidence:
        """Return what a version has earned, by source, of its newest results."""
        values = {"strategy": strategy, "version": version, "most": RESULTS_READ}
        rows = await self._database.call(_NEWEST, values)
        results = [
            StrategyResult(
                EvidenceSource(row.source), "", row.symbol, row.closed_at, row.move, row.net
            )
            for row in rows
        ]
        return Evidence(strategy, version, summarise_results(results))

    async def append_backtest(
        self, strategy: str, version: str, results: Sequence[StrategyResult], at: datetime
    ) -> None:
        """Append results of a walk-forward backtest, each once by its reference.

        Raises:
            ValueError: a result says that it comes from elsewhere.
        """
        if any(one.source is not EvidenceSource.BACKTEST for one in results):
            raise ValueError("only results of a backtest are appended by hand")
        async with self._database.platform_scope() as session:
            for one in results:
                more = {"account": PLATFORM, "trade": None, "exit_reason": None}
                await session.sql(_APPEND, _values((strategy, version), one, at) | more)


def _values(version: tuple[str, str], result: StrategyResult, at: datetime) -> dict[str, object]:
    return {
        "strategy": version[0],
        "version": version[1],
        "source": result.source.value,
        "reference": result.reference,
        "symbol": result.symbol,
        "move": result.move,
        "net": result.net,
        "closed_at": result.closed_at,
        "at": at,
    }
