"""Messages of the change of an account's mode."""

from dataclasses import dataclass
from datetime import datetime

from models.trading.risk.limits import Mode
from models.trading.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class LiveFactsWanted:
    """The account that wants to go live, and the id of the request for it."""

    account: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class FreezeToLookAt:
    """A request that a change freeze may hold, at a protocol time."""

    request: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ExchangeToChange:
    """A change of mode that the account has decided: to be written down and carried out.

    ``at`` names it, so that it is written once; ``request`` is the approved request to go live.
    """

    account: str
    mode: Mode
    by: str
    at: datetime
    market_time: datetime | None
    verdict: Verdict
    request: int | None = None
