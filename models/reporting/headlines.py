"""The main figures of a report in one line, for whoever is told that it was made."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from models.reporting.documents import UNKNOWN

LONGEST: Final = 400
CENT: Final = Decimal("0.01")


class Unit(StrEnum):
    """In what a figure is told."""

    SHARE = "share"
    USD = "USD"
    PLAIN = "plain"


MAIN: Final[Mapping[str, tuple[tuple[str, Unit], ...]]] = {
    "daily": (("Return of the closed days", Unit.SHARE), ("Profit USD", Unit.USD)),
    "trades": (("Trades", Unit.PLAIN), ("Profit USD", Unit.USD), ("Won", Unit.SHARE)),
    "risk": (
        ("Deepest fall", Unit.SHARE),
        ("Exposure at the end", Unit.SHARE),
        ("Worst day", Unit.SHARE),
    ),
    "hedge": (("In USD", Unit.SHARE), ("Target", Unit.SHARE), ("Profit USD", Unit.USD)),
    "performance": (
        ("Return", Unit.SHARE),
        ("Holding what was held", Unit.SHARE),
        ("Holding Bitcoin", Unit.SHARE),
        ("Deepest fall", Unit.SHARE),
    ),
    "costs": (
        ("Trades", Unit.PLAIN),
        ("Fees USD", Unit.USD),
        ("Slippage USD", Unit.USD),
        ("Cost of turnover", Unit.SHARE),
    ),
    "lots": (("Gain USD", Unit.USD), ("Disposals", Unit.PLAIN)),
    "reconciliation": (
        ("Whole comparisons", Unit.PLAIN),
        ("With differences", Unit.PLAIN),
        ("With repairs", Unit.PLAIN),
    ),
    "health": (
        ("Orders acknowledged", Unit.PLAIN),
        ("Latency s, p95", Unit.PLAIN),
        ("Orders refused", Unit.PLAIN),
        ("Halted now", Unit.PLAIN),
    ),
}
"""By kind, facts of its first section; a kind that is not named is told by its first words."""


def headline_of(document: Mapping[str, Any]) -> str:
    """Return the main figures of a stored report; what is not known says so."""
    sections = document["sections"]
    wanted = MAIN.get(document["kind"])
    if wanted is None:
        found: str = next((one["note"] for one in sections if one["note"]), "")
        return found[:LONGEST]
    facts = dict(sections[0]["facts"])
    return ", ".join(_told(name, facts.get(name), unit) for name, unit in wanted)[:LONGEST]


def _told(name: str, value: Any, unit: Unit) -> str:
    label = name.removesuffix(" USD") if unit is Unit.USD else name
    if value is None:
        return f"{label} {UNKNOWN}"
    if unit is Unit.PLAIN:
        return f"{label} {value}"
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return f"{label} {UNKNOWN}"
    if unit is Unit.SHARE:
        return f"{label} {(number * 100).quantize(CENT)} %"
    return f"{label} {number.quantize(CENT)} USD"
