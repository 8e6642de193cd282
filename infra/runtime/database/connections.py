"""Connections to the record: roles, account scopes, and errors that a retry can cure.

A process connects as the role of its work (``Role``), never as the owner of the tables. An
account's rows can be seen inside that account's scope only: one transaction that names the account.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import Any, Protocol

import psycopg
from sqlalchemy import CursorResult, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.sql.elements import TextClause
from sqlmodel.ext.asyncio.session import AsyncSession

from infra.runtime.database.light_connections import LightConnections, LightSession
from infra.runtime.settings import Settings
from infra.runtime.version import code_version
from infra.stack.postgres_binaries import embedded_cluster

DATABASE = "aether"
PLATFORM_SCOPE = "platform"
SET_SCOPE = text("SELECT set_config('aether.account_id', :account, true)")
SERVER_SETTINGS = (
    "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"
    " -c timezone=UTC"
)


class Role(StrEnum):
    """Whom a process connects as, each with no more rights than it needs.

    Only migrations are the owner. APP is what the trading and market workers are in an account's
    record, ADMIN whoever sets accounts up and makes tokens on the machine, READER what compares,
    RECORDER what keeps the tree over all audit rows and verifies it, LEARNING what trains models,
    EVENTS what tells other systems of what has happened, NOTIFIER what tells people, REGISTRY what
    MLflow is in a schema of its own.
    """

    OWNER = "aether_owner"
    APP = "aether_app"
    MARKET = "aether_market"
    EXCHANGE = "aether_exchange"
    API = "aether_api"
    ADMIN = "aether_admin"
    READER = "aether_reader"
    RECORDER = "aether_recorder"
    LEARNING = "aether_learning"
    NOTIFIER = "aether_notifier"
    REGISTRY = "aether_registry"
    EVENTS = "aether_events"


class TimeSeriesStorage(StrEnum):
    """How time series are stored; plain tables are a degraded mode that ``/readyz`` names."""

    HYPERTABLES = "hypertables"
    PLAIN_TABLES = "plain_tables"


class DatabaseUnavailableError(ConnectionError):
    """The database did not answer, or asked to try again; the same call may be repeated.

    A commit whose answer was lost ends in this error too, so what is repeated must be idempotent.
    """


def database_url(settings: Settings, role: Role) -> str:
    """Return the address for a role: the configured server, or the embedded one.

    The role replaces the user of ``settings.database_url``. Passwords come from libpq's own places
    (``PGPASSFILE``), unless the address names this very role with its password.
    """
    if settings.database_url is None:
        return embedded_cluster(settings.home).url(role, DATABASE)
    address = make_url(settings.database_url)
    password = address.password if address.username == role else None
    address = URL.create(
        "postgresql",
        username=role,
        password=password,
        host=address.host,
        port=address.port,
        database=address.database,
        query=address.query,
    )
    return address.render_as_string(hide_password=False)


@contextmanager
def cured_by_retry() -> Iterator[None]:
    """Turn a lost connection, a restart, a deadlock or a timeout into DatabaseUnavailableError."""
    try:
        yield
    except DBAPIError as error:
        # psycopg's OperationalError: connection, shutdown, deadlock, serialisation, lock timeout.
        if error.connection_invalidated or isinstance(error.orig, psycopg.OperationalError):
            raise DatabaseUnavailableError(str(error.orig)) from error
        raise
    except (psycopg.OperationalError, PoolTimeoutError) as error:
        raise DatabaseUnavailableError(str(error)) from error


class SqlSession(Protocol):
    """A transaction that runs SQL text: a light one, or one of SQLAlchemy's."""

    async def sql(self, statement: TextClause, values: Mapping[str, Any] | None = None) -> Any:
        """Run a statement in the transaction."""


