"""Kraken's published fee schedules for spot crypto, as data with the day each took effect.

The account's real rates come from the exchange (TradeVolume); these tables serve where it has not
answered yet and where history is traded. Source: Kraken's fee schedule, figures and dates as kept
in the protocol reference, section Fees. Stablecoin- and FX-base pairs have a schedule of their own
and are not covered.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from models.trading.risk.limits import FeeRates


@dataclass(frozen=True, slots=True)
class FeeTier:
    """Rates from a 30-day volume in USD upwards."""

    volume: Decimal
    rates: FeeRates


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """All tiers in force from a day on, lowest volume first."""

    effective_from: date
    tiers: tuple[FeeTier, ...]

    def rates(self, volume: Decimal) -> FeeRates:
        """Return the rates at a 30-day volume in USD."""
        index = bisect_right([tier.volume for tier in self.tiers], volume) - 1
        return self.tiers[max(0, index)].rates


def _tiers(*rows: tuple[int, str, str]) -> tuple[FeeTier, ...]:
    """Build tiers from volume in thousands of USD and maker and taker rates in percent."""
    return tuple(
        FeeTier(Decimal(volume * 1000), FeeRates(Decimal(maker) / 100, Decimal(taker) / 100))
        for volume, maker, taker in rows
    )


_OLDER = (
    (10, "0.20", "0.35"),
    (50, "0.14", "0.24"),
    (100, "0.12", "0.22"),
    (250, "0.10", "0.20"),
    (500, "0.08", "0.18"),
    (1000, "0.06", "0.16"),
    (2500, "0.04", "0.14"),
    (5000, "0.02", "0.12"),
    (10000, "0.00", "0.10"),
)

SCHEDULES: tuple[FeeSchedule, ...] = (
    # Of the years before 2024 only the lowest tier is documented; above it those of 2024 stand in,
    # as far as they are not dearer.
    FeeSchedule(date(2013, 1, 1), _tiers((0, "0.16", "0.26"), *_OLDER[1:])),
    FeeSchedule(date(2024, 1, 1), _tiers((0, "0.25", "0.40"), *_OLDER)),
    FeeSchedule(
        date(2026, 7, 9),
        (
            FeeTier(Decimal(0), FeeRates(Decimal("0.004"), Decimal("0.008"))),
            FeeTier(Decimal(2500), FeeRates(Decimal("0.003"), Decimal("0.006"))),
            *_tiers(
                (10, "0.22", "0.38"),
                (25, "0.20", "0.35"),
                (50, "0.15", "0.30"),
                (100, "0.12", "0.25"),
                (250, "0.10", "0.22"),
                (500, "0.08", "0.20"),
                (1000, "0.06", "0.18"),
                (2500, "0.04", "0.15"),
                (5000, "0.02", "0.12"),
                (10_000, "0.00", "0.10"),
                (50_000, "0.00", "0.09"),
                (100_000, "0.00", "0.08"),
                (250_000, "0.00", "0.07"),
                (400_000, "0.00", "0.06"),
                (500_000, "0.00", "0.05"),
            ),
        ),
    ),
)

BOTTOM_TIER = SCHEDULES[-1].tiers[0].rates
"""Assumed where the account's own rates are not known: the dearest, so that R-6 errs on no."""


def schedule_on(day: date) -> FeeSchedule:
    """Return the schedule in force on a day; the oldest one known for days before it."""
    in_force = [schedule for schedule in SCHEDULES if schedule.effective_from <= day]
    return in_force[-1] if in_force else SCHEDULES[0]


def fee_of(cost: Decimal, rate: Decimal, precision: int) -> Decimal:
    """Return the fee of one execution in quote units, rounded half up as the exchange shows it."""
    return (cost * rate).quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_UP)


def round_trip_share(entry_rate: Decimal, exit_rate: Decimal) -> Decimal:
    """Return both fees of a round trip as a share of its entry cost, price unchanged."""
    return entry_rate + exit_rate
