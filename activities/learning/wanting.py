"""Whether a training is due: the features have drifted, or the last one is too long ago."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt
import structlog
from temporalio import activity

from activities.heartbeat import heartbeating
from activities.learning.deciding import ModelRefusedError, checked_document
from activities.ports.learning.models import (
    ChampionInForce,
    LoggedPrediction,
    MeasuredDrift,
    ModelRegistry,
    Signatures,
)
from models.contracts.learning import NO_TRADE, TrainingRequest, TrainingWanted
from models.learning.estimators.portable import ModelDocument
from models.learning.training.exits import EXITS
from models.learning.watching.cusum import WatchError
from models.learning.watching.drift import FEWEST, Drift, drifts_of
from models.trading.governance.subjects import DRIFT, SCHEDULE

Floats = npt.NDArray[np.float64]
log = structlog.get_logger(__name__)
EVERY = timedelta(days=30)
LOOKED_AT = timedelta(days=120)
"""Vectors of so many days are compared with those of the training."""


class DueRecord(Protocol):
    """What the record tells of trainings and decisions; OSError where it does not answer."""

    async def champion(self) -> ChampionInForce:
        """Return who decides now."""
        ...

    async def newest_training(self) -> datetime | None:
        """Return when the newest training began."""
        ...

    async def logged_vectors(self, since: datetime) -> Sequence[LoggedPrediction]:
        """Return the decisions since a time with the vectors that they saw."""
        ...

    async def note_drift(self, at: datetime, drift: MeasuredDrift) -> None:
        """Write down how far the champion's features have moved, once for a moment."""
        ...


class WantingActivities:
    """Tell once a night whether a training is wanted, and why. It never withdraws anybody."""

    def __init__(
        self,
        record: DueRecord,
        registry: ModelRegistry,
        signatures: Signatures,
        now: Callable[[], datetime],
    ) -> None:
        self._record = record
        self._registry = registry
        self._signatures = signatures
        self._now = now

    @activity.defn
    async def training_wanted(self) -> TrainingWanted:
        """Return the training that is due, none where the last one is recent and nothing moved."""
        async with heartbeating():
            return await self.training_wanted_now()

    async def training_wanted_now(self) -> TrainingWanted:
        """Do what the step does, without its heartbeats."""
        now, newest = self._now(), await self._record.newest_training()
        # Measured every night, also where a training is due anyway: people look at it.
        measured = await self._measured(now)
        await self._record.note_drift(now, measured)
        if newest is None or now - newest > EVERY:
            return _wanted(SCHEDULE, f"none for {EVERY.days} days", now)
        drifts = [Drift(*one) for one in measured.features]
        moved = [str(one) for one in drifts if one.has_moved]
        # One training for one drift: the next looks again when this one has had its time.
        if moved and now - newest > EVERY / 4:
            log.warning("features have drifted", moved=moved)
            return _wanted(DRIFT, "; ".join(moved)[:300], now)
        return TrainingWanted(None)

    async def _measured(self, now: datetime) -> MeasuredDrift:
        champion = await self._record.champion()
        model = champion.model
        if model is None or not model.feature_hash:
            why = "no trade learnt from no feature" if champion.run_id == NO_TRADE else "no model"
            return MeasuredDrift(champion.run_id, 0, unknown=why)
        content = await self._registry.content(model.version)
        seen = [
            one.vector
            for one in await self._record.logged_vectors(now - LOOKED_AT)
            # What a shadow saw the champion has seen as well: once counts.
            if one.feature_hash == model.feature_hash and not one.shadow
        ]
        if not seen:
            return MeasuredDrift(champion.run_id, 0, unknown=f"nothing seen, {FEWEST} are needed")
        vectors = np.asarray(
            [[np.nan if value is None else value for value in vector] for vector in seen],
            dtype=np.float64,
        )
        try:
            document = await asyncio.to_thread(checked_document, content, model, self._signatures)
            drifts = drift_of(document, vectors)
        except (ModelRefusedError, WatchError) as error:
            # The watch withdraws such a model; what has drifted cannot be told of it.
            log.warning("drift cannot be told", why=str(error))
            return MeasuredDrift(champion.run_id, len(seen), unknown=str(error))
        features = tuple((one.feature, one.index, one.limit) for one in drifts)
        enough = f"{len(seen)} seen, {FEWEST} are needed" if len(seen) < FEWEST else ""
        why = "" if features else enough or "the model keeps no bins of its features"
        return MeasuredDrift(champion.run_id, len(seen), features, why)


def drift_of(document: ModelDocument, vectors: Floats) -> list[Drift]:
    """Measure how far features have moved since a training, none where the model has no bins."""
    if not document.edges:
        return []
    trained = max(document.evidence * (len(document.figures) + 1), 1.0)
    overlap = float(EXITS.longest_bars)
    return drifts_of(document.features, document.edges, trained, vectors, overlap)


def _wanted(by: str, reason: str, now: datetime) -> TrainingWanted:
    return TrainingWanted(TrainingRequest(f"{by}-{now:%Y%m%d}", by, reason))
