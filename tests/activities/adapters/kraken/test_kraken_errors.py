import pytest
import requests

from activities.adapters.kraken.errors import (
    Operation,
    classify,
    classify_failure,
    classify_status,
)
from activities.ports.exchange_errors import (
    CredentialsError,
    ExchangeUnavailableError,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)

PLACE, AMEND, CANCEL, READ = Operation.PLACE, Operation.AMEND, Operation.CANCEL, Operation.READ
UNKNOWN, AWAY = UnknownOutcomeError, ExchangeUnavailableError
REFUSED, GONE = OrderRejectedError, OrderGoneError

# Each row: what Kraken says, then what it means for a placement, an amend, a cancel and a read.
TABLE = [
    ("EGeneral:Invalid arguments", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EGeneral:Invalid arguments:volume", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EGeneral:Invalid arguments:Index unavailable", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EGeneral:Invalid arguments:cl_ord_id", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EGeneral:Invalid arguments:cl_ord_id not unique", UNKNOWN, UNKNOWN, UNKNOWN, AWAY),
    ("EGeneral:Unknown method", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EGeneral:Permission denied", *[CredentialsError] * 4),
    ("EGeneral:Internal error", UNKNOWN, UNKNOWN, UNKNOWN, AWAY),
    ("EGeneral:Internal error:42", UNKNOWN, UNKNOWN, UNKNOWN, AWAY),
    ("EGeneral:Temporary lockout", *[CredentialsError] * 4),
    ("EGeneral:Too many requests", *[RateLimitedError] * 4),
    ("EAPI:Invalid key", *[CredentialsError] * 4),
    ("EAPI:Invalid signature", *[CredentialsError] * 4),
    ("EAPI:Invalid nonce", *[CredentialsError] * 4),
    ("EAPI:Invalid token", *[CredentialsError] * 4),
    ("EAPI:Bad request", *[CredentialsError] * 4),
    ("EAPI:Rate limit exceeded", *[RateLimitedError] * 4),
    ("EService:Unavailable", UNKNOWN, UNKNOWN, UNKNOWN, AWAY),
    ("EService:Busy", UNKNOWN, UNKNOWN, UNKNOWN, AWAY),
    ("EService:Deadline elapsed", UNKNOWN, UNKNOWN, UNKNOWN, AWAY),
    ("EService: Throttled: 1700000000", *[RateLimitedError] * 4),
    ("EService:Throttled: 1700000000", *[RateLimitedError] * 4),
    ("EService:Market in cancel_only mode", AWAY, AWAY, AWAY, AWAY),
    ("EService:Market in post_only mode", AWAY, AWAY, AWAY, AWAY),
    ("EOrder:Insufficient funds", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EOrder:Order minimum not met", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EOrder:Cost minimum not met", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EOrder:Tick size check failed", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EOrder:Invalid price", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EOrder:Orders limit exceeded", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EOrder:Rate limit exceeded", *[RateLimitedError] * 4),
    ("EOrder:Domain rate limit exceeded", *[RateLimitedError] * 4),
    ("EOrder:Unknown order", REFUSED, GONE, GONE, GONE),
    ("EOrder:Invalid order", REFUSED, GONE, GONE, GONE),
    ("EOrder:Post only order", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EQuery:Unknown asset pair", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EAccount:Invalid permissions:USDT trading restricted", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EAuth:Account temporary disabled", *[CredentialsError] * 4),
    ("EAuth:Rate limit exceeded", *[RateLimitedError] * 4),
    ("ETrade:Invalid request", REFUSED, REFUSED, REFUSED, REFUSED),
    ("EBM:limit exceeded:CAL", *[RateLimitedError] * 4),
    ("ESession:Invalid session", *[CredentialsError] * 4),
    ("ENewCategory:never seen before", UNKNOWN, UNKNOWN, UNKNOWN, AWAY),
]


@pytest.mark.parametrize(("raw", "place", "amend", "cancel", "read"), TABLE)
def test_error_string_means_what_the_table_says(raw, place, amend, cancel, read):
    for operation, expected in zip(Operation, (place, amend, cancel, read), strict=True):
        error = classify(raw, operation)
        assert type(error) is expected
        assert error.raw == raw


def test_throttle_tells_when_to_come_back():
    error = classify("EService: Throttled: 9999999999", READ)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_seconds == 60.0


@pytest.mark.parametrize("code", [403, 500, 502, 503, 520, 524])
def test_http_status_is_unknown_for_what_changes_something(code):
    assert type(classify_status(code, PLACE)) is UNKNOWN
    assert type(classify_status(code, AMEND)) is UNKNOWN
    assert type(classify_status(code, CANCEL)) is UNKNOWN
    assert type(classify_status(code, READ)) is AWAY


def test_http_429_is_unknown_for_a_placement_and_a_limit_for_a_read():
    assert type(classify_status(429, PLACE)) is UNKNOWN
    assert type(classify_status(429, READ)) is RateLimitedError


@pytest.mark.parametrize(
    "failure",
    [
        requests.ReadTimeout("slow"),
        requests.ConnectionError("reset"),
        requests.exceptions.ChunkedEncodingError("cut"),
        requests.TooManyRedirects("elsewhere"),
        ValueError("not JSON"),
    ],
)
def test_failure_after_sending_is_unknown_for_a_placement(failure):
    assert type(classify_failure(failure, PLACE)) is UNKNOWN
    assert type(classify_failure(failure, READ)) is AWAY


def test_connect_timeout_proves_that_nothing_was_sent():
    assert type(classify_failure(requests.ConnectTimeout("no answer"), PLACE)) is AWAY
