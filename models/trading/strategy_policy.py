"""Within which bounds an account lets strategies trade (L-5)."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class StrategyPolicy:
    """Bounds with safe defaults.

    Attributes:
        band: distance of what is held from a target weight that is traded, as a share of the most
            that the pair may hold.
        turnover_maximum: value traded one way over equity, per year, above which the orchestrator
            follows a strategy into no new entries.
        cost_share_maximum: cost of a round trip as a share of the gain expected before costs.
        factor_minimum: least factor that a poor record and a poor regime leave a strategy.
        trades_minimum: closed trades below which a record tells nothing.
        performance_weight: how strongly a score moves the factor, which is
            ``1 + performance_weight * score``.
    """

    band: Decimal = Decimal("0.10")
    turnover_maximum: Decimal = Decimal(8)
    cost_share_maximum: Decimal = Decimal("0.25")
    factor_minimum: Decimal = Decimal("0.25")
    trades_minimum: int = 20
    performance_weight: Decimal = Decimal(5)
