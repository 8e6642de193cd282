"""The platform's settings: changed here and nowhere else, version by version."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.adapters.postgres.accounts.settings_journal import in_force, settings_columns
from activities.ports.platform import MadeVersion
from infra.runtime.database.connections import Database, RecordSession
from models.tables import PLATFORM
from models.tables.accounts.settings import PlatformSettingsRow
from models.trading.account.settings.in_force import (
    SettingsInForce,
    record_of,
    rules_of_platform,
    version_in_force,
)
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.reading import PlatformRules
from models.trading.settings.versions import (
    ChangeRequest,
    SettingsDecision,
    SettingsVersion,
)

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('aether.platform_settings'))")
_INSERT = text(
    """INSERT INTO platform_settings_versions (version, request_id, settings, changes, author,
           reason, approved_by, at)
       VALUES (:version, :request_id, :settings, :changes, :author, :reason, :approved_by, :at)"""
)


class PostgresPlatformSettings:
    """Needs a Database of the role ``aether_app`` to write."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self) -> SettingsVersion:
        """Return the settings in force; version zero are the defaults."""
        async with self._database.no_scope() as session:
            return version_of(await _newest(session, 1))

    async def settings_made_by(self, request_id: str) -> MadeVersion | None:
        """Return the version that a request has made before."""
        async with self._database.no_scope() as session:
            row = await _by_request(session, request_id)
        return None if row is None else MadeVersion(row.version, _dangerous(row))

    async def save_settings(
        self, request_id: str, request: ChangeRequest, decision: SettingsDecision
    ) -> None:
        """Write the version of a decision, audited, once by its request.

        One that somebody else has made meanwhile violates the key of versions: decide anew.
        """
        async with self._database.platform_scope() as session:
            await session.sql(_LOCK, {})
            if await _by_request(session, request_id) is None:
                await _write(session, request_id, request, decision)

    async def in_force(self) -> SettingsInForce:
        """Return the settings; version zero are the defaults."""
        rows = await self.versions(1)
        return in_force(rows[0]) if rows else SettingsInForce()

    async def rules(self) -> PlatformRules:
        """Return what the settings mean."""
        return rules_of_platform(await self.in_force())

    async def versions(self, limit: int) -> Sequence[PlatformSettingsRow]:
        """Return the newest versions, newest first."""
        async with self._database.no_scope() as session:
            return await _newest(session, limit)


def version_of(rows: Sequence[PlatformSettingsRow]) -> SettingsVersion:
    """Return the version in force, given the newest rows."""
    settings = in_force(rows[0]) if rows else SettingsInForce()
    return version_in_force(PLATFORM, SettingScope.PLATFORM, settings)


async def _write(
    session: RecordSession, request_id: str, request: ChangeRequest, decision: SettingsDecision
) -> None:
    assert decision.version is not None
    record = record_of(decision.version, request.at)
    await session.sql(_INSERT, {"request_id": request_id} | settings_columns(record))
    details = {"version": str(record.version), "reason": record.reason}
    details |= {change.name: f"{change.before} -> {change.after}" for change in record.changes}
    dangerous = ", ".join(change.name for change in record.changes if change.dangerous)
    if dangerous:
        details["dangerous"] = dangerous
    if record.approved_by is not None:
        details["approved_by"] = record.approved_by
    await audit.append(session, PLATFORM, request.author, "settings_changed", details)


async def _newest(session: RecordSession, limit: int) -> Sequence[PlatformSettingsRow]:
    order = col(PlatformSettingsRow.version).desc()
    return (await session.exec(select(PlatformSettingsRow).order_by(order).limit(limit))).all()


async def _by_request(session: RecordSession, request_id: str) -> PlatformSettingsRow | None:
    query = select(PlatformSettingsRow).where(PlatformSettingsRow.request_id == request_id)
    return (await session.exec(query)).first()


def _dangerous(row: PlatformSettingsRow) -> tuple[str, ...]:
    return tuple(change["name"] for change in row.changes if change["dangerous"])
