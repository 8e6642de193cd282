"""Evidence in the record: what a settled trade came to, and what a strategy version has earned."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from activities.adapters.postgres import audit
from infra.runtime.database.connections import Database, SqlSession
from models.tables import PLATFORM
from models.trading.strategies.evidence import (
    RESULTS_READ,
    Evidence,
    EvidenceSource,
    StrategyResult,
    summarise_results,
)
from models.trading.strategies.out_of_sample import OutOfSampleTrade, not_yet_counted
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
_APPEND_BACKTEST = text(
    """INSERT INTO strategy_results (strategy, strategy_version, source, reference, account_id,
           trade, symbol, move, net, exit_reason, closed_at, recorded_at)
       VALUES (:strategy, :version, :source, :reference, :account,
           CAST(:trade AS integer), :symbol, :move, :net, :exit_reason, :closed_at, :at)"""
)
_COUNTED = text(
    """SELECT symbol, max(closed_at) AS until FROM strategy_results
       WHERE strategy = :strategy AND strategy_version = :version AND source = 'backtest'
       GROUP BY symbol"""
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
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


async def append_backtest(
    session: SqlSession, run_id: str, trades: Sequence[OutOfSampleTrade], at: datetime
) -> None:
    """Append what a backtest proves, in the transaction that finishes it, audited by version.

    The same stretch of a pair counts once for a version, however often it is tried. Needs the
    platform's scope.
    """
    for name, version in sorted({(one.strategy, one.version) for one in trades}):
        values = {"strategy": name, "version": version}
        # Two backtests that end at once must not both count the same.
        await session.sql(_LOCK, {"name": f"backtest-evidence/{name}/{version}"})
        rows = list(await session.sql(_COUNTED, values))
        of_version = [one for one in trades if (one.strategy, one.version) == (name, version)]
        fresh = not_yet_counted(of_version, {row.symbol: row.until for row in rows})
        for one in fresh:
            more = {"account": PLATFORM, "trade": None, "exit_reason": None}
            await session.sql(
                _APPEND_BACKTEST, _values((name, version), one.result(run_id), at) | more
            )
        details = values | {
            "backtest": run_id,
            "counted": str(len(fresh)),
            "counted_before": str(len(of_version) - len(fresh)),
        }
        await audit.append(session, PLATFORM, "aether", "backtest_counted", details)


class PostgresEvidence:
    """Needs a Database of the role ``aether_market`` to read the results of all."""

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
