"""People and how they show who they are. Nothing but the owner's functions reads or writes these.

``infra/migrations/people`` has the functions. Secrets are stored hashed, those of one-time codes
sealed; see each column.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment, Moments, Names


class PersonRow(SQLModel, table=True):
    """A person by an id that is never used again; the name may change and pass to others."""

    __tablename__ = "people"

    user_id: str = Field(primary_key=True)
    name: str
    display_name: str
    password_hash: str | None = None
    may_enrol: bool
    created_at: datetime = Field(sa_type=Moment)
    created_by: str
    disabled_at: datetime | None = Field(default=None, sa_type=Moment)
    disabled_by: str | None = None


class GrantRow(SQLModel, table=True):
    """A role of a person; ``scope`` is an account, or ``*`` for all of them."""

    __tablename__ = "person_grants"

    user_id: str = Field(primary_key=True, foreign_key="people.user_id")
    role: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    granted_at: datetime = Field(sa_type=Moment)
    granted_by: str


class FactorRow(SQLModel, table=True):
    """A second factor: a TOTP secret (sealed) or a passkey's public key."""

    __tablename__ = "person_factors"

    factor_id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="people.user_id")
    kind: str
    label: str
    secret: str | None = None
    credential_id: str | None = None
    public_key: str | None = None
    sign_count: int | None = Field(default=None, sa_type=BigInteger)
    last_step: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime = Field(sa_type=Moment)
    confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)
    removed_at: datetime | None = Field(default=None, sa_type=Moment)


class RecoveryCodeRow(SQLModel, table=True):
    """A recovery code by its hash; each serves once."""

    __tablename__ = "recovery_codes"

    user_id: str = Field(primary_key=True, foreign_key="people.user_id")
    code_hash: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class SessionRow(SQLModel, table=True):
    """A session by the hash of its reference; a new reference is a new row of the same session."""

    __tablename__ = "person_sessions"

    session_hash: str = Field(primary_key=True)
    session_id: str
    user_id: str = Field(foreign_key="people.user_id")
    standing: str
    may_enrol: bool
    opened_at: datetime = Field(sa_type=Moment)
    used_at: datetime = Field(sa_type=Moment)
    address: str
    agent: str
    challenge: str | None = None
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_by: str | None = None


class StepUpRow(SQLModel, table=True):
    """A confirmation of one action, with the evidence of what was confirmed."""

    __tablename__ = "step_ups"

    step_up_id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="people.user_id")
    session_id: str
    purpose: str
    subject: str
    content: str
    nonce: str
    challenge: str
    asked_at: datetime = Field(sa_type=Moment)
    method: str | None = None
    evidence: dict[str, Any] | None = Field(default=None, sa_type=Document)
    reference_hash: str | None = None
    confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)
    used_for: str | None = None


class AccessTokenRow(SQLModel, table=True):
    """A person's API token by its hash, with what it is limited to."""

    __tablename__ = "access_tokens"

    token_id: str = Field(primary_key=True)
    token_hash: str
    user_id: str = Field(foreign_key="people.user_id")
    label: str
    scopes: list[str] = Field(sa_type=Names)
    accounts: list[str] = Field(sa_type=Names)
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_by: str | None = None


class EnrolmentRow(SQLModel, table=True):
    """A link by which somebody sets themselves up, by the hash of its 256 bits; it serves once."""

    __tablename__ = "enrolments"

    link_hash: str = Field(primary_key=True)
    purpose: str
    user_id: str | None = Field(default=None, foreign_key="people.user_id")
    created_at: datetime = Field(sa_type=Moment)
    created_by: str
    expires_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class RecoveryRow(SQLModel, table=True):
    """A director who is let in again from the machine, after a delay with a live account."""

    __tablename__ = "recoveries"

    recovery_id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="people.user_id")
    asked_at: datetime = Field(sa_type=Moment)
    asked_by: str
    effective_at: datetime = Field(sa_type=Moment)
    kill_switch: int | None = None
    cancelled_at: datetime | None = Field(default=None, sa_type=Moment)
    cancelled_by: str | None = None
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class SignInFailuresRow(SQLModel, table=True):
    """Failed attempts by person, address, or one of a fixed number of counters of unknown names."""

    __tablename__ = "sign_in_failures"

    bucket: str = Field(primary_key=True)
    failures: list[datetime] = Field(sa_type=Moments)
