"""The shapes of lots and gains."""

from datetime import datetime

from api.messages.schemas import Money, Row


class LotView(Row):
    """What is left of one acquisition; ``cost`` in USD with fees, null where it is not known.

    Without ``acquired_at`` it is held and came in by no known movement.
    """

    asset: str
    quantity: Money
    cost: Money | None
    acquired_at: datetime | None
    movement_id: str | None
    kind: str | None


class GainView(Row):
    """What one disposal realised of one lot, in USD; null where the basis is not known."""

    asset: str
    quantity: Money
    acquired_at: datetime | None
    acquired_by: str | None
    disposed_at: datetime
    disposed_by: str
    proceeds: Money | None
    basis: Money | None
    gain: Money | None
