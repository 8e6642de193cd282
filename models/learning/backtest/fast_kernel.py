"""The fast engine's loop, compiled. Prices are whole ticks, quantities whole lots.

Import this module late: compiling takes a second, and loading what was compiled a few tenths.
State lives in two small arrays, so that the loop's parts are functions; the names below are their
places. Every rule is that of ``rules``; the reference engine is held against this one trade by
trade.
"""

from typing import Any

import numpy as np
from numba import njit

from models.learning.backtest.fast_booking import (
    book_fill,
    rate_at,
    sell,
    sold_at,
)
from models.learning.backtest.fast_layout import (
    AMBIGUOUS,
    BAND,
    CASH,
    DAYS,
    DECIDED,
    ENTRY,
    EXIT,
    INTERVAL,
    LAPSED,
    LATENCY,
    LOT,
    LOTS,
    MARGIN,
    MINIMUM_COST,
    MINIMUM_LOTS,
    NEVER,
    PART,
    PARTS,
    PARTS_MAXIMUM,
    PROPOSED,
    PROTECTED_BARS,
    REBALANCES,
    REGRET,
    RESERVE,
    SLIPPAGE,
    STOP,
    STOPPED,
    TAKE,
    TAKEN,
    TARGET_FIRST,
    TICK,
    TRAIL,
    TRAILED,
    TRAILED_OUT,
    VOLUME_SHARE,
    WANTED,
    WANTED_LIMIT,
    WANTED_STOP,
    WANTED_TAKE,
    WANTED_TRAIL,
)


