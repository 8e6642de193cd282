"""Named timeout and retry bundles of the activities; nothing sets these options inline.

A killed worker's activity is noticed by its missing heartbeats (or, for the short writes, by the
whole timeout) and tried again at once: that is most of the recovery budget of five seconds.
"""

from dataclasses import replace
from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy

from activities.failures import NON_RETRYABLE

HEARTBEAT_INTERVAL_SECONDS = 0.4
DECIDING_TASK_TIMEOUT = timedelta(seconds=2)
"""How long a workflow task of a killed process keeps its workflow waiting (the default is ten)."""
START_TIMEOUT = timedelta(seconds=2)
"""How long a kill switch waits for Temporal before it answers without: its flag stands already."""


class Policy(TypedDict):
    """Options of one kind of activity."""

    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta | None
    retry_policy: RetryPolicy


_PATIENT = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=2),
    non_retryable_error_types=list(NON_RETRYABLE),
)

ORDER = Policy(
    start_to_close_timeout=timedelta(seconds=20),
    heartbeat_timeout=timedelta(milliseconds=1500),
    retry_policy=replace(_PATIENT, maximum_interval=timedelta(milliseconds=500)),
)
"""Placing, cancelling, amending, exiting: tried for ever, because each asks before it sends.

At short intervals, for a position may be without its stop; rate limits are kept by whoever asks.
"""

RECORD = Policy(
    start_to_close_timeout=timedelta(seconds=3), heartbeat_timeout=None, retry_policy=_PATIENT
)
"""Short idempotent writes to the record."""

STREAM = Policy(
    start_to_close_timeout=timedelta(days=30),
    heartbeat_timeout=timedelta(seconds=2),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        backoff_coefficient=1.0,
        non_retryable_error_types=list(NON_RETRYABLE),
    ),
)
"""A connection that is followed until it or its process dies.

Every process that dies in its months is an attempt; they must not make the next one wait longer.
"""

COMPARISON = Policy(
    start_to_close_timeout=timedelta(minutes=2),
    heartbeat_timeout=timedelta(seconds=5),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(seconds=5),
        maximum_attempts=5,
        non_retryable_error_types=list(NON_RETRYABLE),
    ),
)
"""A reconciliation: given up after five attempts, for the next one is due anyway."""

REVIEW = Policy(
    start_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=timedelta(seconds=5),
    retry_policy=replace(COMPARISON["retry_policy"], maximum_attempts=10),
)
"""Going through every pair of the exchange, whose public limits may make that slow."""

GATHER = Policy(
    start_to_close_timeout=timedelta(seconds=4),
    heartbeat_timeout=None,
    retry_policy=replace(_PATIENT, maximum_attempts=1),
)
"""Finding out what going live rests on, while a person waits."""

TELLING = Policy(
    start_to_close_timeout=timedelta(seconds=10),
    heartbeat_timeout=None,
    retry_policy=replace(_PATIENT, maximum_interval=timedelta(seconds=2), maximum_attempts=20),
)
"""Telling accounts what is in force; given up in half a minute, for it is told again."""

BACKUP = Policy(
    start_to_close_timeout=timedelta(hours=4),
    heartbeat_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(minutes=2),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(minutes=30),
        maximum_attempts=5,
    ),
)
"""A whole backup and its trial restore; a failure that stays shows in the age of the last one."""

DELIVERY_WITHIN = timedelta(hours=12)
DELIVERY = Policy(
    start_to_close_timeout=timedelta(seconds=30),
    heartbeat_timeout=None,
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=2),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(minutes=5),
        non_retryable_error_types=["DeliveryRefused"],
    ),
)
"""A message to a person, whose mail server may be away for hours; see ``DELIVERY_WITHIN``."""

OUTSIDE = Policy(
    start_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=3.0,
        maximum_interval=timedelta(minutes=1),
        maximum_attempts=2,
    ),
)
"""Asking a source outside for data, niced. What asks is patient itself, and the next run asks too:
the second attempt is for a process that was killed."""
