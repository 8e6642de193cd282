"""Lines of CSV (RFC 4180) whose cells a spreadsheet does not take for formulas."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

FORMULA_BEGINNINGS: Final = frozenset("=+-@\t\r")


def cell_of(value: Any) -> str:
    """Return a value as a cell: unknown is empty, text that would be a formula is marked."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    text = str(value)
    return f"'{text}" if text[:1] in FORMULA_BEGINNINGS else text


def line_of(cells: Iterable[object]) -> str:
    """Return one line, with its end."""
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
