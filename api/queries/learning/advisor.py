"""What the advisor reads, and the transcripts it keeps. Each answer names where it comes from."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from api.messages.learning import AnswerSource, QuestionAnswered
from infra.runtime.database.connections import Database, RecordSession
from models.reporting.advisor import Matched, Row, what_may_be_asked
from models.tables import TranscriptRow

_QUERIES = {
    "why_trade": (
        """SELECT t.number AS trade, t.symbol, t.source, i.reasons, a.assessment->>'binding' AS
                  binding, p.version, p.probability, p.contributions, p.regime
           FROM trades t LEFT JOIN ideas i ON i.account_id = t.account_id AND i.trade = t.number
           LEFT JOIN entry_assessments a
               ON a.account_id = t.account_id AND a.trade = t.number
           LEFT JOIN champion_predictions p ON p.idea_id = i.idea_id
           WHERE t.number = :trade""",
        "trades, ideas, entry_assessments, champion_predictions",
    ),
    "result": (
        """SELECT number AS trade, symbol, phase, pnl, fees, exit_reason FROM trades
           WHERE number = :trade""",
        "trades",
    ),
    "open": (
        """SELECT number AS trade, symbol, phase, bought, sold, stop_price FROM trades
           WHERE phase NOT IN ('settled') ORDER BY number LIMIT 200""",
        "trades",
    ),
    "earned": (
        """SELECT coalesce(i.strategy, split_part(t.source, '/', 1)) AS source, count(*) AS trades,
                  sum(t.pnl) AS pnl, sum(t.fees) AS fees
           FROM trades t LEFT JOIN ideas i ON i.account_id = t.account_id AND i.trade = t.number
           WHERE t.pnl IS NOT NULL GROUP BY 1 ORDER BY 3 DESC LIMIT 50""",
        "trades, ideas",
    ),
    "refused": (
        """SELECT c->>'code' AS code, count(*) AS number,
                  (array_agg(c->>'reason' ORDER BY i.decided_at DESC))[1] AS reason
           FROM ideas i, jsonb_array_elements(i.verdict->'checks') c
           WHERE NOT i.allowed AND NOT (c->>'passed')::boolean
             AND i.decided_at > CAST(:now AS timestamptz) - interval '7 days'
           GROUP BY 1 ORDER BY 2 DESC LIMIT 50""",
        "ideas",
    ),
    "risk": (
        """SELECT n.equity, n.cash, n.at, o.open, o.at_risk FROM nav_marks n CROSS JOIN (
               SELECT count(*) AS open,
                      CASE WHEN bool_and(sold >= bought OR average_entry_price IS NOT NULL)
                          IS NOT FALSE
                      THEN coalesce(sum(greatest(average_entry_price - stop_price, 0)
                                        * (bought - sold)), 0) END AS at_risk
               FROM trades WHERE phase <> 'settled') o
           ORDER BY n.at DESC LIMIT 1""",
        "nav_marks, trades",
    ),
    "champion": (
        """SELECT c.number, c.model, c.changed_by, c.reason, c.changed_at, m.version, m.trial
           FROM champions c LEFT JOIN model_versions m ON m.run_id = c.model
           ORDER BY c.number DESC LIMIT 1""",
        "champions, model_versions",
    ),
    "refusals": (
        """SELECT symbol, bar_start, refusal FROM champion_predictions
           WHERE refusal <> '' AND NOT shadow
           ORDER BY decided_at DESC LIMIT 20""",
        "champion_predictions",
    ),
    "tried": (
        """SELECT (SELECT count(*) FROM trials) AS trials,
                  (SELECT count(*) FROM training_runs) AS runs, v.passed, v.reasons
           FROM (SELECT 1) one LEFT JOIN LATERAL (
               SELECT passed, reasons FROM training_verdicts ORDER BY judged_at DESC LIMIT 1) v
               ON true""",
        "trials, training_runs, training_verdicts",
    ),
}
KEYS = ("trade", "idea_id", "number", "run_id", "code", "symbol", "version")
ROWS_NAMED = 10


async def answer(
    database: Database, account: str, asked_by: str, question: str, matched: Matched
) -> QuestionAnswered:
    """Answer a question from an account's record, and keep the transcript."""
    template, now = matched.template, datetime.now(UTC)
    async with database.account_scope(account) as session:
        sources: list[AnswerSource] = []
        if template is None:
            said, name = what_may_be_asked(), "none"
        else:
            query, tables = _QUERIES[template.query]
            rows = await _rows(session, query, matched, now)
            said, name = template.say(rows), template.name
            named = [_named(row) for row in rows[:ROWS_NAMED]]
            sources = [AnswerSource(tables=tables, rows=len(rows), keys=named)]
        row = TranscriptRow(
            account_id=account,
            asked_by=asked_by,
            question=question,
            template=name,
            answer=said,
            sources=[source.model_dump() for source in sources],
            asked_at=now,
        )
        session.add(row)
    return _shown(row)


async def transcripts(database: Database, account: str, limit: int) -> list[QuestionAnswered]:
    """Return what was asked about an account, newest first."""
    query = text(
        """SELECT asked_by, question, template, answer, sources, asked_at FROM advisor_transcripts
           WHERE account_id = :account ORDER BY number DESC LIMIT :limit"""
    )
    async with database.account_scope(account) as session:
        rows = (await session.sql(query, {"account": account, "limit": limit})).mappings()
        return [QuestionAnswered.model_validate(dict(row)) for row in rows]


async def _rows(
    session: RecordSession, query: str, matched: Matched, now: datetime
) -> Sequence[Row]:
    values: dict[str, Any] = {}
    if ":trade" in query:
        values["trade"] = matched.trade
    if ":now" in query:
        values["now"] = now
    return [dict(row) for row in (await session.sql(text(query), values)).mappings()]


def _named(row: Row) -> str:
    return ", ".join(f"{key} {row[key]}" for key in KEYS if row.get(key) is not None)


def _shown(row: TranscriptRow) -> QuestionAnswered:
    return QuestionAnswered(
        asked_by=row.asked_by,
        question=row.question,
        template=row.template,
        answer=row.answer,
        sources=[AnswerSource.model_validate(one) for one in row.sources],
        asked_at=row.asked_at,
    )
