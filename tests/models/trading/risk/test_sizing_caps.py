"""The size is the largest that every cap allows, and never risks more than allowed."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.risk.limits import AccountLimits, FeeRates
from models.trading.risk.sizing import unit_loss
from models.trading.risk.sizing_caps import SizingInputs, common_move, size_within_caps
from models.trading.verdicts import Headroom
from tests.models.trading.trading_builders import an_instrument

LIMITS, FEES = AccountLimits(), FeeRates(Decimal("0.004"), Decimal("0.008"))
PRICE = st.decimals(min_value="1", max_value="100000", places=2)
MONEY = st.decimals(min_value="-1000", max_value="10000000", places=2)
SHARE = st.decimals(min_value="0.0001", max_value="0.5", places=4)
MAYBE = st.one_of(st.none(), PRICE)


def inputs(**changes: object) -> SizingInputs:
    made = SizingInputs(
        instrument=an_instrument(),
        limits=LIMITS,
        fees=FEES,
        equity=Decimal(100_000),
        entry_price=Decimal(1000),
        price_bound=Decimal(1010),
        stop_price=Decimal(900),
        headrooms=(
            Headroom("pair exposure", Decimal(0), Decimal(25_000)),
            Headroom("hedge", Decimal(0), Decimal(60_000), "H-2", "hedge-exceeded"),
        ),
        spendable_cash=Decimal(90_000),
        volatility_share=Decimal("0.004"),
        average_true_range=Decimal(200),
        volatility=Decimal("0.05"),
        depth_quantity=Decimal(100),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_every_cap_is_named_and_the_smallest_binds() -> None:
    result = size_within_caps(inputs())
    assert [cap.name for cap in result.caps] == [
        "risk",
        "volatility",
        "market depth",
        "pair exposure",
        "hedge",
        "cash",
    ]
    # 400 USD of common move at 200 USD a unit.
    assert (result.binding.name, result.quantity) == ("volatility", Decimal(2))
    calm = size_within_caps(inputs(average_true_range=Decimal(1), volatility=Decimal("0.001")))
    assert calm.binding.name == "risk"
    thin = size_within_caps(inputs(depth_quantity=Decimal(1)))
    assert (thin.binding.name, thin.quantity) == ("market depth", Decimal("0.25"))
    poor = size_within_caps(inputs(spendable_cash=Decimal(-5)))
    assert (poor.binding.code, poor.quantity) == ("insufficient-balance", 0)
    full = Headroom("hedge", Decimal(70_000), Decimal(60_000), "H-2", "hedge-exceeded")
    assert size_within_caps(inputs(headrooms=(full,))).binding.code == "hedge-exceeded"


def test_the_larger_move_counts_and_none_is_no_cap() -> None:
    assert common_move(inputs()) == 200
    assert common_move(inputs(average_true_range=Decimal(10))) == 50
    unknown = inputs(average_true_range=None, volatility=None)
    assert common_move(unknown) is None
    assert "volatility" not in {cap.name for cap in size_within_caps(unknown).caps}


def test_drawdown_makes_the_quantity_smaller_whichever_cap_binds() -> None:
    assert size_within_caps(inputs(size_factor=Decimal("0.5"))).quantity == 1
    assert size_within_caps(inputs(size_factor=Decimal(0))).quantity == 0
    tight = (Headroom("gross exposure", Decimal(0), Decimal(1000)),)
    whole = size_within_caps(inputs(headrooms=tight))
    half = size_within_caps(inputs(headrooms=tight, size_factor=Decimal("0.5")))
    assert whole.binding.name == "gross exposure"
    assert (half.binding.name, half.binding.code) == ("drawdown", "below-minimum")
    assert half.binding.quantity == whole.binding.quantity / 2


@given(PRICE, SHARE, MONEY, MONEY, MONEY, MAYBE, MAYBE, MAYBE, st.decimals("0", "1", places=3))
def test_size_stays_within_every_cap_and_binds_at_one(
    price: Decimal,
    distance: Decimal,
    equity: Decimal,
    cash: Decimal,
    headroom: Decimal,
    depth: Decimal | None,
    true_range: Decimal | None,
    volatility: Decimal | None,
    factor: Decimal,
) -> None:
    asked = inputs(
        entry_price=price,
        price_bound=price,
        stop_price=price * (1 - distance),
        equity=equity,
        spendable_cash=cash,
        headrooms=(Headroom("gross exposure", Decimal(0), headroom),),
        depth_quantity=depth,
        average_true_range=true_range,
        volatility=volatility / 100000 if volatility else None,
        size_factor=factor,
    )
    result = size_within_caps(asked)
    quantity, risked = result.quantity, max(Decimal(0), equity) * factor
    whole = size_within_caps(replace(asked, size_factor=Decimal(1)))
    assert quantity <= max(Decimal(0), whole.binding.quantity) * factor
    assert quantity >= 0
    assert asked.instrument.floor_quantity(quantity) == quantity
    assert all(quantity <= max(Decimal(0), cap.quantity) for cap in result.caps)
    loss = unit_loss(price, asked.stop_price, FEES, LIMITS) * quantity
    assert loss <= risked * LIMITS.risk_share
    move = common_move(asked)
    assert move is None or move * quantity <= risked * asked.volatility_share
    assert quantity == 0 or quantity * price * (1 + FEES.taker) <= min(cash, headroom)
    step = Decimal(1).scaleb(-asked.instrument.quantity_precision)
    assert quantity + step > result.binding.quantity
