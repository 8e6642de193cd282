"""Longer bars made of shorter ones as they close, for strategies that decide less often."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from models.trading.market import Candle

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LongerBar:
    """The longer bar that is being made; None: nothing of it has come yet.

    ``whole`` is False while its first shorter bar was not seen: such a one is never given out.
    """

    interval_minutes: int
    forming: Candle | None = None
    whole: bool = True


def add_bar(state: LongerBar, bar: Candle) -> tuple[LongerBar, tuple[Candle, ...]]:
    """Return the state after a shorter bar, and the longer bars that are complete by it.

    A longer bar is complete with the last of its shorter ones, or, where that is absent, with the
    first bar after it.
    """
    start = _start(bar.start, state.interval_minutes)
    done: list[Candle] = []
    forming, whole = state.forming, state.whole
    if forming is not None and start > forming.start:
        done += [forming] if whole else []
        forming = None
    if forming is None:
        first = state.forming is None
        whole = not first or bar.start == start
        forming = replace(bar, start=start, interval_minutes=state.interval_minutes)
    else:
        forming = replace(
            forming,
            high=max(forming.high, bar.high),
            low=min(forming.low, bar.low),
            close=bar.close,
            volume=forming.volume + bar.volume,
            trades=forming.trades + bar.trades,
        )
    ends = bar.start + timedelta(minutes=bar.interval_minutes)
    if ends < start + timedelta(minutes=state.interval_minutes):
        return replace(state, forming=forming, whole=whole), tuple(done)
    done += [forming] if whole else []
    # What comes next is seen from its beginning.
    return replace(state, forming=replace(forming, start=start), whole=False), tuple(done)


def _start(moment: datetime, interval_minutes: int) -> datetime:
    length = timedelta(minutes=interval_minutes)
    return EPOCH + (moment - EPOCH) // length * length
