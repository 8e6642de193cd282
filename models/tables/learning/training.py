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


class HoldoutRow(SQLModel, table=True):
    """The one opening of the hold-out by a release: by which run, and what it said of its model.

    ``stressed`` is the mean net result of a period at the gate's multiple of costs, a share of
    capital; ``sharpe`` and ``detectable`` are of a period. ``earlier`` counts the openings by other
    releases on the same data: each of them makes this one worth less.
    """

    __tablename__ = "holdout_openings"

    release: str = Field(primary_key=True)
    run_id: str = Field(foreign_key="training_runs.run_id")
    data_hash: str
    begins: datetime = Field(sa_type=Moment)
    ends: datetime = Field(sa_type=Moment)
    decisions: int
    trades: int
    stressed: float
    sharpe: float
    detectable: float | None = None
    earlier: int
    reason: str
    opened_at: datetime = Field(sa_type=Moment)


class ShadowRow(SQLModel, table=True):
    """A run's model that decides in shadow: since when, and how many decisions are wanted of it."""

    __tablename__ = "shadows"

    run_id: str = Field(primary_key=True, foreign_key="training_runs.run_id")
    version: int = Field(foreign_key="model_versions.version")
    wanted: int
    began_at: datetime = Field(sa_type=Moment)


class ShadowEndRow(SQLModel, table=True):
    """How a shadow ended: after so many decisions, and why it failed, "" where it did not."""

    __tablename__ = "shadow_ends"

    run_id: str = Field(primary_key=True, foreign_key="shadows.run_id")
    decisions: int
    reason: str
    ended_at: datetime = Field(sa_type=Moment)


class ChampionRow(SQLModel, table=True):
    """Who trades from when on; ``model`` is ``no-trade`` or a run's id. The newest is in force."""

    __tablename__ = "champions"

    number: int = Field(primary_key=True)
    model: str
    previous: str
    changed_by: str
    reason: str
    changed_at: datetime = Field(sa_type=Moment)
