"""Past trades in the record, a page and its cursor in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

_INSERT = """
    INSERT INTO history_trades (venue, symbol, trade_id, at, price, quantity, side)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_CURSOR = """
    INSERT INTO history_cursors (venue, symbol, cursor, reached, finding, written_at)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (venue, symbol) DO UPDATE SET cursor = excluded.cursor,
        reached = coalesce(excluded.reached, history_cursors.reached),
        finding = excluded.finding, written_at = excluded.written_at
"""


@dataclass(frozen=True, slots=True)
class PostgresTrades:
    """Past trades of one pair at one venue, over a connection of the role ``aether_market``."""

    connection: psycopg.Connection[Any]
    venue: str
    symbol: str
    clock: Callable[[], datetime]

    def cursor(self) -> str | None:
        """Return where the next page begins, None before the first."""
        row = self.connection.execute(
            "SELECT cursor FROM history_cursors WHERE (venue, symbol) = (%s, %s)",
            (self.venue, self.symbol),
        ).fetchone()
        return None if row is None else str(row[0])

    def save(self, trades: Sequence[Any], cursor: str) -> int:
        """Write a page and its cursor; return how many of its trades were not held before."""
        rows = [
            (self.venue, self.symbol, t.trade_id, t.at, t.price, t.quantity, t.side) for t in trades
        ]
        with self.connection.transaction(), self.connection.cursor() as writing:
            writing.executemany(_INSERT, rows)
            new = writing.rowcount
            self._note(writing, cursor, trades[-1].at if trades else None, None)
        return new

    def refuse(self, cursor: str, finding: str) -> None:
        """Note why the page after a cursor was not taken; the next run asks for it again."""
        with self.connection.cursor() as writing:
            self._note(writing, cursor, None, finding)

    def _note(
        self, writing: psycopg.Cursor[Any], cursor: str, at: datetime | None, finding: str | None
    ) -> None:
        values = (self.venue, self.symbol, cursor, at, finding, self.clock())
        writing.execute(_CURSOR, values)
