"""What each execution cost against the price at which it was decided (implementation shortfall).

An entry is decided at the middle of the market, a stop at its trigger, an exit or a part at the
price that brought it about. Positive is worse. What was decided at no known price is not measured:
it is neither good nor bad, and is counted as such (Perold 1988).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.trading.orders import Fill, Leg, Side
from models.trading.trade.state import TradeOrder, TradeState

ZERO = Decimal(0)
BASIS_POINTS = Decimal(10_000)
STEP = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class FillSlippage:
    """One execution against its decision price; None where that is not known.

    Attributes:
        execution_id: the exchange's id of the execution.
        leg: what its order was for; None where the order is not known.
        side: direction.
        quantity: base units.
        price: USD per base unit, as executed.
        decision_price: USD per base unit, as decided.
        usd: paid above, or received below, over the quantity; negative is better.
        basis_points: the same as a share of the decision price, to a hundredth.
        maker: whether the order rested.
    """

    execution_id: str
    leg: Leg | None
    side: Side
    quantity: Decimal
    price: Decimal
    decision_price: Decimal | None
    usd: Decimal | None
    basis_points: Decimal | None
    maker: bool


@dataclass(frozen=True, slots=True)
class SlippageTotal:
    """All executions of a trade; ``unmeasured`` counts those without a decision price."""

    usd: Decimal
    basis_points: Decimal | None
    unmeasured: int


def measure_fill(fill: Fill, decision_price: Decimal | None, leg: Leg | None) -> FillSlippage:
    """Measure one execution."""
    usd = points = None
    usable = decision_price is not None and decision_price.is_finite() and decision_price > ZERO
    if decision_price is not None and usable:
        sign = 1 if fill.side is Side.BUY else -1
        worse = sign * (fill.price - decision_price)
        usd = worse * fill.quantity
        points = (worse / decision_price * BASIS_POINTS).quantize(STEP)
    return FillSlippage(
        execution_id=fill.execution_id,
        leg=leg,
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        decision_price=decision_price if usable else None,
        usd=usd,
        basis_points=points,
        maker=fill.maker,
    )


def slippages(state: TradeState) -> tuple[FillSlippage, ...]:
    """Measure every execution of a trade, in the order in which they became known."""
    orders = {o.order_id: o for o in state.orders if o.order_id is not None}
    measured = []
    for fill in state.fills:
        order = orders.get(fill.order_id)
        price = None if order is None else decision_price(state, order)
        measured.append(measure_fill(fill, price, None if order is None else order.spec.leg))
    return tuple(measured)


def decision_price(state: TradeState, order: TradeOrder) -> Decimal | None:
    """Return the price that an order was decided at; a stop's is where it rests to fire."""
    if order.spec.leg is Leg.ENTRY:
        return order.spec.decision_price or state.plan.reference_price
    if order.spec.leg is Leg.STOP:
        return order.trigger_price if order.trigger_price is not None else order.spec.trigger_price
    return order.spec.decision_price


def total(measured: Sequence[FillSlippage]) -> SlippageTotal:
    """Add up what was measured: USD, and basis points of what was decided to be moved."""
    usd = sum((one.usd for one in measured if one.usd is not None), ZERO)
    decided = sum(
        (one.quantity * one.decision_price for one in measured if one.decision_price is not None),
        ZERO,
    )
    points = (usd / decided * BASIS_POINTS).quantize(STEP) if decided > ZERO else None
    return SlippageTotal(usd, points, sum(one.usd is None for one in measured))
