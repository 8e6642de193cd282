"""Messages of scheduled reports."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

REPORT_WORKFLOW = "ReportWorkflow"
DAY, WEEK = timedelta(days=1), timedelta(days=7)
REPORTS: Final[dict[str, tuple[str, timedelta]]] = {
    "daily": ("Daily profit", DAY),
    "trades": ("Trades", DAY),
    "risk": ("Risk", DAY),
    "hedge": ("Hedge", DAY),
    "performance": ("Performance", DAY),
    "costs": ("Transaction costs", DAY),
    "lots": ("Lots and realised gains", DAY),
    "reconciliation": ("Reconciliation", DAY),
    "health": ("System health", DAY),
    "explanation": ("Weekly explanation", WEEK),
    "learning": ("Learning", WEEK),
}
"""Kind, its title, and how often it is made."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report of a kind, of one account or (``""``) of every one."""

    kind: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class ReportMade:
    """Which report was stored: its account, kind and number."""

    account: str
    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class ReportsMade:
    """What a run stored, and the accounts for which it could not."""

    made: tuple[ReportMade, ...]
    failed: tuple[str, ...] = ()


def report_schedule_id(kind: str) -> str:
    """Return the id of a kind's schedule and of the workflows that it starts."""
    return f"report/{kind}"
