"""Which failure of an activity an exchange error becomes, also one that only an adapter knows."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.adapters.kraken.errors import ForbiddenAddressError
from activities.adapters.postgres.accounts.key_custody import KeyTakenError
from activities.failures import as_failure, typed_failures
from activities.ports.exchange_errors import (
    CoolingDown,
    CoolingDownError,
    CredentialsError,
    ExchangeError,
    ExchangeUnavailableError,
    KeyInUseError,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)

KINDS = {
    ExchangeError: "ExchangeError",
    ExchangeUnavailableError: "ExchangeUnavailable",
    RateLimitedError: "RateLimited",
    UnknownOutcomeError: "UnknownOutcome",
    CredentialsError: "CredentialsRefused",
    OrderRejectedError: "OrderRejected",
    OrderGoneError: "OrderGone",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_and_its_subclasses_are_of_one_kind(kind):
    below = type("PlantedError", (type("BetweenError", (kind,), {}),), {})
    for error in (kind("words", "raw"), below("words", "raw")):
        failure = as_failure(error)
        assert failure.type == KINDS[kind]
        assert failure.non_retryable is (kind in (OrderRejectedError, OrderGoneError))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyInUseError, "CredentialsRefused"),
        (KeyTakenError, "CredentialsRefused"),
        (ForbiddenAddressError, "ExchangeError"),
    ],
)
def test_what_only_an_adapter_raises_keeps_its_kind(error, kind):
    assert as_failure(error("words")).type == kind


def test_a_cool_down_keeps_its_kind_and_is_tried_again_within_fifteen_seconds():
    cooling = CoolingDown("lockout", "locked out", datetime(2026, 11, 29, tzinfo=UTC), 960.0)
    failure = as_failure(CoolingDownError(cooling, 960.0))
    assert failure.type == "CoolingDown"
    assert failure.next_retry_delay == timedelta(seconds=15)


def test_an_error_leaves_as_the_failure_of_its_kind():
    with pytest.raises(ApplicationError, match="in use") as caught, typed_failures():
        raise KeyInUseError("the key is in use")
    assert caught.value.type == "CredentialsRefused"
    assert caught.value.next_retry_delay == timedelta(seconds=2)
