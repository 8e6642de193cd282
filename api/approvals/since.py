"""What has changed since a request was made, for whoever is to decide on it."""

from typing import Any

from sqlmodel import col, select

from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from activities.adapters.postgres.market.rules_record import newest_version
from api.approvals.exchange_keys import terms_of_record
from api.queries.market import market_of
from api.services import Services
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.tables import ApprovalRow, KillSwitchRow, ModeChangeRow
from models.trading.governance.approval import ApprovalRequest, ApprovalStatus, check_price
from models.trading.governance.going_live import LiveTerms, changed_terms
from models.trading.governance.subject_contents import (
    LiftContent,
    LiveContent,
    SettingsContent,
    UniverseContent,
    read_content,
)
from models.trading.governance.subjects import Subject

VERSIONS = 50


async def changes_since(services: Services, row: ApprovalRow) -> list[str]:
    """Return one line for each thing that is another one now; none for a decided request."""
    if ApprovalStatus(row.status).is_final:
        return []
    asked, lines = row.request(), []
    if asked.reference_price is not None:
        market = await market_of(services, asked.symbol)
        judged = check_price(asked, None if market is None else market.mid)
        lines.append(judged.reason)
    if asked.content and asked.subject is Subject.CHANGE_SETTINGS:
        lines += await _settings(services, row.account_id, asked)
    elif asked.subject is Subject.UNIVERSE:
        lines += await _universe(services, asked)
    elif asked.subject is Subject.LIFT_KILL_SWITCH:
        lines += await _kill_switches(services, asked)
    elif asked.subject is Subject.GO_LIVE:
        lines += await _modes(services, row)
        lines += await _terms(services, row.account_id, asked)
    return lines


async def _settings(services: Services, account: str, asked: ApprovalRequest) -> list[str]:
    rows: Any
    if account == PLATFORM_SCOPE:
        rows = await PostgresPlatformSettings(services.database).versions(VERSIONS)
    else:
        journal = SettingsJournal(services.database)
        rows = await journal.settings_versions(account, VERSIONS)
    based_on = read_content(SettingsContent, asked.content).based_on
    return [
        f"version {one.version} by {one.author}: "
        + "; ".join(f"{c['name']}: {c['before']} -> {c['after']}" for c in one.changes)
        for one in reversed(rows)
        if one.version > based_on
    ]


async def _universe(services: Services, asked: ApprovalRequest) -> list[str]:
    made = read_content(UniverseContent, asked.content).version
    async with services.database.no_scope() as session:
        row = await newest_version(session)
    if row is None or row.version < made:
        return []
    return [f"version {row.version} by {row.author}: {row.reason}"]


async def _kill_switches(services: Services, asked: ApprovalRequest) -> list[str]:
    lift = read_content(LiftContent, asked.content)
    query = select(KillSwitchRow).where(
        col(KillSwitchRow.engaged_at) > asked.requested_at,
        col(KillSwitchRow.lifted_at).is_(None),
    )
    async with services.database.no_scope() as session:
        rows = (await session.exec(query)).all()
    return [
        f"kill switch {row.number} was engaged by {row.engaged_by}: {row.reason}"
        for row in rows
        if set(row.accounts) & set(lift.accounts)
    ]


async def _modes(services: Services, row: ApprovalRow) -> list[str]:
    query = select(ModeChangeRow).where(col(ModeChangeRow.at) > row.requested_at)
    async with services.database.account_scope(row.account_id) as session:
        changes = (await session.exec(query)).all()
    return [f"the mode was set to {one.mode} by {one.changed_by}" for one in changes]


async def _terms(services: Services, account: str, asked: ApprovalRequest) -> list[str]:
    content = read_content(LiveContent, asked.content)
    shown = LiveTerms(content.key or None, content.limits_version or None)
    changed = changed_terms(shown, await terms_of_record(services, account))
    return [f"another one since it was asked for: {changed}; it counts no more"] if changed else []