@njit(cache=True)
def _follow(whole: Any, settings: Any, high: int, low: int, close: int) -> Any:
    """Let the stop follow a rise at the end of a bar, and say whether the bar came back to it.

    A close below the new stop has crossed it for certain; a low below it may have come before.
    """
    stop, trail = whole[STOP], whole[TRAIL]
    if trail == 0 or high < stop + trail + max(1, (trail + 4) // 5) or high - trail <= stop:
        return 0, 0
    followed = high - trail
    whole[STOP] = followed
    whole[TRAILED] = 1
    if close <= followed:
        return TRAILED_OUT, followed
    if low <= followed:
        whole[AMBIGUOUS] += 1
        if settings[TARGET_FIRST] == 0:
            return TRAILED_OUT, followed
    return 0, 0


@njit(cache=True)
def _guard(whole: Any, settings: Any, opening: int, high: int, low: int, close: int) -> Any:
    """Return why and at what price a position leaves within a bar; kind 0: it stays."""
    stop, take = whole[STOP], whole[TAKE]
    stopped = TRAILED_OUT if whole[TRAILED] else STOPPED
    if opening <= stop:
        return stopped, opening
    if 0 < take <= opening:
        return TAKEN, opening
    hit_stop, hit_take = low <= stop, 0 < take <= high
    if hit_stop and hit_take:
        whole[AMBIGUOUS] += 1
        if settings[TARGET_FIRST] > 0:
            return TAKEN, take
        return stopped, stop
    if hit_stop:
        return stopped, stop
    if hit_take:
        return TAKEN, take
    return _follow(whole, settings, high, low, close)


@njit(cache=True)
def _entry_fill(
    whole: Any, settings: Any, opening: int, high: int, low: int, volume: float
) -> Any:  # fmt: skip
    """Return price, lots and whether the fill is a maker's, of an entry in a bar; no lots: none."""
    limit, wanted = whole[WANTED_LIMIT], whole[WANTED]
    moved = opening + (high - opening) * settings[LATENCY]
    market = int(np.ceil(moved * (1.0 + settings[SLIPPAGE]) - 1e-6))
    most = int(np.floor(volume * settings[VOLUME_SHARE] / settings[LOT] + 1e-6))
    lots = min(wanted, most)
    # What could not be protected by a stop of its own is not bought.
    worth = lots * settings[LOT] * whole[WANTED_STOP] * settings[TICK]
    if lots < settings[MINIMUM_LOTS] or worth < settings[MINIMUM_COST]:
        return 0, 0, 0
    if limit == 0:
        return market, lots, 0
    if opening <= limit:
        return min(limit, market), lots, 0
    if low <= limit - 1:
        return limit, lots, 1
    return 0, 0, 0


@njit(cache=True)
def _lots_to_buy(
    whole: Any, money: Any, settings: Any, share: float, price: int, bound: float, rate: float
) -> int:  # fmt: skip
    """Return the lots that a share of equity buys, within the cash that may be spent.

    As an account does, both are divided by what a unit may cost at worst.
    """
    value = price * settings[TICK]
    equity = money[CASH] + whole[LOTS] * settings[LOT] * value
    unit = bound * settings[TICK] * (1.0 + rate)
    wanted = share * equity / unit
    affordable = max(0.0, money[CASH] - settings[RESERVE] * equity) / unit
    return int(np.floor(max(0.0, min(wanted, affordable)) / settings[LOT] + 1e-6))


@njit(cache=True)
def _decide(
    whole: Any, money: Any, settings: Any, rate: float, bar: int, close: int,
    target: float, stop: int, take: int, trail: int, limit: int,
) -> None:  # fmt: skip
    """Turn what the strategy wants at the close into an order for the next bar."""
    held = whole[LOTS]
    value = close * settings[TICK]
    equity = money[CASH] + held * settings[LOT] * value
    actual = held * settings[LOT] * value / equity
    rebalances = settings[REBALANCES] > 0
    if held > 0 and rebalances and whole[STOP] < stop < close:
        whole[STOP] = stop
        whole[TRAILED] = 1
    if target <= 0.0:
        whole[WANTED] = -held
        whole[DECIDED] = bar
        return
    if held > 0 and not rebalances:
        return
    if rebalances and abs(target - actual) <= settings[BAND]:
        return
    whole[DECIDED] = bar
    if target < actual:
        part = int(np.floor((actual - target) * equity / value / settings[LOT] + 1e-6))
        left = held - part
        worth = left * settings[LOT] * whole[STOP] * settings[TICK]
        if left < settings[MINIMUM_LOTS] or worth < settings[MINIMUM_COST]:
            part = held
        whole[WANTED] = -part
        return
    collar = max(float(close), np.floor(close * (1.0 + settings[MARGIN]) + 1e-6))
    bound = float(limit) if limit > 0 else collar
    lots = _lots_to_buy(whole, money, settings, target - actual, close, bound, rate)
    # What is added comes under the stop that guards what is held already.
    guarded = max(stop, whole[STOP]) if held > 0 else stop
    worth = lots * settings[LOT] * guarded * settings[TICK]
    entry = limit if limit > 0 else close
    if lots < settings[MINIMUM_LOTS] or worth < settings[MINIMUM_COST] or not 0 < guarded < entry:
        return
    if 0 < take <= entry:
        return
    whole[PROPOSED] += 1
    whole[WANTED] = lots
    whole[WANTED_STOP] = guarded
    whole[WANTED_TAKE] = take
    whole[WANTED_TRAIL] = trail
    whole[WANTED_LIMIT] = limit


@njit(cache=True)
def _reduce(book: Any, tiers: Any, day: int, bar: int, opening: int, low: int,
            volume: float) -> None:  # fmt: skip
    """Sell at the open what was decided to be sold at the close before."""
    whole, settings = book[0], book[2]
    lots = min(-whole[WANTED], whole[LOTS])
    if lots > 0:
        moved = opening - (opening - low) * settings[LATENCY]
        kind = EXIT if lots == whole[LOTS] else PART
        sell(book, tiers, day, bar, volume, kind, sold_at(moved, settings), lots)


@njit(cache=True)
def _enter(book: Any, tiers: Any, day: int, bar: int, joined: bool, opening: int, high: int,
           low: int, close: int, volume: float) -> bool:  # fmt: skip
    """Fill what was decided to be bought, as far as the bar allows; tell whether within the bar."""
    whole, money, settings = book[0], book[1], book[2]
    price, lots, maker = 0, 0, 0
    if joined:
        price, lots, maker = _entry_fill(whole, settings, opening, high, low, volume)
    if lots > 0:
        rate = rate_at(day, book[5], book[6], tiers[0], tiers[1] if maker else tiers[2])
        if whole[LOTS] == 0:
            whole[TRAILED] = 0
        book_fill(book, rate, day, bar, ENTRY, price, lots, maker)
        if whole[PARTS] < PARTS_MAXIMUM:
            book[7][whole[PARTS]] = 0
            whole[PARTS] += 1
        book[7][whole[PARTS] - 1] += lots
        whole[STOP] = whole[WANTED_STOP]
        whole[TAKE] = whole[WANTED_TAKE]
        whole[TRAIL] = whole[WANTED_TRAIL]
    missed = whole[WANTED] - lots
    if missed > 0:
        whole[LAPSED] += 1
        planned = whole[WANTED_LIMIT] if whole[WANTED_LIMIT] > 0 else opening
        money[REGRET] += missed * settings[LOT] * (close - planned) * settings[TICK]
    return lots > 0 and maker == 1


@njit(cache=True)
def _leave_in_finer(book: Any, fine: Any, first: int, last: int, within: bool) -> Any:
    """Return why and where a position leaves in the finer bars of a bar; kind 0: it stays."""
    whole, settings = book[0], book[2]
    for row in range(first, last):
        opening, high, low, close = fine[row, 0], fine[row, 1], fine[row, 2], fine[row, 3]
        if not within:
            kind, price = _guard(whole, settings, opening, high, low, close)
            if kind != 0:
                return kind, price
        elif low <= whole[WANTED_LIMIT] - 1:
            # The finer bar in which the limit was traded through; from here on all of it counts.
            within = False
            if low <= whole[STOP]:
                return STOPPED, whole[STOP]
    return 0, 0


@njit(cache=True)
def _leave(book: Any, opening: int, high: int, low: int, close: int, within: bool) -> Any:
    """Return why and where a position leaves in a bar that nothing finer is known of."""
    whole, settings = book[0], book[2]
    if not within:
        return _guard(whole, settings, opening, high, low, close)
    # After a fill inside the bar nothing of it is known but its way down.
    if low <= whole[STOP]:
        return STOPPED, whole[STOP]
    return 0, 0


@njit(cache=True)
def _levels(whole: Any, money: Any) -> Any:
    """Return what is held, below and above which prices something happens to it, and the cash."""
    ceiling = NEVER
    if whole[TAKE] > 0:
        ceiling = whole[TAKE]
    if whole[TRAIL] > 0:
        step = max(1, (whole[TRAIL] + 4) // 5)
        ceiling = min(ceiling, whole[STOP] + whole[TRAIL] + step)
    return whole[LOTS], whole[STOP], ceiling, money[CASH]


@njit(cache=True)
def _open_bar(
    book: Any, tiers: Any, minutes: Any, bar: int, interval: int, opens: Any, highs: Any,
    lows: Any, close: int, volumes: Any,
) -> bool:  # fmt: skip
    """Fill at the open, or within the bar, what was decided; tell whether a limit did so within."""
    whole = book[0]
    day = minutes[bar] // 1440
    within = False
    if whole[WANTED] < 0:
        _reduce(book, tiers, day, bar, opens[bar], lows[bar], volumes[bar])
    else:
        joined = minutes[bar] - minutes[bar - 1] == interval
        within = _enter(book, tiers, day, bar, joined, opens[bar], highs[bar], lows[bar], close,
                        volumes[bar])  # fmt: skip
    whole[WANTED] = 0
    return within


@njit(cache=True)
def _guard_bar(
    book: Any, tiers: Any, minutes: Any, bar: int, opens: Any, highs: Any, lows: Any, close: int,
    volumes: Any, fine: Any, fine_from: Any, within: bool,
) -> None:  # fmt: skip
    """Let a bar do to a position what it does: by its finer bars where there are any."""
    whole, settings = book[0], book[2]
    if len(fine_from) > 0 and fine_from[bar + 1] > fine_from[bar]:
        kind, price = _leave_in_finer(book, fine, fine_from[bar], fine_from[bar + 1], within)
    else:
        kind, price = _leave(book, opens[bar], highs[bar], lows[bar], close, within)
    if kind != 0:
        sold = sold_at(float(price), settings)
        sell(book, tiers, minutes[bar] // 1440, bar, volumes[bar], kind, sold, whole[LOTS])


@njit(cache=True)
def simulate(
    minutes: Any, opens: Any, highs: Any, lows: Any, closes: Any, volumes: Any,
    fine: Any, fine_from: Any,
    targets: Any, stops: Any, takes: Any, trails: Any, limits: Any,
    settings: Any, tier_volumes: Any, makers: Any, takers: Any,
    whole: Any, money: Any, fills: Any, fees: Any, equity: Any, lots_held: Any,
) -> None:  # fmt: skip
    """Run every bar. ``fine`` are finer bars (rows open, high, low, close), by ``fine_from``.

    Fills beyond the room of ``fills`` are counted and not written: the caller makes room and runs
    again.
    """
    days, costs = np.full(DAYS, -1_000_000), np.zeros(DAYS)
    parts = np.zeros(PARTS_MAXIMUM, dtype=np.int64)
    book = (whole, money, settings, fills, fees, days, costs, parts)
    tiers = (tier_volumes, makers, takers)
    interval = int(settings[INTERVAL])
    worth = settings[LOT] * settings[TICK]
    has_fine = len(fine_from) > 0
    # What most bars need stands in registers; they are read again whenever something has happened.
    held, floor, ceiling, cash = 0, 0, NEVER, money[CASH]
    held_bars = 0
    for bar in range(len(minutes)):
        close = closes[bar]
        within = False
        if whole[WANTED] != 0:
            within = _open_bar(book, tiers, minutes, bar, interval, opens, highs, lows, close,
                               volumes)  # fmt: skip
            held, floor, ceiling, cash = _levels(whole, money)
        if held > 0:
            held_bars += 1
            if within or has_fine or lows[bar] <= floor or highs[bar] >= ceiling:
                _guard_bar(book, tiers, minutes, bar, opens, highs, lows, close, volumes, fine,
                           fine_from, within)  # fmt: skip
                held, floor, ceiling, cash = _levels(whole, money)
        target = targets[bar]
        if target == target:  # noqa: PLR0124
            day = (minutes[bar] + interval) // 1440
            rate = rate_at(day, days, costs, tier_volumes, takers)
            _decide(whole, money, settings, rate, bar, close, target, stops[bar], takes[bar],
                    trails[bar], limits[bar])  # fmt: skip
            held, floor, ceiling, cash = _levels(whole, money)
        equity[bar] = cash + held * worth * close
        lots_held[bar] = held
    whole[PROTECTED_BARS] = held_bars
