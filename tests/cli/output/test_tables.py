"""Tables at any width: every figure whole, on a terminal and in a pipe."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from cli.output.tables import Figures

COLUMNS = ("trade", "pair", "phase", "entry", "stop", "reason", "PnL USD")
ROW = ("company 12", "BTC/USD", "settled", "61355.10", "59800.00", "stop_loss", "-12.34567890")


def shown(table: Figures, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    table.show(console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [200, 80, 60, 40, 30])
def test_no_figure_is_cut_at_any_width(width):
    table = Figures(COLUMNS, right=frozenset({"PnL USD"}))
    table.add(*ROW)
    text = shown(table, width)
    assert all(cell in text for cell in ROW)
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width


def test_table_that_fits_is_drawn_and_one_that_does_not_is_stacked():
    table = Figures(COLUMNS)
    table.add(*ROW)
    assert "│" in shown(table, 120)
    stacked = shown(table, 60)
    assert "│" not in stacked
    assert stacked.splitlines()[0].rstrip() == "company 12"
    assert "stop 59800.00" in stacked


def test_pipe_has_aligned_columns_of_full_values(capsys):
    table = Figures(("asset", "USD"), right=frozenset({"USD"}))
    table.add("BTC", "1,234,567.89")
    table.add(Text("DOGE"), "0.01")
    table.show(Console(file=io.StringIO(), force_terminal=False))
    assert capsys.readouterr().out == (
        "asset           USD\nBTC    1,234,567.89\nDOGE           0.01\n"
    )


def test_row_that_lacks_a_cell_is_an_error():
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        Figures(("a", "b")).add("x")


WORDS = st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=5), st.integers(30, 120))
def test_every_cell_is_there_as_it_was_given(rows, width):
    table = Figures(("one", "two", "three"))
    for row in rows:
        table.add(*row)
    text = shown(table, width)
    assert all(cell in text for row in rows for cell in row)
    assert all(cell in table.plain() for row in rows for cell in row)
