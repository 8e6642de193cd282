"""A fitted model as a document: numbers and LightGBM's own text, nothing that runs when loaded.

A document holds everything that a decision needs, and what its watch compares with. Loading one
imports nothing of scikit-learn: a linear member is two rows of numbers, a boosted one is read by
LightGBM. What cannot be written like that is refused, so that no model is kept as code.
"""

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.learning.estimators.calibration import CalibrationError, Isotonic, Mapping, Sigmoid
from models.learning.features.expressions import ExpressionError, widened

Floats = npt.NDArray[np.float64]
FORMAT = 1
NO_TRADE_KIND = "no-trade"


class PortableError(ValueError):
    """A model cannot be written as a document, or a document is no model."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the model did out of sample, which its watch compares with.

    ``losses`` are log-losses of all decisions, ``results`` the net results of those that it took
    (shares of what was paid), both in the order of time.
    """

    losses: tuple[float, ...] = ()
    results: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelDocument:
    """A model with what pins it.

    ``mean`` and ``scale`` standardise the features, ``low`` and ``high`` are the widest values seen
    in training: beyond them, by half of their distance, the model knows nothing. ``evidence`` is
    the number of independent samples for each figure that it fits; ``win`` and ``loss`` are the
    odds that were paid. ``edges`` part each feature's values in training into ten equal bins.
    ``expressions`` of the features are further figures of the model, behind the features in all of
    its vectors. ``steps`` are scores and values of an isotonic calibration; without, ``sigmoid`` is
    the calibration.
    ``expires_after_days`` is its life from its promotion on.
    """

    kind: str
    trial: str = ""
    primary: str = ""
    feature_hash: str = ""
    features: tuple[str, ...] = ()
    data_hash: str = ""
    code_version: str = ""
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    members: tuple[dict[str, Any], ...] = ()
    sigmoid: tuple[float, float] = (0.0, 1.0)
    steps: tuple[tuple[float, ...], ...] = ()
    expressions: tuple[str, ...] = ()
    evidence: float = 0.0
    win: float = 0.0
    loss: float = 0.0
    largest_stake: float = 0.0
    edges: tuple[tuple[float, ...], ...] = ()
    expires_after_days: int = 90
    baseline: Baseline = field(default_factory=Baseline)

    def encode(self) -> bytes:
        """Return the document as JSON, the same bytes for the same model."""
        content = {"format": FORMAT, **asdict(self)}
        # What a model does not have is not written: an earlier release reads it still.
        content = {k: v for k, v in content.items() if v or k not in ("steps", "expressions")}
        text = json.dumps(content, sort_keys=True, allow_nan=False, indent=None)
        return text.encode()

    @property
    def figures(self) -> tuple[str, ...]:
        """Name all that the model learns from: features, then expressions of them."""
        return (*self.features, *self.expressions)

    @classmethod
    def decode(cls, content: bytes) -> "ModelDocument":
        """Read a document. Raise `PortableError` where it is none of this format."""
        try:
            found = json.loads(content)
            if found.pop("format") != FORMAT:
                raise PortableError("the model's document has another format")
            baseline = Baseline(**{k: tuple(v) for k, v in found.pop("baseline").items()})
            fixed: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in found.items()
            }
            return cls(baseline=baseline, **fixed)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PortableError(f"not a model's document: {error}") from error


def no_trade_document(code_version: str) -> ModelDocument:
    """Return the model that takes nothing: the default champion."""
    return ModelDocument(kind=NO_TRADE_KIND, code_version=code_version)


def members_of(estimator: Any) -> tuple[dict[str, Any], ...]:
    """Write the members of a fitted classifier: a logistic regression, LightGBM, or their vote.

    Raise `PortableError` for any other kind.
    """
    name = type(estimator).__name__
    if name == "VotingClassifier" and estimator.voting == "soft" and estimator.weights is None:
        return tuple(member for one in estimator.estimators_ for member in members_of(one))
    if name == "LogisticRegression":
        return (
            {
                "kind": "logistic",
                "intercept": float(estimator.intercept_[0]),
                "coefficients": [float(value) for value in estimator.coef_[0]],
            },
        )
    if name == "LGBMClassifier":
        return ({"kind": "lightgbm", "text": estimator.booster_.model_to_string()},)
    raise PortableError(f"{name} cannot be written as numbers and text")


@dataclass(frozen=True, slots=True)
class Prediction:
    """A calibrated probability, and by feature what it adds to the log-odds of the members' mean.

    Contributions are of the model, not of the market.
    """

    probability: float
    contributions: dict[str, float]


