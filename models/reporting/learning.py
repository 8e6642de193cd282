"""The weekly report on learning, in words, figures and lines: from plain facts of the record."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from models.reporting.documents import Cell, Section, Table

ZERO: Final = Decimal(0)
FEATURES_SHOWN: Final = 8
NOT_THE_MARKET: Final = "Of the model, not of the market."


@dataclass(frozen=True, slots=True)
class Decision:
    """What a champion decided on an idea; ``net`` is None while its outcome is not known."""

    bar_start: datetime
    version: int
    regime: str
    probability: Decimal | None
    taken: bool
    refusal: str
    net: Decimal | None
    contributions: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LearningFacts:
    """All that the report is made of.

    ``champions`` are who, since, by whom and why, newest first; ``trainings`` the run, who wanted
    it, its candidate, whether it passed and the tests that it did not pass; ``openings`` the run,
    trades and what the hold-out said; ``replays`` when, how many vectors were compared and how many
    differed. ``trades`` are those of this account that a model asked for: number, pair, limit that
    bound the size, profit.
    """

    champions: Sequence[tuple[str, datetime, str, str]]
    decisions: Sequence[Decision]
    trainings: Sequence[tuple[str, str, str | None, bool | None, Sequence[str]]]
    openings: Sequence[tuple[str, int, str]]
    replays: Sequence[tuple[datetime, int, int]]
    trades: Sequence[tuple[int, str, str | None, Decimal | None]]


def learning_sections(facts: LearningFacts) -> tuple[Section, ...]:
    """Return who trades, what it decided and why, what was tried, and what was checked."""
    return (
        _champions(facts),
        _decided(facts.decisions),
        _course(facts.decisions),
        _regimes(facts.decisions),
        _contributions(facts.decisions),
        _trades(facts),
        _tried(facts),
        _checked(facts),
    )


def _champions(facts: LearningFacts) -> Section:
    newest = facts.champions[0] if facts.champions else None
    if newest is None or newest[0] == "no-trade":
        note = "No trade is champion: no learned model decides."
    else:
        note = f"The model of training {newest[0]} decides on the ideas of its primary rule."
    columns = ("Champion", "Since", "By", "Why")
    return Section("Who decides", note, table=Table(columns, tuple(facts.champions)))


def _decided(decisions: Sequence[Decision]) -> Section:
    said = [one.probability for one in decisions if one.probability is not None]
    known = [one for one in decisions if one.net is not None and one.probability is not None]
    taken = [one for one in decisions if one.taken]
    results = [one.net for one in taken if one.net is not None]
    if not decisions:
        return Section("What it decided", "It was asked about no idea in this time.")
    words = f"Of {len(decisions)} ideas it took {len(taken)}"
    refused = Counter(one.refusal for one in decisions if one.refusal)
    if refused:
        words += f" and could not judge {sum(refused.values())}"
    facts: tuple[tuple[str, Cell], ...] = (
        ("Ideas", len(decisions)),
        ("Taken", len(taken)),
        ("Could not be judged", sum(refused.values())),
        ("Mean probability", _mean(said)),
        ("Outcomes known", len(known)),
        ("Share that was profitable", _mean([Decimal((one.net or ZERO) > 0) for one in known])),
        ("Brier score", _mean([_error(one) for one in known])),
        ("Mean net result of what it took", _mean(results)),
    )
    table = Table(("Why it could not be judged", "Ideas"), tuple(refused.most_common(5)))
    return Section("What it decided", f"{words}.", facts, table if refused else None)


def _course(decisions: Sequence[Decision]) -> Section:
    """Sum what was taken, and what all ideas of the primary rule would have come to."""
    known = sorted((one for one in decisions if one.net is not None), key=lambda one: one.bar_start)
    took, all_of_it = ZERO, ZERO
    rows: list[tuple[Cell, ...]] = []
    for one in known:
        net = one.net or ZERO
        all_of_it += net
        took += net if one.taken else ZERO
        rows.append((one.bar_start, took, all_of_it))
    columns = ("Decided", "Taken", "All ideas of the primary rule")
    note = "Sums of net results, shares of what was or would have been paid for each."
    return Section("What came of it", note, table=Table(columns, tuple(rows)), drawn=columns[1:])


def _regimes(decisions: Sequence[Decision]) -> Section:
    groups: dict[str, list[Decision]] = defaultdict(list)
    for one in decisions:
        groups[one.regime.partition(" (")[0] or "not known"].append(one)
    rows = tuple(
        (
            name,
            len(own),
            sum(one.taken for one in own),
            _mean([one.net for one in own if one.taken and one.net is not None]),
        )
        for name, own in sorted(groups.items())
    )
    return Section("By regime", table=Table(("Regime", "Ideas", "Taken", "Mean net"), rows))


def _contributions(decisions: Sequence[Decision]) -> Section:
    size: dict[str, list[float]] = defaultdict(list)
    for one in decisions:
        for name, value in one.contributions.items():
            size[name].append(value)
    ranked = sorted(size, key=lambda name: -sum(map(abs, size[name])) / len(size[name]))
    rows = tuple(
        (
            name,
            _decimal(sum(map(abs, size[name])) / len(size[name])),
            _decimal(sum(size[name]) / len(size[name])),
        )
        for name in ranked[:FEATURES_SHOWN]
    )
    columns = ("Feature", "Mean size, log-odds", "Mean, log-odds")
    return Section("What moved its probabilities", NOT_THE_MARKET, table=Table(columns, rows))


def _trades(facts: LearningFacts) -> Section:
    columns = ("Trade", "Pair", "Size bound by", "Profit USD")
    note = "" if facts.trades else "This account entered no trade by a model in this time."
    return Section("Trades of this account", note, table=Table(columns, tuple(facts.trades)))


def _tried(facts: LearningFacts) -> Section:
    rows = tuple(
        (run, by, candidate or "none", _verdict(passed), ", ".join(reasons) or "nothing")
        for run, by, candidate, passed, reasons in facts.trainings
    )
    opened = "; ".join(
        f"run {run} opened the hold-out: {trades} trades, {reason or 'passed'}"
        for run, trades, reason in facts.openings
    )
    columns = ("Training", "Wanted by", "Candidate", "Gate", "Not passed")
    note = opened or "The hold-out is locked."
    return Section("What was tried last", note, table=Table(columns, rows))


def _verdict(passed: bool | None) -> str:
    return "not judged" if passed is None else "passed" if passed else "refused"


def _checked(facts: LearningFacts) -> Section:
    differing = sum(row[2] for row in facts.replays)
    note = "No replay was made: that decisions saw the right figures is not known."
    if facts.replays:
        note = (
            f"{sum(row[1] for row in facts.replays)} vectors were computed again in "
            f"{len(facts.replays)} replays; {differing} differed from what the decision saw."
        )
    columns = ("Replay", "Compared", "Differed")
    return Section("What was checked", note, table=Table(columns, tuple(facts.replays)))


def _error(one: Decision) -> Decimal:
    return ((one.probability or ZERO) - Decimal((one.net or ZERO) > 0)) ** 2


def _mean(values: Sequence[Decimal]) -> Decimal | None:
    return round(sum(values, ZERO) / len(values), 6) if values else None


def _decimal(value: float) -> Decimal:
    return round(Decimal(repr(value)), 4)
