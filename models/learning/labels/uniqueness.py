"""How much of a label is its own: overlapping labels share one answer and must not count as many.

Lopez de Prado, "Advances in financial machine learning" (2018), chapter 4.
"""

import numpy as np
import numpy.typing as npt

from models.learning.validation.spans import Spans

Floats = npt.NDArray[np.float64]


def average_uniqueness(spans: Spans) -> Floats:
    """Return each label's average uniqueness, shape (samples,), in (0, 1].

    At each moment a label's uniqueness is one over the number of labels that run; its average
    weighs moments by time. Labels alone have 1.
    """
    edges = np.unique(np.concatenate([spans.start, spans.end]))
    first = np.searchsorted(edges, spans.start)
    last = np.searchsorted(edges, spans.end)
    change = np.zeros(edges.size + 1, dtype=np.int64)
    np.add.at(change, first, 1)
    np.add.at(change, last, -1)
    running = np.cumsum(change)[: edges.size - 1]
    lengths = np.diff(edges).astype(np.float64)
    shares = np.divide(lengths, running, out=np.zeros_like(lengths), where=running > 0)
    total = np.concatenate([[0.0], np.cumsum(shares)])
    unique: Floats = (total[last] - total[first]) / (spans.end - spans.start)
    return unique


def draw_probabilities(spans: Spans, drawn: npt.NDArray[np.int64]) -> Floats:
    """Return the probability of each label to be drawn next, given those `drawn` already.

    The sequential bootstrap: in proportion to the average uniqueness that a label would have among
    the labels drawn so far and itself.
    """
    edges = np.unique(np.concatenate([spans.start, spans.end]))
    lengths = np.diff(edges).astype(np.float64)
    inside = (edges[:-1] >= spans.start[:, None]) & (edges[1:] <= spans.end[:, None])
    running = inside[drawn].sum(axis=0)
    own = (inside * (lengths / (running + 1))).sum(axis=1) / (inside * lengths).sum(axis=1)
    shares: Floats = own / own.sum()
    return shares


def sample_weights(spans: Spans, results: Floats) -> Floats:
    """Return weights with mean 1: a label's uniqueness times the size of its own net result.

    `results` are net returns of the labels, shape (samples,). Where all are zero, uniqueness alone.
    """
    unique = average_uniqueness(spans)
    size = np.abs(np.asarray(results, dtype=np.float64))
    weights = unique * size if size.any() else unique
    scaled: Floats = weights * weights.size / weights.sum()
    return scaled
