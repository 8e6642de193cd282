"""Messages of training: what is asked, and how far it came."""

from dataclasses import dataclass

LEARNING_QUEUE = "learning"
TRAINING_WORKFLOW = "TrainingWorkflow"
NO_TRADE = "no-trade"


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """One training: its id, who wants it (a person, ``schedule`` or ``drift``) and why."""

    run_id: str
    by: str
    reason: str


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
