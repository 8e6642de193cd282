"""How many independent things were tried, however many were run."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import silhouette_score

from models.learning.validation.sharpe import UnknownStatisticError

Floats = npt.NDArray[np.float64]
FEWEST_TO_CLUSTER = 4
ALIKE = 0.9


@dataclass(frozen=True, slots=True)
class TrialsSummary:
    """What the ledger says of all trials on the same data.

    `effective` is the number of clusters of trials that resemble each other; `variance` that of the
    Sharpe ratios (per observation) across clusters, each by its minimum-variance mixture's
    stand-in, the mean of its members.
    """

    trials: int
    effective: int
    variance: float


def summarise_trials(results: Floats, sharpes: Floats | None = None) -> TrialsSummary:
    """Summarise the net results of all trials ever run, shape (observations, trials).

    Lopez de Prado and Lewis, "Detection of false investment strategies using unsupervised learning
    methods" (2019): trials are clustered by correlation distance; the silhouette chooses how many.
    Where there are too few to cluster, or the clusters do not stand apart, each trial counts as its
    own: the stricter reading.
    """
    table = np.asarray(results, dtype=np.float64)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise UnknownStatisticError("needs a table of finite results, observations by trials")
    ratios = _sharpes(table) if sharpes is None else np.asarray(sharpes, dtype=np.float64)
    count = table.shape[1]
    if count < FEWEST_TO_CLUSTER:
        return TrialsSummary(count, count, _variance(ratios))
    labels = _clusters(table)
    centres = np.array([ratios[labels == label].mean() for label in np.unique(labels)])
    # Between clusters, but never less than what all trials show: two clusters alone tell little.
    spread = max(_variance(centres), _variance(ratios))
    return TrialsSummary(count, int(centres.size), spread)


def merge_alike(results: Floats, correlation: float = ALIKE) -> Floats:
    """Return the table with trials that are one for all purposes merged into their mean.

    Trials whose results correlate by at least `correlation` (complete linkage) differ in parameters
    only: which of them ranks first out of sample is chance and says nothing of the choice.
    """
    table = np.asarray(results, dtype=np.float64)
    if table.shape[1] < 2 or not np.isfinite(table).all():
        return table
    labels = AgglomerativeClustering(
        n_clusters=None,
        metric="precomputed",
        linkage="complete",
        distance_threshold=float(np.sqrt((1 - correlation) / 2)),
    ).fit_predict(_distances(table))
    return np.stack([table[:, labels == label].mean(axis=1) for label in np.unique(labels)], axis=1)


def _variance(ratios: Floats) -> float:
    return float(ratios.var(ddof=1)) if ratios.size > 1 else 0.0


def _sharpes(table: Floats) -> Floats:
    deviation = table.std(axis=0, ddof=1)
    ratios: Floats = np.where(
        deviation > 0, table.mean(axis=0) / np.where(deviation > 0, deviation, 1), 0
    )
    return ratios


def _distances(table: Floats) -> Floats:
    """Return correlation distances, shape (trials, trials); one that never moves is far off."""
    count = table.shape[1]
    quiet = table.std(axis=0) == 0
    correlation = np.eye(count)
    if not quiet.all():
        live = np.flatnonzero(~quiet)
        correlation[np.ix_(live, live)] = np.corrcoef(table[:, live], rowvar=False)
    distance: Floats = np.sqrt(np.clip((1 - correlation) / 2, 0.0, 1.0))
    np.fill_diagonal(distance, 0.0)
    return distance


def _clusters(table: Floats) -> npt.NDArray[np.int64]:
    count = table.shape[1]
    distance = _distances(table)
    own = np.arange(count, dtype=np.int64)
    best, found = 0.0, own
    for number in range(2, count):
        labels = AgglomerativeClustering(
            n_clusters=number, metric="precomputed", linkage="average"
        ).fit_predict(distance)
        score = float(silhouette_score(distance, labels, metric="precomputed"))
        if score > best + 1e-12:
            best, found = score, labels.astype(np.int64)
    return found if best >= WEAK_STRUCTURE else own


WEAK_STRUCTURE = 0.25
"""Below this mean silhouette no structure was found (Kaufman and Rousseeuw, 1990)."""
