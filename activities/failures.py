"""Exchange errors as typed failures of activities.

ExchangeError
├── ExchangeUnavailableError  → ExchangeUnavailable  retried: certainly not executed
├── RateLimitedError          → RateLimited          retried after the delay that was asked for
│   └── CoolingDownError      → CoolingDown          the same, at most 15 s: keys may be replaced
├── UnknownOutcomeError       → UnknownOutcome       retried: the next attempt asks first
├── CredentialsError          → CredentialsRefused   retried slowly: a key may be replaced
│   └── KeyInUseError, …      → CredentialsRefused   the same
├── OrderRejectedError        → OrderRejected        not retried: a definite answer
└── OrderGoneError            → OrderGone            not retried: a definite answer

A class that is not named here is of the kind of the nearest one above it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio.exceptions import ApplicationError

from activities.ports.exchange_errors import (
    CoolingDownError,
    CredentialsError,
    ExchangeError,
    ExchangeUnavailableError,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)

NON_RETRYABLE = ("OrderRejected", "OrderGone")

_TYPES: dict[type, str] = {
    ExchangeError: "ExchangeError",
    ExchangeUnavailableError: "ExchangeUnavailable",
    RateLimitedError: "RateLimited",
    CoolingDownError: "CoolingDown",
    UnknownOutcomeError: "UnknownOutcome",
    CredentialsError: "CredentialsRefused",
    OrderRejectedError: "OrderRejected",
    OrderGoneError: "OrderGone",
}

_LONGEST_COOLING_RETRY = timedelta(seconds=15)
_CREDENTIALS_RETRY = timedelta(seconds=2)


def as_failure(error: ExchangeError) -> ApplicationError:
    """Return the activity failure that an exchange error becomes."""
    name = next(_TYPES[kind] for kind in type(error).__mro__ if kind in _TYPES)
    delay: timedelta | None = None
    if isinstance(error, RateLimitedError):
        delay = timedelta(seconds=max(0.1, error.retry_after_seconds))
        if isinstance(error, CoolingDownError):
            delay = min(delay, _LONGEST_COOLING_RETRY)
    elif isinstance(error, CredentialsError):
        delay = _CREDENTIALS_RETRY
    return ApplicationError(
        str(error),
        error.raw,
        type=name,
        non_retryable=name in NON_RETRYABLE,
        next_retry_delay=delay,
    )


@contextmanager
def typed_failures() -> Iterator[None]:
    """Let exchange errors leave an activity as typed failures."""
    try:
        yield
    except ExchangeError as error:
        raise as_failure(error) from error
