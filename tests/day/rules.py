"""The rules as the documentation states them, written down once more to compare with.

Nothing here comes from the platform's own rules: a mistake there must not hide itself.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

ONE, ZERO = Decimal(1), Decimal(0)
ENTRY_MARGIN = Decimal("0.003")
"""A purchase at market may pay, and is reserved at, this much above the best offer."""


def loss_per_unit(ask: Decimal, stop: Decimal, fee: Decimal, slippage: Decimal) -> Decimal:
    """Return what one unit loses from purchase to stop, in USD, with both fees and slippage."""
    return ask * (1 + slippage) * (1 + fee) - stop * (1 - slippage) * (1 - fee)


def cash_per_unit(ask: Decimal, fee: Decimal) -> Decimal:
    """Return what one unit bought at market may take of a limit on value, in USD."""
    return ask * (1 + ENTRY_MARGIN) * (1 + fee)


def size_factor(lost: Decimal, soft: Decimal, hard: Decimal, least: Decimal) -> Decimal:
    """Return by how much an entry is made smaller between the soft and the hard level."""
    if lost >= hard:
        return ZERO
    way = max(ZERO, lost - soft) / (hard - soft)
    return ONE - (ONE - least) * way


def hedge_target(settings: dict[str, Decimal], volatility: Decimal, drawdown: Decimal) -> Decimal:
    """Return the share in USD that the formula asks for."""
    stress = _way(volatility, settings["volatility_low"], settings["volatility_high"])
    loss = _way(drawdown, settings["drawdown_low"], settings["drawdown_high"])
    need = ONE - (ONE - stress) * (ONE - loss)
    return (
        settings["ratio_minimum"] + (settings["ratio_maximum"] - settings["ratio_minimum"]) * need
    )


def time_weighted_return(values: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Chain values, each with the flow that came just before it and is in it."""
    growth = ONE
    for (before, _), (after, flow) in pairwise(values):
        growth *= (after - flow) / before
    return growth - ONE


def days_ended(zone: str, since: datetime, until: datetime) -> list[datetime]:
    """Return the local midnights after one moment and not after another."""
    local = since.astimezone(ZoneInfo(zone)).date()
    ends = []
    while (end := _midnight(zone, local)) <= until:
        if end > since:
            ends.append(end)
        local += timedelta(days=1)
    return ends


def near(one: Decimal, other: Decimal, tolerance: Decimal) -> bool:
    """Tell whether two figures differ by no more than a tolerance."""
    return abs(one - other) <= tolerance


def _midnight(zone: str, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _way(figure: Decimal, low: Decimal, high: Decimal) -> Decimal:
    return min(ONE, max(ZERO, (figure - low) / (high - low)))
