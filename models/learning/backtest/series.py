"""Which recorded bars a strategy is tried on: one series per venue, pair and window."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.learning.backtest.bars import Bars, join, resample


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Bars that a strategy decides on, and finer ones of the same pair that resolve their fills.

    ``before`` are the bars of the same recording that come before: the strategy has seen them when
    it is judged from the first of ``bars`` on.
    """

    venue: str
    bars: Bars
    finer: Bars | None = None
    before: Bars | None = None

    @property
    def seen(self) -> Bars:
        """Return all bars that the strategy is fed."""
        return self.bars if self.before is None else join(self.before, self.bars)

    @property
    def label(self) -> str:
        """Return venue, pair and years."""
        first, last = self.bars.start(0), self.bars.end(len(self.bars) - 1)
        return f"{self.venue} {self.bars.symbol} {first:%Y-%m}…{last:%Y-%m}"


def series_of(recorded: Iterable[tuple[str, Bars]], interval_minutes: int) -> list[Series]:
    """Return the series of an interval that recorded bars (with their venue) give.

    What was recorded at the interval comes first; finer bars make a series where it is missing.
    Windows are never joined: each recording is a series of its own.
    """
    grouped: dict[tuple[str, str], list[Bars]] = {}
    for venue, bars in recorded:
        fits = len(bars) and interval_minutes % bars.interval_minutes == 0
        if fits:
            grouped.setdefault((venue, bars.symbol), []).append(bars)
    found: list[Series] = []
    for (venue, _), every in sorted(grouped.items()):
        taken: list[Bars] = []
        for bars in sorted(every, key=lambda b: (-b.interval_minutes, int(b.minutes[0]))):
            if not any(_overlap(bars, other) for other in taken):
                taken.append(bars)
        for bars in sorted(taken, key=lambda b: int(b.minutes[0])):
            longer = resample(bars, interval_minutes)
            if len(longer) > 1:
                found.append(Series(venue, longer, _finest(longer, bars, every)))
    return found


def judged_from(series: Iterable[Series], start: datetime | None) -> list[Series]:
    """Return the series with what comes before a moment as their past; without two bars: none."""
    found = []
    for one in series:
        later = one.bars.between(start, None)
        first = len(one.bars) - len(later)
        if len(later) > 1:
            past = one.bars.slice(0, first) if first else None
            found.append(replace(one, bars=later, before=past))
    return found


def windows(series: Sequence[Series]) -> list[list[Series]]:
    """Return the series of one venue that overlap in time, together: each is one portfolio."""
    groups: list[list[Series]] = []
    for one in sorted(series, key=lambda s: (s.venue, int(s.bars.minutes[0]))):
        together = groups[-1] if groups else []
        if together and together[0].venue == one.venue and _touches(together, one):
            together.append(one)
        else:
            groups.append([one])
    return groups


def _touches(together: Sequence[Series], one: Series) -> bool:
    return any(_overlap(other.bars, one.bars) for other in together)


def _finest(longer: Bars, used: Bars, every: Sequence[Bars]) -> Bars | None:
    """Return the finest bars recorded of the same time, None when there are none finer."""
    finer = [
        bars
        for bars in every
        if bars.interval_minutes < longer.interval_minutes and _overlap(bars, longer)
    ]
    if not finer:
        return used if used.interval_minutes < longer.interval_minutes else None
    return min(finer, key=lambda bars: bars.interval_minutes)


def _overlap(one: Bars, other: Bars) -> bool:
    """Tell whether two recordings share more than half of the shorter one's time."""
    start = max(int(one.minutes[0]), int(other.minutes[0]))
    end = min(int(one.minutes[-1]), int(other.minutes[-1]))
    shorter = min(_length(one), _length(other))
    return end - start > shorter / 2


def _length(bars: Bars) -> int:
    return int(bars.minutes[-1] - bars.minutes[0]) + bars.interval_minutes
