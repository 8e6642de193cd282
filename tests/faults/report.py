"""What came of a run: figures for `build/faults.json` and for the terminal."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.faults.life import Outcome
from tests.faults.scripts import Meeting

BUDGET_SECONDS = 5.0
"""How long a recovery may take at the 99th percentile."""
RESULT = Path("build") / "faults.json"


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile, None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-len(ordered) * round(share * 100) // 100)
    return round(ordered[max(0, rank - 1)], 3)


def summarise(
    outcomes: Sequence[Outcome],
    kills: int,
    findings: Sequence[str],
    about: dict[str, Any],
    wanted: Collection[Meeting] = (),
) -> dict[str, Any]:
    """Return the report of a run.

    Args:
        outcomes: of every trade.
        kills: processes killed.
        findings: what `aether verify` found in the end.
        about: what describes the run itself.
        wanted: which fault should have struck at which step; what has not is told.
    """
    struck = [one for one in outcomes if one.struck]
    faults: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in struck:
        faults[one.script.kind][one.script.step] += 1
    recoveries = [one.recovery for one in struck if one.recovery is not None]
    resolutions = [one.resolution for one in struck if one.resolution is not None]
    verdicts = [one.verdict for one in outcomes]
    difference = max((v.ledger_difference for v in verdicts), default=Decimal(0))
    return {
        **about,
        "runs": len(outcomes),
        "faulted": len(struck),
        "kills": kills,
        "trades_killed": sum(bool(one.script.kills) for one in struck),
        "faults": {kind: dict(sorted(steps.items())) for kind, steps in sorted(faults.items())},
        "not_struck": sorted(map(_words, lacking(outcomes, wanted))),
        "duplicates": sum(v.duplicates for v in verdicts),
        "orphans": sum(v.orphans for v in verdicts),
        "lost_fills": sum(v.lost_fills for v in verdicts),
        "unowned": sum(v.unowned for v in verdicts),
        "ledger_difference": f"{difference:f}",
        "within_budget": (percentile(recoveries, 0.99) or 0.0) <= BUDGET_SECONDS,
        "longest_unprotected_seconds": _longest(outcomes, "unprotected"),
        "longest_unprotected_seconds_with_outages": _longest(outcomes, "unprotected_in_all"),
        "recovery_p50_seconds": percentile(recoveries, 0.5),
        "recovery_p99_seconds": percentile(recoveries, 0.99),
        "resolution_p50_seconds": percentile(resolutions, 0.5),
        "resolution_p99_seconds": percentile(resolutions, 0.99),
        "recovery_by_kind": _by_kind(struck),
        "slowest": [_line(one) for one in _worst(struck)],
        "least_protected": [_bare(one) for one in _barest(outcomes)],
        "verify": list(findings),
        "failures": [describe(one) for one in outcomes if one.failed],
    }


def lacking(outcomes: Sequence[Outcome], wanted: Collection[Meeting]) -> set[Meeting]:
    """Return what should have been struck and has not been."""
    return set(wanted) - {one.script.meeting for one in outcomes if one.struck}


def _words(meeting: Meeting) -> str:
    kind, step, kills = meeting
    return " ".join((kind, *kills, "at", step))


def describe(outcome: Outcome) -> dict[str, Any]:
    """Return a failing trade with all that it takes to repeat it."""
    return {
        "replay": outcome.script.name,
        "account": outcome.script.account,
        "trade": outcome.number,
        "findings": outcome.verdict.words,
        "said": outcome.said,
        "script": outcome.script.describe(),
    }


def is_good(report: dict[str, Any]) -> bool:
    """Tell whether no invariant was broken, and nothing was left out that should be played."""
    outages = report.get("outages", ())
    broken = any(one["findings"] or not _is_within(one) for one in outages)
    left_out = report.get("broke_off") or (report.get("every_step") and report["not_struck"])
    failed = report["failures"] or report["verify"] or broken or left_out
    return not failed and bool(report["within_budget"])


def _is_within(outage: dict[str, Any]) -> bool:
    measured = (outage["recovery"], outage["longest_unprotected"])
    return all(seconds is not None and seconds <= BUDGET_SECONDS for seconds in measured)


def outage_words(outage: dict[str, Any]) -> str:
    """Return what came of one long outage, for people."""
    line = (
        "exchange away ({kind}, {seconds:.0f} s): {trades} trades, {fills_meanwhile} fills "
        "meanwhile, recovered in {recovery} s, longest unprotected {longest_unprotected} s"
    ).format_map(outage)
    return "\n".join([line, *(f"  FAILED {words}" for words in outage["findings"])])


def write(report: dict[str, Any]) -> None:
    """Write the report to ``build/faults.json``."""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=1, default=str))


def words(report: dict[str, Any]) -> str:
    """Return the report for people."""
    fails = "" if report["within_budget"] else " (over the budget of 5 s)"
    lines = [
        "{runs} trades, {faulted} struck, {kills} kills on {trades_killed} trades, {seconds} s",
        (
            "duplicates {duplicates}, orphans {orphans}, lost fills {lost_fills}, "
            "without owner {unowned}, ledger difference {ledger_difference}"
        ),
        "longest unprotected {longest_unprotected_seconds} s, "
        "recovery p50 {recovery_p50_seconds} s, p99 {recovery_p99_seconds} s" + fails,
        "resolution p50 {resolution_p50_seconds} s, p99 {resolution_p99_seconds} s",
    ]
    lines = [line.format_map(report) for line in lines]
    for kind, figures in report["recovery_by_kind"].items():
        steps = ", ".join(f"{step} {n}" for step, n in report["faults"][kind].items())
        lines.append(f"  {kind:22} p50 {figures['p50']}, worst {figures['worst']} s: {steps}")
    lines += [f"  slow: {line}" for line in report["slowest"]]
    lines += [f"  bare: {line}" for line in report["least_protected"]]
    if report.get("broke_off"):
        lines.append(f"FAILED: broke off: {report['broke_off']}")
    if report["not_struck"]:
        lines.append(f"not struck: {', '.join(report['not_struck'])}")
    lines += [f"not played: {kind}: {why}" for kind, why in report.get("not_played", {}).items()]
    lines += [outage_words(outage) for outage in report.get("outages", ())]
    lines += [f"verify: {finding}" for finding in report["verify"]]
    for failure in report["failures"]:
        lines.append(f"FAILED {failure['replay']}: {'; '.join(failure['findings'])}")
    return "\n".join(lines)


def progress(outcome: Outcome) -> str:
    """Return one line for a trade that has ended."""
    script = outcome.script
    what = "+".join(script.kills) or " ".join(str(r.kind) for r in script.rules) or script.kind
    took = "not struck"
    if outcome.struck:
        took = f"recovered {_seconds(outcome.recovery)} of {_seconds(outcome.resolution)}"
    line = (
        f"{script.name:8} {what:24} at {script.step:12} {script.protection:8} {script.ending:11} "
        f"{took}, bare {outcome.unprotected:.2f} s, {outcome.exit_reason}"
    )
    return line + (f"  FAILED: {'; '.join(outcome.verdict.words)}" if outcome.failed else "")


def _line(outcome: Outcome) -> str:
    return f"{_seconds(outcome.recovery)} {_what(outcome)}"


def _bare(outcome: Outcome) -> str:
    return f"{_seconds(outcome.unprotected)} {_what(outcome)}"


def _what(outcome: Outcome) -> str:
    script = outcome.script
    rules = [f"{r.kind} x{r.count} {r.params or ''}".strip() for r in script.rules]
    what = "+".join(script.kills) or ", ".join(rules) or script.kind
    return f"{script.name} {what} at {script.step} ({script.protection}, {script.ending})"


def _worst(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return sorted(outcomes, key=lambda one: -(one.recovery or 0.0))[:10]


def _barest(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return sorted(outcomes, key=lambda one: -one.unprotected)[:10]


def _longest(outcomes: Sequence[Outcome], name: str) -> float:
    return round(max((getattr(one, name) for one in outcomes), default=0.0), 3)


def _by_kind(struck: Sequence[Outcome]) -> dict[str, dict[str, float | None]]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for one in struck:
        if one.recovery is not None:
            found[one.script.kind].append(one.recovery)
    return {
        kind: {"p50": percentile(values, 0.5), "worst": percentile(values, 1.0)}
        for kind, values in sorted(found.items())
    }


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"
