"""Bars as columns: what every feature is computed from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

COLUMNS = ("open", "high", "low", "close", "volume", "bought")
REFERENCE = "reference"
"""The close of the pair that others follow (BTC/USD), of the same bars."""


class BarsError(ValueError):
    """The bars cannot be used: columns that differ, times that do not rise evenly."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one pair on an even grid of time, each column of shape (bars,).

    `time` is the start of each bar in seconds UTC and rises by `seconds`. A bar that is absent is
    NaN in every column, never filled. Prices in USD, `volume` in the base currency, `bought` the
    share of it that buyers took (NaN where the source does not tell), `reference` the reference
    pair's close.
    """

    time: Times
    seconds: int
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    bought: Floats
    reference: Floats

    def __post_init__(self) -> None:
        shape = self.time.shape
        if len(shape) != 1 or any(self.column(name).shape != shape for name in self.names()):
            raise BarsError("the columns differ in shape")
        if shape[0] > 1 and not (np.diff(self.time) == self.seconds).all():
            raise BarsError("the bars do not stand on an even grid of time")

    def __len__(self) -> int:
        return int(self.time.size)

    @staticmethod
    def names() -> tuple[str, ...]:
        """Name the columns that hold figures."""
        return (*COLUMNS, REFERENCE)

    def column(self, name: str) -> Floats:
        """Return one column, shape (bars,)."""
        found: Floats = getattr(self, name)
        return found

    def part(self, first: int, last: int) -> "Bars":
        """Return the bars from number `first` up to, not including, `last`."""
        rows = slice(first, last)
        columns = {name: self.column(name)[rows] for name in self.names()}
        return Bars(self.time[rows], self.seconds, **columns)


@dataclass(frozen=True, slots=True)
class Window:
    """The last bars before a decision, each column of shape (..., lookback), the newest last.

    `time` has shape (...): the start of the newest bar. The same for one decision and for many.
    """

    time: Times
    seconds: int
    columns: dict[str, Floats]

    def __getitem__(self, name: str) -> Floats:
        return self.columns[name]

    def last(self, count: int) -> "Window":
        """Return the newest `count` bars."""
        cut = {name: column[..., -count:] for name, column in self.columns.items()}
        return Window(self.time, self.seconds, cut)


def windows(bars: Bars, lookback: int) -> Window:
    """View the window that ends with each bar from number `lookback` - 1 on, without copying."""
    if not 1 <= lookback <= len(bars):
        message = f"{len(bars)} bars hold no window of {lookback}"
        raise BarsError(message)
    view = np.lib.stride_tricks.sliding_window_view
    columns = {name: view(bars.column(name), lookback) for name in bars.names()}
    return Window(bars.time[lookback - 1 :], bars.seconds, columns)
