"""Trainings and trials as the record has them."""

import asyncio

from sqlalchemy import text

from api.messages.learning import (
    Explanation,
    FeatureValue,
    ModelView,
    PredictionView,
    TrainingView,
    TrialView,
)
from infra.runtime.database.connections import PLATFORM_SCOPE, Database

_CANCELLED_BY = text(
    """SELECT actor FROM audit_log WHERE account_id = 'platform' AND action = 'training_cancelled'
         AND details->>'run' = :run ORDER BY sequence LIMIT 1"""
)
# What is left is what the finished trials of the same question took, on average.
_TRAININGS = text(
    """SELECT r.*, t.finished, CASE WHEN v.run_id IS NULL AND t.finished > 0
                THEN t.average * greatest(r.planned - t.finished, 0) END AS seconds_left,
              v.passed, v.candidate, coalesce(v.reasons, '[]'::jsonb) AS reasons,
              CASE WHEN s.run_id IS NOT NULL THEN jsonb_build_object(
                  'version', s.version, 'wanted', s.wanted, 'began_at', s.began_at,
                  'reason', e.reason, 'decisions', coalesce(e.decisions, (
                      SELECT count(*) FROM champion_predictions p
                      WHERE p.version = s.version AND p.shadow AND p.refusal = ''))) END AS shadow,
              CASE WHEN v.passed IS NOT FALSE AND NOT EXISTS (
                  SELECT FROM champions p WHERE p.model = r.run_id) THEN c.actor END AS cancelled_by
       FROM training_runs r
       LEFT JOIN (SELECT details->>'run' AS run_id, min(actor) AS actor FROM audit_log
                  WHERE account_id = 'platform' AND action = 'training_cancelled' GROUP BY 1) c
           USING (run_id)
       LEFT JOIN training_verdicts v USING (run_id)
       LEFT JOIN shadows s USING (run_id)
       LEFT JOIN shadow_ends e USING (run_id)
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
_MODELS = text(
    """SELECT m.version, m.run_id, m.trial, m.sha256, m.feature_hash, m.data_hash, m.code_version,
              m.registered_at, v.passed, d.decisions, d.refusals,
              CASE WHEN m.run_id = c.model THEN 'champion'
                   WHEN EXISTS (SELECT FROM champions e WHERE e.model = m.run_id) THEN 'earlier'
                   WHEN EXISTS (
                       SELECT FROM shadows s LEFT JOIN shadow_ends n USING (run_id)
                       WHERE s.run_id = m.run_id AND n.run_id IS NULL) THEN 'shadow'
                   WHEN v.passed THEN 'challenger' ELSE 'registered' END AS standing
       FROM model_versions m
       CROSS JOIN (SELECT model FROM champions ORDER BY number DESC LIMIT 1) c
       LEFT JOIN training_verdicts v ON v.run_id = m.run_id
       CROSS JOIN LATERAL (
           SELECT count(*)::integer AS decisions,
                  (count(*) FILTER (WHERE refusal <> ''))::integer AS refusals
           FROM champion_predictions p WHERE p.version = m.version) d
       ORDER BY m.version DESC LIMIT :limit"""
)
_PREDICTIONS = text(
    """SELECT p.*, o.net FROM champion_predictions p LEFT JOIN prediction_outcomes o USING (idea_id)
       ORDER BY p.decided_at DESC LIMIT :limit"""
)
_EXPLANATION = text(
    """SELECT i.trade, p.idea_id, p.version, p.feature_hash, p.probability, p.stake,
              p.vector, p.contributions, p.regime, a.assessment->>'binding' AS bound_by
       FROM ideas i JOIN champion_predictions p USING (idea_id)
       LEFT JOIN entry_assessments a ON a.account_id = i.account_id AND a.trade = i.trade
       WHERE i.trade = :trade AND p.taken"""
)


async def trainings(database: Database, limit: int) -> list[TrainingView]:
    """Return the trainings, newest first."""
    async with database.account_scope(PLATFORM_SCOPE) as session:
        rows = (await session.sql(_TRAININGS, {"limit": limit})).mappings()
        return [TrainingView.model_validate(dict(row)) for row in rows]


async def training_cancelled_by(database: Database, run_id: str) -> str | None:
    """Return who has cancelled a training, None where nobody has asked for that."""
    async with database.account_scope(PLATFORM_SCOPE) as session:
        found: str | None = (await session.sql(_CANCELLED_BY, {"run": run_id})).scalar_one_or_none()
        return found


async def trials(database: Database, limit: int) -> list[TrialView]:
    """Return the ledger, newest trial first."""
    async with database.no_scope() as session:
        rows = (await session.sql(_TRIALS, {"limit": limit})).mappings()
        return [TrialView.model_validate(dict(row)) for row in rows]


async def models(database: Database, limit: int) -> list[ModelView]:
    """Return the registered models, newest first."""
    async with database.no_scope() as session:
        rows = (await session.sql(_MODELS, {"limit": limit})).mappings()
        return [ModelView.model_validate(dict(row)) for row in rows]


async def predictions(database: Database, limit: int) -> list[PredictionView]:
    """Return what champions have decided, newest first."""
    async with database.no_scope() as session:
        rows = (await session.sql(_PREDICTIONS, {"limit": limit})).mappings()
        return [PredictionView.model_validate(dict(row)) for row in rows]


async def explanation(database: Database, account: str, trade: int) -> Explanation | None:
    """Return why a model took a trade of an account, None where none did."""
    async with database.account_scope(account) as session:
        row = (await session.sql(_EXPLANATION, {"trade": trade})).mappings().first()
    if row is None:
        return None
    # What the names are taken from imports the numeric library: not on the loop.
    seen = await asyncio.to_thread(_features, row["feature_hash"], row["vector"])
    return Explanation.model_validate({**row, "features": seen})


def _features(fingerprint: str, vector: list[float | None]) -> list[FeatureValue] | None:
    from models.learning.features.catalogue import feature_set

    found = feature_set(fingerprint)
    if found is None or len(found.features) != len(vector):
        return None
    return [
        FeatureValue(name=feature.name, unit=feature.unit, value=value)
        for feature, value in zip(found.features, vector, strict=True)
    ]