class PortableModel:
    """A model that was read from its document."""

    def __init__(self, document: ModelDocument) -> None:
        """Prepare the members. Raise `PortableError` where one cannot be read."""
        self.document = document
        width = len(document.figures)
        vectors = (document.mean, document.scale, document.low, document.high)
        if (
            not document.features
            or any(len(vector) != width for vector in vectors)
            or not document.members
        ):
            raise PortableError("the model's document is not whole")
        self._mean, self._scale = np.asarray(document.mean), np.asarray(document.scale)
        self._low, self._high = np.asarray(document.low), np.asarray(document.high)
        self._calibration = _calibration(document)
        self._members = [_member(one, width) for one in document.members]
        self._widened(np.zeros(len(document.features)))

    def unknown(self, vector: Floats) -> list[str]:
        """Name what the model needs and a vector, shape (features,), does not tell."""
        known = np.isfinite(self._widened(vector))
        return [name for name, is_so in zip(self.document.figures, known, strict=True) if not is_so]

    def out_of_range(self, vector: Floats) -> list[str]:
        """Name the features that lie beyond all that the model was trained on, by half of it."""
        reach = (self._high - self._low) / 2
        known = self._widened(vector)
        beyond = (known < self._low - reach) | (known > self._high + reach)
        return [name for name, is_so in zip(self.document.figures, beyond, strict=True) if is_so]

    def predict(self, vector: Floats) -> Prediction:
        """Predict one vector, shape (features,). Raise `PortableError` for an unknown figure."""
        known = self._widened(vector)
        if not np.isfinite(known).all():
            raise PortableError("a feature is unknown")
        scaled = (known - self._mean) / self._scale
        raw = [member.probability(scaled) for member in self._members]
        mean = np.asarray([sum(raw) / len(raw)])
        parts = np.mean([member.contributions(scaled) for member in self._members], axis=0)
        probability = float(self._calibration.apply(mean)[0])
        if not 0 <= probability <= 1:
            raise PortableError("the prediction is no probability")
        named = zip(self.document.figures, parts, strict=True)
        return Prediction(probability, {name: round(float(value), 6) for name, value in named})

    def _widened(self, vector: Floats) -> Floats:
        document = self.document
        if vector.shape != (len(document.features),):
            raise PortableError("a feature is unknown")
        try:
            return widened(vector, document.features, document.expressions)
        except ExpressionError as error:
            raise PortableError(str(error)) from error


def _calibration(document: ModelDocument) -> Mapping:
    try:
        if document.steps:
            scores, values = document.steps
            return Isotonic(tuple(scores), tuple(values))
        return Sigmoid(*document.sigmoid)
    except (CalibrationError, TypeError, ValueError) as error:
        raise PortableError(f"the model's calibration cannot be read: {error}") from error


class _Logistic:
    def __init__(self, document: dict[str, Any], width: int) -> None:
        self._intercept = float(document["intercept"])
        self._coefficients = np.asarray(document["coefficients"], dtype=np.float64)
        if self._coefficients.shape != (width,):
            raise PortableError("a linear member has another number of features")

    def probability(self, scaled: Floats) -> float:
        return 1 / (1 + math.exp(-(self._intercept + float(self._coefficients @ scaled))))

    def contributions(self, scaled: Floats) -> Floats:
        found: Floats = self._coefficients * scaled
        return found


class _Boosted:
    def __init__(self, document: dict[str, Any], width: int) -> None:
        from lightgbm import Booster
        from lightgbm.basic import LightGBMError

        try:
            self._booster = Booster(model_str=str(document["text"]))
        except LightGBMError as error:
            raise PortableError(f"LightGBM cannot read a member: {error}") from error
        if self._booster.num_feature() != width:
            raise PortableError("a boosted member has another number of features")

    def probability(self, scaled: Floats) -> float:
        return float(self._booster.predict(scaled[None, :], num_threads=1)[0])

    def contributions(self, scaled: Floats) -> Floats:
        # Lundberg (2018), exact for trees; the last column is the expected value.
        found = self._booster.predict(scaled[None, :], pred_contrib=True, num_threads=1)
        parts: Floats = np.asarray(found)[0, :-1]
        return parts


def _member(document: dict[str, Any], width: int) -> _Logistic | _Boosted:
    match document.get("kind"):
        case "logistic":
            return _Logistic(document, width)
        case "lightgbm":
            return _Boosted(document, width)
        case kind:
            message = f"no member is of the kind {kind!r}"
            raise PortableError(message)
