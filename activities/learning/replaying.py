"""What decisions saw, computed again from the record: online must equal offline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from activities.learning.deciding import bars_until
from activities.ports.learning.models import LoggedPrediction
from models.contracts.learning import REFERENCE_SYMBOL
from models.learning.features.catalogue import FeatureSet
from models.trading.market import Candle

Floats = npt.NDArray[np.float64]
RELATIVE = 1e-9


@dataclass(frozen=True, slots=True)
class Replay:
    """How many vectors were compared, and which differ by more than 1e-9 of their size.

    `unavailable` are those whose days are not in the record any more, or of another feature set;
    `worst` is the largest relative difference.
    """

    compared: int = 0
    unavailable: int = 0
    differing: tuple[str, ...] = ()
    worst: float = 0.0


def replay_vectors(
    features: FeatureSet,
    logged: Sequence[LoggedPrediction],
    bars: Mapping[str, Sequence[Candle]],
) -> Replay:
    """Measure each pair's whole history at once, and compare it with what was logged."""
    compared, unavailable, differing, worst = 0, 0, [], 0.0
    for symbol in sorted({one.symbol for one in logged}):
        own = [one for one in logged if one.symbol == symbol]
        known = bars.get(symbol, ())
        last = max(one.bar_start for one in own)
        if not known:
            unavailable += len(own)
            continue
        first = min(bar.start for bar in known)
        count = max((last - first).days + 1, features.lookback)
        table = bars_until(last, count, known, bars.get(REFERENCE_SYMBOL, ()))
        vectors = features.vectors(table)
        for one in own:
            row = count - 1 - (last - one.bar_start).days
            is_own = one.feature_hash == features.fingerprint
            if not is_own or row < features.lookback - 1 or not _is_there(table.close, row):
                unavailable += 1
                continue
            difference = difference_of(one.vector, vectors[row])
            compared += 1
            worst = max(worst, difference)
            if difference > RELATIVE:
                differing.append(one.idea_id)
    return Replay(compared, unavailable, tuple(differing), worst)


def difference_of(logged: Sequence[float | None], measured: Floats) -> float:
    """Return the largest relative difference; unknown against known is one hundred per cent."""
    if len(logged) != measured.size:
        return 1.0
    online = np.asarray([np.nan if value is None else value for value in logged], dtype=np.float64)
    unknown = np.isnan(online) != np.isnan(measured)
    if unknown.any():
        return 1.0
    size = np.maximum(np.maximum(np.abs(online), np.abs(measured)), 1e-12)
    return float(np.nanmax(np.abs(online - measured) / size, initial=0.0))


def _is_there(close: Floats, row: int) -> bool:
    return bool(np.isfinite(close[row]))
