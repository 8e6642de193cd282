"""The compiled loop's money: what a fill costs and changes. Import late, as ``fast_kernel``.

Numba keeps what it compiled by the file that a function stands in: whoever changes this file
touches ``fast_kernel`` as well.
"""

from typing import Any

import numpy as np
from numba import njit

from models.learning.backtest.fast_layout import (
    BAR,
    CASH,
    COST_UNITS,
    COUNT,
    DAYS,
    ENTRY,
    EXIT,
    FEES,
    KIND,
    LARGE_EXITS,
    LOT,
    LOTS,
    MAKER,
    MINIMUM_COST,
    MINIMUM_LOTS,
    PART,
    PARTS,
    PRICE,
    QUANTITY,
    SLIPPAGE,
    STOP,
    TICK,
    VOLUME_SHARE,
)


@njit(cache=True)
def rounded(amount: float, units: float) -> float:
    """Return an amount at the pair's cost precision (``units`` to one), half up."""
    return float(np.floor(amount * units + 0.5) / units)


@njit(cache=True)
def rate_at(day: int, days: Any, costs: Any, volumes: Any, rates: Any) -> float:
    """Return the rate of the tier that the volume of the last days has reached."""
    total = 0.0
    for slot in range(DAYS):
        if days[slot] >= day - 30:
            total += costs[slot]
    tier = 0
    while tier + 1 < len(volumes) and volumes[tier + 1] <= total:
        tier += 1
    return float(rates[tier])


@njit(cache=True)
def book_fill(
    book: Any, rate: float, day: int, bar: int, kind: int, price: int, lots: int, maker: int
) -> None:
    """Book one fill: cash, position, the day's volume, and its row."""
    whole, money, settings, fills, fees, days, costs, _ = book
    cost = rounded(price * settings[TICK] * lots * settings[LOT], settings[COST_UNITS])
    fee = rounded(cost * rate, settings[COST_UNITS])
    slot = day % DAYS
    if days[slot] != day:
        days[slot] = day
        costs[slot] = 0.0
    costs[slot] += cost
    sign = 1 if kind == ENTRY else -1
    money[CASH] -= sign * cost + fee
    whole[LOTS] += sign * lots
    money[FEES] += fee
    row = whole[COUNT]
    if row < len(fills):
        fills[row, BAR] = bar
        fills[row, KIND] = kind
        fills[row, PRICE] = price
        fills[row, QUANTITY] = lots
        fills[row, MAKER] = maker
        fees[row] = fee
    whole[COUNT] = row + 1


@njit(cache=True)
def sold_at(price: float, settings: Any) -> int:
    """Return the ticks that a sale at market brings at a price: less slippage, rounded down."""
    return max(1, int(np.floor(price * (1.0 - settings[SLIPPAGE]) + 1e-6)))


@njit(cache=True)
def is_small(lots: int, whole: Any, settings: Any) -> bool:
    """Tell whether so much could not be protected by a stop of its own."""
    worth = lots * settings[LOT] * whole[STOP] * settings[TICK]
    return bool(lots < settings[MINIMUM_LOTS] or worth < settings[MINIMUM_COST])


@njit(cache=True)
def sell(
    book: Any, tiers: Any, day: int, bar: int, volume: float, kind: int, price: int, wanted: int
) -> None:
    """Book sales at market, each entry's part by itself, the oldest first.

    Nothing is left of a part, and nothing sold of it, that is too small for an order of its own.
    """
    whole, settings, parts = book[0], book[2], book[7]
    for place in range(whole[PARTS]):
        held = parts[place]
        lots = min(held, wanted)
        if lots < held and is_small(held - lots, whole, settings):
            lots = held
        if lots == 0 or (lots < held and is_small(lots, whole, settings)):
            continue
        if lots * settings[LOT] > volume * settings[VOLUME_SHARE]:
            whole[LARGE_EXITS] += 1
        parts[place] -= lots
        wanted = max(0, wanted - lots)
        rate = rate_at(day, book[5], book[6], tiers[0], tiers[2])
        book_fill(
            book, rate, day, bar, kind if lots < held or kind != PART else EXIT, price, lots, 0
        )
    left = 0
    for place in range(whole[PARTS]):
        if parts[place] > 0:
            parts[left] = parts[place]
            left += 1
    whole[PARTS] = left
