"""Kraken's rate counters: the REST call counter and the trading-engine counter (§4)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class VerificationTier(StrEnum):
    """Verification level of an account; it sets every rate limit."""

    STARTER = "starter"
    INTERMEDIATE = "intermediate"
    PRO = "pro"


@dataclass(frozen=True, slots=True)
class TierLimits:
    """Limits of a tier (kraken-protocol §4.1, §4.2); decays are per second of wall time."""

    calls_maximum: Decimal
    calls_decay: Decimal
    engine_maximum: Decimal
    engine_decay: Decimal
    open_orders_per_pair: int


TIER_LIMITS = {
    VerificationTier.STARTER: TierLimits(
        Decimal(15), Decimal("0.33"), Decimal(60), Decimal("1.00"), 60
    ),
    VerificationTier.INTERMEDIATE: TierLimits(
        Decimal(20), Decimal("0.5"), Decimal(125), Decimal("2.34"), 80
    ),
    VerificationTier.PRO: TierLimits(
        Decimal(20), Decimal("1.0"), Decimal(180), Decimal("3.75"), 225
    ),
}

_AMEND_EXTRAS = ((5, 3), (10, 2), (15, 1))
_EDIT_EXTRAS = ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1))
_CANCEL_EXTRAS = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))


@dataclass
class Counter:
    """A counter that decays continuously in protocol time.

    A clock that steps back takes nothing away, and the decay goes on from there: the counter of an
    exchange does not stand still because somebody's clock was set right.
    """

    value: Decimal = ZERO
    updated_at: datetime | None = None

    def level(self, now: datetime, decay: Decimal) -> Decimal:
        """Return the counter after its decay until ``now``."""
        if self.updated_at is None:
            return self.value
        self.updated_at = min(self.updated_at, now)
        elapsed = Decimal(str((now - self.updated_at).total_seconds()))
        return max(ZERO, self.value - elapsed * decay)

    def charge(self, cost: Decimal, now: datetime, decay: Decimal) -> Decimal:
        """Add a cost after decay and return the new value."""
        self.value = self.level(now, decay) + cost
        self.updated_at = now
        return self.value


def tier_limits(tier: VerificationTier) -> TierLimits:
    """Return the limits of a tier."""
    return TIER_LIMITS[tier]


def amend_cost(age_seconds: float) -> Decimal:
    """Return the cost of an amend by the age since creation or the last amend."""
    return Decimal(1 + _extra(_AMEND_EXTRAS, age_seconds))


def edit_cost(age_seconds: float) -> Decimal:
    """Return the cost of an edit (cancel and new) by the order's age."""
    return Decimal(1 + _extra(_EDIT_EXTRAS, age_seconds))


def cancel_cost(age_seconds: float) -> Decimal:
    """Return the cost of a cancel by the age since creation or the last amend."""
    return Decimal(_extra(_CANCEL_EXTRAS, age_seconds))


def _extra(table: tuple[tuple[int, int], ...], age_seconds: float) -> int:
    return next((cost for below, cost in table if age_seconds < below), 0)
