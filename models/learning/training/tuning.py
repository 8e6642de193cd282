"""Further trials by a sampler that learns from those before: bounded, and the same when resumed.

Nothing but the ledger is remembered: the sampler is seeded by how many trials are finished and told
of all of them, so a killed search goes on as if it had not been (Akiba et al., 2019, "Optuna").
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.trial import create_trial

from models.learning.estimators.estimator import WITH, EstimatorError, EstimatorSpec
from models.learning.features.expressions import drawn
from models.learning.training.question import Question, TrialResult

SPACE: Mapping[str, BaseDistribution] = {
    "penalty": FloatDistribution(0.1, 1_000.0, log=True),
    "leaves": IntDistribution(2, 6),
    "rounds": IntDistribution(20, 80, step=10),
}
"""What is searched, of a committee. Bounded: a wider space finds more of what chance offers."""
BASE_SEED = 20_260_101
ATTEMPTS = 20
MOST_EXPRESSIONS = 2

optuna.logging.set_verbosity(optuna.logging.WARNING)


def next_trial(question: Question, finished: Sequence[TrialResult]) -> EstimatorSpec | None:
    """Return what to try next: the question's own trials, the sampler's, then expressions.

    None where all are done, or nothing new is found.
    """
    known = {result.trial for result in finished}
    for spec in question.trials:
        if spec.describe() not in known:
            return spec
    searched = sum(WITH in trial for trial in known)
    if len(known) - searched < len(question.trials) + question.tuned:
        found = _new(_proposed, finished, known)
        if found is not None:
            return found
    if searched < question.discovered:
        return _new(partial(_discovered, question), finished, known)
    return None


def _new(
    propose: Callable[[Sequence[TrialResult], int], EstimatorSpec],
    finished: Sequence[TrialResult],
    known: AbstractSet[str],
) -> EstimatorSpec | None:
    for attempt in range(ATTEMPTS):
        spec = propose(finished, BASE_SEED + len(finished) + 1_000 * attempt)
        if spec.describe() not in known:
            return spec
    return None


def _discovered(question: Question, finished: Sequence[TrialResult], seed: int) -> EstimatorSpec:
    """Let the best trial so far learn from one more expression: a step of the search for features.

    Nothing is looked at but the ledger: what an expression is worth shows as a trial, which counts.
    """
    spec = EstimatorSpec.parse(max(finished, key=_sharpe).trial)
    found = drawn(question.features, np.random.default_rng(seed)).describe()
    # The newest takes the oldest's place: of many figures there is little evidence for each.
    kept = tuple(one for one in spec.expressions if one != found)[-(MOST_EXPRESSIONS - 1) :]
    return replace(spec, expressions=(*kept, found))


def _proposed(finished: Sequence[TrialResult], seed: int) -> EstimatorSpec:
    study = optuna.create_study(
        direction="maximize", sampler=TPESampler(seed=seed, n_startup_trials=4)
    )
    for result in finished:
        parameters = _inside(result.trial)
        if parameters is not None:
            study.add_trial(
                create_trial(params=parameters, distributions=dict(SPACE), value=_sharpe(result))
            )
    asked = study.ask(dict(SPACE)).params
    return EstimatorSpec("committee", {**asked, "penalty": float(f"{asked['penalty']:.3g}")})


def _inside(trial: str) -> dict[str, Any] | None:
    """Return a trial's parameters where it is one of the space, else None."""
    try:
        spec = EstimatorSpec.parse(trial)
    except EstimatorError:
        return None
    if spec.kind != "committee" or spec.expressions or set(spec.parameters) != set(SPACE):
        return None
    return dict(spec.parameters)


def _sharpe(result: TrialResult) -> float:
    deviation = float(result.net.std())
    return float(result.net.mean()) / deviation if deviation > 0 else 0.0
