"""What the API takes and gives of training and champions."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.messages.bodies import RequestBody, Title
from api.messages.schemas import Row

Question = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


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


class ShadowView(Row):
    """How many of the wanted decisions a model has made in shadow, before people are asked.

    ``reason`` is unknown while it decides, and empty where it has passed.
    """

    version: int
    decisions: int
    wanted: int
    began_at: datetime
    reason: str | None


class TrainingView(Row):
    """One training: its data and question by their hashes, and how far it came.

    ``finished`` of ``planned`` trials are in the ledger; ``seconds_left`` is unknown before the
    first of them. ``passed`` is unknown until the gate has judged, ``shadow`` until its model has
    begun to decide in shadow. ``cancelled_by`` is who cancelled it, unknown where nobody did in
    time.
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
    shadow: ShadowView | None
    cancelled_by: str | None


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


class TrainingCancelled(Row):
    """Which training is cancelled; it ends with the trial that is under way."""

    run_id: str


class FeatureDrift(Row):
    """How far a feature has moved: its stability index, and the largest that chance explains."""

    feature: str
    index: float
    limit: float
    moved: bool


class DriftView(Row):
    """How far the features are from what the champion learnt, as the nightly run has measured it.

    Of so many ``vectors`` that it saw in the last 120 days; the farthest feature comes first.
    ``unknown`` says why nothing can be told, and is empty where it can.
    """

    model: str
    measured_at: datetime | None
    vectors: int
    features: list[FeatureDrift]
    unknown: str


class ModelView(Row):
    """A registered model: what pins it, what the gate said, and what it is now.

    ``standing`` is ``champion``, ``shadow`` (it passed the gate and decides without trading),
    ``challenger`` (it passed the gate and waits for people), ``earlier`` (it was champion once) or
    ``registered``. ``decisions`` counts what it has decided.
    """

    version: int
    run_id: str
    trial: str
    standing: str
    passed: bool | None
    sha256: str
    feature_hash: str
    data_hash: str
    code_version: str
    registered_at: datetime
    decisions: int
    refusals: int


class PredictionView(Row):
    """One decision of a champion, with its outcome where that is known."""

    idea_id: str
    version: int
    feature_hash: str
    symbol: str
    bar_start: datetime
    probability: float | None
    stake: float | None
    taken: bool
    refusal: str
    regime: str
    shadow: bool
    net: float | None
    decided_at: datetime


class FeatureValue(Row):
    """One feature as a model saw it; ``value`` is null where it was not known."""

    name: str
    unit: str
    value: float | None


class Explanation(Row):
    """Why a model took a trade: contributions are of the model, not of the market.

    ``contributions`` are log-odds by feature, ``bound_by`` the limit that its size comes from.
    ``features`` is what it saw, in its own order; null where another release named the features.
    """

    trade: int
    idea_id: str
    version: int
    feature_hash: str
    probability: float
    stake: float
    contributions: dict[str, float]
    features: list[FeatureValue] | None
    of: str = "of the model, not of the market"
    regime: str
    bound_by: str | None


class AskQuestion(RequestBody):
    """A question about trades, risk or models, in English."""

    question: Question


class AnswerSource(Row):
    """Which tables an answer comes from, how many rows they gave, and the keys of the first."""

    tables: str
    rows: int
    keys: list[str]


class QuestionAnswered(Row):
    """A question with the answer that the record gives, and its sources."""

    asked_by: str
    question: str
    template: str
    answer: str
    sources: list[AnswerSource]
    asked_at: datetime


class GraphNode(Row):
    """One thing in the signal graph: its kind, name and version."""

    node: str
    kind: str
    name: str
    version: str


class GraphEdge(Row):
    """One feeds the other."""

    source: str
    target: str


class SignalGraph(Row):
    """What feeds what, by version: data, features, regimes, models, strategies."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
