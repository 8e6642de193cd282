"""How much of an account stays out of volatile assets, and when that is worth a trade (H-1, H-2).

The hedge of a spot account is the share of its value held in USD and allowed stablecoins. Its
target rises with volatility and with drawdown::

    unrest  = (volatility - calm) / (wild - calm)          kept between 0 and 1
    loss    = (drawdown - slight) / (severe - slight)      kept between 0 and 1
    target  = least + (most - least) * (1 - (1 - unrest) * (1 - loss))

Either alone can raise it to the most; neither can lower what the other asks for. A missing reading
lowers nothing: the other one may still raise the target. The target in force follows only when the
formula leaves it by more than ``target_band`` (hysteresis), and a trade is made only when the
actual share is off by more than ``trade_band``, is large enough, and is worth its cost. It goes to
the target and not beyond, so constant input is answered by one trade at most.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from models.trading.hedge.override import HedgeOverride
from models.trading.verdicts import Check, Room, Verdict

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class HedgeSettings:
    """Bounds of the hedge; shares of equity, volatility per day, drawdown from the high-water mark.

    Attributes:
        cost_multiple: a value is moved only if a common day moves it by this many times its cost.
        trade_minimum: smallest trade in USD.
        automatic: whether the formula is followed at all; an override is in any case.
        review_every: market time between two reviews.
        react_share: move of a held pair since the last review that brings the next one forward.
    """

    least: Decimal = Decimal("0.10")
    most: Decimal = Decimal("0.90")
    calm: Decimal = Decimal("0.02")
    wild: Decimal = Decimal("0.08")
    slight: Decimal = Decimal("0.05")
    severe: Decimal = Decimal("0.20")
    target_band: Decimal = Decimal("0.05")
    trade_band: Decimal = Decimal("0.03")
    trade_minimum: Decimal = Decimal(50)
    cost_multiple: Decimal = ONE
    automatic: bool = False
    review_every: timedelta = timedelta(hours=1)
    react_share: Decimal = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class HedgeReading:
    """What the hedge follows. ``volatility`` None: not known, and the target may only rise.

    Attributes:
        cash: USD and allowed stablecoins, in USD.
        volatile: everything else held, in USD.
        cost_share: what moving a value costs, as a share of it: fee, spread and slippage.
    """

    volatility: Decimal | None
    drawdown: Decimal
    cash: Decimal
    volatile: Decimal
    cost_share: Decimal

    @property
    def equity(self) -> Decimal:
        """Return the account's value in USD."""
        return self.cash + self.volatile

    @property
    def actual(self) -> Decimal:
        """Return the share held in USD; an empty account is wholly hedged."""
        return self.cash / self.equity if self.equity > ZERO else ONE


@dataclass(frozen=True, slots=True)
class HedgeState:
    """The automatic target in force, None before the first reading, and a person's override."""

    target: Decimal | None = None
    override: HedgeOverride | None = None


class HedgeMove(StrEnum):
    """Which way value is moved."""

    REDUCE = "sell volatile assets"
    RESTORE = "buy volatile assets back"


@dataclass(frozen=True, slots=True)
class HedgeDecision:
    """The hedge after a reading. ``value`` is USD to be moved, zero when ``move`` is None."""

    state: HedgeState
    target: Decimal
    actual: Decimal
    move: HedgeMove | None
    value: Decimal
    verdict: Verdict


def target_share(settings: HedgeSettings, volatility: Decimal, drawdown: Decimal) -> Decimal:
    """Return the share that the formula asks for, between the least and the most."""
    unrest = _way(volatility, settings.calm, settings.wild)
    loss = _way(drawdown, settings.slight, settings.severe)
    need = ONE - (ONE - unrest) * (ONE - loss)
    return settings.least + (settings.most - settings.least) * need


def exposure_share(settings: HedgeSettings, volatility: Decimal) -> Decimal:
    """Return what the formula leaves to be held at a daily volatility, without any drawdown."""
    return ONE - target_share(settings, volatility, ZERO)


def decide_hedge(
    settings: HedgeSettings, state: HedgeState, reading: HedgeReading, now: datetime
) -> HedgeDecision:
    """Follow a reading. ``now`` is market time, which an override expires by."""
    override = state.override
    if override is not None and override.is_over(now):
        override = None
    followed = _follow(settings, state.target, reading)
    new_state = replace(state, target=followed, override=override)
    target = followed if followed is not None else reading.actual
    if override is not None:
        target = override.share
    value = (target - reading.actual) * reading.equity
    move = HedgeMove.REDUCE if value > ZERO else HedgeMove.RESTORE
    verdict = _judge_trade(settings, reading, target, abs(value), by_person=override is not None)
    if not verdict.allowed:
        return HedgeDecision(new_state, target, reading.actual, None, ZERO, verdict)
    return HedgeDecision(new_state, target, reading.actual, move, abs(value), verdict)


def hedge_room(target: Decimal, equity: Decimal, exposure: Decimal) -> Room:
    """Return what the hedge leaves for entries; ``exposure`` is USD held and promised."""
    limit = max(ZERO, equity) * (ONE - target)
    return Room("hedge", exposure, limit, "H-2", "hedge-exceeded")


def _follow(
    settings: HedgeSettings, target: Decimal | None, reading: HedgeReading
) -> Decimal | None:
    if reading.volatility is None:
        # What is not known cannot lower the target; the drawdown alone may still raise it.
        alone = target_share(settings, settings.calm, reading.drawdown)
        if target is None and alone <= settings.least:
            return None
        asked = alone if target is None else max(target, alone)
    else:
        asked = target_share(settings, reading.volatility, reading.drawdown)
    near = target is not None and abs(asked - target) <= settings.target_band
    return target if near else asked


def _judge_trade(
    settings: HedgeSettings,
    reading: HedgeReading,
    target: Decimal,
    value: Decimal,
    *,
    by_person: bool,
) -> Verdict:
    off = abs(target - reading.actual)
    band = f"{reading.actual:.4%} in USD against {target:.4%}, traded when off by more than "
    least = settings.trade_minimum
    checks = [
        Check(
            "H-2",
            "hedge-in-band",
            off > settings.trade_band,
            f"{band}{settings.trade_band:.4%}",
            off,
            settings.trade_band,
        ),
        Check("H-2", "hedge-too-small", value >= least, f"{value:.2f} USD to move", value, least),
    ]
    reduces = target > reading.actual
    if reading.volatility is None and not by_person and not reduces:
        reason = "the volatility is not known"
        checks.append(Check("H-2", "no-market-data", passed=False, reason=reason))
    elif reading.volatility is not None and not by_person:
        bound = reading.cost_share * settings.cost_multiple
        reason = f"a common day moves {reading.volatility:.4%}, moving costs {bound:.4%}"
        worth = reading.volatility >= bound
        checks.append(Check("H-2", "not-worth-costs", worth, reason, reading.volatility, bound))
    return Verdict(tuple(checks))


def _way(figure: Decimal, low: Decimal, high: Decimal) -> Decimal:
    if high <= low:
        return ONE if figure >= high else ZERO
    return min(ONE, max(ZERO, (figure - low) / (high - low)))
