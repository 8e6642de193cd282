"""Connections for the hot path: psycopg without SQLAlchemy, no question before each statement.

Asking whether a connection lives costs a round trip each time. Here a look at its socket tells: a
server that went away has closed it, so that it can be read although nothing was asked.
"""

import asyncio
import re
import select
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from psycopg.sql import SQL
from sqlalchemy.sql.elements import TextClause

Connection = psycopg.AsyncConnection[Any]

_NAMED = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
_BEGIN = SQL("BEGIN; SELECT set_config('aether.account_id', {account}, true)")
_BEGIN_WITHOUT_WAITING = SQL(
    "BEGIN; SELECT set_config('aether.account_id', {account}, true),"
    " set_config('synchronous_commit', 'off', true)"
)


_OPEN = frozenset((TransactionStatus.INTRANS, TransactionStatus.INERROR))


class LightSession:
    """A transaction that runs SQL text."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def sql(
        self, statement: TextClause, values: Mapping[str, Any] | None = None
    ) -> Sequence[Any]:
        """Run a statement and return its rows."""
        return await _run(self._connection, statement, values)


class LightConnections:
    """Idle connections in autocommit, the last used first; psycopg's errors pass through."""

    def __init__(self, address: str, connections: int, **options: Any) -> None:
        self._address = address
        self._options = options
        self._room = asyncio.Semaphore(connections)
        self._idle: list[Connection] = []

    async def call(
        self, statement: TextClause, values: Mapping[str, Any] | None = None
    ) -> Sequence[Any]:
        """Run one statement as its own transaction in one round trip and return its rows."""
        async with self._lent() as connection:
            return await _run(connection, statement, values)

    @asynccontextmanager
    async def account_scope(
        self, account: str, *, wait_for_disk: bool = True
    ) -> AsyncIterator[LightSession]:
        """Open one transaction that sees and writes the rows of this account only.

        Without ``wait_for_disk`` a crash of the server within the next second may undo it.
        """
        begin = _BEGIN if wait_for_disk else _BEGIN_WITHOUT_WAITING
        async with self._lent() as connection:
            await connection.execute(begin.format(account=account))
            try:
                yield LightSession(connection)
            except BaseException:
                # Not where it was cut off within a statement: such a connection is closed, and an
                # error of the rollback would hide that the caller was cancelled.
                if connection.info.transaction_status in _OPEN:
                    await connection.rollback()
                raise
            await connection.commit()

    async def close(self) -> None:
        """Close the idle connections."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Connection]:
        async with self._room:
            connection = await self._living()
            try:
                yield connection
            finally:
                if connection.info.transaction_status is TransactionStatus.IDLE:
                    self._idle.append(connection)
                else:  # broken, or cut off in the middle of a statement
                    await connection.close()

    async def _living(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if _is_silent(connection):
                return connection
            await connection.close()
        return await psycopg.AsyncConnection.connect(
            self._address, autocommit=True, row_factory=namedtuple_row, **self._options
        )


async def _run(
    connection: Connection, statement: TextClause, values: Mapping[str, Any] | None
) -> Sequence[Any]:
    cursor = await connection.execute(_driver_text(statement.text), values or {})
    return await cursor.fetchall() if cursor.description is not None else ()


@cache
def _driver_text(text: str) -> bytes:
    """Write SQLAlchemy's ``:name`` as psycopg's ``%(name)s``."""
    return _NAMED.sub(r"%(\1)s", text.replace("%", "%%")).encode()


def _is_silent(connection: Connection) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
    return not poll.poll(0)
