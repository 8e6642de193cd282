"""Figures of what runs beside trading, read from the record: the learning ledger and the outbox."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from infra.runtime.database.connections import Database

READ_SECONDS = 2.0
_LEARNING = text(
    "SELECT (SELECT count(*) FROM training_runs) AS runs, (SELECT count(*) FROM trials) AS trials,"
    " (SELECT count(*) FROM training_verdicts WHERE passed) AS passed,"
    " (SELECT count(*) FROM training_verdicts WHERE NOT passed) AS failed,"
    " (SELECT max(judged_at) FROM training_verdicts) AS judged_at,"
    " (SELECT count(*) FROM champions) AS champions,"
    " (SELECT max(changed_at) FROM champions) AS changed_at"
)


class Told(Protocol):
    """Of one account: events that wait for the broker, and those lost since the first."""

    @property
    def waiting(self) -> int:
        """Return how many wait."""

    @property
    def lost(self) -> int:
        """Return how many were lost."""

    def oldest_seconds(self, now: datetime) -> float:
        """Return how long the oldest has waited."""


EventReader = Callable[[Database], Awaitable[Mapping[str, Told]]]


class OperationGauges:
    """One reading; made anew each time. What cannot be read is missing: unknown is not zero."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._runs = self._gauge("aether_learning_runs_count", "Training runs of the ledger")
        self._trials = self._gauge("aether_learning_trials_count", "Trials of the ledger")
        self._verdicts = self._gauge(
            "aether_learning_verdicts_count", "Training runs judged by the gate", "verdict"
        )
        self._judged = self._gauge(
            "aether_learning_verdict_age_seconds",
            "Time since the gate judged a training run; absent when it never did",
        )
        self._champions = self._gauge(
            "aether_learning_champions_count", "Champions so far, the first one included"
        )
        self._champion_age = self._gauge(
            "aether_learning_champion_age_seconds", "Time since the champion was changed"
        )
        self._is_on = self._gauge(
            "aether_events_on", "Whether events are kept for a broker, 1 or 0"
        )
        self._waiting = self._gauge(
            "aether_events_waiting_count", "Events that the broker has not taken yet", "account"
        )
        self._oldest = self._gauge(
            "aether_events_oldest_seconds", "How long the oldest of them has waited", "account"
        )
        self._lost = self._gauge(
            "aether_events_lost_count", "Events lost for want of room since the first", "account"
        )

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(name, words, labels, registry=self.registry)

    async def read(self, database: Database, events: EventReader) -> None:
        """Read what the record has; ``events`` tells how far other systems have been told."""
        now = datetime.now(UTC)
        try:
            async with asyncio.timeout(READ_SECONDS):
                self._tell_learning((await database.call(_LEARNING))[0], now)
                told = await events(database)
                self._is_on.set(bool(told))
                for account, one in told.items():
                    self._waiting.labels(account).set(one.waiting)
                    self._lost.labels(account).set(one.lost)
                    self._oldest.labels(account).set(one.oldest_seconds(now))
        except (OSError, TimeoutError, SQLAlchemyError):
            self.registry = CollectorRegistry()

    def _tell_learning(self, row: Any, now: datetime) -> None:
        self._runs.set(row.runs)
        self._trials.set(row.trials)
        self._verdicts.labels("passed").set(row.passed)
        self._verdicts.labels("failed").set(row.failed)
        self._champions.set(row.champions)
        self._set_age(self._judged, row.judged_at, now)
        self._set_age(self._champion_age, row.changed_at, now)

    def _set_age(self, gauge: Gauge, since: datetime | None, now: datetime) -> None:
        if since is None:
            self.registry.unregister(gauge)
        else:
            gauge.set(max(0.0, (now - since).total_seconds()))
