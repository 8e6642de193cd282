"""What a trade by hand would come to, and what is shown back when it is confirmed."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from api.messages.bodies import LARGEST_INTEGER, OpenTrade, Positive, RequestBody
from api.messages.schemas import Money
from api.messages.settings import Cap, Costs


class SeenPreview(RequestBody):
    """What the person saw; a trade that names it is refused when that holds no more."""

    price: Positive
    settings_version: int = Field(ge=0, le=LARGEST_INTEGER)
    platform_version: int = Field(ge=0, le=LARGEST_INTEGER)
    next_trade: int = Field(ge=1, le=LARGEST_INTEGER)


class OpenPreviewedTrade(OpenTrade):
    """A trade to open; with ``seen`` only if the preview still holds (409 ``preview-expired``)."""

    seen: SeenPreview | None = None


class CheckWithFigure(BaseModel):
    """One rule, its figure after the trade and its limit; None where it has none."""

    rule: str
    code: str
    passed: bool
    reason: str
    figure: Money | None
    limit: Money | None


class SeenShown(BaseModel):
    """To be sent back as ``seen`` when the trade is confirmed."""

    price: Money
    settings_version: int
    platform_version: int
    next_trade: int


class TradePreview(BaseModel):
    """What a trade would come to now; USD, quantity in base units.

    ``loss`` is that at the stop with both fees. ``waits`` tells that another person has to approve.
    ``slippage_share`` is estimated from the book; None where it is not known.
    """

    at: datetime
    allowed: bool
    waits: bool
    symbol: str
    price: Money
    stop_price: Money
    quantity: Money
    value: Money
    loss: Money
    slippage_share: Money | None
    checks: list[CheckWithFigure]
    caps: list[Cap]
    binding: str | None
    costs: Costs | None
    seen: SeenShown


def slippage_of(costs: Costs | None) -> Decimal | None:
    """Return the estimated slippage of the entry as a share of its price."""
    return None if costs is None else costs.entry_slippage
