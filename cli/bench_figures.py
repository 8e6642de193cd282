"""What a benchmark's figures are made of: percentiles, parts, budgets, facts of the machine."""

import math
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

BUDGETS: Mapping[str, Mapping[str, float]] = {
    "request_to_ack": {"p50_ms": 30, "p99_ms": 100},
    "fill_to_stop": {"p99_ms": 120},
    "cross_to_exit": {"p50_ms": 40, "p99_ms": 120},
    "kill_switch_halt": {"p99_ms": 250},
    "kill_switch_cancel": {"p99_ms": 2000},
}
"""The budgets of the design: on two cores with the whole embedded stack running."""

Parts = Mapping[str, Sequence[float]]


def milliseconds(begin: datetime, end: datetime) -> float:
    """Return the time between two moments of one clock, in milliseconds."""
    return (end - begin).total_seconds() * 1000


def figure(name: str, values: Sequence[float], parts: Parts | None = None) -> dict[str, Any]:
    """Return percentiles of milliseconds, with parts and with what was budgeted.

    ``met`` is None where no budget exists or nothing was measured.
    """
    document = _percentiles(values)
    budget = BUDGETS.get(name)
    if budget is not None:
        document["budget"] = dict(budget)
        document["met"] = (
            all(document[key] <= limit for key, limit in budget.items()) if values else None
        )
    if parts:
        document["parts"] = {part: _percentiles(found) for part, found in parts.items()}
    return document


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that ``share`` of all values do not exceed (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def machine(loads: Mapping[str, float]) -> dict[str, Any]:
    """Return what the figures depend on: cores, the load at several moments, versions."""
    return {
        "cores": os.cpu_count(),
        "load_average": dict(loads),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def load_average() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def _percentiles(values: Sequence[float]) -> dict[str, Any]:
    middle, high = percentile(values, 0.5), percentile(values, 0.99)
    return {
        "p50_ms": None if middle is None else round(middle, 2),
        "p99_ms": None if high is None else round(high, 2),
        "n": len(values),
    }
