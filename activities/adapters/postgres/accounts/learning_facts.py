"""What the weekly report on learning is made of, read from the record. No numeric library."""

from datetime import datetime
from typing import Any

from sqlalchemy import text

from infra.runtime.database.connections import Database
from models.reporting.learning import Decision, LearningFacts

_CHAMPIONS = text(
    "SELECT model, changed_at, changed_by, reason FROM champions ORDER BY number DESC LIMIT 10"
)
_DECISIONS = text(
    """SELECT p.bar_start, p.version, p.regime, p.probability, p.taken, p.refusal, o.net,
              p.contributions
       FROM champion_predictions p LEFT JOIN prediction_outcomes o USING (idea_id)
       WHERE p.bar_start > :since AND p.bar_start <= :until AND NOT p.shadow
       ORDER BY p.bar_start LIMIT :most"""
)
_TRAININGS = text(
    """SELECT r.run_id, r.requested_by, v.candidate, v.passed,
              coalesce(v.reasons, '[]'::jsonb) AS reasons
       FROM training_runs r LEFT JOIN training_verdicts v USING (run_id)
       ORDER BY r.started_at DESC LIMIT 12"""
)
_OPENINGS = text(
    "SELECT run_id, trades, reason FROM holdout_openings ORDER BY opened_at DESC LIMIT 5"
)
_REPLAYS = text(
    """SELECT began_at, compared, jsonb_array_length(differing) FROM feature_replays
       ORDER BY number DESC LIMIT 10"""
)
_TRADES = text(
    """SELECT i.trade, i.symbol, a.assessment->>'binding', t.pnl
       FROM ideas i JOIN trades t ON t.account_id = i.account_id AND t.number = i.trade
       LEFT JOIN entry_assessments a ON a.account_id = i.account_id AND a.trade = i.trade
       WHERE i.model <> '' AND i.bar_start > :since AND i.bar_start <= :until
       ORDER BY i.trade LIMIT :most"""
)


async def learning_facts(
    database: Database, account: str, since: datetime, until: datetime, most: int
) -> LearningFacts:
    """Read the facts of a span of market time; trainings and replays are the newest ones."""
    span: dict[str, Any] = {"since": since, "until": until, "most": most}
    async with database.account_scope(account) as session:

        async def rows(query: Any, values: dict[str, Any] | None = None) -> list[Any]:
            return list((await session.sql(query, values or {})).all())

        return LearningFacts(
            champions=[tuple(row) for row in await rows(_CHAMPIONS)],
            decisions=[Decision(*row) for row in await rows(_DECISIONS, span)],
            trainings=[tuple(row) for row in await rows(_TRAININGS)],
            openings=[tuple(row) for row in await rows(_OPENINGS)],
            replays=[tuple(row) for row in await rows(_REPLAYS)],
            trades=[tuple(row) for row in await rows(_TRADES, span)],
        )
