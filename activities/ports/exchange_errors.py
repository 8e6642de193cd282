"""What an exchange call can end in."""

from dataclasses import dataclass
from datetime import datetime


class ExchangeError(Exception):
    """Base of everything an exchange call can end in; ``raw`` keeps the exchange's own words."""

    def __init__(self, message: str, raw: str = "") -> None:
        super().__init__(message)
        self.raw = raw


class ExchangeUnavailableError(ExchangeError):
    """The request was certainly not executed: no connection, maintenance, a read that failed."""


class RateLimitedError(ExchangeError):
    """The exchange or our own budget refused for rate; certainly not executed."""

    def __init__(self, message: str, raw: str = "", retry_after_seconds: float = 1.0) -> None:
        super().__init__(message, raw)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class CoolingDown:
    """A time in which a key, or an address, asks the exchange nothing.

    Attributes:
        kind: the rule it follows: ``lockout``, ``credentials``, …
        reason: the same for people, with the exchange's words and the end.
        until: protocol time at which one request tries whether it is over.
        seconds: length of the present pause; they grow from try to try.
    """

    kind: str
    reason: str
    until: datetime
    seconds: float


class CoolingDownError(RateLimitedError):
    """Asking would prolong what the exchange refuses for; nothing was sent."""

    def __init__(self, cooling: CoolingDown, retry_after_seconds: float) -> None:
        super().__init__(cooling.reason, "", retry_after_seconds)
        self.cooling = cooling


class OrderRejectedError(ExchangeError):
    """A definite refusal: nothing was created or changed."""


class OrderGoneError(ExchangeError):
    """The order is known but no longer open (filled or canceled), or never existed: ask."""


class UnknownOutcomeError(ExchangeError):
    """The request may or may not have been executed: ask before anything is sent again."""


class CredentialsError(ExchangeError):
    """Key, signature, nonce or permission refused."""


class KeyInUseError(CredentialsError):
    """Another process, or another account of this one, holds the key."""
