"""A small model of the daily features, and days of a market that it can judge."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from activities.ports.learning.models import RegisteredModel
from models.contracts.learning import PRIMARY_STRATEGY
from models.learning.estimators.portable import Baseline, ModelDocument
from models.learning.features.catalogue import daily_features
from models.trading.market import Candle

FIRST = datetime(2023, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def baseline(count: int = 400, seed: int = 5) -> Baseline:
    """Return the record of a champion with an edge: it says 0.65 and is right that often."""
    wins = np.random.default_rng(seed).random(count) < 0.65
    losses = np.where(wins, -np.log(0.65), -np.log(0.35))
    return Baseline(tuple(losses.tolist()), tuple(np.where(wins, 0.14, -0.09).tolist()))


def document(**changes: object) -> ModelDocument:
    """Return a linear model that likes every idea: probability about 0.65."""
    features = daily_features()
    width = len(features.names)
    coefficients = np.zeros(width)
    coefficients[features.names.index("return_20")] = 0.1
    made = ModelDocument(
        kind="logistic",
        trial="logistic(penalty=1)",
        primary=PRIMARY_STRATEGY,
        feature_hash=features.fingerprint,
        features=features.names,
        data_hash="d" * 64,
        code_version="code",
        mean=(0.0,) * width,
        scale=(1.0,) * width,
        low=(-50.0,) * width,
        high=(50.0,) * width,
        members=({"kind": "logistic", "intercept": 0.62, "coefficients": coefficients.tolist()},),
        evidence=200.0,
        win=0.14,
        loss=0.09,
        largest_stake=0.1,
        baseline=baseline(),
    )
    return replace(made, **changes)


def pinned(content: bytes, made: ModelDocument, version: int = 2) -> RegisteredModel:
    """Return what the record would pin of a document."""
    return RegisteredModel(
        version,
        "run-1",
        made.trial,
        hashlib.sha256(content).hexdigest(),
        "signature",
        made.feature_hash,
        made.data_hash,
        made.code_version,
    )


def days(symbol: str, count: int = 150, seed: int = 1, drift: float = 0.002) -> list[Candle]:
    """Return days of a market that wanders."""
    rng = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(rng.normal(drift, 0.02, count)))
    found, before = [], 100.0
    for number, close in enumerate(closes):
        high, low = max(before, close) * 1.01, min(before, close) * 0.99
        prices = [Decimal(f"{value:.4f}") for value in (before, high, low, close)]
        volume = Decimal(f"{rng.gamma(2, 10):.6f}")
        found.append(Candle(symbol, 1440, FIRST + DAY * number, *prices, volume, 10))
        before = float(close)
    return found
