"""Changes of an account's mode, requests to go live with who agreed, and checks for it."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment


class GoingLiveRow(SQLModel, table=True):
    """A request to go live. ``approved_by`` is another person; ``used_at`` when it was acted on.

    ``approved_key`` (a fingerprint) and ``approved_limits`` (a version of the settings) are what
    the other person agreed to. ``overrides_evidence``: both know that the simulated run has not
    shown a profit, and go on.

    Times are protocol times. A request that is older than its life counts no more.
    """

    __tablename__ = "going_live_requests"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    number: int = Field(primary_key=True)
    requested_by: str
    reason: str
    requested_at: datetime = Field(sa_type=Moment)
    approved_by: str | None = None
    approved_at: datetime | None = Field(default=None, sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)
    overrides_evidence: bool = False
    approval_id: str | None = None
    approved_key: str | None = None
    approved_limits: int | None = None


class GoingLiveCheckRow(SQLModel, table=True):
    """What the last check for going live found, for people to look at.

    The change itself gathers anew and rests on nothing of this. ``facts`` are LiveFacts,
    ``checked_at`` is protocol time.
    """

    __tablename__ = "going_live_checks"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    checked_at: datetime = Field(sa_type=Moment)
    checked_by: str
    facts: dict[str, Any] = Field(sa_type=Document)


class ModeChangeRow(SQLModel, table=True):
    """One change of mode, with the verdict under which it was made.

    ``at`` is protocol time; ``market_time`` the newest that the account had seen: figures of
    before belong to another exchange.
    """

    __tablename__ = "mode_changes"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    at: datetime = Field(primary_key=True, sa_type=Moment)
    mode: str
    changed_by: str
    market_time: datetime | None = Field(default=None, sa_type=Moment)
    verdict: dict[str, Any] | None = Field(default=None, sa_type=Document)
