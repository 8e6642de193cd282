"""How long a whole training takes, and how much memory: three years of hourly bars of ten pairs.

The bars are made from a seed; what is timed is all that a training does with them: features,
labels, every trial of the question by walk-forward, the gate, and the last fit. It runs in a
process of its own, since the greatest memory of a process cannot be reset.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

HOUR = 3_600
PAIRS, YEARS = 10, 3
SEED = 20_260_101
MINUTES_MAXIMUM, GIBIBYTES_MAXIMUM = 10.0, 4.0
Tell = Callable[[str], None]


def measure(tell: Tell, *, pairs: int = PAIRS, years: int = YEARS) -> dict[str, Any]:
    """Return the report of a training in a process of its own: seconds by step, and memory."""
    tell(f"training on {years} years of hourly bars of {pairs} pairs")
    words = [sys.executable, "-m", __name__, str(pairs), str(years)]
    found = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 own module
    report: dict[str, Any] = json.loads(found.stdout)
    report["met"] = (
        report["seconds"] <= 60 * MINUTES_MAXIMUM and report["gibibytes"] <= GIBIBYTES_MAXIMUM
    )
    return report


def train(pairs: int, years: int) -> dict[str, Any]:
    """Train in this process and return what it took; `seconds` is wall time, `cpu` processor."""
    from dataclasses import replace

    import numpy as np

    from models.learning.features.catalogue import hourly_features
    from models.learning.training.daily import daily_question, upper_half
    from models.learning.training.final import fit_final
    from models.learning.training.fitting import run_trial
    from models.learning.training.question import make_plan
    from models.learning.training.samples import make_samples
    from models.learning.training.tuning import next_trial
    from models.learning.training.verdict import conclude

    began, cpu = time.monotonic(), time.process_time()
    steps: dict[str, float] = {}
    question = daily_question()
    exits = replace(question.exits, stop=0.02, target=0.03, longest_bars=48)
    features = hourly_features()
    question = replace(
        question, name="hourly", exits=exits, embargo_seconds=48 * HOUR, features=features.names
    )
    histories = [_bars(number, years) for number in range(pairs)]

    def took(step: str) -> None:
        steps[step] = round(time.monotonic() - began - sum(steps.values()), 1)

    samples = make_samples(histories, features, upper_half, exits)
    plan = make_plan(question, samples)
    took("features and labels")
    results: list[Any] = []
    while (spec := next_trial(question, results)) is not None:
        results.append(run_trial(plan, spec))
    took("trials")
    answer = conclude(plan, results, np.random.default_rng(SEED))
    took("gate")
    pins = {"data_hash": "bench", "code_version": "bench"}
    fit_final(plan, question.trials[0], features, "bench", pins=pins)
    took("last fit")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "pairs": pairs,
        "years": years,
        "samples": len(samples),
        "trials": len(results),
        "promoted": answer.promoted,
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "steps": steps,
        # Kibibytes on Linux.
        "gibibytes": round(peak / 2**20, 2),
    }


def _bars(number: int, years: int) -> Any:
    import numpy as np

    from models.learning.features.bars import Bars

    rng = np.random.default_rng([SEED, number])
    size = years * 365 * 24
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.006, size)))
    opened = np.concatenate([[100.0], close[:-1]])
    wick = np.abs(rng.normal(0, 0.002, (2, size)))
    return Bars(
        np.arange(size) * HOUR,
        HOUR,
        opened,
        np.maximum(opened, close) * np.exp(wick[0]),
        np.minimum(opened, close) * np.exp(-wick[1]),
        close,
        rng.gamma(2, 10, size),
        rng.uniform(0, 1, size),
        close,
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(train(int(sys.argv[1]), int(sys.argv[2]))) + "\n")
