"""Models, their decisions and what came of them, in PostgreSQL. No numeric library is loaded."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.adapters.postgres.market.candle_copy import save_candles
from activities.ports.learning.models import (
    ChampionInForce,
    LoggedPrediction,
    MeasuredDrift,
    RegisteredModel,
    ResolvedPrediction,
)
from infra.runtime.database.connections import PLATFORM_SCOPE, Database
from models.tables.learning.decisions import ModelVersionRow, OutcomeRow, PredictionRow, ReplayRow
from models.trading.market import Candle

_CHAMPION = text(
    """SELECT c.number, c.model AS run_id, c.changed_at, m.version, m.trial, m.sha256, m.signature,
              m.feature_hash, m.data_hash, m.code_version
       FROM champions c LEFT JOIN model_versions m ON m.run_id = c.model
       ORDER BY c.number DESC LIMIT 1"""
)
_IN_SHADOW = text(
    """SELECT m.version, m.run_id, m.trial, m.sha256, m.signature, m.feature_hash, m.data_hash,
              m.code_version
       FROM shadows s JOIN model_versions m USING (version)
       WHERE NOT EXISTS (SELECT FROM shadow_ends e WHERE e.run_id = s.run_id)
       ORDER BY s.began_at DESC LIMIT 1"""
)
_DECIDED = text(
    """SELECT p.idea_id, p.symbol, p.bar_start, p.probability, p.taken, p.refusal, p.hard, o.net
       FROM champion_predictions p LEFT JOIN prediction_outcomes o USING (idea_id)
       WHERE p.version = :version AND p.decided_at >= :since ORDER BY p.bar_start, p.idea_id"""
)
_UNRESOLVED = text(
    """SELECT p.idea_id, p.symbol, p.bar_start FROM champion_predictions p
       LEFT JOIN prediction_outcomes o USING (idea_id)
       WHERE o.idea_id IS NULL AND p.probability IS NOT NULL ORDER BY p.bar_start LIMIT 5000"""
)
_LOGGED = text(
    """SELECT idea_id, feature_hash, symbol, bar_start, vector, shadow FROM champion_predictions
       WHERE decided_at >= :since AND jsonb_array_length(vector) > 0 ORDER BY bar_start"""
)
_COSTS = text("SELECT costs_of_model(:model, :since)")
_NEWEST = text("SELECT max(started_at) FROM training_runs")
_BARS = text(
    """SELECT symbol, interval_minutes, start, open, high, low, close, volume, trades FROM candles
       WHERE symbol = :symbol AND interval_minutes = :minutes AND start >= :first
       ORDER BY start"""
)


class PostgresModelRecord:
    """Needs a Database of the role ``aether_market`` to decide, ``aether_learning`` to watch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def champion(self) -> ChampionInForce:
        """Return who decides now."""
        row = (await self._database.call(_CHAMPION))[0]
        model = None
        if row.version is not None:
            model = RegisteredModel(
                row.version,
                row.run_id,
                row.trial,
                row.sha256,
                row.signature,
                row.feature_hash,
                row.data_hash,
                row.code_version,
            )
        return ChampionInForce(row.number, row.run_id, row.changed_at, model)

    async def in_shadow(self) -> RegisteredModel | None:
        """Return the model that decides in shadow, None where none does."""
        rows = await self._database.call(_IN_SHADOW)
        return RegisteredModel(**rows[0]._asdict()) if rows else None

    async def save_bars(self, bars: Sequence[Candle]) -> None:
        """Write down the days that decisions rest on, replacing equal keys."""
        await save_candles(self._database, bars)

    async def log_prediction(self, prediction: LoggedPrediction) -> None:
        """Write a decision down, once for each idea."""
        values = asdict(prediction) | {
            "vector": list(prediction.vector),
            "probability": _decimal(prediction.probability),
            "stake": _decimal(prediction.stake),
            "contributions": dict(prediction.contributions),
            "decided_at": datetime.now(UTC),  # noqa: TID251 - the time of writing
        }
        await self._add(PredictionRow, values)

    async def note_model(self, model: RegisteredModel) -> None:
        """Write down what pins a registered model, once."""
        at = datetime.now(UTC)  # noqa: TID251 - the time of writing, decides nothing
        await self._add(ModelVersionRow, asdict(model) | {"registered_at": at})

    async def model_of(self, run_id: str) -> RegisteredModel | None:
        """Return the model of a run, None where none was registered."""
        query = select(ModelVersionRow).where(col(ModelVersionRow.run_id) == run_id)
        async with self._database.no_scope() as session:
            row = (await session.exec(query)).one_or_none()
        if row is None:
            return None
        return RegisteredModel(**row.model_dump(exclude={"registered_at"}))

    async def name_challenger(self, model: RegisteredModel) -> None:
        """Tell the audit that a model has passed the gate and waits for people, once."""
        details = {"version": str(model.version), "run": model.run_id, "trial": model.trial}
        async with self._database.account_scope(PLATFORM_SCOPE) as session:
            await audit.append(
                session, PLATFORM_SCOPE, "aether", "challenger_named", details, once=True
            )

    async def unresolved(self) -> Sequence[tuple[str, str, datetime]]:
        """Return idea, pair and bar of each decision whose outcome is not known, oldest first."""
        rows = await self._database.call(_UNRESOLVED)
        return [(row.idea_id, row.symbol, row.bar_start) for row in rows]

    async def save_outcome(self, idea_id: str, net: float, ended_at: datetime) -> None:
        """Write down what came of a decision, once."""
        await self._add(
            OutcomeRow, {"idea_id": idea_id, "net": _decimal(net), "ended_at": ended_at}
        )

    async def decisions(self, version: int, since: datetime) -> Sequence[ResolvedPrediction]:
        """Return the decisions of a version since a time, oldest first."""
        rows = await self._database.call(_DECIDED, {"version": version, "since": since})
        return [
            ResolvedPrediction(
                row.idea_id,
                _float(row.probability),
                row.taken,
                row.refusal,
                row.hard,
                _float(row.net),
            )
            for row in rows
        ]

    async def logged_vectors(self, since: datetime) -> Sequence[LoggedPrediction]:
        """Return the decisions since a time with the vectors that they saw."""
        rows = await self._database.call(_LOGGED, {"since": since})
        return [
            LoggedPrediction(
                row.idea_id,
                0,
                row.feature_hash,
                row.symbol,
                row.bar_start,
                tuple(row.vector),
                shadow=row.shadow,
            )
            for row in rows
        ]

    async def costs_of(self, version: int, since: datetime) -> Sequence[float]:
        """Return what each settled trade of a model has cost, a share of what it traded.

        `since` is market time: that of the first decision.
        """
        values = {"model": str(version), "since": since}
        return [row[0] for row in await self._database.call(_COSTS, values)]

    async def newest_training(self) -> datetime | None:
        """Return when the newest training began, None before the first."""
        found: datetime | None = (await self._database.call(_NEWEST))[0][0]
        return found

    async def bars(self, symbol: str, minutes: int, first: datetime) -> list[Candle]:
        """Return the recorded bars of a pair from a time on, oldest first."""
        values = {"symbol": symbol, "minutes": minutes, "first": first}
        return [Candle(**row._asdict()) for row in await self._database.call(_BARS, values)]

    async def note_replay(
        self,
        began_at: datetime,
        compared: int,
        unavailable: int,
        differing: list[str],
        worst: float,
    ) -> None:
        """Write down what a replay found; a mismatch is audited as well."""
        row = ReplayRow(
            began_at=began_at,
            compared=compared,
            unavailable=unavailable,
            differing=differing,
            worst=Decimal(repr(worst)),
        )
        async with self._database.account_scope(PLATFORM_SCOPE) as session:
            session.add(row)
            if differing:
                details = {"ideas": ", ".join(differing[:20]), "worst": f"{worst:.3g}"}
                await audit.append(session, PLATFORM_SCOPE, "aether", "features_differ", details)

    async def note_drift(self, at: datetime, drift: MeasuredDrift) -> None:
        """Write down how far the champion's features have moved, once for a moment."""
        details = {
            "at": at.isoformat(),
            "model": drift.model,
            "vectors": str(drift.vectors),
            "features": json.dumps(drift.features),
            "unknown": drift.unknown,
        }
        async with self._database.account_scope(PLATFORM_SCOPE) as session:
            await audit.append(
                session, PLATFORM_SCOPE, "aether", "drift_measured", details, once=True
            )

    async def _add(self, table: type, values: dict[str, object]) -> None:
        async with self._database.no_scope() as session:
            await session.exec(insert(table).values(values).on_conflict_do_nothing())


def _decimal(value: float | None) -> Decimal | None:
    """Return the exact number that is the shortest text of this float."""
    return None if value is None else Decimal(repr(value))


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
