"""What the API takes and gives of training and champions."""

from datetime import datetime

from api.messages.bodies import RequestBody, Title
from api.messages.schemas import Row


class StartTraining(RequestBody):
    """Why a training is wanted."""

    reason: Title = ""


class RollBack(RequestBody):
    """Why the champion is withdrawn."""

    reason: Title = ""


class Champion(Row):
    """Who trades since when: ``no-trade`` or a training's id."""

    number: int
    model: str
    previous: str
    changed_by: str
    reason: str
    changed_at: datetime


class TrainingView(Row):
    """One training: its data and question by their hashes, and how far it came.

    ``finished`` of ``planned`` trials are in the ledger; ``seconds_left`` is unknown before the
    first of them. ``passed`` is unknown until the gate has judged.
    """

    run_id: str
    requested_by: str
    reason: str
    data_hash: str
    question: str
    feature_hash: str
    code_version: str
    samples: int
    planned: int
    started_at: datetime
    finished: int
    seconds_left: float | None
    passed: bool | None
    candidate: str | None
    reasons: list[str]


class TrialView(Row):
    """One trial of the ledger; ``sharpe`` is that of a year, unknown where it took no trade."""

    data_hash: str
    question: str
    trial: str
    run_id: str
    sharpe: float | None
    failures: list[str]
    seconds: float
    finished_at: datetime


class TrainingStarted(Row):
    """The training's id."""

    run_id: str
