"""Lots, first in first out: known vectors, and that nothing is lost or made up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.reporting.lots import Lot, Movement, MovementKind, keep_lots, with_untracked

START = datetime(2026, 1, 5, tzinfo=UTC)
BOUGHT, SOLD = MovementKind.BOUGHT, MovementKind.SOLD
BROUGHT_IN, TAKEN_OUT = MovementKind.BROUGHT_IN, MovementKind.TAKEN_OUT


def moved(
    number: int,
    kind: MovementKind,
    quantity: str,
    usd: str | None,
    asset: str = "BTC",
    minute: int | None = None,
) -> Movement:
    at = START + timedelta(minutes=number if minute is None else minute)
    value = None if usd is None else Decimal(usd)
    return Movement(f"m{number}", at, asset, Decimal(quantity), value, kind)


def test_a_sale_takes_the_oldest_lots_first() -> None:
    """2 for 200, 3 for 450; 4 sold for 800: 400 less 200, then 400 less 300."""
    book = keep_lots(
        [moved(1, BOUGHT, "2", "200"), moved(2, BOUGHT, "3", "450"), moved(3, SOLD, "4", "800")]
    )
    found = [(g.acquired_by, g.quantity, g.proceeds, g.basis, g.gain) for g in book.gains]
    assert found == [("m1", 2, 400, 200, 200), ("m2", 2, 400, 300, 100)]
    assert [(lot.quantity, lot.cost) for lot in book.lots] == [(1, 150)]


def test_what_came_in_without_a_value_has_no_basis_and_no_gain() -> None:
    book = keep_lots(
        [
            moved(1, BROUGHT_IN, "1", None),
            moved(2, BROUGHT_IN, "1", "300"),
            moved(3, SOLD, "1.5", "600"),
        ]
    )
    assert [(g.basis, g.gain) for g in book.gains] == [(None, None), (150, 50)]
    assert [(lot.quantity, lot.cost) for lot in book.lots] == [(Decimal("0.5"), 150)]


def test_what_is_sold_beyond_all_lots_is_of_unknown_basis_and_not_free() -> None:
    book = keep_lots([moved(1, BOUGHT, "1", "100"), moved(2, SOLD, "3", "600")])
    assert [(g.quantity, g.acquired_at, g.gain) for g in book.gains] == [
        (1, START + timedelta(minutes=1), 100),
        (2, None, None),
    ]
    assert book.lots == ()


def test_what_leaves_takes_its_lots_along_and_realises_nothing() -> None:
    book = keep_lots(
        [
            moved(1, BOUGHT, "1", "100"),
            moved(2, BOUGHT, "1", "500"),
            moved(3, TAKEN_OUT, "1", None),
            moved(4, SOLD, "1", "600"),
        ]
    )
    assert [gain.gain for gain in book.gains] == [100]


def test_an_execution_that_becomes_known_late_falls_where_it_belongs() -> None:
    early = moved(9, BOUGHT, "1", "100", minute=0)
    on_time = [moved(1, BOUGHT, "1", "200"), moved(2, SOLD, "1", "300")]
    assert keep_lots([*on_time, early]) == keep_lots([early, *on_time])
    assert keep_lots([*on_time, early, early]).gains[0].gain == 200


def test_what_is_held_beyond_the_lots_is_shown_as_unknown() -> None:
    lots = keep_lots([moved(1, BOUGHT, "1", "100")]).lots
    held = {"USD": Decimal(5), "BTC": Decimal("1.000000001"), "ETH": Decimal(2)}
    more = with_untracked(lots, held)
    assert more == (*lots, Lot("ETH", Decimal(2), None, None, None, None))


MOVEMENTS = st.lists(
    st.tuples(
        st.sampled_from(MovementKind),
        st.decimals("0.00000001", "9", places=8),
        st.one_of(st.none(), st.decimals("0.01", "90000", places=2)),
        st.sampled_from(("BTC", "ETH")),
    ),
    max_size=30,
)


@given(MOVEMENTS)
def test_no_unit_and_no_cent_is_lost_or_made_up(
    drawn: list[tuple[MovementKind, Decimal, Decimal | None, str]],
) -> None:
    movements = [
        Movement(f"m{n}", START + timedelta(minutes=n), asset, quantity, usd, kind)
        for n, (kind, quantity, usd, asset) in enumerate(drawn)
    ]
    book = keep_lots(movements)
    for movement in (m for m in movements if m.kind is SOLD):
        own = [g for g in book.gains if g.disposed_by == movement.movement_id]
        assert sum(g.quantity for g in own) == movement.quantity
        if movement.usd is not None:
            assert sum(g.proceeds or 0 for g in own) == movement.usd
    left = any(m.kind is TAKEN_OUT for m in movements)
    for movement in (m for m in movements if m.comes_in and not left):
        taken = [g for g in book.gains if g.acquired_by == movement.movement_id]
        rest = [lot for lot in book.lots if lot.movement_id == movement.movement_id]
        units = sum(g.quantity for g in taken) + sum(lot.quantity for lot in rest)
        assert units == movement.quantity
        if movement.usd is not None:
            basis = sum(g.basis or 0 for g in taken)
            assert basis + sum(lot.cost or 0 for lot in rest) == movement.usd
        else:
            assert all(g.basis is None for g in taken)
            assert all(lot.cost is None for lot in rest)
