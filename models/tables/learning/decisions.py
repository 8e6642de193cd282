"""Models, what they decided, what came of it, and what people asked about it. All append-only."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Document, Moment


class ModelVersionRow(SQLModel, table=True):
    """A model as it was registered: what it is, by hashes, and the signature over them.

    ``version`` is the registry's own number; ``run_id`` is ``no-trade`` for the model that takes
    nothing. ``feature_hash`` and ``data_hash`` are empty for that one.
    """

    __tablename__ = "model_versions"

    version: int = Field(primary_key=True)
    run_id: str = Field(unique=True)
    trial: str
    sha256: str
    signature: str
    feature_hash: str
    data_hash: str
    code_version: str
    registered_at: datetime = Field(sa_type=Moment)


class PredictionRow(SQLModel, table=True):
    """One decision of a champion on one idea of its primary, taken or not, or why it was refused.

    ``vector`` is in the order of the features; ``probability`` is calibrated, ``stake`` a share of
    the account's equity. ``contributions`` explain the model, not the market. ``bar_start`` is
    market time, ``decided_at`` protocol time, ``microseconds`` how long the prediction took. What a
    model decided in ``shadow`` was never taken.
    """

    __tablename__ = "champion_predictions"

    idea_id: str = Field(primary_key=True)
    version: int
    feature_hash: str
    symbol: str
    bar_start: datetime = Field(sa_type=Moment)
    vector: list[float | None] = Field(sa_type=Document)
    probability: Decimal | None = Field(default=None, sa_type=Amount)
    stake: Decimal | None = Field(default=None, sa_type=Amount)
    taken: bool
    refusal: str
    hard: bool
    microseconds: int
    contributions: dict[str, float] = Field(sa_type=Document)
    regime: str
    shadow: bool = False
    decided_at: datetime = Field(sa_type=Moment)


class OutcomeRow(SQLModel, table=True):
    """What came of a decided idea by the exits that the model was trained on, taken or not.

    ``net`` is a share of what would have been paid, after costs; ``ended_at`` is market time.
    """

    __tablename__ = "prediction_outcomes"

    idea_id: str = Field(primary_key=True, foreign_key="champion_predictions.idea_id")
    net: Decimal = Field(sa_type=Amount)
    ended_at: datetime = Field(sa_type=Moment)


class ReplayRow(SQLModel, table=True):
    """One nightly replay: how many logged vectors were computed again, and which differed."""

    __tablename__ = "feature_replays"

    number: int | None = Field(default=None, primary_key=True)
    began_at: datetime = Field(sa_type=Moment)
    compared: int
    unavailable: int
    differing: list[str] = Field(sa_type=Document)
    worst: Decimal = Field(sa_type=Amount)


class TranscriptRow(SQLModel, table=True):
    """A question to the advisor with its answer and the sources that it rests on."""

    __tablename__ = "advisor_transcripts"

    number: int | None = Field(default=None, primary_key=True)
    account_id: str
    asked_by: str
    question: str
    template: str
    answer: str
    sources: list[dict[str, Any]] = Field(sa_type=Document)
    asked_at: datetime = Field(sa_type=Moment)
