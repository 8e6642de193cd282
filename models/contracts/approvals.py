"""Messages around requests for approval."""

from dataclasses import dataclass
from datetime import datetime

from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalRequest, ApprovalSettled
from models.trading.market import MarketSnapshot


@dataclass(frozen=True, slots=True)
class ApprovalInput:
    """What a request's workflow starts from; ``account`` is ``platform`` for what concerns all."""

    account: str
    request: ApprovalRequest


@dataclass(frozen=True, slots=True)
class ApprovalDecision:
    """A person approves or refuses; ``market`` is that of now, where a price matters."""

    request_id: str
    by: str
    approved: bool
    reason: str
    market: MarketSnapshot | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ApprovalToProve:
    """An approval that somebody tells an account or a trade of: does the record know it."""

    account: str
    approval: str
    by: str


@dataclass(frozen=True, slots=True)
class SaveApproval:
    """Where a request stands, for the record; ``outcome`` is what carrying it out came to."""

    account: str
    request: ApprovalRequest
    outcome: Answer | None = None


@dataclass(frozen=True, slots=True)
class ApprovalToSettle:
    """A decided request, to be told to who asked for it; ``decision`` is the id of who decided it.

    ``decision`` is "" where nobody has, and of a version that did not tell.
    """

    account: str
    request: ApprovalRequest
    fact: ApprovalSettled
    decision: str = ""