class RecordSession(AsyncSession):
    """A session that also runs SQL text: ``exec`` is for selects and changes of tables."""

    async def sql(
        self, statement: TextClause, values: Mapping[str, Any] | None = None
    ) -> CursorResult[Any]:
        """Run a statement in the session's transaction, after what was added to the session."""
        await self.flush()
        return await (await self.connection()).execute(statement, values or {})


class Database:
    """A pool of connections of one role; survives restarts of the server."""

    def __init__(self, url: str, *, application: str = "aether", connections: int = 10) -> None:
        """Prepare a pool; nothing is connected before the first use.

        Args:
            url: address with the role as its user, for example from ``database_url``.
            application: name by which the server knows the process.
            connections: the most connections held at once for sessions, and for the hot path.
        """
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        options: dict[str, Any] = {
            "application_name": application,
            "options": f"{SERVER_SETTINGS} -c aether.code={code_version()}",
            "connect_timeout": 5,
        }
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
            connect_args=options,
        )
        self._light = LightConnections(self.driver_url, connections, **options)
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def account_scope(self, account: str) -> AsyncIterator[RecordSession]:
        """Open one transaction that sees and writes the rows of this account only."""
        with cured_by_retry():
            async with self._transaction() as session:
                await session.sql(SET_SCOPE, {"account": account})
                yield session

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[RecordSession]:
        session = RecordSession(self.engine, expire_on_commit=False)
        async with session, session.begin():
            yield session

    @asynccontextmanager
    async def platform_scope(self) -> AsyncIterator[RecordSession]:
        """Open one transaction for what concerns no single account (its chain and requests)."""
        async with self.account_scope(PLATFORM_SCOPE) as session:
            yield session

    @asynccontextmanager
    async def no_scope(self) -> AsyncIterator[RecordSession]:
        """Open one transaction that sees no account-owned row: market data, settings, tokens."""
        with cured_by_retry():
            async with self._transaction() as session:
                yield session

    async def call(
        self, statement: TextClause, values: Mapping[str, Any] | None = None
    ) -> Sequence[Any]:
        """Run one statement as its own transaction in one round trip and return its rows.

        Rows are named tuples. Errors that no retry cures are psycopg's own.
        """
        with cured_by_retry():
            return await self._light.call(statement, values)

    @asynccontextmanager
    async def light_scope(
        self, account: str, *, wait_for_disk: bool = True
    ) -> AsyncIterator[LightSession]:
        """Open an account's transaction for SQL text alone: a third of a session's time.

        Without ``wait_for_disk`` a crash of the server within the next second may undo it.
        """
        with cured_by_retry():
            async with self._light.account_scope(account, wait_for_disk=wait_for_disk) as session:
                yield session

    async def accounts(self) -> list[str]:
        """Return the names of all accounts, oldest first."""
        rows = await self.call(text("SELECT account_ids()"))
        return [row[0] for row in rows]

    async def connect(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        """Open a connection of its own in autocommit, for LISTEN."""
        with cured_by_retry():
            return await psycopg.AsyncConnection.connect(
                self.driver_url, autocommit=True, options=SERVER_SETTINGS, connect_timeout=5
            )

    @asynccontextmanager
    async def driver_connection(self) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
        """Lend a pooled connection of psycopg itself, in autocommit, for COPY."""
        with cured_by_retry():
            async with self._autocommit.connect() as connection:
                raw = await connection.get_raw_connection()
                driver = raw.driver_connection
                assert isinstance(driver, psycopg.AsyncConnection)
                yield driver

    @property
    def driver_url(self) -> str:
        """Return the address as libpq reads it."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    async def time_series_storage(self) -> TimeSeriesStorage:
        """Tell whether time series are hypertables or plain tables."""
        rows = await self.call(
            text("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'")
        )
        return TimeSeriesStorage.HYPERTABLES if rows[0][0] else TimeSeriesStorage.PLAIN_TABLES

    async def close(self) -> None:
        """Close the pools."""
        await self._light.close()
        await self.engine.dispose()
