"""How an account's capital is split across its strategies, within bounds.

Every method gives each strategy a weight; shares are in proportion to the weights, bounded, and
together at most the total: ``share = min(most, max(least, scale * weight))`` with one scale for
all. The split counts from the next decision on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from models.trading.verdicts import Check, Headroom, Verdict

ZERO = Decimal(0)
ONE = Decimal(1)
STEP = Decimal("0.0001")

Row = tuple[Fraction, Fraction, Fraction]
"""A strategy's weight, least and most."""


class AllocationMethod(StrEnum):
    """How weights come about."""

    FIXED = "fixed"
    EQUAL_RISK = "equal_risk"
    PERFORMANCE = "performance"


@dataclass(frozen=True, slots=True)
class ShareBounds:
    """The least and the most of the capital that a strategy may have, as shares."""

    least: Decimal = ZERO
    most: Decimal = ONE


@dataclass(frozen=True, slots=True)
class StrategyRecord:
    """What is known of a strategy.

    Attributes:
        fixed_share: its share when the method is fixed.
        volatility: standard deviation of its daily returns, None when not known.
        score: its daily return over that deviation, None when not known.
        trades: closed trades that the figures rest on.
    """

    name: str
    fixed_share: Decimal = ZERO
    volatility: Decimal | None = None
    score: Decimal | None = None
    trades: int = 0


@dataclass(frozen=True, slots=True)
class AllocationPolicy:
    """How capital is split.

    Attributes:
        total: share of the capital for all strategies together, at most one.
        bounds: bounds by strategy; ``usual_bounds`` for the others.
        trades_minimum: closed trades below which figures count as not known.
        performance_weight: how strongly a score within plus and minus one moves a weight:
            ``1 + performance_weight * score``, never below zero.
    """

    method: AllocationMethod = AllocationMethod.FIXED
    total: Decimal = ONE
    bounds: Mapping[str, ShareBounds] = field(default_factory=dict)
    usual_bounds: ShareBounds = ShareBounds()
    trades_minimum: int = 20
    performance_weight: Decimal = ONE

    def bounds_of(self, name: str) -> ShareBounds:
        """Return the bounds of a strategy."""
        return self.bounds.get(name, self.usual_bounds)


@dataclass(frozen=True, slots=True)
class Allocation:
    """Shares by strategy (empty when refused) and whether the bounds can be kept at all."""

    shares: Mapping[str, Decimal]
    verdict: Verdict

    @property
    def unallocated(self) -> Decimal:
        """Return the share that no strategy has."""
        return ONE - sum(self.shares.values(), ZERO)


def allocate(policy: AllocationPolicy, records: Sequence[StrategyRecord]) -> Allocation:
    """Split the capital; strategies are taken by name, so their order changes nothing."""
    ordered = sorted(records, key=lambda record: record.name)
    bounds = {record.name: policy.bounds_of(record.name) for record in ordered}
    verdict = _judge(policy, bounds)
    if not verdict.allowed:
        return Allocation({}, verdict)
    weights = {record.name: _weight(policy, record, ordered) for record in ordered}
    # Fixed shares are meant as they are: they are scaled down to fit, never up.
    largest = ONE if policy.method is AllocationMethod.FIXED else None
    return Allocation(bounded_shares(weights, bounds, policy.total, largest), verdict)


def bounded_shares(
    weights: Mapping[str, Decimal],
    bounds: Mapping[str, ShareBounds],
    total: Decimal,
    largest_scale: Decimal | None = None,
) -> dict[str, Decimal]:
    """Return shares in proportion to weights, bounded, adding up to at most the total.

    The bounds' least must fit into the total. Computed in fractions, so that nothing is lost or won
    by rounding; then rounded down to a hundredth of a percent, but not below the least.
    """
    rows = {
        name: (Fraction(weight), Fraction(bounds[name].least), Fraction(bounds[name].most))
        for name, weight in weights.items()
    }
    scale = _scale(list(rows.values()), Fraction(total))
    if largest_scale is not None:
        scale = min(scale, Fraction(largest_scale))
    return {
        name: max(bounds[name].least, STEP * int(_share(row, scale) / Fraction(STEP)))
        for name, row in rows.items()
    }


def strategy_headroom(name: str, share: Decimal, equity: Decimal, exposure: Decimal) -> Headroom:
    """Return what a strategy's capital leaves; ``exposure`` is USD in its own trades."""
    limit = max(ZERO, equity) * share
    return Headroom(f"capital of {name}", exposure, limit, "capital", "allocation-exceeded")


def _weight(
    policy: AllocationPolicy, record: StrategyRecord, records: Sequence[StrategyRecord]
) -> Decimal:
    if policy.method is AllocationMethod.FIXED:
        return max(ZERO, record.fixed_share)
    if policy.method is AllocationMethod.EQUAL_RISK:
        known = [v for r in records if (v := _volatility(policy, r)) is not None]
        # What is not known is taken to be as wild as the wildest.
        volatility = _volatility(policy, record) or max(known, default=ONE)
        return ONE / volatility
    if record.score is None or record.trades < policy.trades_minimum:
        return ONE
    return max(ZERO, ONE + policy.performance_weight * min(ONE, max(-ONE, record.score)))


def _volatility(policy: AllocationPolicy, record: StrategyRecord) -> Decimal | None:
    known = record.volatility is not None and record.volatility > ZERO
    return record.volatility if known and record.trades >= policy.trades_minimum else None


def _judge(policy: AllocationPolicy, bounds: Mapping[str, ShareBounds]) -> Verdict:
    least = sum((b.least for b in bounds.values()), ZERO)
    proper = all(ZERO <= b.least <= b.most <= ONE for b in bounds.values())
    return Verdict(
        (
            Check(
                "capital",
                "invalid-bounds",
                proper and ZERO <= policy.total <= ONE,
                "bounds lie between 0 and 1, the least not above the most",
            ),
            Check(
                "capital",
                "invalid-bounds",
                least <= policy.total,
                f"the least shares come to {least} of {policy.total}",
                least,
                policy.total,
            ),
        )
    )


def _share(row: Row, scale: Fraction) -> Fraction:
    weight, least, most = row
    return min(most, max(least, scale * weight))


def _scale(rows: Sequence[Row], total: Fraction) -> Fraction:
    """Return the largest useful scale at which the shares do not come to more than the total.

    Their sum rises with the scale, straight between the turns at which a share meets a bound.
    """
    turns = {bound / row[0] for row in rows if row[0] > 0 for bound in row[1:]}
    scale = Fraction(0)
    for turn in sorted(turns):
        if sum(_share(row, turn) for row in rows) > total:
            rising = sum(w for w, least, most in rows if least <= scale * w < most)
            left = total - sum(_share(row, scale) for row in rows)
            return scale + left / rising
        scale = turn
    return scale
