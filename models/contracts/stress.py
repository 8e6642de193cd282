"""Messages of the workflow that puts a portfolio through shocks."""

from dataclasses import dataclass
from decimal import Decimal

from models.trading.risk.stress_scenarios import Shock


@dataclass(frozen=True, slots=True)
class StressRequest:
    """One run for one account. ``run_id`` names it; ``shocks`` come besides the historical ones.

    ``historical`` is False where only the given shocks are wanted.
    """

    account: str
    run_id: str
    by: str
    shocks: tuple[Shock, ...] = ()
    historical: bool = True


@dataclass(frozen=True, slots=True)
class StressDone:
    """What the run came to: USD lost in the worst shock, and limits breached in all of them."""

    run_id: str
    worst_loss: Decimal
    breaches: int
