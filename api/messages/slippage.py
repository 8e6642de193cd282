"""The shape of what an execution cost against its decision price."""

from api.messages.schemas import Money, Row


class FillSlippageView(Row):
    """One execution; null where no decision price is known. Positive is worse."""

    execution_id: str
    leg: str | None
    side: str
    quantity: Money
    price: Money
    decision_price: Money | None
    usd: Money | None
    basis_points: Money | None
    maker: bool
