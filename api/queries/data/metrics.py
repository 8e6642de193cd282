"""Figures of the data that is brought from outside, read with those of the record."""

from contextlib import suppress
from datetime import UTC, datetime
from math import inf

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import text

from infra.runtime.database.connections import Database

# A list that is scheduled and was never read is as old as its schedule.
_SANCTIONS = text(
    """SELECT coalesce((SELECT max(read_at) FROM sanctions_lists),
           (SELECT scheduled_since FROM market_data_work WHERE work = 'sanctions'))"""
)
_NAMED = text(
    """SELECT count(*) FROM (SELECT pairs FROM universe_versions ORDER BY version DESC LIMIT 1) u,
           jsonb_each(u.pairs) p
       WHERE p.value ->> 'standing' = 'allowed' AND split_part(p.key, '/', 1) IN (
           SELECT jsonb_object_keys(named) FROM
               (SELECT named FROM sanctions_lists ORDER BY read_at DESC LIMIT 1) l)"""
)
_WORK = text(
    "SELECT work, failures, coalesce(succeeded_at, scheduled_since) AS since FROM market_data_work"
)


class DataGauges:
    """Sanctions and scheduled work in a registry that is made anew for each reading."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._sanctions = self._gauge(
            "aether_sanctions_list_age_seconds",
            "Time since a list of sanctions was read last, or was to be; infinite when never",
        )
        self._named = self._gauge(
            "aether_sanctions_named_pairs_count",
            "Pairs of the universe whose asset the newest list of sanctions names",
        )
        self._age = self._gauge(
            "aether_market_data_age_seconds",
            "Time since scheduled work on data from outside came to its end without a failure",
            "work",
        )
        self._failures = self._gauge(
            "aether_market_data_failures_count",
            "Parts of its last run that the work could not bring",
            "work",
        )

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(name, words, labels, registry=self._registry)

    async def read(self, database: Database) -> None:
        """Read the figures."""
        read_at = (await database.call(_SANCTIONS))[0][0]
        self._sanctions.set(inf if read_at is None else _seconds_since(read_at))
        self._named.set((await database.call(_NAMED))[0][0])
        for row in await database.call(_WORK):
            self._age.labels(row.work).set(_seconds_since(row.since))
            self._failures.labels(row.work).set(row.failures)

    def forget(self) -> None:
        """Drop the figures: unknown is not zero."""
        for one in (self._sanctions, self._named, self._age, self._failures):
            with suppress(KeyError):
                self._registry.unregister(one)


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()
