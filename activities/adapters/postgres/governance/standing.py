"""What the record says of who approves, and of changes that a freeze holds back."""

from datetime import datetime

from sqlalchemy import text
from sqlmodel import col, select

from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from infra.runtime.database.connections import Database
from models.tables.governance.freezes import FreezeBreakRow, FreezeRow
from models.trading.governance.freeze import freezes_at

_NOTED = text(
    """SELECT EXISTS (SELECT FROM approval_decisions d JOIN approvals a
               USING (account_id, approval_id)
           WHERE account_id = :account AND approval_id = :approval AND d.decided_by = :by
               AND d.approved AND CAST(:content AS text) IN ('', a.content))"""
)


class GovernanceStanding:
    """The part of the journal that is asked before something counts. Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def was_authenticated(
        self, account: str, approval: str, by: str, content: str = ""
    ) -> bool:
        """Tell whether the API has noted the decision, which the database checks as it does.

        With a ``content`` it must be that of the request as it was shown.
        """
        values = {"account": account, "approval": approval, "by": by, "content": content}
        async with self._database.account_scope(account) as session:
            return bool((await session.sql(_NOTED, values)).scalar_one())

    async def held_by_freeze(self, request: str, at: datetime) -> str:
        """Return why changes are frozen; a request that has broken the glass is not held."""
        standing = select(FreezeRow).where(col(FreezeRow.ended_at).is_(None))
        broken = select(FreezeBreakRow).where(FreezeBreakRow.request_id == request)
        async with self._database.no_scope() as session:
            by_hand = [row.freeze() for row in (await session.exec(standing)).all()]
            is_broken = (await session.exec(broken)).first() is not None
        rules = await PostgresPlatformSettings(self._database).rules()
        held = freezes_at(by_hand, rules.freeze_windows, at)
        return "" if is_broken else "; ".join(one.reason for one in held)
