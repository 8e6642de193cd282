"""Versions of the settings of accounts and of the platform, and what entries were decided by."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment


class AccountSettingsRow(SQLModel, table=True):
    """One version of an account's settings: every value by name, and what was changed by whom.

    ``changes`` are objects with ``name``, ``before``, ``after`` and ``dangerous``. Versions are
    added and never altered. ``at`` is protocol time.
    """

    __tablename__ = "account_settings"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    version: int = Field(primary_key=True)
    settings: dict[str, Any] = Field(sa_type=Document)
    changes: list[dict[str, Any]] = Field(sa_type=Document)
    author: str
    reason: str
    approved_by: str | None = None
    at: datetime = Field(sa_type=Moment)


class PlatformSettingsRow(SQLModel, table=True):
    """One version of the platform's settings; columns as with an account's.

    ``request_id`` is that of the request which made it: a repeat is the same version.
    """

    __tablename__ = "platform_settings_versions"

    version: int = Field(primary_key=True)
    request_id: str
    settings: dict[str, Any] = Field(sa_type=Document)
    changes: list[dict[str, Any]] = Field(sa_type=Document)
    author: str
    reason: str
    approved_by: str | None = None
    at: datetime = Field(sa_type=Moment)


class EntryAssessmentRow(SQLModel, table=True):
    """What an entry was decided by: caps, checks and costs (``EntryRecord``) in ``assessment``."""

    __tablename__ = "entry_assessments"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    trade: int = Field(primary_key=True)
    settings_version: int
    platform_version: int
    assessment: dict[str, Any] = Field(sa_type=Document)
