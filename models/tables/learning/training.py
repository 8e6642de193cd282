"""The ledger of trials, the runs that made them with their verdicts, and the champions.

All are append-only: the database refuses changes, whoever asks.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment


class TrainingRunRow(SQLModel, table=True):
    """One training as it began: by whom, on which data, with which features and code."""

    __tablename__ = "training_runs"

    run_id: str = Field(primary_key=True)
    requested_by: str
    reason: str
    data_hash: str
    question: str
    feature_hash: str
    code_version: str
    samples: int
    planned: int
    started_at: datetime = Field(sa_type=Moment)


class TrialRow(SQLModel, table=True):
    """What one trial earned out of sample; ``net`` and ``costs`` are shares of capital per period.

    ``begins`` is in seconds UTC. A trial of the same question on the same data is run once.
    """

    __tablename__ = "trials"

    data_hash: str = Field(primary_key=True)
    question: str = Field(primary_key=True)
    trial: str = Field(primary_key=True)
    run_id: str = Field(foreign_key="training_runs.run_id")
    begins: int = Field(sa_type=BigInteger)
    period_seconds: int
    net: list[float] = Field(sa_type=Document)
    costs: list[float] = Field(sa_type=Document)
    calibration: dict[str, Any] | None = Field(default=None, sa_type=Document)
    failures: list[str] = Field(sa_type=Document)
    milliseconds: int
    finished_at: datetime = Field(sa_type=Moment)


class TrainingVerdictRow(SQLModel, table=True):
    """What the gate said of a run: each finding, passed or not."""

    __tablename__ = "training_verdicts"

    run_id: str = Field(primary_key=True, foreign_key="training_runs.run_id")
    passed: bool
    candidate: str | None = None
    reasons: list[str] = Field(sa_type=Document)
    findings: list[dict[str, Any]] = Field(sa_type=Document)
    judged_at: datetime = Field(sa_type=Moment)


class ChampionRow(SQLModel, table=True):
    """Who trades from when on; ``model`` is ``no-trade`` or a run's id. The newest is in force."""

    __tablename__ = "champions"

    number: int = Field(primary_key=True)
    model: str
    previous: str
    changed_by: str
    reason: str
    changed_at: datetime = Field(sa_type=Moment)
