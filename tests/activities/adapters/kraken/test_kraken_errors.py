import pytest
import requests

from activities.adapters.kraken.errors import (
    Operation,
    classify,
    classify_failure,
    classify_status,
)
from activities.ports.exchange_errors import (
    ExchangeUnavailableError,
    RateLimitedError,
    UnknownOutcomeError,
)

PLACE, AMEND, CANCEL, READ = Operation.PLACE, Operation.AMEND, Operation.CANCEL, Operation.READ
UNKNOWN, AWAY = UnknownOutcomeError, ExchangeUnavailableError


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
