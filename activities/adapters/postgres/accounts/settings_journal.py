"""Settings of accounts and what entries were decided by, in the record."""

import json
from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlmodel import col, select

from infra.runtime.database.connections import Database, RecordSession
from models.tables.accounts.settings import AccountSettingsRow
from models.tables.documents import entry_document
from models.trading.account.entries.record import EntryRecord
from models.trading.account.settings.in_force import ChangedValue, SettingsInForce, SettingsRecord

_SAVE = text(
    """INSERT INTO account_settings (account_id, version, settings, changes, author, reason,
           approved_by, at)
       VALUES (:account, :version, :settings, :changes, :author, :reason, :approved_by, :at)
       ON CONFLICT DO NOTHING"""
)
_SAVE_ENTRY = text(
    """INSERT INTO entry_assessments (account_id, trade, settings_version, platform_version,
           assessment)
       VALUES (:account, :trade, :settings_version, :platform_version, :assessment)
       ON CONFLICT DO NOTHING"""
)


class SettingsJournal:
    """The part of the journal that holds settings and assessments of entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_settings(self, account: str, record: SettingsRecord) -> None:
        """Write a version, once; an account's workflow is the only one that makes them."""
        async with self._database.light_scope(account) as session:
            await session.sql(_SAVE, {"account": account} | settings_columns(record))

    async def save_entry(self, account: str, record: EntryRecord) -> None:
        """Write what an entry was decided by, once."""
        values = {
            "account": account,
            "trade": record.trade,
            "settings_version": record.settings_version,
            "platform_version": record.platform_version,
            "assessment": Jsonb(entry_document(record)),
        }
        async with self._database.light_scope(account) as session:
            await session.sql(_SAVE_ENTRY, values)

    async def settings_versions(self, account: str, limit: int) -> Sequence[AccountSettingsRow]:
        """Return the newest versions of an account's settings, newest first."""
        async with self._database.account_scope(account) as session:
            return await newest_settings(session, limit)

    async def settings_in_force(self, account: str) -> SettingsInForce:
        """Return an account's settings; version zero are the defaults."""
        rows = await self.settings_versions(account, 1)
        return in_force(rows[0]) if rows else SettingsInForce()

    async def limits_version(self, account: str) -> int | None:
        """Return the version of the settings that people have made, None: still the defaults."""
        return (await self.settings_in_force(account)).version or None


async def newest_settings(session: RecordSession, limit: int) -> Sequence[AccountSettingsRow]:
    """Return the newest versions of the account whose scope the session is in, newest first."""
    order = col(AccountSettingsRow.version).desc()
    return (await session.exec(select(AccountSettingsRow).order_by(order).limit(limit))).all()


def in_force(row: Any) -> SettingsInForce:
    """Return what a stored version puts in force."""
    values = json.dumps(row.settings, separators=(",", ":"), sort_keys=True)
    return SettingsInForce(row.version, values)


def settings_columns(record: SettingsRecord) -> dict[str, object]:
    """Return the columns of a version."""
    return {
        "version": record.version,
        "settings": Jsonb(json.loads(record.values)),
        "changes": Jsonb([_change(change) for change in record.changes]),
        "author": record.author,
        "reason": record.reason,
        "approved_by": record.approved_by,
        "at": record.at,
    }


def _change(change: ChangedValue) -> dict[str, object]:
    return {
        "name": change.name,
        "before": json.loads(change.before),
        "after": json.loads(change.after),
        "dangerous": change.dangerous,
    }
