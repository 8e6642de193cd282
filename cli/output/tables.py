"""Tables of figures for a terminal of any width: no figure and no word is ever cut.

A table that fits is drawn; where it does not fit, each row becomes a block of its own with a name
before every value. Off a terminal (a pipe, a file) full values stand in aligned columns.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

BORDERS = 3
"""Columns that a cell takes beside its content: a border and a blank on each side."""
GAP = "   "

Cell = str | Text


@dataclass(slots=True)
class Figures:
    """A table in the making.

    Attributes:
        names: headers of the columns; the first one names the rows where they are stacked.
        right: columns whose values are aligned right, by header.
        rows: cells of each row, as many as there are names.
    """

    names: Sequence[str]
    right: frozenset[str] = frozenset()
    rows: list[Sequence[Cell]] = field(default_factory=list)

    def add(self, *cells: Cell) -> None:
        """Add a row."""
        if len(cells) != len(self.names):
            raise ValueError(f"{len(cells)} cells for {len(self.names)} columns")
        self.rows.append(cells)

    def show(self, console: Console | None = None) -> None:
        """Print the table in the form that fits where it is printed."""
        console = console or Console()
        if console.is_terminal:
            console.print(self.fitting(console.width))
        else:
            sys.stdout.write(self.plain())

    def fitting(self, width: int) -> RenderableType:
        """Return the table as drawn in so many columns, or its rows as blocks."""
        needed = sum(self._widths()) + BORDERS * len(self.names) + 1
        return self._drawn() if needed <= width else Group(*self._blocks(width))

    def plain(self) -> str:
        """Return aligned columns of full values, one line a row, without any drawing."""
        widths = self._widths()
        lines = [self._aligned(self.names, widths)]
        lines += [self._aligned([_plain(cell) for cell in row], widths) for row in self.rows]
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def _widths(self) -> list[int]:
        columns = zip(*([self.names, *self.rows]), strict=True)
        return [max(cell_len(_plain(cell)) for cell in column) for column in columns]

    def _aligned(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        padded = []
        for name, cell, width in zip(self.names, cells, widths, strict=True):
            blank = " " * (width - cell_len(cell))
            padded.append(blank + cell if name in self.right else cell + blank)
        return "  ".join(padded)

    def _drawn(self) -> Table:
        table = Table(expand=False)
        for name in self.names:
            table.add_column(name, justify="right" if name in self.right else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(*row)
        return table

    def _blocks(self, width: int) -> list[Text]:
        blocks = []
        for row in self.rows:
            named = [
                Text.assemble((f"{name} ", "dim"), cell)
                for name, cell in zip(self.names[1:], row[1:], strict=True)
                if _plain(cell)
            ]
            title = Text.assemble((_plain(row[0]), "bold"))
            blocks.append(Text("\n").join([title, *_lines(named, width)]))
        return blocks or [Text("none")]


def _lines(parts: Sequence[Text], width: int) -> list[Text]:
    """Put parts side by side in indented lines; a part wider than a line has one to itself."""
    lines: list[Text] = []
    for part in parts:
        if lines and lines[-1].cell_len + cell_len(GAP) + part.cell_len <= width:
            lines[-1].append(GAP).append_text(part)
        else:
            lines.append(Text("  ").append_text(part))
    return lines


def _plain(cell: Cell) -> str:
    return cell.plain if isinstance(cell, Text) else cell
