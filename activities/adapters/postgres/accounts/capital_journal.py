"""Capital flows and baselines of accounts in the record."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text

from infra.runtime.database.connections import Database
from models.trading.account.capital.facts import FlowNoted
from models.trading.capital.flows import NavBaseline

_SAVE = text(
    """INSERT INTO capital_flows (account_id, flow_id, asset, amount, value, at, source, author,
           note, noted_at, value_after)
       VALUES (:account, :flow_id, :asset, :amount, :value, :at, :source, :author, :note,
           :noted_at, :value_after)
       ON CONFLICT (account_id, flow_id) DO UPDATE
           SET source = excluded.source, author = excluded.author, note = excluded.note
           WHERE capital_flows.source = 'ledger' AND excluded.source = 'by_hand'"""
)
_KNOWN = text("SELECT flow_id FROM capital_flows WHERE account_id = :account")
_READ_UNTIL = text("SELECT read_until FROM ledger_marks WHERE account_id = :account")
_ADVANCE = text(
    """INSERT INTO ledger_marks (account_id, read_until) VALUES (:account, :at)
       ON CONFLICT (account_id) DO UPDATE
           SET read_until = greatest(ledger_marks.read_until, excluded.read_until)"""
)
_PRICE = text(
    """SELECT close AS price FROM candles
       WHERE symbol = :symbol AND start <= :at
       ORDER BY start DESC LIMIT 1"""
)
_LATEST = text("SELECT (bid + ask) / 2 AS price FROM market_snapshots WHERE symbol = :symbol")
_BASELINE = text(
    """INSERT INTO nav_baselines (account_id, at, reason, value)
       VALUES (:account, :at, :reason, :value) ON CONFLICT DO NOTHING"""
)


class CapitalJournal:
    """The part of the journal that holds capital."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_flows(self, account: str, flows: Sequence[FlowNoted]) -> None:
        """Write flows, each once; who moved capital by hand replaces ``exchange`` as author."""
        async with self._database.light_scope(account) as session:
            for noted in flows:
                flow = noted.flow
                values = {
                    "account": account,
                    "flow_id": flow.flow_id,
                    "asset": flow.asset,
                    "amount": flow.amount,
                    "value": flow.value,
                    "at": flow.at,
                    "source": flow.source.value,
                    "author": flow.author,
                    "note": flow.note,
                    "noted_at": noted.noted_at,
                    "value_after": noted.value_after,
                }
                await session.sql(_SAVE, values)

    async def known_flows(self, account: str) -> set[str]:
        """Return the ids of all flows."""
        async with self._database.light_scope(account) as session:
            return {row.flow_id for row in await session.sql(_KNOWN, {"account": account})}

    async def ledger_read_until(self, account: str) -> datetime | None:
        """Return the market time up to which flows of the ledger are recorded."""
        async with self._database.light_scope(account) as session:
            rows = await session.sql(_READ_UNTIL, {"account": account})
        return rows[0].read_until if rows else None

    async def advance_ledger(self, account: str, at: datetime) -> None:
        """Move that time forward, never back."""
        async with self._database.light_scope(account) as session:
            await session.sql(_ADVANCE, {"account": account, "at": at})

    async def price_at(self, asset: str, at: datetime) -> Decimal | None:
        """Return the last known price of an asset in USD at a market time.

        The newest price stands in where no bar as old is stored.
        """
        symbol = f"{asset}/USD"
        rows = await self._database.call(_PRICE, {"symbol": symbol, "at": at})
        rows = rows or await self._database.call(_LATEST, {"symbol": symbol})
        return rows[0].price if rows else None

    async def save_baseline(self, account: str, baseline: NavBaseline) -> None:
        """Write a value that profit is measured from; a repeat changes nothing."""
        values = {
            "account": account,
            "at": baseline.at,
            "reason": baseline.reason,
            "value": baseline.value,
        }
        async with self._database.light_scope(account) as session:
            await session.sql(_BASELINE, values)
