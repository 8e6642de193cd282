"""Modes of accounts in the record: what going live rests on, and every change."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.adapters.postgres.governance.revocations import is_revoked
from activities.ports.modes import (
    DirectorFactors,
    LastReconciliation,
    LiveRequest,
    OpenInMode,
    SimulationRun,
)
from infra.runtime.database.connections import Database, RecordSession
from models.contracts.modes import ExchangeToChange
from models.tables import (
    AccountRow,
    ApprovalRow,
    BalanceRow,
    GoingLiveCheckRow,
    GoingLiveRow,
    ModeChangeRow,
    ReconciliationRow,
    TradeRow,
)
from models.tables.documents import account_halts, live_facts_document, verdict_document
from models.tables.governance.exchange_keys import ExchangeKeyRow
from models.trading.governance.exchange_keys import IN_USE
from models.trading.governance.going_live import FACTORS_NEEDED, LiveFacts, LiveTerms
from models.trading.governance.subject_contents import LiveContent, read_content
from models.trading.risk.limits import Mode
from models.trading.trade.figures import net_share
from models.trading.trade.state import TradePhase

REQUEST_LIFE = timedelta(hours=24)
"""How long a request to go live counts, approval included."""
LONGEST_PAUSE = timedelta(days=2)
"""Market time between two marks of equity after which a simulation run counts as interrupted."""

# The stretch of marks that reaches up to the newest without a longer pause; only since the last
# change of mode, for before that it was another exchange.
_RUN = text(
    """WITH marks AS (
           SELECT at, at - lag(at) OVER (ORDER BY at) AS pause FROM nav_marks
           WHERE account_id = :account AND (CAST(:since AS timestamptz) IS NULL OR at > :since)
       ), began AS (
           SELECT COALESCE(max(at) FILTER (WHERE pause > :pause), min(at)) AS at FROM marks
       )
       SELECT began.at AS began, (SELECT max(at) FROM marks) AS ended,
              (SELECT count(*) FROM trades WHERE account_id = :account AND phase = 'settled'
                  AND closed_at >= began.at) AS trades
       FROM began"""
)
# What the account follows; where that is nothing, whatever it traded. Paid is what the entry cost.
_NET_RESULTS = text(
    """SELECT t.pnl, t.bought, t.average_entry_price
       FROM trades t JOIN accounts a USING (account_id)
       LEFT JOIN strategy_results r ON r.account_id = t.account_id AND r.trade = t.number
       WHERE t.account_id = :account AND t.phase = 'settled' AND t.closed_at >= :began
           AND t.bought > 0 AND t.sold > 0 AND t.average_entry_price > 0
           AND (cardinality(a.strategies) = 0 OR r.strategy = ANY (a.strategies))
       ORDER BY t.closed_at, t.number"""
)
_DIRECTORS = text("SELECT name, short FROM directors_of(:account, :needed)")
_LOCK_REQUESTS = text("SELECT pg_advisory_xact_lock(hashtext('aether.going_live.' || :account))")
_CHECKPOINT = text(
    """INSERT INTO checkpoints (account_id, complete_until)
       SELECT :account, CASE WHEN :live THEN :at
           ELSE COALESCE((SELECT max(observed_at) FROM market_snapshots), :at) END
       ON CONFLICT (account_id) DO UPDATE SET complete_until = excluded.complete_until"""
)


class PostgresModes:
    """Needs a Database of the role ``aether_app``; every method may be repeated."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mode_of(self, account: str) -> Mode:
        """Return the account's mode."""
        async with self._database.account_scope(account) as session:
            return Mode((await session.get_one(AccountRow, account)).mode)

    async def last_reconciliation(self, account: str) -> LastReconciliation | None:
        """Return the newest whole comparison with the exchange."""
        query = (
            select(ReconciliationRow)
            .where(col(ReconciliationRow.complete))
            .order_by(col(ReconciliationRow.number).desc())
            .limit(1)
        )
        async with self._database.account_scope(account) as session:
            row = (await session.exec(query)).first()
        if row is None:
            return None
        return LastReconciliation(row.at, sum(len(names) for names in row.differences.values()))

    async def simulation_run(self, account: str) -> SimulationRun | None:
        """Return the present run in simulation without a break, None when there is none."""
        async with self._database.account_scope(account) as session:
            if Mode((await session.get_one(AccountRow, account)).mode) is not Mode.SIMULATED:
                return None
            since = await _changed_at(session)
            values = {"account": account, "since": since, "pause": LONGEST_PAUSE}
            row = (await session.sql(_RUN, values)).one()
            if row.began is None:
                return None
            results = await session.sql(_NET_RESULTS, {"account": account, "began": row.began})
            nets = tuple(net_share(r.pnl, r.bought, r.average_entry_price) for r in results)
        return SimulationRun(row.ended - row.began, row.trades, nets)

    async def live_request(self, account: str, now: datetime) -> LiveRequest | None:
        """Return the newest request to go live that still counts: of people whose tokens do."""
        async with self._database.account_scope(account) as session:
            row = await _newest_request(session)
            people = () if row is None else (row.requested_by, row.approved_by)
            revoked = [name for name in people if name and await is_revoked(session, name)]
        if (
            row is None
            or revoked
            or row.used_at is not None
            or now - row.requested_at > REQUEST_LIFE
        ):
            return None
        terms = LiveTerms(row.approved_key, row.approved_limits) if row.approved_by else None
        return LiveRequest(
            row.number, row.requested_by, row.approved_by, row.overrides_evidence, terms
        )

    async def open_in_mode(self, account: str) -> OpenInMode:
        """Return what is left in the present mode, as the record has it."""
        unsettled = select(TradeRow).where(TradeRow.phase != TradePhase.SETTLED.value)
        held = select(BalanceRow).where(BalanceRow.asset != "USD", BalanceRow.total != 0)
        async with self._database.account_scope(account) as session:
            trades = (await session.exec(unsettled)).all()
            balances = (await session.exec(held)).all()
            row = await session.get_one(AccountRow, account)
        positions = {f"{balance.asset}/USD" for balance in balances}
        positions |= {trade.symbol for trade in trades if trade.bought > trade.sold}
        halts = {halt.kind.value for halt in account_halts(row.halts)}
        return OpenInMode(len(trades), tuple(sorted(positions)), tuple(sorted(halts)))

    async def director_factors(self, account: str) -> DirectorFactors:
        """Return the directors of the account, and those with too few second factors."""
        values = {"account": account, "needed": FACTORS_NEEDED}
        rows = await self._database.call(_DIRECTORS, values)
        return DirectorFactors(len(rows), tuple(row.name for row in rows if row.short))

    async def record_mode(self, change: ExchangeToChange) -> None:
        """Write a change of mode, once; from here on executions count from now."""
        account = change.account
        values = {
            "account_id": account,
            "at": change.at,
            "mode": change.mode.value,
            "changed_by": change.by,
            "market_time": change.market_time,
            "verdict": verdict_document(change.verdict),
        }
        new = insert(ModeChangeRow).values(values).on_conflict_do_nothing()
        async with self._database.account_scope(account) as session:
            row = await session.get_one(AccountRow, account, with_for_update=True)
            if (await session.exec(new.returning(col(ModeChangeRow.at)))).first() is None:
                return
            row.mode = change.mode.value
            if change.request is not None:
                used = await session.get_one(GoingLiveRow, (account, change.request))
                used.used_at = change.at
            await session.flush()
            live = change.mode is Mode.LIVE
            await session.sql(_CHECKPOINT, {"account": account, "live": live, "at": change.at})

    async def ask_to_go_live(
        self,
        account: str,
        by: str,
        reason: str,
        at: datetime,
        approval: str,
        *,
        overrides_evidence: bool = False,
        terms: LiveTerms | None = None,
    ) -> GoingLiveRow:
        """Write a request, audited; while an equal one waits, that one is returned.

        ``approval`` is the id of the request for approval that goes with a new one.

        ``overrides_evidence``: whoever approves it approves going live without proof of a profit.
        ``terms``: what whoever approves is shown; a request that showed others is not an equal one.
        """
        async with self._database.account_scope(account) as session:
            await session.sql(_LOCK_REQUESTS, {"account": account})
            last = await _newest_request(session)
            equal = (
                last is not None
                and last.requested_by == by
                and last.overrides_evidence is overrides_evidence
            )
            if last is not None and equal and await _is_open(session, last, at, terms):
                return last
            row = GoingLiveRow(
                account_id=account,
                number=1 if last is None else last.number + 1,
                requested_by=by,
                reason=reason,
                requested_at=at,
                overrides_evidence=overrides_evidence,
                approval_id=approval,
            )
            session.add(row)
            details = {
                "request": str(row.number),
                "reason": reason,
                "overrides_evidence": str(overrides_evidence).lower(),
            }
            await audit.append(session, account, by, "going_live_requested", details)
            return row

    async def approve_going_live(
        self, account: str, number: int, by: str, at: datetime, terms: LiveTerms
    ) -> bool:
        """Write another person's approval, audited, once; False where it counts no more.

        The request's workflow has made sure that it is another person; the table does so too.
        """
        async with self._database.account_scope(account) as session:
            # Whoever stores a key meanwhile is before this approval, or needs one of its own.
            await session.sql(_LOCK_REQUESTS, {"account": account})
            row = await session.get(GoingLiveRow, (account, number), with_for_update=True)
            if row is None or row.used_at is not None or at - row.requested_at > REQUEST_LIFE:
                return False
            if row.approved_by is None:
                row.approved_by, row.approved_at = by, at
                row.approved_key, row.approved_limits = terms.key, terms.limits_version
                details = {"request": str(number), "requested_by": row.requested_by}
                details["limits"] = str(terms.limits_version or 0)
                await audit.append(session, account, by, "going_live_approved", details)
            return True

    async def recorded_live_key(self, account: str) -> str | None:
        """Return the fingerprint of the live key in use, None where the record knows none."""
        query = select(ExchangeKeyRow.fingerprint).where(
            ExchangeKeyRow.mode == Mode.LIVE.value, ExchangeKeyRow.state == IN_USE
        )
        async with self._database.account_scope(account) as session:
            return (await session.exec(query)).first()

    async def keep_check(self, account: str, by: str, facts: LiveFacts, at: datetime) -> None:
        """Keep what a check for going live found, in place of an older one."""
        values = {"checked_at": at, "checked_by": by, "facts": live_facts_document(facts)}
        new = insert(GoingLiveCheckRow).values(values | {"account_id": account})
        newer = col(GoingLiveCheckRow.checked_at) <= at
        kept = new.on_conflict_do_update(index_elements=["account_id"], set_=values, where=newer)
        async with self._database.account_scope(account) as session:
            await session.exec(kept)

    async def last_check(self, account: str) -> GoingLiveCheckRow | None:
        """Return what the last check for going live found, None while there was none."""
        async with self._database.account_scope(account) as session:
            return await session.get(GoingLiveCheckRow, account)

    async def live_requests(self, account: str, limit: int) -> list[GoingLiveRow]:
        """Return the account's requests to go live, newest first."""
        query = select(GoingLiveRow).order_by(col(GoingLiveRow.number).desc()).limit(limit)
        async with self._database.account_scope(account) as session:
            return list((await session.exec(query)).all())

    async def numbered(self, account: str, number: int) -> GoingLiveRow | None:
        """Return one request to go live."""
        async with self._database.account_scope(account) as session:
            return await session.get(GoingLiveRow, (account, number))

    async def mode_changes(self, account: str, limit: int) -> list[ModeChangeRow]:
        """Return the account's changes of mode, newest first."""
        query = select(ModeChangeRow).order_by(col(ModeChangeRow.at).desc()).limit(limit)
        async with self._database.account_scope(account) as session:
            return list((await session.exec(query)).all())


async def _newest_request(session: RecordSession) -> GoingLiveRow | None:
    query = select(GoingLiveRow).order_by(col(GoingLiveRow.number).desc()).limit(1)
    return (await session.exec(query)).first()


async def _is_open(
    session: RecordSession, row: GoingLiveRow, at: datetime, terms: LiveTerms | None
) -> bool:
    """Tell whether a request waits, nobody has said no to it yet, and it shows these terms."""
    if not _waits(row, at):
        return False
    known = await session.get(ApprovalRow, (row.account_id, row.approval_id or ""))
    if known is None:
        return True
    if terms is not None and known.content:
        shown = read_content(LiveContent, known.content)
        if (shown.key, shown.limits_version) != (terms.key or "", terms.limits_version or 0):
            return False
    return known.status in ("pending", "approved")


async def _changed_at(session: RecordSession) -> datetime | None:
    query = select(ModeChangeRow).order_by(col(ModeChangeRow.at).desc()).limit(1)
    row = (await session.exec(query)).first()
    return None if row is None else row.market_time or row.at


def _waits(row: GoingLiveRow, at: datetime) -> bool:
    fresh = at - row.requested_at <= REQUEST_LIFE
    return fresh and row.used_at is None and row.approved_by is None
