"""Figures of the record for Prometheus, read when they are asked for.

They are true while the trading process is dead, which is when they matter most.
"""

import asyncio
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from activities.adapters.postgres.orders.quarantine import PostgresQuarantine
from activities.adapters.postgres.record.protection import read_protection
from api.services import Services
from infra.runtime.database.connections import Database
from infra.runtime.errors import StateError
from infra.runtime.note_keys import NoteVerifier
from infra.runtime.record_keys import record_verifiers
from models.tables.accounts.reconciliations import ReconciliationRow
from models.tables.trades.trades import TradeRow

READ_SECONDS = 2.0


class RecordGauges:
    """One reading of the record; made anew each time, so that nothing of an earlier one stays."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._up = self._gauge("aether_record_up", "Whether the record answered, 1 or 0")
        self._unprotected = self._gauge(
            "aether_trade_unprotected_current_seconds",
            "How long the longest uncovered of the account's trades has been so; 0 if none is",
            "account",
        )
        self._age = self._gauge(
            "aether_reconciliation_age_seconds",
            "Time since the account was last compared with the exchange as a whole",
            "account",
        )
        self._standing = self._gauge(
            "aether_reconciliation_standing_differences_count",
            "Differences that the account's last whole comparison found",
            "account",
        )
        self._quarantined = self._gauge(
            "aether_record_quarantined_writes_standing_count",
            "Writes that the record could not hold and nobody has dealt with",
            "account",
        )

        self._cosigned_age = self._gauge(
            "aether_audit_checkpoint_age_seconds",
            "Time since a witness cosigned the record of actions; absent when it never did",
        )
        self._uncosigned = self._gauge(
            "aether_audit_unprotected_rows_count",
            "Rows of the record of actions after the last cosigned checkpoint",
        )

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(name, words, labels, registry=self.registry)

    async def read(self, database: Database, verifiers: list[NoteVerifier]) -> None:
        """Read every account; a record that does not answer in time is said to be down."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                for account in await database.accounts():
                    self._quarantined.labels(account).set(0)
                    await self._read_account(database, account)
                for row in await PostgresQuarantine(database).standing():
                    self._quarantined.labels(row.account_id).inc()
                await self._read_protection(database, verifiers)
        except (OSError, TimeoutError, SQLAlchemyError):
            self._up.set(0)
        else:
            self._up.set(1)

    async def _read_protection(self, database: Database, verifiers: list[NoteVerifier]) -> None:
        protection = await read_protection(database, verifiers)
        self._uncosigned.set(protection.unprotected)
        if protection.cosigned_at is None:
            self.registry.unregister(self._cosigned_age)
        else:
            self._cosigned_age.set(_seconds_since(protection.cosigned_at))

    async def _read_account(self, database: Database, account: str) -> None:
        newest = (
            select(ReconciliationRow)
            .where(col(ReconciliationRow.complete))
            .order_by(col(ReconciliationRow.number).desc())
            .limit(1)
        )
        async with database.account_scope(account) as session:
            since = (await session.exec(select(func.min(TradeRow.unprotected_since)))).one()
            last = (await session.exec(newest)).first()
        self._unprotected.labels(account).set(0 if since is None else _seconds_since(since))
        if last is not None:
            self._age.labels(account).set(_seconds_since(last.at))
            found = sum(len(names) for names in last.differences.values())
            self._standing.labels(account).set(found)


async def record_metrics(services: Services) -> bytes:
    """Return the record's figures as Prometheus reads them."""
    gauges = RecordGauges()
    try:
        verifiers = record_verifiers(services.settings)
    except StateError:  # told among the lesser forms; nothing counts as cosigned without keys
        verifiers = []
    await gauges.read(services.database, verifiers)
    return generate_latest(gauges.registry)


def _seconds_since(moment: datetime) -> float:
    return max(0.0, (datetime.now(UTC) - moment).total_seconds())
