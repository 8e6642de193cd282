"""Changes of the universe that people ask for: they wait, and are applied or refused once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.adapters.postgres.market.rules_record import (
    newest_version,
    proposal_of,
    universe_of,
    write_version,
)
from activities.ports.platform import StandingUniverse, WantedUniverse
from activities.ports.rules import UniverseAuthorship
from infra.runtime.database.connections import Database, RecordSession
from models.tables import PLATFORM, UniverseChangeRow, UniverseProposalRow
from models.trading.universe.pairs import Universe, UniverseProposal

WAITING, APPLIED, REFUSED = "waiting", "applied", "refused"


class PostgresUniverseChanges:
    """Needs a Database of the role ``aether_app`` to write; every method may be repeated."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def universe(self) -> StandingUniverse:
        """Return universe and newest proposal; one made for an earlier version proposes nothing."""
        query = select(UniverseProposalRow).order_by(col(UniverseProposalRow.number).desc())
        async with self._database.no_scope() as session:
            version = await newest_version(session)
            row = (await session.exec(query.limit(1))).first()
        universe = Universe() if version is None else universe_of(version)
        if row is None or row.based_on != universe.version:
            return StandingUniverse(universe, UniverseProposal(universe.version, (), (), {}))
        return StandingUniverse(universe, proposal_of(row), row.number)

    async def save_wanted(self, wanted: WantedUniverse) -> int:
        """Write a change that waits, audited, once by its request; return its number."""
        values = {
            "request_id": wanted.request_id,
            "approval_id": wanted.approval,
            "proposal": wanted.proposal,
            "version": wanted.version,
            "joins": list(wanted.joins),
            "leaves": list(wanted.leaves),
            "author": wanted.author,
            "reason": wanted.reason,
            "at": wanted.at,
            "outcome": WAITING,
        }
        new = insert(UniverseChangeRow).values(values).on_conflict_do_nothing()
        async with self._database.platform_scope() as session:
            is_new = (await session.exec(new.returning(col(UniverseChangeRow.number)))).first()
            row = await _by_approval(session, wanted.approval)
            assert row is not None
            assert row.number is not None
            if is_new is not None:
                details = _details(row) | {"reason": wanted.reason}
                await audit.append(
                    session, PLATFORM, wanted.author, "universe_change_requested", details
                )
            return row.number

    async def is_waiting(self, number: int) -> bool:
        """Tell whether a change waits."""
        async with self._database.no_scope() as session:
            row = await session.get(UniverseChangeRow, number)
        return row is not None and row.outcome == WAITING

    async def settle_wanted(
        self, number: int, by: str, at: datetime, made: Universe | None, author: UniverseAuthorship
    ) -> None:
        """Note that a change was refused, or applied with the version it makes; once, audited."""
        async with self._database.platform_scope() as session:
            row = await session.get_one(UniverseChangeRow, number, with_for_update=True)
            if row.outcome != WAITING:
                return
            if made is not None:
                await write_version(session, made, author)
            row.outcome = REFUSED if made is None else APPLIED
            row.decided_by, row.decided_at = by, at
            await session.flush()
            action = f"universe_change_{row.outcome}"
            await audit.append(session, PLATFORM, by, action, _details(row))

    async def by_approval(self, approval: str) -> UniverseChangeRow | None:
        """Return the change that a request for approval is about."""
        async with self._database.no_scope() as session:
            return await _by_approval(session, approval)

    async def numbered(self, number: int) -> UniverseChangeRow | None:
        """Return a change by its number."""
        async with self._database.no_scope() as session:
            return await session.get(UniverseChangeRow, number)

    async def changes(self, limit: int) -> Sequence[UniverseChangeRow]:
        """Return changes, newest first."""
        query = select(UniverseChangeRow).order_by(col(UniverseChangeRow.number).desc())
        async with self._database.no_scope() as session:
            return (await session.exec(query.limit(limit))).all()


async def _by_approval(session: RecordSession, approval: str) -> UniverseChangeRow | None:
    query = select(UniverseChangeRow).where(UniverseChangeRow.approval_id == approval)
    return (await session.exec(query)).first()


def _details(row: UniverseChangeRow) -> dict[str, str]:
    return {
        "change": str(row.number),
        "version": str(row.version),
        "joins": ", ".join(row.joins),
        "leaves": ", ".join(row.leaves),
    }
