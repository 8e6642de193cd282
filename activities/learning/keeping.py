"""Keeping a judged model: fitted on all its data, written as a document, signed and registered.

A candidate that the gate refused is kept as well, without an alias, so that what was tried can be
looked at. No trade is the first version, and the champion from the beginning.
"""

import asyncio
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.heartbeat import heartbeating
from activities.learning.training import TrainingActivities
from activities.ports.learning.models import (
    ChampionInForce,
    ModelRegistry,
    RegisteredModel,
    signed_text,
)
from models.contracts.learning import (
    CHALLENGER,
    CHAMPION,
    NO_TRADE,
    PRIMARY_STRATEGY,
    HoldoutOpened,
    ModelKept,
    Promotion,
    TrainingJudged,
    TrainingRequest,
)
from models.learning.estimators.calibration import CalibrationError
from models.learning.estimators.estimator import EstimatorError
from models.learning.estimators.portable import ModelDocument, PortableError, no_trade_document
from models.learning.training.final import fit_final
from models.learning.training.holdout import HoldoutResult, open_holdout

log = structlog.get_logger(__name__)
ALIAS_SECONDS = 1.5


class KeptModels(Protocol):
    """What the record keeps of models; OSError where it does not answer."""

    async def champion(self) -> ChampionInForce:
        """Return who decides now."""
        ...

    async def model_of(self, run_id: str) -> RegisteredModel | None:
        """Return the model of a run."""
        ...

    async def note_model(self, model: RegisteredModel) -> None:
        """Write down what pins a model, once."""
        ...

    async def name_challenger(self, model: RegisteredModel) -> None:
        """Tell the audit of a challenger, once."""
        ...


@dataclass(slots=True)
class ModelKeeper:
    """Register models and keep the registry's aliases as the record has them."""

    registry: ModelRegistry
    record: KeptModels
    sign: Callable[[str], str]
    code_version: str

    async def keep(
        self, run_id: str, document: ModelDocument, parameters: dict[str, str], passed: bool
    ) -> RegisteredModel:
        """Register a document under its run, once; return what pins it."""
        known = await self.record.model_of(run_id)
        if known is not None:
            return known
        content = document.encode()
        model = RegisteredModel(
            version=0,
            run_id=run_id,
            trial=document.trial or NO_TRADE,
            sha256=hashlib.sha256(content).hexdigest(),
            signature="",
            feature_hash=document.feature_hash,
            data_hash=document.data_hash,
            code_version=document.code_version,
        )
        model = replace(model, signature=self.sign(signed_text(model)))
        tags = {
            "sha256": model.sha256,
            "signature": model.signature,
            "feature_hash": model.feature_hash or "none",
            "data_hash": model.data_hash or "none",
            "code_version": model.code_version,
            "gate": "passed" if passed else "refused",
        }
        version = await self.registry.register(
            run_id, content, parameters, metrics_of(document), tags
        )
        stored = await self.registry.content(version)
        if hashlib.sha256(stored).hexdigest() != model.sha256:
            # An attempt before this one, on other data, must not pass for this model.
            message = f"the registry holds another document of run {run_id}"
            raise ApplicationError(message, type="ModelDiffers", non_retryable=True)
        model = replace(model, version=version)
        await self.record.note_model(model)
        log.info("model registered", run=run_id, version=version, trial=model.trial)
        return model

    async def keep_no_trade(self) -> RegisteredModel:
        """Register the model that takes nothing, once."""
        return await self.keep(NO_TRADE, no_trade_document(self.code_version), {}, passed=True)

    async def bring_aliases_in_line(self) -> None:
        """Let the registry's champion be the record's: what people and the watch have decided."""
        champion = await self.record.champion()
        if champion.model is None:
            return
        version = champion.model.version
        if await self.registry.get_model_version_by_alias(CHAMPION) != version:
            await self.registry.set_alias(CHAMPION, version)
            log.info("champion's alias set", version=version)


class KeepingActivities:
    """The steps of a training after its verdict."""

    def __init__(self, training: TrainingActivities, keeper: ModelKeeper) -> None:
        self._training = training
        self._keeper = keeper

    @activity.defn
    async def keep_model(
        self, request: TrainingRequest, data_hash: str, judged: TrainingJudged
    ) -> ModelKept:
        """Fit the candidate on all its data, sign and register it; one that passed challenges."""
        async with heartbeating():
            plan, spec = await self._training.candidate(data_hash, judged.candidate)
            try:
                document = await asyncio.to_thread(
                    fit_final,
                    plan,
                    spec,
                    self._training.features,
                    PRIMARY_STRATEGY,
                    pins={"data_hash": data_hash, "code_version": self._keeper.code_version},
                )
            except (EstimatorError, CalibrationError, PortableError) as error:
                raise ApplicationError(str(error), type="NotFitted", non_retryable=True) from error
            parameters = {
                "estimator": spec.kind,
                **{name: str(value) for name, value in spec.parameters.items()},
                "seed": str(spec.seed),
                "features": ", ".join(document.features),
                "samples": str(len(plan.samples)),
                "requested_by": request.by,
            }
            model = await self._keeper.keep(request.run_id, document, parameters, judged.passed)
            if judged.passed:
                await self._keeper.registry.set_alias(CHALLENGER, model.version)
                await self._keeper.record.name_challenger(model)
        return ModelKept(model.version, model.sha256)

    @activity.defn
    async def open_holdout(
        self, request: TrainingRequest, data_hash: str, version: int
    ) -> HoldoutOpened:
        """Let the registered model decide on the locked hold-out: once for each release, audited.

        Another run's model of the same release is refused without a look.
        """
        release = self._keeper.code_version
        async with heartbeating():
            standing = await self._training.ledger.holdout_opening(release)
            if standing is None:
                result = await self._looked_at(data_hash, version)
                if result is None:
                    return HoldoutOpened(passed=False, reason="the question locks no hold-out away")
                standing = await self._training.ledger.note_opening(
                    release, request.run_id, data_hash, result
                )
        if standing.run_id != request.run_id:
            other = f"run {standing.run_id} has opened it for this release"
            return HoldoutOpened(passed=False, reason=other)
        return HoldoutOpened(not standing.reason, standing.reason)

    async def _looked_at(self, data_hash: str, version: int) -> HoldoutResult | None:
        planned = await self._training.planner.of(data_hash)
        if planned.locked is None:
            return None
        content = await self._keeper.registry.content(version)
        try:
            document = ModelDocument.decode(content)
            return await asyncio.to_thread(
                open_holdout, planned.plan.question, planned.locked, document
            )
        except PortableError as error:
            raise ApplicationError(str(error), type="NoModel", non_retryable=True) from error

    @activity.defn
    async def promote_model(self, promotion: Promotion) -> None:
        """Make the run's model the champion, once: in the record first, then in the registry.

        A registry that does not answer holds nothing up: the next look of the watch sets its alias.
        """
        await self._training.promote(promotion)
        try:
            async with asyncio.timeout(ALIAS_SECONDS):
                await self._keeper.bring_aliases_in_line()
        except (OSError, TimeoutError) as error:
            log.warning("the registry's alias follows later", why=str(error) or "no answer in time")


def metrics_of(document: ModelDocument) -> dict[str, float]:
    """Return what the registry shows of a model's record out of sample."""
    losses, results = document.baseline.losses, document.baseline.results
    found = {"decisions": float(len(losses)), "trades": float(len(results))}
    if losses:
        found["log_loss"] = sum(losses) / len(losses)
    if results:
        found["mean_net"] = sum(results) / len(results)
    return {name: value for name, value in found.items() if math.isfinite(value)}
