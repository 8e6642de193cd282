"""The Merkle tree over all audit rows, and its checkpoints."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from models.tables.columns import Moment


class AuditLeafRow(SQLModel, table=True):
    """A row's place in the tree, and what a search finds it by; added only."""

    __tablename__ = "audit_leaves"

    leaf_index: int = Field(primary_key=True, sa_type=BigInteger)
    account_id: str
    sequence: int = Field(sa_type=BigInteger)
    leaf_hash: bytes = Field(sa_type=LargeBinary)
    recorded_at: datetime = Field(sa_type=Moment)
    actor: str
    action: str
    correlation: str
    request: str
    words: str = Field(sa_type=TSVECTOR)


class AuditNodeRow(SQLModel, table=True):
    """A whole subtree above the leaves; added only."""

    __tablename__ = "audit_nodes"

    level: int = Field(primary_key=True, sa_type=SmallInteger)
    node_index: int = Field(primary_key=True, sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)


class AuditCheckpointRow(SQLModel, table=True):
    """A signed checkpoint, the newest of each size. ``at`` is protocol time."""

    __tablename__ = "audit_checkpoints"

    size: int = Field(primary_key=True, sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment)
    reason: str
    note: str
    cosigned: bool
