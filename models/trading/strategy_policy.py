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
            takes weight from a strategy.
        cost_share_maximum: yearly cost as a share of the expected gain before costs, likewise.
    """

    band: Decimal = Decimal("0.10")
    turnover_maximum: Decimal = Decimal(8)
    cost_share_maximum: Decimal = Decimal("0.25")
