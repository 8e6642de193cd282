"""A report as one document: sections of facts and tables, the same for JSON, CSV and paper.

Figures are decimal text, or None where they are not known; each section says why in its note.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from typing import Any, Final

from models.reporting.charts import Line, chart

Cell = Decimal | int | str | datetime | None
FORMULA: Final = frozenset("=+-@\t\r")
"""What a spreadsheet takes a text for a formula by."""
UNKNOWN: Final = "not known"
_STYLE: Final = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1000px;padding:0 1rem}
table{border-collapse:collapse;font-size:12px;width:100%}section{break-inside:avoid}
td,th{border-bottom:1px solid #ccd2da;padding:.25rem .5rem;text-align:right}
td:first-child,th:first-child{text-align:left}p.note{color:#4d5a6b}
@media print{body{margin:0;max-width:none}}
"""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, and rows of as many cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report: what it says in a sentence, single figures, and a table.

    ``drawn`` names columns of the table that a page draws as lines over its first column.
    """

    title: str
    note: str = ""
    facts: tuple[tuple[str, Cell], ...] = ()
    table: Table | None = None
    drawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """A report of an account over a span of market time."""

    kind: str
    title: str
    account: str
    since: datetime
    until: datetime
    sections: tuple[Section, ...]


def as_json(report: ReportDocument) -> dict[str, Any]:
    """Return the document in JSON's own values; money is text."""
    return {
        "kind": report.kind,
        "title": report.title,
        "account": report.account,
        "since": _plain(report.since),
        "until": _plain(report.until),
        "sections": [
            {
                "title": one.title,
                "note": one.note,
                "facts": [[name, _plain(value)] for name, value in one.facts],
                "table": None
                if one.table is None
                else {
                    "columns": list(one.table.columns),
                    "rows": [[_plain(cell) for cell in row] for row in one.table.rows],
                },
                "drawn": list(one.drawn),
            }
            for one in report.sections
        ],
    }


def csv_of(document: dict[str, Any]) -> str:
    """Return a stored report as CSV (RFC 4180): each section's facts, then its table."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([document["title"], document["account"], document["since"], document["until"]])
    for section in document["sections"]:
        writer.writerow([])
        writer.writerow([_cell(section["title"])])
        writer.writerows([[_cell(name), _cell(value)] for name, value in section["facts"]])
        if section["table"] is not None:
            writer.writerow(section["table"]["columns"])
            writer.writerows([[_cell(cell) for cell in row] for row in section["table"]["rows"]])
    return out.getvalue()


def html_of(document: dict[str, Any]) -> str:
    """Return a stored report as one HTML page for paper: no script, nothing beside it."""
    head = f"{document['title']}: {document['account']}"
    span = f"{document['since']} to {document['until']} (market time, UTC)"
    body = "".join(_section(section) for section in document["sections"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(head)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(head)}</h1><p>{escape(span)}</p>{body}</body></html>\n"
    )


def _section(section: dict[str, Any]) -> str:
    note = f'<p class="note">{escape(section["note"])}</p>' if section["note"] else ""
    facts = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(_shown(value))}</td></tr>"
        for name, value in section["facts"]
    )
    table = ""
    if section["table"] is not None:
        head = "".join(f"<th>{escape(name)}</th>" for name in section["table"]["columns"])
        table = f"<table><thead><tr>{head}</tr></thead>{_rows(section['table']['rows'])}</table>"
    facts = f"<table>{facts}</table>" if facts else ""
    title = escape(section["title"])
    return f"<section><h2>{title}</h2>{note}{facts}{_drawing(section)}{table}</section>"


def _drawing(section: dict[str, Any]) -> str:
    """Draw the columns that are to be drawn; reports of an older release have none."""
    table, drawn = section["table"], section.get("drawn", ())
    if not drawn or table is None or not table["rows"]:
        return ""
    lines = [
        Line(name, [float(row[table["columns"].index(name)]) for row in table["rows"]])
        for name in drawn
    ]
    ends = [_shown(table["rows"][place][0]) for place in (0, -1)]
    return chart(section["title"], lines, *ends)


def _rows(rows: Sequence[Sequence[Any]]) -> str:
    cells = ("".join(f"<td>{escape(_shown(cell))}</td>" for cell in row) for row in rows)
    return f"<tbody>{''.join(f'<tr>{one}</tr>' for one in cells)}</tbody>"


def _shown(value: Any) -> str:
    return UNKNOWN if value is None else str(value)


def _plain(value: Cell) -> str | int | None:
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return value


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and value[:1] in FORMULA and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except ArithmeticError:
        return False
