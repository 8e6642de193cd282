"""Universe and correlation groups in the record, as ``rules_ports`` asks for them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.ports.rules import UniverseAuthorship
from infra.runtime.database.connections import Database, RecordSession
from models.tables import (
    PLATFORM,
    CorrelationRow,
    UniverseProposalRow,
    UniverseVersionRow,
)
from models.tables.rules_documents import (
    estimates_document,
    joining_pairs,
    joins_document,
    pairs_document,
    universe_pairs,
    verdicts_by_symbol,
    verdicts_document,
)
from models.trading.universe.correlation import Correlations
from models.trading.universe.pairs import Universe, UniverseProposal

_HELD = text(
    """SELECT asset || '/USD' AS symbol FROM balances WHERE asset <> 'USD' AND total <> 0
       UNION SELECT symbol FROM trades WHERE phase <> 'settled'"""
)

_SANCTIONED = text("SELECT named FROM sanctions_lists ORDER BY read_at DESC LIMIT 1")


class PostgresMarketRules:
    """Needs a Database of the role ``aether_app``; every method may be repeated."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self) -> Universe | None:
        """Return the universe in force, None before the first."""
        async with self._database.no_scope() as session:
            row = await newest_version(session)
        return None if row is None else universe_of(row)

    async def reviewed_at(self) -> datetime | None:
        """Return when the universe was reviewed last (protocol time), None before the first."""
        async with self._database.no_scope() as session:
            row = await newest_version(session)
        return None if row is None else row.refreshed_at

    async def computed_at(self) -> datetime | None:
        """Return when the groups were computed last (protocol time), None before the first."""
        query = select(CorrelationRow).order_by(col(CorrelationRow.number).desc()).limit(1)
        async with self._database.no_scope() as session:
            row = (await session.exec(query)).first()
        return None if row is None else row.at

    async def install(self, universe: Universe, by: UniverseAuthorship) -> bool:
        """Write the next version, audited; False when that version exists already."""
        async with self._database.platform_scope() as session:
            return await write_version(session, universe, by)

    async def refresh(self, universe: Universe, at: datetime) -> None:
        """Write minimums and status of the day, the pairs that are gone, and when that was."""
        statement = (
            update(UniverseVersionRow)
            .where(col(UniverseVersionRow.version) == universe.version)
            .values(pairs=pairs_document(universe.pairs), refreshed_at=at)
        )
        async with self._database.no_scope() as session:
            await session.exec(statement)

    async def save_proposal(self, proposal: UniverseProposal, at: datetime) -> int:
        """Write a proposal and return its number; the newest again when it says the same."""
        row = UniverseProposalRow(
            based_on=proposal.based_on,
            joins=joins_document(proposal.join),
            leaves=list(proposal.leave),
            verdicts=verdicts_document(proposal.verdicts),
            at=at,
        )
        query = select(UniverseProposalRow).order_by(col(UniverseProposalRow.number).desc())
        async with self._database.no_scope() as session:
            last = (await session.exec(query.limit(1))).first()
            if last is not None and last.number is not None and _same(last, row):
                return last.number
            session.add(row)
            await session.flush()
            assert row.number is not None
            return row.number

    async def sanctioned(self) -> Mapping[str, str] | None:
        """Return the entry that names each asset in the newest list of sanctions, None without."""
        async with self._database.no_scope() as session:
            rows = list(await session.sql(_SANCTIONED))
        return dict(rows[0].named) if rows else None

    async def held_symbols(self) -> frozenset[str]:
        """Return the pairs of which any account holds something or has a trade open."""
        held: set[str] = set()
        for account in await self._database.accounts():
            async with self._database.account_scope(account) as session:
                held |= {row.symbol for row in await session.sql(_HELD)}
        return frozenset(held)

    async def save_correlations(
        self, correlations: Correlations, at: datetime, market_time: datetime | None
    ) -> int:
        """Write a computation and return its number."""
        row = CorrelationRow(
            at=at,
            market_time=market_time,
            target=f"{correlations.target:.6f}",
            groups=correlations.group_names,
            estimates=estimates_document(correlations.estimates),
        )
        async with self._database.no_scope() as session:
            session.add(row)
            await session.flush()
            assert row.number is not None
            return row.number

    async def current_groups(self) -> tuple[int, Mapping[str, str]]:
        """Return number and groups by symbol of the newest one; zero and none before the first."""
        query = select(CorrelationRow).order_by(col(CorrelationRow.number).desc()).limit(1)
        async with self._database.no_scope() as session:
            row = (await session.exec(query)).first()
        return (0, {}) if row is None or row.number is None else (row.number, row.groups)


async def newest_version(
    session: RecordSession, *, locked: bool = False
) -> UniverseVersionRow | None:
    """Return the newest version of the universe."""
    query = select(UniverseVersionRow).order_by(col(UniverseVersionRow.version).desc()).limit(1)
    if locked:
        query = query.with_for_update()
    return (await session.exec(query)).first()


def universe_of(row: UniverseVersionRow) -> Universe:
    """Return a stored version in the domain's words."""
    return Universe(row.version, universe_pairs(row.pairs))


def proposal_of(row: UniverseProposalRow) -> UniverseProposal:
    """Return a stored proposal in the domain's words."""
    verdicts = verdicts_by_symbol(row.verdicts)
    return UniverseProposal(row.based_on, joining_pairs(row.joins), tuple(row.leaves), verdicts)


async def write_version(session: RecordSession, universe: Universe, by: UniverseAuthorship) -> bool:
    """Write a version and its audit row in the session's transaction; False when it exists."""
    values = {
        "version": universe.version,
        "pairs": pairs_document(universe.pairs),
        "author": by.author,
        "approved_by": by.approved_by,
        "reason": by.reason,
        "joins": list(by.joins),
        "leaves": list(by.leaves),
        "at": by.at,
        "refreshed_at": by.at,
    }
    new = insert(UniverseVersionRow).values(values).on_conflict_do_nothing()
    if (await session.exec(new.returning(col(UniverseVersionRow.version)))).first() is None:
        return False
    details = {
        "version": str(universe.version),
        "author": by.author,
        "reason": by.reason,
        "joins": ", ".join(by.joins),
        "leaves": ", ".join(by.leaves),
    }
    # In the name of who put it into force, which the connection vouches for.
    await audit.append(session, PLATFORM, by.approved_by, "universe_changed", details)
    return True


def _same(one: UniverseProposalRow, other: UniverseProposalRow) -> bool:
    def content(row: UniverseProposalRow) -> tuple[Any, ...]:
        return row.based_on, [join["symbol"] for join in row.joins], row.leaves

    return content(one) == content(other)
