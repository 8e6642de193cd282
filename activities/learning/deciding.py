"""From recorded days to a decision, by one checked model. Loaded with the first champion only."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

import numpy as np
import numpy.typing as npt

from activities.market.champion import Judged
from activities.ports.learning.models import (
    LoggedPrediction,
    RegisteredModel,
    Signatures,
    signed_text,
)
from models.contracts.learning import PRIMARY_STRATEGY
from models.learning.estimators.calibration import CalibrationError
from models.learning.estimators.portable import ModelDocument, PortableError, PortableModel
from models.learning.estimators.staking import sized_stake
from models.learning.features.bars import COLUMNS, Bars
from models.learning.features.catalogue import FeatureSet, daily_features
from models.learning.labels.size import Odds, SizeError
from models.learning.regime.rule import RegimeRule, read_regimes
from models.trading.market import Candle

Floats = npt.NDArray[np.float64]
DAY_SECONDS = 86_400
REGIME_FEATURES = ("trend_20_100", "volatility_20")


class ModelRefusedError(ValueError):
    """A model is not the one that the record pins, or cannot be used."""


def checked_document(
    content: bytes, model: RegisteredModel, signatures: Signatures
) -> ModelDocument:
    """Return a model's document. Raise `ModelRefusedError` where hash or signature differ."""
    found = hashlib.sha256(content).hexdigest()
    if found != model.sha256:
        raise ModelRefusedError(f"the model's file is {found[:12]}…, not {model.sha256[:12]}…")
    if not signatures.verifies(signed_text(model), model.signature):
        raise ModelRefusedError(f"version {model.version} is not signed by this installation")
    try:
        document = ModelDocument.decode(content)
    except PortableError as error:
        raise ModelRefusedError(str(error)) from error
    if document.feature_hash != model.feature_hash:
        raise ModelRefusedError("the model's features are not those that the record pins")
    return document


class Decider:
    """One model with its features. Raise `ModelRefusedError` where they do not belong together."""

    def __init__(self, document: ModelDocument) -> None:
        self._features = daily_features()
        if document.primary != PRIMARY_STRATEGY:
            raise ModelRefusedError(f"the model judges {document.primary!r}, nothing of here")
        if document.feature_hash != self._features.fingerprint:
            raise ModelRefusedError("this release computes other features than the model learnt")
        try:
            self._model = PortableModel(document)
        except PortableError as error:
            raise ModelRefusedError(str(error)) from error
        self._document = document

    def decide(
        self,
        own_id: str,
        version: int,
        symbol: str,
        bar_start: datetime,
        bars: Iterable[Candle],
        reference: Iterable[Candle],
    ) -> Judged:
        """Judge one idea from the days known so far, those after its own left out."""
        table = bars_until(bar_start, self._features.lookback + 219, bars, reference)
        logged = LoggedPrediction(own_id, version, self._document.feature_hash, symbol, bar_start)
        vector = newest_vector(self._features, table)
        rounded = tuple(float(v) if np.isfinite(v) else None for v in vector)
        regime = regime_of(self._features, table)
        logged = _with(logged, vector=rounded, regime=regime)
        unknown = self._model.unknown(vector)
        if unknown:
            why = f"stale or unknown: {', '.join(unknown)}"
            return Judged(_with(logged, refusal=why), "unknown")
        outside = self._model.out_of_range(vector)
        if outside:
            why = f"beyond what the model was trained on: {', '.join(outside)}"
            return Judged(_with(logged, refusal=why), "range")
        return self._predicted(logged, vector)

    def _predicted(self, logged: LoggedPrediction, vector: Floats) -> Judged:
        document = self._document
        try:
            found = self._model.predict(vector)
            odds = Odds(document.win, document.loss, 0.0)
            stake = sized_stake(found.probability, document.evidence, odds, document.largest_stake)
        except (PortableError, CalibrationError, SizeError) as error:
            return Judged(_with(logged, refusal=str(error), hard=True), "prediction")
        return Judged(
            _with(
                logged,
                probability=found.probability,
                stake=stake,
                taken=stake > 0,
                contributions=found.contributions,
            )
        )


def bars_until(
    newest: datetime, count: int, bars: Iterable[Candle], reference: Iterable[Candle]
) -> Bars:
    """Lay the last `count` days up to `newest` on the grid; absent days are NaN."""
    last = int(newest.timestamp())
    first = last - (count - 1) * DAY_SECONDS
    grid = np.arange(first, last + 1, DAY_SECONDS)
    columns = {name: np.full(count, np.nan) for name in (*COLUMNS, "reference")}

    def place(candle: Candle) -> int | None:
        at = int(candle.start.timestamp())
        return (at - first) // DAY_SECONDS if first <= at <= last else None

    for candle in bars:
        row = place(candle)
        if row is not None:
            for name in ("open", "high", "low", "close", "volume"):
                columns[name][row] = float(getattr(candle, name))
    for candle in reference:
        row = place(candle)
        if row is not None:
            columns["reference"][row] = float(candle.close)
    return Bars(grid, DAY_SECONDS, **columns)


def newest_vector(features: FeatureSet, bars: Bars) -> Floats:
    """Return the vector after the newest bar, by the very code that history is measured with."""
    size = len(bars)
    vector: Floats = features.vectors(bars.part(size - features.lookback, size))[-1]
    return vector


def regime_of(features: FeatureSet, bars: Bars) -> str:
    """Return the regime after the newest bar with how sure it is, "" where it is not known."""
    chosen = [features.names.index(name) for name in REGIME_FEATURES]
    figures = features.vectors(bars)[:, chosen]
    reading = read_regimes(figures[:, 0], figures[:, 1], RegimeRule())[-1]
    if reading.regime is None:
        return ""
    return f"{reading.regime.value} ({reading.probability:.0%})"


def _with(logged: LoggedPrediction, **changes: object) -> LoggedPrediction:
    from dataclasses import replace

    return replace(logged, **changes)  # type: ignore[arg-type]
