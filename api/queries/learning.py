"""Trainings and trials as the record has them."""

from sqlalchemy import text

from api.messages.learning import TrainingView, TrialView
from infra.runtime.database.connections import Database

# What is left is what the finished trials of the same question took, on average.
_TRAININGS = text(
    """SELECT r.*, t.finished, CASE WHEN v.run_id IS NULL AND t.finished > 0
                THEN t.average * greatest(r.planned - t.finished, 0) END AS seconds_left,
              v.passed, v.candidate, coalesce(v.reasons, '[]'::jsonb) AS reasons
       FROM training_runs r
       LEFT JOIN training_verdicts v USING (run_id)
       CROSS JOIN LATERAL (
           SELECT count(*)::integer AS finished, avg(milliseconds) / 1000.0 AS average FROM trials
           WHERE data_hash = r.data_hash AND question = r.question) t
       ORDER BY r.started_at DESC LIMIT :limit"""
)
_TRIALS = text(
    """SELECT t.data_hash, t.question, t.trial, t.run_id, t.failures,
              t.milliseconds / 1000.0 AS seconds, t.finished_at,
              (SELECT avg(n::float8) / nullif(stddev_samp(n::float8), 0)
                      * sqrt(31536000.0 / t.period_seconds)
               FROM jsonb_array_elements_text(t.net) n) AS sharpe
       FROM trials t ORDER BY t.finished_at DESC LIMIT :limit"""
)


async def trainings(database: Database, limit: int) -> list[TrainingView]:
    """Return the trainings, newest first."""
    async with database.no_scope() as session:
        rows = (await session.sql(_TRAININGS, {"limit": limit})).mappings()
        return [TrainingView.model_validate(dict(row)) for row in rows]


async def trials(database: Database, limit: int) -> list[TrialView]:
    """Return the ledger, newest trial first."""
    async with database.no_scope() as session:
        rows = (await session.sql(_TRIALS, {"limit": limit})).mappings()
        return [TrialView.model_validate(dict(row)) for row in rows]
