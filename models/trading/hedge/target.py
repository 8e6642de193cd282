"""How much of an account stays out of volatile assets, and when that is worth a trade (H-1, H-2).

The hedge of a spot account is the share of its value held in USD and allowed stablecoins. Its
target rises with volatility and with drawdown::

    stress  = (volatility - volatility_low) / (volatility_high - volatility_low)    within 0 and 1
    loss    = (drawdown - drawdown_low) / (drawdown_high - drawdown_low)            within 0 and 1
    need    = 1 - (1 - stress) * (1 - loss)
    target  = ratio_minimum + (ratio_maximum - ratio_minimum) * need

Either alone can raise it to the most; neither can lower what the other asks for. A missing reading
lowers nothing: the other one may still raise the target. The target in force follows only when the
formula leaves it by more than ``target_band`` (hysteresis), and a trade is made only when the
actual share is off by more than ``trade_band``, is large enough, and is worth its cost. It goes to
the target and not beyond, so constant input is answered by one trade at most.

A move is worth its cost when what it is expected to spare pays the way there and back::

    spared = volatility * sqrt(days that a target stands) / sqrt(2 pi)
    worth  = spared >= 2 * cost_share * cost_multiple

``spared`` is the mean of the falls of a normal price without drift over that time (Bachelier),
rises counting as nothing. The days are the smoothed mean of how long earlier targets have stood, so
that a hedge that changes its mind often has to gain more by each move. What the drawdown alone asks
to be sold is sold whatever it costs: a limit is no trade.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from models.trading.hedge.override import HedgeOverride
from models.trading.verdicts import Check, Headroom, Verdict

ZERO = Decimal(0)
ONE = Decimal(1)
DAY_SECONDS = 86_400


FIRST_STANDING = Decimal(17)
"""Days that a target is expected to stand before any has changed: about as long as the volatility
remembers, ``1 / (1 - 0.94)`` (RiskMetrics 1996)."""
STANDING_WEIGHT = Decimal("0.25")
"""How much the newest standing counts in the smoothed mean."""
MEAN_FALL = Decimal("0.3989422804")
"""One over the square root of two pi: the mean fall of a normal figure with a deviation of one."""


@dataclass(frozen=True, slots=True)
class HedgeSettings:
    """Bounds of the hedge; shares of equity, volatility per day, drawdown from the high-water mark.

    Attributes:
        cost_multiple: a value is moved only if what that spares is this many times its round trip.
        trade_minimum: smallest trade in USD.
        automatic: whether the formula is followed at all; an override is in any case.
        review_every: market time between two reviews.
        react_share: move of a held pair since the last review that brings the next one forward.
    """

    ratio_minimum: Decimal = Decimal("0.10")
    ratio_maximum: Decimal = Decimal("0.90")
    volatility_low: Decimal = Decimal("0.02")
    volatility_high: Decimal = Decimal("0.08")
    drawdown_low: Decimal = Decimal("0.05")
    drawdown_high: Decimal = Decimal("0.20")
    target_band: Decimal = Decimal("0.10")
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
    """The automatic target in force, None before the first reading, and a person's override.

    ``since`` is the market time since which it stands; ``stands`` the smoothed mean of days that
    targets have stood.
    """

    target: Decimal | None = None
    override: HedgeOverride | None = None
    since: datetime | None = None
    stands: Decimal = FIRST_STANDING


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
    stress = _way(volatility, settings.volatility_low, settings.volatility_high)
    loss = _way(drawdown, settings.drawdown_low, settings.drawdown_high)
    need = ONE - (ONE - stress) * (ONE - loss)
    return settings.ratio_minimum + (settings.ratio_maximum - settings.ratio_minimum) * need


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
    new_state = replace(_standing(state, followed, now), target=followed, override=override)
    target = followed if followed is not None else reading.actual
    if override is not None:
        target = override.share
    off = target * reading.equity - reading.cash
    move = HedgeMove.REDUCE if off > ZERO else HedgeMove.RESTORE
    # Rounding of the product must not ask for more than is there.
    value = min(abs(off), max(ZERO, reading.volatile if off > ZERO else reading.cash))
    by_person = override is not None
    stands = expected_standing(new_state, now)
    verdict = _judge_trade(settings, reading, target, value, stands, by_person=by_person)
    if not verdict.allowed:
        return HedgeDecision(new_state, target, reading.actual, None, ZERO, verdict)
    return HedgeDecision(new_state, target, reading.actual, move, value, verdict)


def expected_standing(state: HedgeState, now: datetime) -> Decimal:
    """Return for how many days a target is expected to stand; one that stands longer counts."""
    if state.since is None:
        return state.stands
    return max(state.stands, Decimal(int((now - state.since).total_seconds())) / DAY_SECONDS)


def _standing(state: HedgeState, followed: Decimal | None, now: datetime) -> HedgeState:
    """Note how long a target has stood that has just been replaced."""
    if followed == state.target:
        return state
    if state.since is None or state.target is None:
        return replace(state, since=now)
    stood = max(ZERO, Decimal(int((now - state.since).total_seconds())) / DAY_SECONDS)
    smoothed = state.stands + STANDING_WEIGHT * (stood - state.stands)
    return replace(state, since=now, stands=smoothed.quantize(Decimal("1e-6")))


def hedge_headroom(target: Decimal, equity: Decimal, exposure: Decimal) -> Headroom:
    """Return what the hedge leaves for entries; ``exposure`` is USD held and promised."""
    limit = max(ZERO, equity) * (ONE - target)
    return Headroom("hedge", exposure, limit, "H-2", "hedge-exceeded")


def _follow(
    settings: HedgeSettings, target: Decimal | None, reading: HedgeReading
) -> Decimal | None:
    if reading.volatility is None:
        # What is not known cannot lower the target; the drawdown alone may still raise it.
        alone = target_share(settings, settings.volatility_low, reading.drawdown)
        if target is None and alone <= settings.ratio_minimum:
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
    stands: Decimal,
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
        by_loss = target_share(settings, settings.volatility_low, reading.drawdown)
        forced = reduces and by_loss - reading.actual > settings.trade_band
        checks.append(_check_worth(settings, reading, reading.volatility, stands, forced=forced))
    return Verdict(tuple(checks))


def _check_worth(
    settings: HedgeSettings,
    reading: HedgeReading,
    volatility: Decimal,
    stands: Decimal,
    *,
    forced: bool,
) -> Check:
    spared = volatility * stands.sqrt() * MEAN_FALL
    bound = 2 * reading.cost_share * settings.cost_multiple
    reason = (
        f"a target stands {stands:.1f} days, in which falls of {spared:.4%} are expected; "
        f"there and back costs {bound:.4%}"
    )
    if forced:
        reason += "; the drawdown alone asks for it"
    return Check("H-2", "not-worth-costs", forced or spared >= bound, reason, spared, bound)


def _way(figure: Decimal, low: Decimal, high: Decimal) -> Decimal:
    if high <= low:
        return ONE if figure >= high else ZERO
    return min(ONE, max(ZERO, (figure - low) / (high - low)))
