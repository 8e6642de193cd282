"""Does a strategy read what it could not know yet, or rest on how long it has been fed?

Look-ahead: ideas up to a moment must not change when the bars after it are cut off, or replaced by
others. Recursive warm-up: ideas must not change when the strategy is begun later, once it has seen
the bars that it says it needs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.learning.backtest.bars import Bars, Integers
from models.learning.backtest.decisions import Decisions

Decide = Callable[[Bars], Decisions]
"""From bars to one decision per bar: a strategy, however it comes to its decisions."""

LOOK_AHEAD, WARM_UP = "look-ahead", "recursive warm-up"
CUTS = 8
COMPARED_MINIMUM = 30
"""Bars beyond its warm-up on which a later start has to be compared, to say anything of it."""
WEIGHT_TOLERANCE = 0.005
PRICE_TOLERANCE = 0.002
"""Shares by which a figure may depend on the start of an average that fades without end."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One decision that another treatment of the bars changed.

    ``check`` names the check, ``bar`` is the place of the decision, ``cut`` where bars were cut.
    """

    check: str
    bar: int
    cut: int
    detail: str


def look_ahead(decide: Decide, bars: Bars, cuts: int = CUTS) -> list[Finding]:
    """Cut the bars off at some places, and put a mirrored future in their place."""
    whole = decide(bars)
    findings: list[Finding] = []
    for cut in _places(len(bars), cuts):
        findings += _compare("look-ahead, cut off", whole, decide(bars.slice(0, cut)), cut)
        findings += _compare("look-ahead, other future", whole, decide(_mirrored(bars, cut)), cut)
    return findings


def recursive_warm_up(
    decide: Decide, bars: Bars, warm_up_bars: int, cuts: int = CUTS
) -> list[Finding]:
    """Begin the strategy later, and compare what it decides once it is warm."""
    whole = decide(bars)
    findings: list[Finding] = []
    for start in _places(len(bars), cuts):
        later = decide(bars.slice(start, len(bars)))
        first = start + 3 * warm_up_bars
        for bar in range(first, len(bars)):
            detail = _difference(whole, bar, later, bar - start, exact=False)
            if detail:
                findings.append(Finding(WARM_UP, bar, start, detail))
                break
    return findings


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says of a strategy; ``passed`` None: these bars cannot tell, ``detail`` why."""

    check: str
    passed: bool | None
    detail: str


def judge(decide: Decide, bars: Bars, warm_up_bars: int, cuts: int = CUTS) -> list[Verdict]:
    """Return the verdict of each check on one strategy."""
    decided = int(np.isfinite(decide(bars).target).sum())
    if not decided:
        reason = f"it decided nothing on {len(bars)} bars"
        return [Verdict(name, None, reason) for name in (LOOK_AHEAD, WARM_UP)]
    found = look_ahead(decide, bars, cuts)
    ahead = Verdict(
        LOOK_AHEAD,
        not found,
        f"{found[0].check}: at {bars.end(found[0].bar):%Y-%m-%d %H:%M} {found[0].detail}"
        if found
        else f"none of {decided} decisions rests on a later bar",
    )
    return [ahead, _judge_warm_up(decide, bars, warm_up_bars, cuts)]


def _judge_warm_up(decide: Decide, bars: Bars, warm_up_bars: int, cuts: int) -> Verdict:
    """Tell whether a later start is forgotten once the strategy is warm, or at least in time.

    Where exits stand may rest on when a position began, until both starts have been flat: such
    differences have to end before the last third of the bars that are compared.
    """
    whole = decide(bars)
    warm, slowest = 3 * warm_up_bars, 0
    starts = _places(len(bars) - warm - COMPARED_MINIMUM, cuts)
    if not starts:
        return Verdict(WARM_UP, None, f"{len(bars)} bars are too few for three warm-ups of it")
    for start in starts:
        later = decide(bars.slice(start, len(bars)))
        compared = range(start + warm, len(bars))
        differing = [
            (bar, detail)
            for bar in compared
            if (detail := _difference(whole, bar, later, bar - start, exact=False))
        ]
        if not differing:
            continue
        last, detail = differing[-1]
        if last >= compared[0] + len(compared) * 2 // 3:
            moment = f"{bars.start(start):%Y-%m-%d}"
            words = f"begun on {moment} it still differs at {bars.end(last):%Y-%m-%d %H:%M}"
            return Verdict(WARM_UP, passed=False, detail=f"{words}: {detail}")
        slowest = max(slowest, last - start + 1)
    begun = f"begun at {len(starts)} later bars it decides the same"
    after = f" after at most {slowest} bars, of which {warm} are its warm-up" if slowest else ""
    return Verdict(WARM_UP, passed=True, detail=begun + after)


def _places(count: int, cuts: int) -> list[int]:
    return [int(place) for place in np.linspace(0, count, cuts + 2)[1:-1] if place >= 1]


def _compare(check: str, whole: Decisions, other: Decisions, cut: int) -> list[Finding]:
    for bar in range(cut):
        detail = _difference(whole, bar, other, bar, exact=True)
        if detail:
            return [Finding(check, bar, cut, detail)]
    return []


def _difference(one: Decisions, bar: int, other: Decisions, place: int, *, exact: bool) -> str:
    columns: Sequence[tuple[str, float]] = (
        ("target", WEIGHT_TOLERANCE),
        ("stop", PRICE_TOLERANCE),
        ("take", PRICE_TOLERANCE),
        ("trail", PRICE_TOLERANCE),
        ("limit", PRICE_TOLERANCE),
    )
    for name, share in columns:
        before, after = float(getattr(one, name)[bar]), float(getattr(other, name)[place])
        if np.isnan(before) and np.isnan(after):
            continue
        allowed = 0.0 if exact else share * max(1.0, abs(before))
        if np.isnan(before) or np.isnan(after) or abs(before - after) > allowed:
            return f"{name} is {before:g}, and {after:g} with other bars"
    return ""


def _mirrored(bars: Bars, cut: int) -> Bars:
    """Return the bars with everything from a place on turned upside down around the price there."""
    pivot = int(bars.close[cut - 1])

    def turned(prices: Integers, opposite: Integers) -> Integers:
        after = np.maximum(1, pivot * pivot // np.maximum(1, opposite[cut:]))
        return np.concatenate([prices[:cut], after])

    return replace(
        bars,
        open=turned(bars.open, bars.open),
        high=turned(bars.high, bars.low),
        low=turned(bars.low, bars.high),
        close=turned(bars.close, bars.close),
    )
