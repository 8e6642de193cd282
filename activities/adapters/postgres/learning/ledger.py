"""The training ledger in PostgreSQL."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.adapters.postgres.learning import champions
from activities.adapters.postgres.learning.models import PostgresModelRecord
from activities.ports.learning.models import ChampionInForce
from activities.ports.learning.training import HoldoutOpening, LedgerTrial, TrialKey
from infra.runtime.database.connections import PLATFORM_SCOPE, Database, RecordSession
from models.contracts.learning import Promotion, TrainingRequest
from models.learning.estimators.calibration import Calibration
from models.learning.training.holdout import HoldoutResult
from models.learning.training.question import TrialResult
from models.learning.validation.gate import GateReport
from models.tables.learning.training import (
    HoldoutRow,
    TrainingRunRow,
    TrainingVerdictRow,
    TrialRow,
)

_END_SHADOW = text(
    """INSERT INTO shadow_ends
       SELECT s.run_id, (SELECT count(*) FROM champion_predictions p
                         WHERE p.version = s.version AND p.shadow AND p.refusal = ''),
              'the training was cancelled', :at
       FROM shadows s WHERE s.run_id = :run_id ON CONFLICT DO NOTHING"""
)


class PostgresTrainingLedger:
    """Needs a Database of the role ``aether_learning``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin_run(
        self,
        request: TrainingRequest,
        key: TrialKey,
        feature_hash: str,
        code_version: str,
        samples: int,
        planned: int,
    ) -> None:
        """Write down that a run has begun, audited; a run that is known stays as it is."""
        row = TrainingRunRow(
            run_id=request.run_id,
            requested_by=request.by,
            reason=request.reason,
            data_hash=key.data_hash,
            question=key.question,
            feature_hash=feature_hash,
            code_version=code_version,
            samples=samples,
            planned=planned,
            started_at=datetime.now(UTC),  # noqa: TID251 - the time of writing, decides nothing
        )
        added = insert(TrainingRunRow).values(row.model_dump()).on_conflict_do_nothing()
        details = {"run": request.run_id, "requested_by": request.by, "reason": request.reason}
        async with self._database.account_scope(PLATFORM_SCOPE) as session:
            written = await session.exec(added.returning(col(TrainingRunRow.run_id)))
            if written.first() is not None:
                await audit.append(session, PLATFORM_SCOPE, "aether", "training_begun", details)

    async def trials(self, data_hash: str) -> Sequence[LedgerTrial]:
        """Return every trial that was ever run on this data, in the order of their end."""
        asked = select(TrialRow).where(col(TrialRow.data_hash) == data_hash)
        async with self._database.no_scope() as session:
            rows = await session.exec(asked.order_by(col(TrialRow.finished_at)))
            return [_trial(row) for row in rows]

    async def add_trial(
        self, run_id: str, key: TrialKey, trial: LedgerTrial, seconds: float
    ) -> None:
        """Add a finished trial; one that is there already stays as it is."""
        result = trial.result
        row = TrialRow(
            data_hash=key.data_hash,
            question=key.question,
            trial=result.trial,
            run_id=run_id,
            begins=trial.begins,
            period_seconds=trial.period_seconds,
            net=result.net.tolist(),
            costs=result.costs.tolist(),
            calibration=asdict(result.calibration) if result.calibration else None,
            failures=list(result.failures),
            milliseconds=round(1_000 * seconds),
            finished_at=datetime.now(UTC),  # noqa: TID251 - the time of writing, decides nothing
        )
        await self._add(TrialRow, row.model_dump())

    async def champion(self) -> ChampionInForce:
        """Return who decides now, whom a candidate has to beat."""
        return await PostgresModelRecord(self._database).champion()

    async def save_verdict(self, run_id: str, candidate: str | None, report: GateReport) -> None:
        """Write down what the gate said; a figure that is unknown is null, with its note."""
        row = TrainingVerdictRow(
            run_id=run_id,
            passed=report.passed and candidate is not None,
            candidate=candidate,
            reasons=list(report.reasons),
            findings=[_document(asdict(finding)) for finding in report.findings],
            judged_at=datetime.now(UTC),  # noqa: TID251 - the time of writing, decides nothing
        )
        await self._add(TrainingVerdictRow, row.model_dump())

    async def end_cancelled(self, run_id: str, step: str) -> None:
        """Write down, audited and once, in which step a run was cancelled; its shadow ends."""
        at = datetime.now(UTC)  # noqa: TID251 - the time of writing, decides nothing
        async with self._database.account_scope(PLATFORM_SCOPE) as session:
            await session.sql(_END_SHADOW, {"run_id": run_id, "at": at})
            await audit.append(
                session, PLATFORM_SCOPE, "aether", "training_ended",
                {"run": run_id, "step": step, "outcome": "cancelled"}, once=True,
            )  # fmt: skip

    async def holdout_opening(self, release: str) -> HoldoutOpening | None:
        """Return the one opening of the hold-out by a release, None while it is locked."""
        async with self._database.no_scope() as session:
            return await _opening(session, release)

    async def note_opening(
        self, release: str, run_id: str, data_hash: str, result: HoldoutResult
    ) -> HoldoutOpening:
        """Write the opening down, audited, and return the one that stands: the first."""
        async with self._database.account_scope(PLATFORM_SCOPE) as session:
            counted = select(func.count()).select_from(HoldoutRow)
            earlier = await session.exec(counted.where(col(HoldoutRow.data_hash) == data_hash))
            values = asdict(result) | {
                "release": release,
                "run_id": run_id,
                "data_hash": data_hash,
                "begins": datetime.fromtimestamp(result.begins, UTC),
                "ends": datetime.fromtimestamp(result.ends, UTC),
                "detectable": result.detectable if math.isfinite(result.detectable) else None,
                "earlier": earlier.one(),
                "opened_at": datetime.now(UTC),  # noqa: TID251 - the time of writing
            }
            added = insert(HoldoutRow).values(values).on_conflict_do_nothing()
            # The number of rows is not known of every insert; what was returned is.
            written = await session.exec(added.returning(col(HoldoutRow.release)))
            if written.first() is not None:
                details = {"run": run_id, "release": release, "said": result.reason or "passed"}
                await audit.append(session, PLATFORM_SCOPE, "aether", "holdout_opened", details)
            standing = await _opening(session, release)
        assert standing is not None
        return standing

    async def promote(self, promotion: Promotion) -> None:
        """Make the run's model the champion, audited; once, however often it is tried."""
        await champions.promote(self._database, promotion)

    async def _add(self, table: type, values: dict[str, Any]) -> None:
        async with self._database.no_scope() as session:
            await session.exec(insert(table).values(values).on_conflict_do_nothing())


async def _opening(session: RecordSession, release: str) -> HoldoutOpening | None:
    asked = select(HoldoutRow).where(col(HoldoutRow.release) == release)
    row = (await session.exec(asked)).one_or_none()
    return None if row is None else HoldoutOpening(row.run_id, row.reason)


def _document(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def _trial(row: TrialRow) -> LedgerTrial:
    result = TrialResult(
        trial=row.trial,
        net=np.asarray(row.net, dtype=np.float64),
        costs=np.asarray(row.costs, dtype=np.float64),
        probabilities=np.empty(0),
        calibration=Calibration(**row.calibration) if row.calibration else None,
        failures=tuple(row.failures),
    )
    return LedgerTrial(row.question, row.begins, row.period_seconds, result)
