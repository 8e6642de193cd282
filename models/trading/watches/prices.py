"""Price watches in memory: which levels a price reaches, without looking at all of them."""

from bisect import insort
from collections.abc import Callable
from decimal import Decimal

from models.trading.trade.facts import Direction, PriceWatch


class WatchIndex:
    """Hold the watches of one symbol, sorted so that a price touches only what it crosses.

    A level that is reached counts as crossed. A watch leaves the index when it is crossed, so each
    is returned once.
    """

    def __init__(self) -> None:
        self._rising: list[tuple[Decimal, str, PriceWatch]] = []
        self._falling: list[tuple[Decimal, str, PriceWatch]] = []
        self._by_trade: dict[tuple[str, int], tuple[PriceWatch, ...]] = {}

    def __len__(self) -> int:
        return len(self._rising) + len(self._falling)

    def replace(self, account: str, trade: int, watches: tuple[PriceWatch, ...]) -> None:
        """Set the watches of one trade to exactly these."""
        for watch in self._by_trade.pop((account, trade), ()):
            self._remove(watch)
        for watch in watches:
            insort(self._side(watch), _entry(watch))
        if watches:
            self._by_trade[account, trade] = watches

    def crossed(self, high: Decimal, low: Decimal | None = None) -> list[PriceWatch]:
        """Take out and return every watch whose level this price has reached.

        Rising watches come lowest level first, falling ones highest level first: the order in which
        a moving price meets them.

        Args:
            high: the price that rising watches are measured by.
            low: the one for falling watches, None: the same.
        """
        found: list[PriceWatch] = []
        while self._rising and self._rising[0][0] <= high:
            found.append(self._rising[0][2])
            self._forget(found[-1])
        low = high if low is None else low
        while self._falling and -self._falling[0][0] >= low:
            found.append(self._falling[0][2])
            self._forget(found[-1])
        return found

    def crossed_then(self, price: Decimal, stood: Callable[[PriceWatch], bool]) -> list[PriceWatch]:
        """Take out and return the watches that an earlier price had reached.

        ``stood`` tells of a watch whether it was set by then: one set later was not crossed.
        """
        rising = [watch for level, _, watch in self._rising if level <= price]
        falling = [watch for level, _, watch in self._falling if -level >= price]
        found = [watch for watch in (*rising, *falling) if stood(watch)]
        for watch in found:
            self._forget(watch)
        return found

    def _forget(self, watch: PriceWatch) -> None:
        self._remove(watch)
        key = (watch.account, watch.trade)
        left = tuple(w for w in self._by_trade.get(key, ()) if w.watch_id != watch.watch_id)
        if left:
            self._by_trade[key] = left
        else:
            self._by_trade.pop(key, None)

    def _remove(self, watch: PriceWatch) -> None:
        side = self._side(watch)
        entry = _entry(watch)
        if entry in side:
            side.remove(entry)

    def _side(self, watch: PriceWatch) -> list[tuple[Decimal, str, PriceWatch]]:
        return self._rising if watch.direction is Direction.RISES_TO else self._falling


def _entry(watch: PriceWatch) -> tuple[Decimal, str, PriceWatch]:
    # Falling levels are kept negated, so that the next one to be met stands first on both sides.
    level = watch.level if watch.direction is Direction.RISES_TO else -watch.level
    return level, f"{watch.account}/{watch.trade}/{watch.watch_id}", watch
