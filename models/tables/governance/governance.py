"""Kill switches, the audit log and the installation's own settings."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from models.contracts.workflows import KillSwitchInput
from models.tables.columns import Document, Moment, Names

PLATFORM = "platform"
"""The chain and request scope of what concerns no single account."""


class KillSwitchRow(SQLModel, table=True):
    """One engagement, of ``symbols`` or of every pair; raised while ``lifted_at`` is None.

    Times are protocol times. ``acknowledged`` maps an account to the time its workflow reported to
    be halted. One that stands ``after_restore`` is lifted only when every account has been compared
    with the exchange without differences since. ``lift_approval`` is the request to lift it.
    """

    __tablename__ = "kill_switches"

    number: int = Field(primary_key=True)
    accounts: list[str] = Field(sa_type=Names)
    flatten: bool
    reason: str
    engaged_by: str
    engaged_at: datetime = Field(sa_type=Moment)
    acknowledged: dict[str, Any] = Field(sa_type=Document)
    lift_requested_by: str | None = None
    lift_requested_at: datetime | None = Field(default=None, sa_type=Moment)
    lifted_by: str | None = None
    lifted_at: datetime | None = Field(default=None, sa_type=Moment)
    after_restore: bool = False
    symbols: list[str] = Field(default_factory=list, sa_type=Names)
    lift_approval: str | None = None
    lift_reason: str | None = None

    def engagement(self) -> KillSwitchInput:
        """Return what the engagement's workflow starts from."""
        return KillSwitchInput(
            number=self.number,
            accounts=tuple(self.accounts),
            flatten=self.flatten,
            reason=self.reason,
            by=self.engaged_by,
            at=self.engaged_at,
            symbols=tuple(self.symbols),
        )


class AuditRow(SQLModel, table=True):
    """One link of an account's hash chain; written by insert only, numbered by the database.

    ``hash`` is SHA-256 over the previous hash and the row's own fields, see
    ``infra/migrations/first/audit.py`` for the exact text.
    """

    __tablename__ = "audit_log"

    account_id: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=Moment)
    actor: str
    action: str
    details: dict[str, Any] = Field(sa_type=Document)
    correlation: str
    previous_hash: str
    hash: str
    context: dict[str, Any] | None = Field(default=None, sa_type=Document)


class AuditHeadRow(SQLModel, table=True):
    """The end of each chain, so that rows cut off its end are missed."""

    __tablename__ = "audit_heads"

    account_id: str = Field(primary_key=True)
    sequence: int
    hash: str


class InstallationRow(SQLModel, table=True):
    """One setting of the installation, for example its own id."""

    __tablename__ = "platform_settings"

    name: str = Field(primary_key=True)
    value: str
