"""Figures of the record for Prometheus, read when they are asked for.

They are true while the trading process is dead, which is when they matter most.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import nan
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from activities.adapters.postgres.governance.freezes import PostgresFreezes
from activities.adapters.postgres.learning.champions import standing_of_champion
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine
from activities.adapters.postgres.record.protection import read_protection
from activities.adapters.postgres.record.told_events import read_events
from api.queries import notifications
from api.queries.data.metrics import DataGauges
from api.queries.operation_metrics import OperationGauges
from api.services import Services
from infra.backup.verified import age
from infra.runtime.database.connections import Database
from infra.runtime.errors import StateError
from infra.runtime.note_keys import NoteVerifier
from infra.runtime.record_keys import record_verifiers
from infra.runtime.settings import Settings
from infra.runtime.temporal.access import certificate_ends
from models.tables.accounts.accounts import AccountRow
from models.tables.accounts.reconciliations import ReconciliationRow
from models.tables.documents import account_halts
from models.tables.governance.governance import KillSwitchRow
from models.tables.trades.trades import TradeRow
from models.trading.account.settings.in_force import rules_of_account
from models.trading.account.state import Halt, HaltKind
from models.trading.governance.notifications.notice import Severity
from models.trading.governance.notifications.routing import ChannelKind
from models.trading.governance.record.cadence import LONGEST_AGE
from models.trading.trade.state import TradePhase

READ_SECONDS = 2.0
SHOWN = 1_000
UNKNOWN = (HaltKind.UNMEASURED, HaltKind.OUTDATED, HaltKind.DAY_OVERDUE)
"""Halts for want of a figure: what is held, what rules are told, the day's own opening."""
_OPEN = (
    select(TradeRow.symbol, func.count())
    .where(TradeRow.phase != TradePhase.SETTLED.value)
    .group_by(TradeRow.symbol)
)
_QUARANTINED_HISTORY = text("SELECT count(*) FROM history_batches WHERE quarantined")


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
        self._history = self._gauge(
            "aether_history_quarantined_batches_count",
            "Batches of imported history that have a fault and are not part of the record",
        )

        self._unmeasured = self._gauge(
            "aether_account_unmeasured_seconds",
            "How long the account has taken no entries for want of a figure; 0 if it has all",
            "account",
            "kind",
        )
        self._alert = self._gauge(
            "aether_account_unmeasured_alert",
            "Whether one of these has lasted longer than the account's figures.alert_after, 1 or 0",
            "account",
        )
        self._open = self._gauge(
            "aether_trades_open_count",
            "Trades that have not come to their end, so that coins may be held",
            "account",
            "symbol",
        )
        self._halted = self._gauge(
            "aether_account_halted",
            "Whether the account takes no entries for this reason, 1 or 0",
            "account",
            "kind",
        )
        self._unacknowledged = self._gauge(
            "aether_kill_switch_unacknowledged_seconds",
            "How long the oldest standing kill switch has waited for an account; 0 if none does",
        )
        self._engaged = self._gauge(
            "aether_kill_switches_engaged", "Kill switches that stand, of any account or pair"
        )
        self._breaks = self._gauge(
            "aether_freeze_breaks_unreviewed",
            "Changes made in spite of a change freeze that nobody has reviewed yet",
        )
        self._backup = self._gauge(
            "aether_backup_verified_age_seconds",
            "Time since the newest verified backup was taken; infinite without one",
        )
        self._certificates = self._gauge(
            "aether_certificate_remaining_seconds",
            "Until a certificate of the platform ends; NaN where it cannot be read",
            "certificate",
        )
        self._cosigned_age = self._gauge(
            "aether_audit_checkpoint_age_seconds",
            "Time since a witness cosigned the record of actions; absent when it never did",
        )
        self._uncosigned = self._gauge(
            "aether_audit_unprotected_rows_count",
            "Rows of the record of actions after the last cosigned checkpoint",
        )

        self._withdrawn = self._gauge(
            "aether_champion_withdrawals_count", "Champions that their watch has withdrawn"
        )
        self._differing = self._gauge(
            "aether_feature_replay_differing_count",
            "Logged vectors that the last replay did not confirm",
        )
        self._promotion = self._gauge(
            "aether_champion_promotion_seconds",
            "From the newest promotion's approval to its effect; absent before the first",
        )
        self._unseen = self._gauge(
            "aether_notifications_unacknowledged_count",
            "Notifications that nobody has acknowledged and that are not over",
            "severity",
        )
        self._undelivered = self._gauge(
            "aether_notifications_undelivered_count",
            "Messages of the last hour that were given up or go on failing",
            "kind",
        )
        self._backlog = self._gauge(
            "aether_notifications_backlog_rows_count",
            "Rows of the record that the notifying process has not looked at",
        )

        self._data = DataGauges(self.registry)

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(name, words, labels, registry=self.registry)

    def read_certificates(self, settings: Settings) -> None:
        """Read how long certificates are good for: of files, whatever the record does."""
        now = datetime.now(UTC)
        for name, ends in certificate_ends(settings).items():
            left = nan if ends is None else (ends - now).total_seconds()
            self._certificates.labels(name).set(left)

    async def read(self, database: Database, home: Path, verifiers: list[NoteVerifier]) -> None:
        """Read every account; a record that does not answer in time is said to be down."""
        self._backup.set(age(home, datetime.now(UTC)))
        try:
            async with asyncio.timeout(READ_SECONDS):
                for account in await database.accounts():
                    self._quarantined.labels(account).set(0)
                    await self._read_account(database, account)
                await self._read_kill_switches(database)
                for row in await PostgresQuarantine(database).standing():
                    self._quarantined.labels(row.account_id).inc()
                await self._read_protection(database, verifiers)
                self._history.set((await database.call(_QUARANTINED_HISTORY))[0][0])
                await self._data.read(database)
                await self._read_notifications(database)
                await self._read_champion(database)
        except (OSError, TimeoutError, SQLAlchemyError):
            self._up.set(0)
            self._data.forget()
            for unknown in (
                self._unacknowledged,
                self._uncosigned,
                self._history,
                self._backlog,
                self._withdrawn,
                self._differing,
                self._engaged,
                self._breaks,
            ):  # unknown is not zero
                self.registry.unregister(unknown)
            for absent in (self._cosigned_age, self._promotion):
                with suppress(KeyError):
                    self.registry.unregister(absent)
        else:
            self._up.set(1)

    async def _read_kill_switches(self, database: Database) -> None:
        standing = select(KillSwitchRow).where(col(KillSwitchRow.lifted_at).is_(None))
        async with database.no_scope() as session:
            rows = (await session.exec(standing)).all()
        self._engaged.set(len(rows))
        self._breaks.set(len(await PostgresFreezes(database).breaks(SHOWN, unreviewed=True)))
        waiting = [row.engaged_at for row in rows if set(row.accounts) - set(row.acknowledged)]
        self._unacknowledged.set(_seconds_since(min(waiting)) if waiting else 0)

    async def _read_protection(self, database: Database, verifiers: list[NoteVerifier]) -> None:
        protection = await read_protection(database, verifiers)
        self._uncosigned.set(protection.unprotected)
        at, now = protection.cosigned_at, datetime.now(UTC)
        # One of the future protects nothing, and is no young one either.
        if at is None or at - now > LONGEST_AGE:
            self.registry.unregister(self._cosigned_age)
        else:
            self._cosigned_age.set(_seconds_since(at))

    async def _read_champion(self, database: Database) -> None:
        found = await standing_of_champion(database)
        self._withdrawn.set(found.withdrawn)
        self._differing.set(found.differing)
        if found.promotion_seconds is None:
            self.registry.unregister(self._promotion)
        else:
            self._promotion.set(found.promotion_seconds)

    async def _read_notifications(self, database: Database) -> None:
        waiting = await notifications.unacknowledged(database)
        for severity in Severity:
            if severity.needs_acknowledgement:
                self._unseen.labels(severity.value).set(waiting.get(severity.value, 0))
        hour = datetime.now(UTC) - timedelta(hours=1)
        failed = {row.kind: row.failed for row in await notifications.kinds(database, hour)}
        for kind in ChannelKind:
            self._undelivered.labels(kind.value).set(failed.get(kind.value, 0))
        self._backlog.set((await notifications.standing(database)).backlog)

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
            account_row = await session.get_one(AccountRow, account)
            opened = (await session.exec(_OPEN.where(TradeRow.account_id == account))).all()
        for kind in HaltKind:
            self._halted.labels(account, kind.value).set(0)
        halts = account_halts(account_row.halts)
        await self._read_halts(database, account, halts)
        for halt in halts:
            self._halted.labels(account, halt.kind.value).set(1)
        for symbol, count in opened:
            self._open.labels(account, symbol).set(count)
        self._unprotected.labels(account).set(0 if since is None else _seconds_since(since))
        if last is not None:
            self._age.labels(account).set(_seconds_since(last.at))
            found = sum(len(names) for names in last.differences.values())
            self._standing.labels(account).set(found)

    async def _read_halts(self, database: Database, account: str, halts: tuple[Halt, ...]) -> None:
        settings = await SettingsJournal(database).settings_in_force(account)
        patience = rules_of_account(settings).figures.alert_after.total_seconds()
        since = {halt.kind: halt.since for halt in halts}
        lasted = {kind: _seconds_since(since[kind]) for kind in UNKNOWN if kind in since}
        for kind in UNKNOWN:
            self._unmeasured.labels(account, kind.value).set(lasted.get(kind, 0))
        self._alert.labels(account).set(any(one > patience for one in lasted.values()))


async def record_metrics(services: Services) -> bytes:
    """Return the record's figures as Prometheus reads them, and the age of its backup."""
    gauges = RecordGauges()
    try:
        verifiers = record_verifiers(services.settings)
    except StateError:  # told among the degraded modes; nothing counts as cosigned without keys
        verifiers = []
    gauges.read_certificates(services.settings)
    beside = OperationGauges()
    await asyncio.gather(
        gauges.read(services.database, services.settings.home, verifiers),
        beside.read(services.database, read_events),
    )
    return generate_latest(gauges.registry) + generate_latest(beside.registry)


def _seconds_since(moment: datetime) -> float:
    return max(0.0, (datetime.now(UTC) - moment).total_seconds())
