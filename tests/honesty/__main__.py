"""`make honesty`: does the gate promote chance, and does it let a true signal pass?"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from activities.ports.learning.snapshots import SnapshotError
from tests.honesty import runs, watching
from tests.honesty.markets import recorded
from tests.honesty.runs import Run

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
STRONG, WEAK = 2.0, 0.3
STRONG_ENOUGH = 0.9
SOON_ENOUGH, FALSE_ALARMS = 0.9, 1.0


def main() -> int:
    """Play every run and write build/honesty.json.

    Return 1 where a promise was broken, 2 with one line where the data cannot be asked about.
    """
    options = _options()
    try:
        histories = recorded(*(options.data or [SHARED]))
    except SnapshotError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    began = time.monotonic()
    jobs = _jobs(options, histories)
    # More threads than processes would only get in each other's way.
    limit = partial(threadpool_limits, 1)
    with ProcessPoolExecutor(options.processes, initializer=limit) as pool:
        found = [_told(future) for future in [pool.submit(job) for job in jobs]]
    watched = watching.play(options.seed)
    report = _report(found, options, watched, leak_caught=runs.leak(histories))
    report["seconds"] = round(time.monotonic() - began, 1)
    target = ROOT / "build" / "honesty.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=1) + "\n")
    short = {name: value for name, value in report.items() if name != "runs"}
    sys.stdout.write(json.dumps(short, indent=1) + "\n")
    return 0 if report["honest"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make honesty", description=__doc__)
    parser.add_argument("--nulls", type=int, default=300)
    parser.add_argument("--full", type=int, default=20)
    parser.add_argument("--signals", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="first seed of each kind")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--data", type=Path, action="append", help="may be given several times")
    return parser.parse_args()


def _jobs(options: argparse.Namespace, histories: list) -> list[Callable[[], Run]]:
    first = options.seed
    signals = range(first, first + options.signals)
    strong, weak = (runs.edge_worth(worth, runs.EXITS) for worth in (STRONG, WEAK))
    worthless = runs.edge_worth(0.0, runs.DEAR)
    return [
        *(partial(runs.quick_null, histories, first + n) for n in range(options.nulls)),
        *(partial(runs.full_null, histories, first + n) for n in range(options.full)),
        *(partial(runs.signal, "strong", seed, strong, worth=STRONG) for seed in signals),
        *(partial(runs.signal, "weak", seed, weak) for seed in signals),
        *(partial(runs.signal, "below cost", seed, worthless, below_cost=True) for seed in signals),
    ]


def _told(future: Future[Run]) -> Run:
    run = future.result()
    why = "promoted" if run.promoted else ", ".join(run.reasons)
    sys.stdout.write(f"{run.kind:12} {run.seed:4} sharpe {run.sharpe:6.2f} {why}\n")
    sys.stdout.flush()
    return run


def _report(
    found: list[Run],
    options: argparse.Namespace,
    watched: watching.Watched,
    *,
    leak_caught: bool,
) -> dict:
    def promoted(kind: str) -> int:
        return sum(run.promoted for run in found if run.kind == kind)

    report = {
        "nulls": options.nulls,
        "null_promotions": promoted("quick null") + promoted("full null"),
        "full_nulls": options.full,
        "signals": options.signals,
        "strong_promoted": promoted("strong"),
        "weak_promoted": promoted("weak"),
        "below_cost_promoted": promoted("below cost"),
        "leak_caught": leak_caught,
        "flips_withdrawn_within_17_trades": watched.soon,
        "false_alarms_in_1000_healthy_trades": watched.false_alarms,
        "champions_watched": {"turned": watched.turned, "healthy": watched.healthy},
        "seeds": {"first": options.seed, "of_each_kind": "consecutive"},
    }
    report["honest"] = (
        report["null_promotions"] == 0
        and report["strong_promoted"] >= STRONG_ENOUGH * options.signals
        and report["weak_promoted"] == 0
        and report["below_cost_promoted"] == 0
        and leak_caught
        and watched.soon >= SOON_ENOUGH
        and watched.false_alarms <= FALSE_ALARMS
    )
    report["runs"] = [
        {"kind": r.kind, "seed": r.seed, "promoted": r.promoted, "reasons": r.reasons}
        for r in found
    ]
    return report


if __name__ == "__main__":
    sys.exit(main())
