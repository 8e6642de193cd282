"""Messages of training: what is asked, and how far it came."""

from dataclasses import dataclass

LEARNING_QUEUE = "learning"
TRAINING_WORKFLOW = "TrainingWorkflow"
NO_TRADE = "no-trade"
CHAMPION, CHALLENGER = "champion", "challenger"
"""The aliases of the registry of models."""
UNREACHED = "for the moment"
"""How a refusal begins that says nothing of the model: the registry does not answer, or not yet."""
LEARNED_STRATEGY = "learned"
"""The strategy by whose name a champion's ideas reach those who follow it."""
PRIMARY_STRATEGY = "upper_half"
"""The strategy whose ideas a champion judges."""
REFERENCE_SYMBOL = "BTC/USD"
SHADOW_DECISIONS = 20
"""How many ideas a model that has passed the gate judges in shadow before people are asked."""
WATCH_QUEUE = "learning-watch"
CHAMPION_WATCH_WORKFLOW = "ChampionWatchWorkflow"
CHAMPION_WATCH_ID = "champion-watch"
FEATURE_REPLAY_WORKFLOW = "FeatureReplayWorkflow"
FEATURE_REPLAY_ID = "feature-replay"


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """One training: its id, who wants it (a person, ``schedule`` or ``drift``) and why."""

    run_id: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class TrainingWanted:
    """The training that is due, None where none is."""

    request: TrainingRequest | None


@dataclass(frozen=True, slots=True)
class TrainingPlanned:
    """The data that was read, by its hash, and how many trials are planned."""

    data_hash: str
    samples: int
    planned: int


@dataclass(frozen=True, slots=True)
class TrialsFinished:
    """How many trials of the plan are in the ledger, and how many of them this call has run."""

    finished: int
    run_now: int


@dataclass(frozen=True, slots=True)
class TrainingJudged:
    """What the gate said: the candidate, and the tests that did not pass."""

    passed: bool
    candidate: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelKept:
    """The version under which the candidate is registered, and the hash of its file."""

    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ChallengersJudged:
    """How many challengers of another kind were judged, and which of them passed the gate."""

    judged: int
    passed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HoldoutOpened:
    """What the locked hold-out said of a model: ``reason`` is empty where it passes."""

    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ShadowSeen:
    """How many of the ``wanted`` decisions a model has made in shadow, and whether that is over.

    ``reason`` says why it has failed, "" where it has not.
    """

    decisions: int
    wanted: int
    over: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ChampionWatched:
    """What one look at the champion found: ``alarm`` says why it was withdrawn, "" if it was not.

    ``decisions`` counts those with a known outcome, ``champion`` is who is in force afterwards.
    """

    champion: str
    decisions: int
    alarm: str


@dataclass(frozen=True, slots=True)
class FeaturesReplayed:
    """How many logged vectors were computed again, and the ideas whose figures differed."""

    compared: int
    unavailable: int
    differing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Promotion:
    """A model becomes champion, by the approval of ``by``."""

    run_id: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class TrainingDone:
    """How a training ended: ``refused`` by the gate, ``declined`` by people, or ``promoted``."""

    run_id: str
    outcome: str
    reasons: tuple[str, ...] = ()


def training_workflow_id(run_id: str) -> str:
    """Return the id of a training's workflow."""
    return f"training/{run_id}"
