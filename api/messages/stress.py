"""What the API takes and gives of stress runs."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from api.messages.bodies import Name, RequestBody, Title, figure, number_schema
from api.messages.schemas import Money, Row
from models.trading.risk.stress_scenarios import Shock

_MOVE_TEXT = r"^(-?0\.[0-9]{1,9}|-?[01]|[2-9](\.[0-9]{1,9})?)$"
Move = Annotated[
    Decimal,
    BeforeValidator(figure),
    Field(ge=-1, le=10, allow_inf_nan=False),
    number_schema(_MOVE_TEXT, (-1, -1e-10), (1e-10, 10), with_zero=True),
]


class ShockWanted(RequestBody):
    """A shock made up by people: moves by asset as shares of the price, ``others`` for the rest."""

    name: Name = Field(examples=["my-crash"])
    title: Title = ""
    moves: dict[Name, Move] = Field(default={}, max_length=200, examples=[{"BTC": "-0.30"}])
    others: Move

    def shock(self) -> Shock:
        """Return the shock in the domain's words."""
        return Shock(self.name, self.title or self.name, "user", dict(self.moves), self.others)


class RunStress(RequestBody):
    """Shocks to apply besides the historical ones, or instead of them."""

    shocks: tuple[ShockWanted, ...] = Field(default=(), max_length=50)
    historical: bool = True


class ShockApplied(Row):
    """A shock as it was applied, with the source of its figures."""

    name: str
    title: str
    source: str
    moves: dict[str, Money]
    others: Money


class Effect(Row):
    """One limit before and after the shock, as shares."""

    name: str
    before: Money
    after: Money
    limit: Money
    breached: bool


class ShockResult(Row):
    """What one shock does, in USD; ``loss_with_stops`` if each stop were filled at its price."""

    shock: str
    equity_before: Money
    equity_after: Money
    loss: Money
    loss_share: Money
    loss_with_stops: Money
    effects: list[Effect]


class StressSummary(Row):
    """One run at a glance; ``breaches`` counts limits over all shocks."""

    run_id: str
    requested_by: str
    at: datetime
    market_time: datetime | None
    equity: Money
    worst_loss: Money
    breaches: int


class StressView(StressSummary):
    """One run whole; ``unpriced`` are assets that could not be moved for want of a price."""

    unpriced: list[str]
    shocks: list[ShockApplied]
    results: list[ShockResult]
