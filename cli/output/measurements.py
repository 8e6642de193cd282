"""The platform's own figures, read from the processes that measure them (docs/metrics.md)."""

import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import pairwise
from typing import Any

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from infra.runtime.settings import Settings

SCRAPE_SECONDS = 3.0
OURS = "aether_"

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram as scraped: cumulative counts by upper bound."""

    buckets: tuple[tuple[float, float], ...]
    count: float
    total: float

    def quantile(self, share: float) -> float | None:
        """Return the value that this share does not exceed, interpolated within its bucket.

        Beyond the last finite bound, that bound: the histogram knows no more. None if empty.
        """
        if not self.count:
            return None
        rank = share * self.count
        for (low, below), (high, upto) in pairwise([(0.0, 0.0), *self.buckets]):
            if upto >= rank and upto > below:
                if high == float("inf"):
                    return low
                return low + (high - low) * (rank - below) / (upto - below)
        return self.buckets[-1][0]

    def document(self) -> dict[str, Any]:
        """Return count, sum and percentiles, in the histogram's unit."""
        shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
        return {
            "count": int(self.count),
            "sum": self.total,
            **{name: self.quantile(share) for name, share in shares.items()},
            "at_most": self.highest_bound(),
        }

    def highest_bound(self) -> float | None:
        """Return the upper bound of the highest bucket in use; None if empty or without bound."""
        highest = next((bound for bound, upto in self.buckets if upto >= self.count), None)
        return None if highest is None or not self.count or highest == float("inf") else highest


@dataclass(frozen=True, slots=True)
class Measurements:
    """What the processes that answered have measured.

    Attributes:
        values: counters and gauges by name and labels.
        distributions: histograms by name and labels.
        silent: processes that did not answer, and why.
    """

    values: Mapping[str, Mapping[Labels, float]]
    distributions: Mapping[str, Mapping[Labels, Distribution]]
    silent: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return everything, for ``--json``: one entry per metric, one row per set of labels."""
        rows: dict[str, Any] = {
            name: [{**dict(labels), "value": value} for labels, value in sorted(found.items())]
            for name, found in self.values.items()
        }
        rows |= {
            name: [{**dict(labels), **one.document()} for labels, one in sorted(found.items())]
            for name, found in self.distributions.items()
        }
        return {"silent": self.silent, **dict(sorted(rows.items()))}

    def by(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """Return a counter or gauge summed up by some of its labels."""
        sums: defaultdict[tuple[str, ...], float] = defaultdict(float)
        for found, value in self.values.get(name, {}).items():
            sums[tuple(dict(found).get(label, "") for label in labels)] += value
        return dict(sorted(sums.items()))

    def spreads(self, name: str) -> list[tuple[dict[str, str], Distribution]]:
        """Return a histogram's distributions in which there is anything, with their labels."""
        found = sorted(self.distributions.get(name, {}).items())
        return [(dict(labels), one) for labels, one in found if one.count]

    def total(self, name: str) -> float | None:
        """Return a counter's sum; None when nobody told."""
        found = self.values.get(name)
        return None if found is None else sum(found.values())


def endpoints(settings: Settings) -> dict[str, str]:
    """Return where each process tells its metrics."""
    return {
        "trading": f"http://127.0.0.1:{settings.trading_metrics_port}/metrics",
        "market": f"http://127.0.0.1:{settings.market_metrics_port}/metrics",
        "api": f"{settings.api_url}/metrics",
    }


def measure(settings: Settings) -> Measurements:
    """Ask every process for its metrics; those that do not answer are named."""
    asked = endpoints(settings)
    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        answers = dict(zip(asked, pool.map(_scrape, asked.values()), strict=True))
    silent = {name: why for name, (_, why) in answers.items() if why}
    return parsed({name: said for name, (said, why) in answers.items() if not why}, silent)


def parsed(said: Mapping[str, str], silent: dict[str, str] | None = None) -> Measurements:
    """Read our own metrics from what each process said; its name becomes a label."""
    values: defaultdict[str, dict[Labels, float]] = defaultdict(dict)
    distributions: defaultdict[str, dict[Labels, Distribution]] = defaultdict(dict)
    for process, content in said.items():
        # The workflow engine's SDK tells hundreds of lines more; ours are few.
        ours = "\n".join(line for line in content.splitlines() if OURS in line)
        for family in text_string_to_metric_families(ours + "\n"):
            if family.type == "histogram":
                distributions[family.name].update(_distributions(family, process))
                continue
            for sample in family.samples:
                if not sample.name.endswith("_created"):
                    values[sample.name][_labels(sample.labels, process)] = sample.value
    return Measurements(dict(values), dict(distributions), silent or {})


def _distributions(family: Metric, process: str) -> Iterator[tuple[Labels, Distribution]]:
    buckets: defaultdict[Labels, list[tuple[float, float]]] = defaultdict(list)
    sums: dict[Labels, float] = {}
    for sample in family.samples:
        labels = _labels(sample.labels, process)
        if sample.name.endswith("_bucket"):
            buckets[labels].append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_sum"):
            sums[labels] = sample.value
    for labels, found in buckets.items():
        ordered = tuple(sorted(found))
        yield labels, Distribution(ordered, ordered[-1][1], sums.get(labels, 0.0))


def _labels(labels: Mapping[str, str], process: str) -> Labels:
    named = {**labels, "process": process}
    return tuple(sorted((name, value) for name, value in named.items() if name != "le"))


def _scrape(url: str) -> tuple[str, str]:
    """Return what a process says, or why it does not."""
    try:
        with urllib.request.urlopen(url, timeout=SCRAPE_SECONDS) as answer:  # noqa: S310 loopback
            return answer.read().decode(), ""
    except (OSError, HTTPException, ValueError) as error:
        return "", str(getattr(error, "reason", error)) or type(error).__name__
