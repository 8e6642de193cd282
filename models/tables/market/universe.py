"""The universe: its versions, what the rules propose, and the changes that people ask for."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment, Names


class UniverseVersionRow(SQLModel, table=True):
    """One version. ``pairs`` maps a symbol to the fields of UniversePair.

    Who approved it and what joined and left is as it was decided; ``pairs`` takes in the minimums
    and status of the day (``refreshed_at``). Times are protocol times.
    """

    __tablename__ = "universe_versions"

    version: int = Field(primary_key=True)
    pairs: dict[str, Any] = Field(sa_type=Document)
    author: str
    approved_by: str
    reason: str
    joins: list[str] = Field(sa_type=Names)
    leaves: list[str] = Field(sa_type=Names)
    at: datetime = Field(sa_type=Moment)
    refreshed_at: datetime = Field(sa_type=Moment)


class UniverseProposalRow(SQLModel, table=True):
    """What the rules would change, and their verdict on every pair that the exchange lists."""

    __tablename__ = "universe_proposals"

    number: int | None = Field(default=None, primary_key=True)
    based_on: int
    joins: list[dict[str, Any]] = Field(sa_type=Document)
    leaves: list[str] = Field(sa_type=Names)
    verdicts: dict[str, Any] = Field(sa_type=Document)
    at: datetime = Field(sa_type=Moment)


class UniverseChangeRow(SQLModel, table=True):
    """A change that somebody asked for; it waits until another person decides.

    ``outcome`` is ``waiting``, ``applied`` or ``refused``; ``version`` is the one that it makes;
    ``request_id`` is the request's, so that a repeated one is the same change.
    """

    __tablename__ = "universe_changes"

    number: int | None = Field(default=None, primary_key=True)
    request_id: str
    proposal: int | None = None
    version: int
    joins: list[str] = Field(sa_type=Names)
    leaves: list[str] = Field(sa_type=Names)
    author: str
    reason: str
    at: datetime = Field(sa_type=Moment)
    outcome: str
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    approval_id: str | None = None
