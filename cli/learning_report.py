"""`make learning-report`: ask the daily question of recorded candles and write docs/learning.md."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from activities.adapters.candle_files.snapshots import read_snapshot
from activities.learning.challenging import CHALLENGERS
from activities.ports.learning.snapshots import Snapshot, SnapshotError
from models.learning.challengers.judged import judge_challenger
from models.learning.challengers.weights import challenge
from models.learning.features.bars import Bars
from models.learning.training.comparison import Performance, compare_with_rivals
from models.learning.training.daily import PRIMARY, daily_question, question_features, upper_half
from models.learning.training.fitting import run_trial
from models.learning.training.holdout import lock_holdout
from models.learning.training.question import Answer, Plan, TrialResult, make_plan
from models.learning.training.samples import SamplesError, make_samples
from models.learning.training.tuning import next_trial
from models.learning.training.verdict import conclude
from models.learning.validation.gate import Finding, GateReport
from models.learning.validation.spans import SplitError

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
DAY = 86_400
SEED = 20_260_101


def main() -> int:
    """Write the page; 2 with one line where the data cannot be read."""
    parser = argparse.ArgumentParser(prog="make learning-report", description=__doc__)
    parser.add_argument("--data", type=Path, action="append", help="may be given several times")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "learning.md")
    options = parser.parse_args()
    try:
        page = report(read_snapshot(*(options.data or [SHARED])))
    except (SnapshotError, SamplesError, SplitError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    options.to.write_text(page)
    sys.stdout.write(f"wrote {options.to}\n")
    return 0


def report(snapshot: Snapshot) -> str:
    """Run the pipeline and return the page. The same data gives the same page."""
    question, rng = daily_question(), np.random.default_rng(SEED)
    histories = list(snapshot.histories.values())
    samples = make_samples(histories, question_features(), upper_half, question.exits)
    plan = make_plan(question, lock_holdout(question, samples).open)
    results: list[TrialResult] = []
    while (spec := next_trial(question, results)) is not None:
        results.append(run_trial(plan, spec))
    others = [challenge(plan, histories, one, rng) for one in CHALLENGERS]
    tried = np.stack([one.net for one in (*results, *others)], axis=1)
    answer = conclude(plan, results, rng, earlier=tried[:, len(results) :])
    verdicts = [(one, judge_challenger(plan, one, tried, rng)) for one in others]
    rivals = compare_with_rivals(plan, answer, histories, rng)
    return "\n".join(_page(snapshot, plan, answer, rivals, verdicts)) + "\n"


def _page(
    snapshot: Snapshot,
    plan: Plan,
    answer: Answer,
    rivals: tuple[Performance, ...],
    challengers: Sequence[tuple[TrialResult, GateReport]],
) -> list[str]:
    verdict = "The candidate is fit for promotion." if answer.promoted else "Nothing is promoted."
    failed = ", ".join(f"`{name}`" for name in answer.report.reasons)
    chosen = answer.candidate.trial if answer.candidate is not None else "none"
    seen = answer.report.detectable_sharpe * np.sqrt(365)
    return [
        INTRODUCTION,
        "## What was asked",
        "",
        *_asked(snapshot, plan),
        "",
        "## What came of it, out of sample and net of costs",
        "",
        f"The best of {len(answer.trials)} trials: `{chosen}`. All at the risk of the candidate.",
        "",
        "| | Sharpe ratio a year | 90 % interval | a year, of capital | 90 % interval | drawdown |",
        "|---|---|---|---|---|---|",
        *map(_rival, rivals),
        "",
        "## The gate",
        "",
        f"**{verdict}**" + (f" Not passed: {failed}. No trade stays champion." if failed else ""),
        "",
        "| Test | Figure | Limit | Passed | Note |",
        "|---|---|---|---|---|",
        *map(_finding, answer.report.findings),
        "",
        f"This record would have shown a true Sharpe ratio of {seen:.2f} a year at 80 % power:",
        "a smaller one it cannot tell from chance.",
        "",
        "## Challengers of another kind",
        "",
        "They decide the same days at the same costs, count as trials, and meet the same gate.",
        "",
        "| Challenger | Sharpe ratio a year | Promoted | Not passed |",
        "|---|---|---|---|",
        *(_challenger(*one) for one in challengers),
    ]


INTRODUCTION = """# Learning: what it earns

Made by `make learning-report` (`LEARNING="--data DIRECTORY"` for other candles, several times for
earlier and later months together); the same data gives the same page. A learned model decides
whether an entry of a *primary rule* is taken, and how large.
It is trained on the past only, judged on what followed, and trades only if every test of the gate
passes. The default, and what trades where one fails, is no trade.

What belongs beside the figures:

- This page and the sweeps of `aether backtest` have no database: what they try is **not** in the
  ledger of trials, which counts the trials of trainings and their challengers. Whoever chooses by
  what they show has tried more than the gate knows of.
- No model is the champion here, so that the candidate is held against no trade. A training also
  runs the trial of the champion in force again, out of sample on the same data, and its candidate
  must beat that.
- The features are of bars, and known at the bar's end: their availability lag is 0 seconds. Order
  flow is a feature of hourly bars alone; the daily question has none.
- A day that no daily file has is made of finer bars of the same venue.
"""


def _challenger(result: TrialResult, report: GateReport) -> str:
    deviation = float(result.net.std())
    sharpe = float(result.net.mean()) / deviation * np.sqrt(365) if deviation > 0 else 0.0
    failed = ", ".join(f"`{name}`" for name in report.reasons)
    return f"| `{result.trial}` | {sharpe:.2f} | {'yes' if report.passed else 'no'} | {failed} |"


def _asked(snapshot: Snapshot, plan: Plan) -> list[str]:
    exits, tested = plan.question.exits, plan.tested
    starts = plan.samples.spans.start[tested]
    known = {pair: _days(bars) for pair, bars in snapshot.histories.items()}
    features = question_features()
    read = ", ".join(f"{pair} ({days} days)" for pair, days in known.items())
    period = f"from {_date(starts.min())} to {_date(starts.max())}, in {len(plan.folds)} folds"
    own = f"{plan.samples.unique.sum():.0f} independent ones"
    pinned = f"`{features.name}` version {features.version}, `{features.fingerprint[:16]}`"
    locked = plan.question.holdout_seconds // DAY
    ends = f"stop {exits.stop:.0%}, target {exits.target:.0%}, {exits.longest_bars} days"
    return [
        f"- Data: {read}; hash `{snapshot.hash[:16]}`.",
        f"- Primary rule: `{PRIMARY}`; features: {pinned}.",
        f"- Exits: {ends}; {exits.entry_cost:.1%} for each side.",
        f"- {len(plan.samples)} decisions, worth {own}; {tested.size} tested, {period}.",
        f"- The newest {locked} days are locked away, for one look at a model that has passed.",
    ]


def _days(bars: Bars) -> int:
    return int(np.isfinite(bars.close).sum())


def _date(seconds: int) -> str:
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d}"


def _rival(found: Performance) -> str:
    low, high = found.sharpe_interval
    worst, best = found.yearly_interval
    return (
        f"| {found.name} | {found.sharpe:.2f} | {low:.2f} to {high:.2f} | {found.yearly:.2%} "
        f"| {worst:.2%} to {best:.2%} | {found.drawdown:.2%} |"
    )


def _finding(finding: Finding) -> str:
    passed = "yes" if finding.passed else "no"
    return (
        f"| `{finding.test}` | {finding.figure:.4g} | {finding.limit:.4g} | {passed} "
        f"| {finding.note} |"
    )


if __name__ == "__main__":
    sys.exit(main())
