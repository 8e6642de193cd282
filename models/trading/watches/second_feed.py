"""Compare the market's own prices with another source's: silent, apart, or gone astray alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

ONE = Decimal(1)


class QualityKind(StrEnum):
    """What is wrong with one of two sources.

    ``own_missing``: the market has no fresh price; ``second_stale``: the second source has told
    none for a while; ``diverged``: both tell prices that lie apart; ``anomaly``: the market's own
    price jumped and the second one did not.
    """

    OWN_MISSING = "own_missing"
    SECOND_STALE = "second_stale"
    DIVERGED = "diverged"
    ANOMALY = "anomaly"


@dataclass(frozen=True, slots=True)
class SecondFeedRules:
    """When two sources count as apart. Shares of the price; times are protocol times.

    ``looks`` in a row must find prices apart: a second source is late by up to a minute. A jump of
    the own price counts where the second one has moved less than half as far.
    """

    divergence: Decimal = Decimal("0.02")
    looks: int = 3
    stale_after: timedelta = timedelta(minutes=5)
    jump: Decimal = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class SourcesSeen:
    """What is known of one pair from the looks before."""

    own: Decimal | None = None
    second: Decimal | None = None
    second_at: datetime | None = None
    apart: int = 0
    shares: tuple[Decimal, ...] = ()
    standing: Mapping[QualityKind, str] = field(default_factory=dict)


def compare_sources(
    seen: SourcesSeen,
    own: Decimal | None,
    second: Decimal | None,
    now: datetime,
    rules: SecondFeedRules,
) -> SourcesSeen:
    """Return what is known after another look; ``standing`` has each fault with its reason.

    A price that is no positive number is none: a source that tells one is silent.
    """
    own, second = _usable(own), _usable(second)
    second_at = now if second is not None else seen.second_at or now
    standing: dict[QualityKind, str] = {}
    if own is None:
        standing[QualityKind.OWN_MISSING] = "the market has no fresh price"
    if second is None and now - second_at > rules.stale_after:
        standing[QualityKind.SECOND_STALE] = f"no price since {second_at:%Y-%m-%d %H:%M:%S} UTC"
    apart, shares = seen.apart, seen.shares
    if (own is None or second is None) and QualityKind.DIVERGED in seen.standing:
        standing[QualityKind.DIVERGED] = seen.standing[QualityKind.DIVERGED]
    if own is not None and second is not None:
        share = abs(own / second - ONE)
        apart = seen.apart + 1 if share > rules.divergence else 0
        shares = (*seen.shares, share)[-rules.looks :]
        if apart >= rules.looks:
            standing[QualityKind.DIVERGED] = f"{own} here, {second} there: {share:.2%} apart"
        jumped = _moved(seen.own, own)
        if jumped > rules.jump and _moved(seen.second, second) < jumped / 2:
            standing[QualityKind.ANOMALY] = f"moved {jumped:.2%} to {own}, the other to {second}"
        elif QualityKind.ANOMALY in seen.standing and share > rules.divergence:
            # Until both agree again the jump stands.
            standing[QualityKind.ANOMALY] = seen.standing[QualityKind.ANOMALY]
    return replace(
        seen,
        own=own or seen.own,
        second=second or seen.second,
        second_at=second_at,
        apart=apart,
        shares=shares,
        standing=standing,
    )


def still_apart(rules: SecondFeedRules) -> SourcesSeen:
    """Return what is known of a pair whose doubt stood before this process began: far apart.

    How far is not kept with it, so it counts as all of the price until a look tells.
    """
    reason = "lay apart before this process began"
    return SourcesSeen(
        apart=rules.looks,
        shares=(ONE,) * rules.looks,
        standing={QualityKind.DIVERGED: reason},
    )


def apart_for_long(seen: SourcesSeen, rules: SecondFeedRules) -> Decimal | None:
    """Return how far prices have lain apart at each of the newest looks, None before there are.

    Silence of either source takes nothing back: what was in doubt is so until both agree.
    """
    return min(seen.shares) if len(seen.shares) >= rules.looks else None


def _usable(price: Decimal | None) -> Decimal | None:
    return price if price is not None and price.is_finite() and price > 0 else None


def _moved(before: Decimal | None, now: Decimal) -> Decimal:
    return Decimal(0) if before is None else abs(now / before - ONE)
