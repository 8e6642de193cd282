"""Evidence packs that people have asked for."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables.columns import Moment


class EvidencePackRow(SQLModel, table=True):
    """What a pack is to hold and what became of it. Protocol times; ``account`` None: every one."""

    __tablename__ = "evidence_packs"

    pack_id: str = Field(primary_key=True)
    requested_by: str
    requested_at: datetime = Field(sa_type=Moment)
    account: str | None = None
    since: datetime | None = Field(default=None, sa_type=Moment)
    until: datetime | None = Field(default=None, sa_type=Moment)
    state: str
    reason: str = ""
    rows: int | None = Field(default=None, sa_type=BigInteger)
    tree_size: int | None = Field(default=None, sa_type=BigInteger)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class EvidencePackFileRow(SQLModel, table=True):
    """One file of a pack, whole."""

    __tablename__ = "evidence_pack_files"

    pack_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    content: bytes
