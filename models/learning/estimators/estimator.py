"""The port of estimators, and those that the platform ships."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from models.learning.features.expressions import Expression

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
WITH = " with "
"""What parts an estimator's name from each expression that it learns from."""


class EstimatorError(ValueError):
    """An estimator cannot be made, fitted or asked with what was given."""


class Estimator(Protocol):
    """Estimate probabilities. Rows with an unknown feature are refused, not imputed."""

    def fit(self, features: Floats, profitable: Flags, weights: Floats) -> Self:
        """Learn from features, shape (samples, features), answers and weights, shape (samples,)."""
        ...

    def probabilities(self, features: Floats) -> Floats:
        """Return the probability of profit of each row, shape (samples,)."""
        ...


@dataclass(frozen=True, slots=True)
class EstimatorSpec:
    """Which estimator, with which parameters, from which seed: a trial of the ledger.

    `expressions` of the features are learnt from besides the features themselves.
    """

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    expressions: tuple[str, ...] = ()

    def describe(self) -> str:
        """Name the trial by kind, parameters and expressions, the same text for the same trial."""
        parts = ", ".join(f"{name}={self.parameters[name]}" for name in sorted(self.parameters))
        return "".join([f"{self.kind}({parts})", *(f"{WITH}{one}" for one in self.expressions)])

    @classmethod
    def parse(cls, text: str) -> "EstimatorSpec":
        """Read what `describe` wrote. Raise `EstimatorError` where it is no such text."""
        own, *expressions = text.split(WITH)
        found = re.fullmatch(r"(\w+)\((.*)\)", own)
        if found is None:
            raise EstimatorError(f"{text!r} names no trial")
        parts = [part.partition("=") for part in found[2].split(", ") if part]
        try:
            parameters = {name: _number(value) for name, _, value in parts}
            for one in expressions:
                Expression.parse(one)
            return cls(found[1], parameters, expressions=tuple(expressions))
        except ValueError as error:
            raise EstimatorError(f"{text!r} names no trial") from error


class PipelineEstimator:
    """A scikit-learn pipeline as the unit that is fitted, registered and asked."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._width = 0

    def fit(self, features: Floats, profitable: Flags, weights: Floats) -> Self:
        """Learn. Raise `EstimatorError` where answers are all alike or a figure is unknown."""
        _known(features)
        if features.shape[0] != profitable.size or profitable.size != weights.size:
            raise EstimatorError("features, answers and weights differ in length")
        if profitable.all() or not profitable.any():
            raise EstimatorError("the answers are all alike: nothing can be learnt from them")
        step = self.pipeline.steps[-1][0]
        self.pipeline.fit(features, profitable, **{f"{step}__sample_weight": weights})
        self._width = features.shape[1]
        return self

    def probabilities(self, features: Floats) -> Floats:
        """Return the probability of profit of each row, shape (samples,)."""
        _known(features)
        if features.shape[1] != self._width:
            message = f"fitted on {self._width} features, asked with {features.shape[1]}"
            raise EstimatorError(message)
        found: Floats = self.pipeline.predict_proba(features)[:, 1]
        return found


def _number(text: str) -> int | float:
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


def make_estimator(spec: EstimatorSpec) -> PipelineEstimator:
    """Make an unfitted estimator. Raise `EstimatorError` for a kind that is not known.

    Kinds: `logistic` (parameter `penalty`, the inverse of scikit-learn's C), `boosting` (histogram
    gradient boosting: `leaves`, `rounds`, `rate`), `lightgbm` (the same and `smallest_leaf`, in
    samples: overlapping labels are fewer than they seem) and `committee` (the mean of a logistic
    regression and of LightGBM, with the parameters of both).
    """
    parameters = dict(spec.parameters)
    if spec.kind == "logistic":
        penalty = float(parameters.pop("penalty", 1.0))
        model: Any = LogisticRegression(C=1 / penalty, max_iter=1_000, random_state=spec.seed)
    elif spec.kind == "boosting":
        model = HistGradientBoostingClassifier(
            max_leaf_nodes=int(parameters.pop("leaves", 8)),
            max_iter=int(parameters.pop("rounds", 100)),
            learning_rate=float(parameters.pop("rate", 0.05)),
            min_samples_leaf=50,
            early_stopping=False,
            random_state=spec.seed,
        )
    elif spec.kind == "committee":
        linear = LogisticRegression(C=1 / float(parameters.pop("penalty", 10.0)), max_iter=1_000)
        trees = _lightgbm(parameters, spec.seed)
        model = VotingClassifier([("logistic", linear), ("lightgbm", trees)], voting="soft")
    elif spec.kind == "lightgbm":
        model = _lightgbm(parameters, spec.seed)
    else:
        message = f"no estimator is called {spec.kind!r}"
        raise EstimatorError(message)
    if parameters:
        message = f"{spec.kind} takes no {', '.join(sorted(parameters))}"
        raise EstimatorError(message)
    return PipelineEstimator(make_pipeline(StandardScaler(), model))


def _lightgbm(parameters: dict[str, Any], seed: int) -> Any:
    return LGBMClassifier(
        num_leaves=int(parameters.pop("leaves", 8)),
        n_estimators=int(parameters.pop("rounds", 100)),
        learning_rate=float(parameters.pop("rate", 0.05)),
        min_child_samples=int(parameters.pop("smallest_leaf", 200)),
        random_state=seed,
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,
        verbose=-1,
    )


def _known(features: Floats) -> None:
    if features.ndim != 2 or not np.isfinite(features).all():
        raise EstimatorError("a feature is unknown: such rows are left out, not guessed")
