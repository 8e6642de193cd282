"""Everything about one trade, from tables only."""

from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import String, cast, func, or_
from sqlmodel import col, select

from api.messages.schemas import AuditEntry, CheckMade
from api.messages.trade_story import Candle, Execution, IdeaShown, Levels, TradeStory
from api.services import Services
from infra.runtime.database.connections import Database
from models.contracts.names import trade_workflow_id
from models.tables import AuditRow, CandleRow, FillRow, IdeaRow
from models.tables.trades.levels import TradeLevelRow
from models.tables.trades.trades import TradeRow

BARS_BEFORE: Final = 60
BARS_AFTER: Final = 20
BARS_MOST: Final = 600
ROWS_MOST: Final = 500


async def trade_story(services: Services, account: str, trade: TradeRow) -> TradeStory:
    """Return what the page of a trade shows beside it."""
    database, number = services.database, trade.number
    workflow = trade_workflow_id(account, number)
    of_trade = or_(
        col(AuditRow.correlation) == workflow,
        func.jsonb_extract_path_text(col(AuditRow.details), "trade") == cast(number, String),
    )
    async with database.account_scope(account) as session:
        idea = (await session.exec(select(IdeaRow).where(IdeaRow.trade == number))).first()
        fills = select(FillRow).where(FillRow.trade == number).limit(ROWS_MOST)
        executions = list(await session.exec(fills.order_by(col(FillRow.recorded_at))))
        moves = select(TradeLevelRow).where(TradeLevelRow.number == number).limit(ROWS_MOST)
        levels = list(await session.exec(moves.order_by(col(TradeLevelRow.at).desc())))
        rows = select(AuditRow).where(of_trade).order_by(col(AuditRow.sequence)).limit(ROWS_MOST)
        audit = list(await session.exec(rows))
    bar_minutes, candles = await _candles(database, trade)
    settings = services.settings
    return TradeStory(
        idea=None if idea is None else _idea(idea),
        executions=[Execution.model_validate(row) for row in executions],
        levels=[Levels.model_validate(row) for row in reversed(levels)],
        audit=[AuditEntry.model_validate(row) for row in audit],
        bar_minutes=bar_minutes,
        candles=candles,
        workflow=workflow,
        workflow_url=f"{settings.temporal_ui_url}/namespaces/{settings.temporal_namespace}"
        f"/workflows/{quote(workflow, safe='')}",
    )


def _idea(row: IdeaRow) -> IdeaShown:
    checks: list[dict[str, Any]] = row.verdict.get("checks", [])
    return IdeaShown(
        idea=row.idea_id,
        strategy=row.strategy,
        strategy_version=row.strategy_version,
        bar_start=row.bar_start,
        expires_at=row.expires_at,
        reasons=row.reasons,
        checks=[CheckMade.model_validate(check) for check in checks],
        decided_at=row.decided_at,
    )


async def _candles(database: Database, trade: TradeRow) -> tuple[int, list[Candle]]:
    """Return the bars around a trade in the shortest interval kept, and that interval."""
    of_symbol = CandleRow.symbol == trade.symbol
    async with database.no_scope() as session:
        shortest = select(func.min(CandleRow.interval_minutes)).where(of_symbol)
        minutes = (await session.exec(shortest)).one()
        if minutes is None:
            return 0, []
        bar = timedelta(minutes=minutes)
        query = select(CandleRow).where(of_symbol, CandleRow.interval_minutes == minutes)
        begun = trade.opened_at or trade.decided_at
        query = query.where(col(CandleRow.start) >= begun - BARS_BEFORE * bar)
        if trade.closed_at is not None:
            query = query.where(col(CandleRow.start) <= trade.closed_at + BARS_AFTER * bar)
        newest = query.order_by(col(CandleRow.start).desc()).limit(BARS_MOST)
        rows = list(await session.exec(newest))
    return minutes, [Candle.model_validate(row) for row in reversed(rows)]
