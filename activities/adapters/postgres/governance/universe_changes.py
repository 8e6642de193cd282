"""Changes of the universe by people: one asks, another decides; all of it audited."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
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
from activities.ports.rules import UniverseAuthorship
from infra.runtime.database.connections import Database, RecordSession
from models.tables import PLATFORM, UniverseChangeRow, UniverseProposalRow
from models.trading.universe.changes import UniverseChange, apply_change, judge_universe_change
from models.trading.universe.pairs import Universe, UniverseProposal
from models.trading.verdicts import Check, Verdict

WAITING, APPLIED, REFUSED = "waiting", "applied", "refused"
SECOND_PERSON = "second-person-needed"


@dataclass(frozen=True, slots=True)
class ChangeWanted:
    """A change as somebody asks for it."""

    request_id: str
    author: str
    reason: str
    joins: tuple[str, ...]
    leaves: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    """Where a change stands, None when there is none; what did not pass is in the verdict."""

    row: UniverseChangeRow | None
    verdict: Verdict


class PostgresUniverseChanges:
    """Needs a Database of the role ``aether_app``; every method may be repeated."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, wanted: ChangeWanted) -> ChangeOutcome:
        """Write a change that waits for another person, unless it could not be made at all."""
        async with self._database.platform_scope() as session:
            known = await _by_request(session, wanted.request_id)
            if known is not None:
                return ChangeOutcome(known, Verdict(()))
            universe, number, proposal = await _standing(session)
            change = UniverseChange(
                universe.version + 1,
                wanted.author,
                "",
                wanted.reason,
                wanted.at,
                wanted.joins,
                wanted.leaves,
            )
            verdict = _without_approval(judge_universe_change(universe, proposal, change))
            if not verdict.allowed:
                return ChangeOutcome(None, verdict)
            row = await _insert(session, wanted, number, change.version)
            details = _details(row) | {"reason": wanted.reason}
            await audit.append(
                session, PLATFORM, wanted.author, "universe_change_requested", details
            )
            return ChangeOutcome(row, verdict)

    async def decide(
        self, number: int, by: str, *, approve: bool, at: datetime, held: Collection[str]
    ) -> ChangeOutcome:
        """Apply a waiting change, approved by another person, or refuse it; a repeat is no error.

        ``held`` are the pairs of which something is held: they leave when nothing is any more.
        """
        async with self._database.platform_scope() as session:
            row = await session.get(UniverseChangeRow, number, with_for_update=True)
            if row is None:
                return ChangeOutcome(None, Verdict(()))
            if row.outcome != WAITING:
                same = row.decided_by == by and (row.outcome == APPLIED) is approve
                return ChangeOutcome(row, Verdict((_still_waiting(row, passed=same),)))
            if not approve:
                return ChangeOutcome(await _settle(session, row, REFUSED, by, at), Verdict(()))
            universe, _, proposal = await _standing(session)
            change = UniverseChange(
                row.version,
                row.author,
                by,
                row.reason,
                at,
                tuple(row.joins),
                tuple(row.leaves),
            )
            verdict = judge_universe_change(universe, proposal, change)
            if not verdict.allowed:
                return ChangeOutcome(row, verdict)
            made = apply_change(universe, proposal, change, held)
            authorship = UniverseAuthorship(
                row.author, by, row.reason, at, change.joins, change.leaves
            )
            await write_version(session, made, authorship)
            return ChangeOutcome(await _settle(session, row, APPLIED, by, at), verdict)

    async def changes(self, limit: int) -> Sequence[UniverseChangeRow]:
        """Return changes, newest first."""
        query = select(UniverseChangeRow).order_by(col(UniverseChangeRow.number).desc())
        async with self._database.no_scope() as session:
            return (await session.exec(query.limit(limit))).all()


async def _standing(session: RecordSession) -> tuple[Universe, int | None, UniverseProposal]:
    """Return universe and newest proposal; one made for an earlier version proposes nothing."""
    version = await newest_version(session, locked=True)
    universe = Universe() if version is None else universe_of(version)
    query = select(UniverseProposalRow).order_by(col(UniverseProposalRow.number).desc()).limit(1)
    row = (await session.exec(query)).first()
    if row is None or row.based_on != universe.version:
        return universe, None, UniverseProposal(universe.version, (), (), {})
    return universe, row.number, proposal_of(row)


async def _by_request(session: RecordSession, request_id: str) -> UniverseChangeRow | None:
    query = select(UniverseChangeRow).where(UniverseChangeRow.request_id == request_id)
    return (await session.exec(query)).first()


async def _insert(
    session: RecordSession, wanted: ChangeWanted, proposal: int | None, version: int
) -> UniverseChangeRow:
    values = {
        "request_id": wanted.request_id,
        "proposal": proposal,
        "version": version,
        "joins": list(wanted.joins),
        "leaves": list(wanted.leaves),
        "author": wanted.author,
        "reason": wanted.reason,
        "at": wanted.at,
        "outcome": WAITING,
    }
    await session.exec(insert(UniverseChangeRow).values(values).on_conflict_do_nothing())
    row = await _by_request(session, wanted.request_id)
    assert row is not None
    return row


async def _settle(
    session: RecordSession, row: UniverseChangeRow, outcome: str, by: str, at: datetime
) -> UniverseChangeRow:
    row.outcome, row.decided_by, row.decided_at = outcome, by, at
    await session.flush()
    await audit.append(session, PLATFORM, by, f"universe_change_{outcome}", _details(row))
    return row


def _without_approval(verdict: Verdict) -> Verdict:
    return replace(verdict, checks=tuple(c for c in verdict.checks if c.code != SECOND_PERSON))


def _still_waiting(row: UniverseChangeRow, *, passed: bool) -> Check:
    reason = f"change {row.number} was {row.outcome} by {row.decided_by}"
    return Check("approval", "approval-decided", passed, reason)


def _details(row: UniverseChangeRow) -> dict[str, str]:
    return {
        "change": str(row.number),
        "version": str(row.version),
        "joins": ", ".join(row.joins),
        "leaves": ", ".join(row.leaves),
    }
