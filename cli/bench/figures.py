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

RATIOS: Mapping[str, Mapping[str, float]] = {
    "request_to_ack": {"p50": 2.5, "p99": 5},
    "fill_to_stop": {"p50": 3.5, "p99": 5},
    "cross_to_exit": {"p50": 3.5, "p99": 5},
}
"""The budgets of the design on any machine: multiples of the same percentile of a bare chain of
signal and activity (:mod:`cli.bench.chain`) on the same server in the same run."""
MILLISECONDS = 1000

Parts = Mapping[str, Sequence[float]]


def milliseconds(begin: datetime, end: datetime) -> float:
    """Return the time between two moments of one clock, in milliseconds."""
    return (end - begin).total_seconds() * MILLISECONDS


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


def add_ratios(figures: Mapping[str, dict[str, Any]], chain: Sequence[float]) -> None:
    """Add to each figure what multiple of the bare chain it is, and whether that is met.

    ``ratio_met`` is None where there is no budget or either of the two was not measured.
    """
    bare = _percentiles(chain)
    for name, document in figures.items():
        ratio = {key: _multiple(document[f"{key}_ms"], bare[f"{key}_ms"]) for key in ("p50", "p99")}
        document["ratio"] = ratio
        budget = RATIOS.get(name)
        if budget is not None:
            document["ratio_budget"] = dict(budget)
            document["ratio_met"] = _all_met(ratio, budget)


def _multiple(value: float | None, bare: float | None) -> float | None:
    return round(value / bare, 2) if value is not None and bare else None


def _all_met(ratio: Mapping[str, float | None], budget: Mapping[str, float]) -> bool | None:
    found = {key: ratio[key] for key in budget}
    if any(value is None for value in found.values()):
        return None
    return all(value is not None and value <= budget[key] for key, value in found.items())


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
