"""The shapes of documents that are made and kept: reports, and evidence packs."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from api.messages.bodies import RequestBody
from api.messages.schemas import Row

ReportKind = Literal[
    "daily",
    "trades",
    "risk",
    "hedge",
    "performance",
    "costs",
    "lots",
    "reconciliation",
    "health",
    "explanation",
    "learning",
]
Cell = str | int | None


class MakeReport(RequestBody):
    """Which report is wanted now."""

    kind: ReportKind


class StoredReport(Row):
    """One report as it was made; ``since`` and ``until`` are market times."""

    number: int
    kind: str
    since: datetime
    until: datetime
    made_at: datetime


class ReportTable(Row):
    """Columns by name and rows of cells; null is not known."""

    columns: list[str]
    rows: list[list[Cell]]


class ReportSection(Row):
    """One part of a report."""

    title: str
    note: str
    facts: list[list[Cell]]
    table: ReportTable | None
    drawn: list[str] = Field(default=[], description="Columns of the table that a page draws.")


class ReportContent(Row):
    """A report's content; figures are decimal text."""

    kind: str
    title: str
    account: str
    since: datetime
    until: datetime
    sections: list[ReportSection]


class AskForPack(RequestBody):
    """Which rows of the record a pack is to hold; without an account, those of all."""

    account: Annotated[
        str | None, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$", description="One chain")
    ] = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("since is before until")
        return self


class EvidencePackView(Row):
    """A pack: ``queued`` until it is made, ``ready`` for a week, then ``expired``."""

    pack_id: str
    requested_by: str
    requested_at: datetime
    account: str | None
    since: datetime | None
    until: datetime | None
    state: Literal["queued", "ready", "refused", "expired"]
    reason: str
    rows: int | None
    tree_size: int | None
    ended_at: datetime | None
