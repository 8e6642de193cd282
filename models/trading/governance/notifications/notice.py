"""What is told to people: one occurrence of an event, and the incident that it belongs to."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PLATFORM = "platform"
LONGEST_KEY = 200


class Severity(StrEnum):
    """How much an event matters; each is above the one before."""

    INFORMATION = "information"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Return 0 for the least."""
        return list(Severity).index(self)

    @property
    def needs_acknowledgement(self) -> bool:
        """Tell whether it stays open until somebody has seen it."""
        return self is not Severity.INFORMATION


@dataclass(frozen=True, slots=True)
class Notice:
    """One occurrence of an event.

    Attributes:
        occurrence: its id; the same occurrence told twice counts once.
        key: of the incident: occurrences with the same key are one notification while it is open.
        event: what has happened, as people choose it: an action of the record, an alert's name.
        scope: the account that it is about, or ``platform``.
        title: one line.
        detail: what is known besides, in one line, "" for nothing.
        runbook: path of the page that says what to do, "" where there is none.
        at: when it happened.
        resolves: whether it says that the incident is over; nobody is told of it.
        recipients: ids of the only people who are told; empty: all who have chosen the event.
    """

    occurrence: str
    key: str
    event: str
    severity: Severity
    scope: str
    title: str
    detail: str
    runbook: str
    at: datetime
    resolves: bool = False
    recipients: tuple[str, ...] = ()


def incident_key(*parts: str) -> str:
    """Return the key of an incident; one that is too long keeps its beginning and its hash."""
    key = ".".join(part for part in parts if part)
    if len(key) <= LONGEST_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"{key[: LONGEST_KEY - 33]}.{digest}"
