"""Who may call, which requests were answered, and the nonces of exchange keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment


class ApiTokenRow(SQLModel, table=True):
    """A bearer token by the SHA-256 of its 256 random bits; the token itself is never stored."""

    __tablename__ = "api_tokens"

    name: str = Field(primary_key=True)
    role: str
    token_hash: str
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class RequestRow(SQLModel, table=True):
    """A request by its idempotency key; ``response`` is None while it is being dealt with."""

    __tablename__ = "requests"

    account_id: str = Field(primary_key=True)
    idempotency_key: str = Field(primary_key=True)
    body_hash: str
    status: int | None = None
    response: dict[str, Any] | None = Field(default=None, sa_type=Document)
    created_at: datetime = Field(sa_type=Moment)
    answered_at: datetime | None = Field(default=None, sa_type=Moment)


class ApiKeyNonceRow(SQLModel, table=True):
    """The highest nonce ever used with an exchange key, by the key's fingerprint."""

    __tablename__ = "api_key_nonces"

    account_id: str = Field(foreign_key="accounts.account_id")
    key_fingerprint: str = Field(primary_key=True)
    high_water: int = Field(sa_type=BigInteger)
