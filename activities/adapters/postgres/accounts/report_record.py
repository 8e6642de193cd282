"""Reports in PostgreSQL: the facts they are made of, and the reports themselves."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.adapters.postgres.accounts.account_reports import AccountReports, settled_trades
from activities.adapters.postgres.accounts.learning_facts import learning_facts
from infra.runtime.database.connections import Database
from models.reporting import scheduled
from models.reporting.costs import SettledTrade
from models.reporting.documents import Section
from models.reporting.headlines import headline_of
from models.reporting.learning import learning_sections
from models.reporting.lots import keep_lots, with_untracked
from models.reporting.scheduled import Comparison, JudgedIdea
from models.tables import (
    AccountRow,
    AssetMovementRow,
    BalanceRow,
    IdeaRow,
    ReconciliationRow,
)
from models.tables.documents import account_halts

ROWS_MOST = 50_000
_ORDERS = text(
    """SELECT extract(epoch FROM acknowledged_at - sent_at)::numeric AS seconds, status, reason
       FROM orders WHERE sent_at IS NOT NULL
         AND coalesce(closed_at, opened_at) > :since AND coalesce(closed_at, opened_at) <= :until
       LIMIT :most"""
)
_MARKET_TIME = text("SELECT max(observed_at) FROM market_snapshots")
_LAST = text("SELECT max(until) FROM reports WHERE kind = :kind")
_STORE = text(
    """INSERT INTO reports (account_id, kind, since, until, made_at, document)
       VALUES (:account, :kind, :since, :until, :made_at, CAST(:document AS jsonb))
       ON CONFLICT (account_id, kind, until) DO NOTHING RETURNING number"""
)
# Who decided in the span, and on which data they were trained: what a report's figures came of.
_MODELS = text(
    """SELECT DISTINCT m.version, m.data_hash FROM champion_predictions p
       JOIN model_versions m USING (version)
       WHERE p.bar_start > :since AND p.bar_start <= :until AND NOT p.shadow
       ORDER BY m.version LIMIT :most"""
)
_STORED = text("SELECT number FROM reports WHERE kind = :kind AND until = :until")
Span = dict[str, Any]


class PostgresReports:
    """Reads as ``aether_reader``; stores as ``aether_learning``, which may do that alone here."""

    def __init__(self, reading: Database, writing: Database) -> None:
        self._reading = reading
        self._writing = writing
        self._kinds: dict[str, Callable[[str, Span], Awaitable[tuple[Section, ...]]]] = {
            **AccountReports(reading).kinds(),
            "costs": self._costs,
            "lots": self._lots,
            "reconciliation": self._reconciliation,
            "health": self._health,
            "explanation": self._explanation,
            "learning": self._learning,
        }

    async def accounts(self) -> list[str]:
        """Return every account."""
        return await self._reading.accounts()

    async def market_time(self) -> datetime | None:
        """Return the newest market time, None before the first price."""
        rows = await self._reading.call(_MARKET_TIME)
        found: datetime | None = rows[0][0]
        return found

    async def last_until(self, account: str, kind: str) -> datetime | None:
        """Return where the newest report of a kind ends."""
        async with self._reading.account_scope(account) as session:
            found: datetime | None = (await session.sql(_LAST, {"kind": kind})).scalar_one()
            return found

    async def sections(
        self, account: str, kind: str, since: datetime, until: datetime
    ) -> tuple[Section, ...]:
        """Return the report's content, of what ended in a span of market time."""
        return await self._kinds[kind](account, {"since": since, "until": until, "most": ROWS_MOST})

    async def store(
        self,
        account: str,
        kind: str,
        span: tuple[datetime, datetime],
        made_at: datetime,
        document: dict[str, Any],
    ) -> int:
        """Keep a report, once for the end of its span, and return its number.

        Its provenance is audited: the span, the hash of the document (`document_hash`), and the
        versions of the models that decided in the span with the hashes of the data they learnt.
        """
        provenance = await self._provenance(span, document)
        values = {
            "account": account,
            "kind": kind,
            "since": span[0],
            "until": span[1],
            "made_at": made_at,
            "document": json.dumps(document),
        }
        async with self._writing.account_scope(account) as session:
            number = (await session.sql(_STORE, values)).scalar_one_or_none()
            if number is None:
                stored = {"kind": kind, "until": span[1]}
                return int((await session.sql(_STORED, stored)).scalar_one())
            # Whoever asked to be told of reports is told by this row, as of everything else.
            details = {
                "report": f"{kind} {number}",
                "kind": kind,
                "number": str(number),
                "figures": headline_of(document),
            }
            details |= provenance
            await audit.append(session, account, "aether", "report_made", details, once=True)
            return int(number)

    async def _provenance(
        self, span: tuple[datetime, datetime], document: dict[str, Any]
    ) -> dict[str, str]:
        asked = {"since": span[0], "until": span[1], "most": ROWS_MOST}
        models = await self._reading.call(_MODELS, asked)
        learnt = sorted({row.data_hash for row in models if row.data_hash})
        return {
            "since": span[0].isoformat(),
            "until": span[1].isoformat(),
            "document": document_hash(document),
            "models": ", ".join(str(row.version) for row in models) or "none",
            "data": ", ".join(learnt) or "none",
        }

    async def _costs(self, account: str, span: Span) -> tuple[Section, ...]:
        return scheduled.cost_sections(await self._trades(account, span))

    async def _lots(self, account: str, span: Span) -> tuple[Section, ...]:
        async with self._reading.account_scope(account) as session:
            mode = (await session.get_one(AccountRow, account)).mode
            query = select(AssetMovementRow).where(AssetMovementRow.mode == mode)
            rows = await session.exec(query.order_by(col(AssetMovementRow.at)))
            book = keep_lots(row.movement() for row in rows)
            held = {b.asset: b.total for b in await session.exec(select(BalanceRow))}
        gains = [one for one in book.gains if span["since"] < one.disposed_at <= span["until"]]
        return scheduled.lot_sections(with_untracked(book.lots, held), gains)

    async def _reconciliation(self, account: str, span: Span) -> tuple[Section, ...]:
        query = (
            select(ReconciliationRow)
            .where(ReconciliationRow.at > span["since"], ReconciliationRow.at <= span["until"])
            .order_by(col(ReconciliationRow.number))
            .limit(ROWS_MOST)
        )
        async with self._reading.account_scope(account) as session:
            rows = (await session.exec(query)).all()
        return scheduled.reconciliation_sections(
            [
                Comparison(
                    row.at,
                    row.complete,
                    row.clean,
                    tuple(row.differences),
                    tuple(row.repaired),
                    len(row.unknown_orders),
                )
                for row in rows
            ]
        )

    async def _health(self, account: str, span: Span) -> tuple[Section, ...]:
        async with self._reading.account_scope(account) as session:
            orders = (await session.sql(_ORDERS, span)).all()
            halts = account_halts((await session.get_one(AccountRow, account)).halts)
        return scheduled.health_sections(
            [Decimal(row.seconds) for row in orders if row.seconds is not None],
            [row.reason or "no reason given" for row in orders if row.status == "rejected"],
            await self._trades(account, span),
            [f"{halt.kind.value}: {halt.reason}" for halt in halts],
        )

    async def _explanation(self, account: str, span: Span) -> tuple[Section, ...]:
        query = (
            select(IdeaRow)
            .where(IdeaRow.bar_start > span["since"], IdeaRow.bar_start <= span["until"])
            .limit(ROWS_MOST)
        )
        async with self._reading.account_scope(account) as session:
            rows = (await session.exec(query)).all()
        ideas = [JudgedIdea(r.strategy, r.symbol, r.allowed, _refused_by(r)) for r in rows]
        return scheduled.explanation_sections(ideas, await self._trades(account, span))

    async def _learning(self, account: str, span: Span) -> tuple[Section, ...]:
        facts = await learning_facts(
            self._reading, account, span["since"], span["until"], ROWS_MOST
        )
        return learning_sections(facts)

    async def _trades(self, account: str, span: Span) -> list[SettledTrade]:
        return await settled_trades(self._reading, account, span)


def document_hash(document: dict[str, Any]) -> str:
    """Return the SHA-256 of a report's document as JSON with sorted keys and without spaces.

    It is the same of a document that was stored and read again.
    """
    content = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _refused_by(row: IdeaRow) -> str:
    for check in row.verdict.get("checks", ()):
        if not check["passed"]:
            return f"{check['rule']} {check['code']}"
    return "" if row.allowed else "no rule is named"
