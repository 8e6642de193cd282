"""How much to buy under every bound: risk, volatility, cash, liquidity and all limits (R-2).

Each bound is a cap on the quantity, kept by name in the result; the smallest binds, and rounding to
the lot goes down, so that no cap is ever passed. The drawdown's size factor makes the final
quantity smaller, whichever cap binds: a cap of its own, that share of the smallest other one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.trading.instruments import Instrument
from models.trading.risk.limits import AccountLimits, FeeRates
from models.trading.risk.sizing import SizingCap, SizingResult, unit_loss
from models.trading.verdicts import Headroom

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class SizingInputs:
    """Everything sizing needs; money in USD, prices in USD per base unit.

    Attributes:
        entry_price: expected price of the entry; ``price_bound`` what cash is reserved at.
        stop_price: where the loss ends.
        volatility_share: share of equity that the position may move by on a common bar.
        average_true_range: common move of one bar in USD per unit, None when not known.
        volatility: standard deviation of log returns per bar, None when not known. With both, the
            larger move counts.
        size_factor: from the drawdown, one down to zero.
        rooms: what every limit on value leaves (pair, group, bucket, gross, hedge, strategy).
        spendable_cash: cash beyond the reserve and what other entries are promised.
        depth_quantity: base units on offer near the best ask, None when not known.
        risk_left: USD that may still be at risk down to all stops, None: not bounded.
    """

    instrument: Instrument
    limits: AccountLimits
    fees: FeeRates
    equity: Decimal
    entry_price: Decimal
    price_bound: Decimal
    stop_price: Decimal
    headrooms: tuple[Headroom, ...]
    spendable_cash: Decimal
    volatility_share: Decimal
    average_true_range: Decimal | None = None
    volatility: Decimal | None = None
    size_factor: Decimal = ONE
    depth_quantity: Decimal | None = None
    risk_left: Decimal | None = None


def size_within_caps(inputs: SizingInputs) -> SizingResult:
    """Return the largest quantity within every cap, on the pair's lot step."""
    unit_cash = inputs.price_bound * (1 + inputs.fees.taker)
    caps = [_risk_cap(inputs)]
    caps += [
        cap
        for cap in (_volatility_cap(inputs), _open_risk_cap(inputs), _depth_cap(inputs))
        if cap is not None
    ]
    caps += [
        SizingCap(headroom.name, headroom.code, headroom.left / unit_cash)
        for headroom in inputs.headrooms
    ]
    caps.append(SizingCap("cash", "insufficient-balance", inputs.spendable_cash / unit_cash))
    caps += _drawdown_cap(inputs, caps)
    binding = min(caps, key=lambda cap: cap.quantity)
    quantity = inputs.instrument.floor_quantity(max(ZERO, binding.quantity))
    return SizingResult(quantity, tuple(caps), binding)


def common_move(inputs: SizingInputs) -> Decimal | None:
    """Return by how much one base unit moves on a common bar, in USD; None when not known."""
    moves = [inputs.average_true_range] if inputs.average_true_range is not None else []
    if inputs.volatility is not None:
        moves.append(inputs.entry_price * inputs.volatility)
    largest = max(moves, default=ZERO)
    return largest if largest > ZERO else None


def _risk_cap(inputs: SizingInputs) -> SizingCap:
    loss = unit_loss(inputs.entry_price, inputs.stop_price, inputs.fees, inputs.limits)
    at_risk = max(ZERO, inputs.equity) * inputs.limits.risk_share
    return SizingCap("risk", "below-minimum", at_risk / loss if loss > ZERO else ZERO)


def _volatility_cap(inputs: SizingInputs) -> SizingCap | None:
    move = common_move(inputs)
    if move is None:
        return None
    allowed = max(ZERO, inputs.equity) * inputs.volatility_share
    return SizingCap("volatility", "below-minimum", allowed / move)


def _open_risk_cap(inputs: SizingInputs) -> SizingCap | None:
    distance = inputs.entry_price - inputs.stop_price
    if inputs.risk_left is None or distance <= ZERO:
        return None
    return SizingCap("open risk", "open-risk", inputs.risk_left / distance)


def _depth_cap(inputs: SizingInputs) -> SizingCap | None:
    if inputs.depth_quantity is None:
        return None
    quantity = inputs.depth_quantity * inputs.limits.depth_share
    return SizingCap("market depth", "book-too-thin", quantity)


def _drawdown_cap(inputs: SizingInputs, others: Sequence[SizingCap]) -> list[SizingCap]:
    factor = min(ONE, max(ZERO, inputs.size_factor))
    if factor == ONE:
        return []
    smallest = min(others, key=lambda cap: cap.quantity)
    quantity = max(ZERO, smallest.quantity) * factor
    return [SizingCap("drawdown", "below-minimum", min(quantity, smallest.quantity))]
