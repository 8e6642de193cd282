"""Shares keep their bounds, come to no more than the total, and follow the method."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.capital.allocation import (
    AllocationMethod,
    AllocationPolicy,
    ShareBounds,
    StrategyRecord,
    allocate,
    bounded_shares,
    strategy_headroom,
)

CALM = StrategyRecord("calm", Decimal("0.5"), Decimal("0.01"), Decimal("0.5"), 100)
WILD = StrategyRecord("wild", Decimal("0.3"), Decimal("0.04"), Decimal("-0.5"), 100)
NEW = StrategyRecord("new", Decimal("0.1"))
BOUNDS = ShareBounds(Decimal("0.05"), Decimal("0.60"))


def test_fixed_shares_are_kept_or_scaled_down() -> None:
    policy = AllocationPolicy()
    kept = allocate(policy, [CALM, WILD])
    assert kept.shares == {"calm": Decimal("0.5"), "wild": Decimal("0.3")}
    assert kept.unallocated == Decimal("0.2")
    halved = allocate(replace(policy, total=Decimal("0.4")), [CALM, WILD])
    assert halved.shares == {"calm": Decimal("0.25"), "wild": Decimal("0.15")}


def test_equal_risk_gives_the_calm_one_more_and_the_unknown_least() -> None:
    policy = AllocationPolicy(AllocationMethod.EQUAL_RISK)
    shares = allocate(policy, [WILD, CALM]).shares
    assert shares == {"calm": Decimal("0.8"), "wild": Decimal("0.2")}
    known = replace(NEW, volatility=Decimal("0.01"), trades=20)
    assert allocate(policy, [WILD, known]).shares["new"] == Decimal("0.8")
    unknown = replace(known, trades=19)
    assert allocate(policy, [WILD, unknown]).shares["new"] == Decimal("0.5")
    three = allocate(policy, [WILD, NEW, CALM]).shares
    assert three["new"] == three["wild"]
    bounded = allocate(replace(policy, usual_bounds=BOUNDS), [WILD, CALM]).shares
    assert bounded == {"calm": Decimal("0.6"), "wild": Decimal("0.4")}


def test_performance_tilts_within_bounds_and_leaves_the_new_neutral() -> None:
    policy = AllocationPolicy(AllocationMethod.PERFORMANCE, usual_bounds=BOUNDS)
    shares = allocate(policy, [CALM, WILD, NEW]).shares
    assert shares["calm"] == Decimal("0.5")
    assert shares["wild"] == Decimal("0.1666")
    assert shares["new"] == Decimal("0.3333")
    lost = replace(WILD, score=Decimal(-3))
    assert allocate(policy, [CALM, lost]).shares["wild"] == Decimal("0.05")


def test_bounds_that_cannot_be_kept_are_refused() -> None:
    policy = AllocationPolicy(usual_bounds=ShareBounds(Decimal("0.6"), Decimal(1)))
    refused = allocate(policy, [CALM, WILD])
    assert refused.shares == {}
    assert [check.code for check in refused.verdict.failures] == ["invalid-bounds"]
    upside_down = AllocationPolicy(usual_bounds=ShareBounds(Decimal("0.6"), Decimal("0.5")))
    assert not allocate(upside_down, [CALM]).verdict.allowed


def test_a_strategy_has_the_room_that_its_share_leaves() -> None:
    headroom = strategy_headroom("calm", Decimal("0.25"), Decimal(10_000), Decimal(2400))
    assert (headroom.left, headroom.name) == (100, "capital of calm")


SHARE = st.decimals("0", "1", places=4)
ROWS = st.lists(st.tuples(st.decimals("0", "100", places=3), SHARE, SHARE), min_size=1, max_size=6)


@given(ROWS, SHARE)
def test_shares_keep_bounds_and_the_total(
    rows: list[tuple[Decimal, Decimal, Decimal]], total: Decimal
) -> None:
    names = "abcdef"[: len(rows)]
    weights = {name: row[0] for name, row in zip(names, rows, strict=True)}
    # The least shares fit into the total.
    scaled = {
        name: ShareBounds(min(row[1:]) / len(rows) * total, max(row[1:]))
        for name, row in zip(names, rows, strict=True)
    }
    shares = bounded_shares(weights, scaled, total)
    for name, share in shares.items():
        assert scaled[name].least <= share <= scaled[name].most
    assert sum(shares.values(), Decimal(0)) <= total
    # What could still be given was given: the rest is no more than rounding.
    grown = sum((scaled[n].most if weights[n] > 0 else scaled[n].least for n in names), Decimal(0))
    assert sum(shares.values(), Decimal(0)) >= min(total, grown) - Decimal("0.0001") * len(rows)
    for one in names:
        for other in names:
            same = scaled[one] == scaled[other]
            assert not (same and weights[one] < weights[other]) or shares[one] <= shares[other]


@given(st.permutations([CALM, WILD, NEW]), st.sampled_from(AllocationMethod))
def test_the_order_of_strategies_changes_nothing(
    records: list[StrategyRecord], method: AllocationMethod
) -> None:
    policy = AllocationPolicy(method, usual_bounds=BOUNDS)
    assert allocate(policy, records) == allocate(policy, [CALM, WILD, NEW])
