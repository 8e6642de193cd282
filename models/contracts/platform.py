"""Messages of the platform's own workflow: its settings, its universe, and what people decided."""

from dataclasses import dataclass
from datetime import datetime

from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalRequest, ApprovalSettled


@dataclass(frozen=True, slots=True)
class PlatformInput:
    """What the workflow starts from: the newest answers, and facts handled over all runs."""

    answers: tuple[Answer, ...] = ()
    handled: int = 0


@dataclass(frozen=True, slots=True)
class ChangePlatformSettings:
    """Somebody asks for other settings of the platform; ``updates`` is a JSON object by name."""

    request_id: str
    by: str
    updates: str
    reason: str
    at: datetime
    based_on: int | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class ChangeUniverse:
    """Somebody asks for pairs to join the universe or to leave it."""

    request_id: str
    by: str
    reason: str
    joins: tuple[str, ...]
    leaves: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class SettlePlatformApproval:
    """A request of the platform's was decided, or ran out; ``request_id`` is its id."""

    request_id: str
    asked: ApprovalRequest
    fact: ApprovalSettled


PlatformRequest = ChangePlatformSettings | ChangeUniverse | SettlePlatformApproval


@dataclass(frozen=True, slots=True)
class PlatformDecided:
    """What a request to the platform came to.

    Attributes:
        answer: what who asked is told.
        ask: a request for another person to decide on, None: there is none.
        tell: names what the accounts are told, "": nothing.
    """

    answer: Answer
    ask: ApprovalRequest | None = None
    tell: str = ""
