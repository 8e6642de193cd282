"""What Kraken's answers and the network's failures mean, by prefix of the error string.

The same words mean different things for different calls, because only some calls change anything::

    answer or failure                              place / amend        cancel               read
    ├── connection refused, DNS, TLS (never sent)  ExchangeUnavailable  ExchangeUnavailable  …
    ├── timeout, reset, non-200, not JSON          UnknownOutcome       UnknownOutcome       ExchangeUnavailable
    ├── EService:Unavailable | Busy | Timeout      UnknownOutcome       UnknownOutcome       ExchangeUnavailable
    ├── EService:Deadline elapsed                  UnknownOutcome       UnknownOutcome       ExchangeUnavailable
    ├── EGeneral:Internal error                    UnknownOutcome       UnknownOutcome       ExchangeUnavailable
    ├── …:cl_ord_id not unique                     UnknownOutcome (it exists: look it up, never resend)
    ├── rate limits and throttles                  RateLimited          RateLimited          RateLimited
    ├── EAPI, EAuth, ESession, permission, lockout Credentials          Credentials          Credentials
    ├── EOrder:Unknown order | Invalid order       OrderGone (amend)    OrderGone            OrderGone
    ├── EOrder, EQuery, ETrade, EGeneral, EAccount OrderRejected        OrderRejected        OrderRejected
    ├── EService:Market in …                       ExchangeUnavailable  ExchangeUnavailable  ExchangeUnavailable
    └── anything else that starts with E           UnknownOutcome       UnknownOutcome       ExchangeUnavailable

Source: kraken-protocol §3 and the retry rule of Kraken's own SDK.
"""  # noqa: E501

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import requests
import urllib3

from activities.ports.exchange_errors import (
    CredentialsError,
    ExchangeError,
    ExchangeUnavailableError,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from models.trading.bounds import cleaned_text

_log = logging.getLogger(__name__)

UNREADABLE = (
    LookupError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)
"""What reading a message of a shape that we do not know ends in."""


class Operation(StrEnum):
    """What a request may have done when its answer is lost."""

    PLACE = "place"
    AMEND = "amend"
    CANCEL = "cancel"
    READ = "read"


class ForbiddenAddressError(ExchangeError):
    """The address is not one that this account may talk to; nothing was sent."""


_THROTTLED = re.compile(r"^EService:\s*Throttled:?\s*(?P<until>\d+(\.\d+)?)?")

_RATE_LIMITS = (
    "EAPI:Rate limit exceeded",
    "EOrder:Rate limit exceeded",
    "EOrder:Domain rate limit exceeded",
    "EGeneral:Too many requests",
    "EAuth:Rate limit exceeded",
    "EAuth:Too many requests",
    "EBM:limit exceeded",
)
_UNDECIDED = (
    "EService:Unavailable",
    "EService:Busy",
    "EService:Timeout",
    "EService:Deadline elapsed",
    "EGeneral:Internal error",
)
_CREDENTIALS = (
    "EAPI:",
    "EAuth:",
    "ESession:",
    "EGeneral:Permission denied",
    "EGeneral:Temporary lockout",
)
_GONE = ("EOrder:Unknown order", "EOrder:Invalid order")
_REFUSALS = ("EOrder:", "EQuery:", "ETrade:", "EGeneral:", "EAccount:", "EFunding:")

_BANNED = re.compile(r"\b(?:error code:? ?|Error )(?P<code>1006|1007|1008|1015|1020)\b")
"""Cloudflare's words for an address that it lets through no more (1015: asked too often)."""


def classify(raw: str, operation: Operation) -> ExchangeError:
    """Return the typed error that an error string means for an operation."""
    raw = cleaned_text(raw)
    throttled = _THROTTLED.match(raw)
    if throttled:
        until = throttled["until"]
        wait = float(until) - time.time() if until else 1.0  # noqa: TID251 - the wire gives an end, not a span
        return RateLimitedError(raw, raw, retry_after_seconds=min(max(wait, 0.5), 60.0))
    if raw.startswith(_RATE_LIMITS):
        # Until there is room again is a matter of our own budget, which is full from now on; this
        # keeps a stop from waiting longer than that.
        wait = 2.0 if operation is Operation.READ else 0.5
        return RateLimitedError(raw, raw, retry_after_seconds=wait)
    if raw.startswith(_UNDECIDED):
        return undecided(raw, operation, raw)
    if raw.startswith(_CREDENTIALS):
        return CredentialsError(raw, raw)
    if raw.startswith("EGeneral:Invalid arguments:cl_ord_id not unique"):
        return undecided(raw, operation, raw)
    if raw.startswith(_GONE) and operation is not Operation.PLACE:
        return OrderGoneError(raw, raw)
    if raw.startswith("EService:Market in"):
        # Nothing is wrong with the order: a stop is tried until the market takes orders again.
        return ExchangeUnavailableError(raw, raw)
    if raw.startswith(_REFUSALS):
        return OrderRejectedError(raw, raw)
    return undecided(raw, operation, raw)


def stranger_text(raw: object) -> str | None:
    """Return a text of the exchange as the record can hold it, None where there is none."""
    return cleaned_text(str(raw)) if raw else None


def undecided(message: str, operation: Operation, raw: str = "") -> ExchangeError:
    """Return what a lost or meaningless answer is: harmless for a read, unknown for the rest."""
    if operation is Operation.READ:
        return ExchangeUnavailableError(message, raw)
    return UnknownOutcomeError(message, raw)


def classify_status(status: int, operation: Operation, body: str = "") -> ExchangeError:
    """Return what an HTTP status other than 2xx means: the API itself did not answer."""
    message = f"HTTP status {status}"
    if banned := _BANNED.search(body[:20_000]):
        message = f"HTTP ban {banned['code']}, status {status}"
    if status == requests.codes.too_many_requests and operation is Operation.READ:
        return RateLimitedError(message, message, retry_after_seconds=5.0)
    return undecided(message, operation, message)


def classify_failure(failure: Exception, operation: Operation) -> ExchangeError:
    """Return what a failure below HTTP means; only a failed connect proves nothing was sent."""
    message = f"{type(failure).__name__}: {failure}"
    if isinstance(failure, ExchangeError):
        return failure
    if isinstance(failure, requests.HTTPError) and failure.response is not None:
        return classify_status(failure.response.status_code, operation, failure.response.text)
    if was_never_sent(failure):
        return ExchangeUnavailableError(message)
    return undecided(message, operation)


def was_never_sent(failure: BaseException | None) -> bool:
    """Tell whether a failure below HTTP happened before a byte of the request was sent."""
    if isinstance(failure, requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    if isinstance(failure, requests.exceptions.SSLError):
        # TLS fails in the handshake; a record error after it does not carry this class.
        return "handshake" in str(failure).lower() or "certificate" in str(failure).lower()
    if isinstance(failure, requests.ConnectionError):
        return any(
            isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in _causes(failure)
        )
    return False


def _causes(failure: BaseException) -> list[object]:
    inner = failure.args[0] if failure.args else None
    return [failure, inner, getattr(inner, "reason", None), failure.__cause__, failure.__context__]


@contextmanager
def reading(method: str, operation: Operation = Operation.READ) -> Iterator[None]:
    """Turn an answer that cannot be understood into the typed error of a lost one, and log it."""
    try:
        yield
    except UNREADABLE as failure:
        _log.exception("the answer to %s could not be read", method)
        message = f"the answer to {method} could not be read: {failure!r}"
        raise undecided(message, operation) from failure
