"""The running record, as the commands about history reach it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy.engine import make_url

from infra.runtime.database.connections import Role, database_url
from infra.runtime.errors import NotRunningError
from infra.runtime.settings import Settings

if TYPE_CHECKING:
    from activities.adapters.postgres.history.candle_load import PostgresHistory

NICE = 15


@contextmanager
def history_record(settings: Settings) -> "Iterator[PostgresHistory]":
    """Lend the record of history.

    Raises:
        NotRunningError: no PostgreSQL of this installation answers.
    """
    from activities.adapters.postgres.history.candle_load import PostgresHistory

    url = make_url(database_url(settings, Role.MARKET)).set(drivername="postgresql")
    try:
        record = PostgresHistory.connect(
            url.render_as_string(hide_password=False), lambda: datetime.now(UTC)
        )
    except psycopg.OperationalError as error:
        words = " ".join(str(error).split())
        raise NotRunningError(
            f"no stack of {settings.home} runs, so there is no record to bring history into: "
            f"aether up (the database does not answer: {words})"
        ) from None
    try:
        yield record
    except psycopg.OperationalError as error:
        words = " ".join(str(error).split())
        raise NotRunningError(
            f"the database went away; what it had confirmed is kept, and the same command goes on: "
            f"{words}"
        ) from None
    finally:
        record.close()


def once_large(record: "PostgresHistory", settings: Settings) -> Callable[[], None]:
    """Return what gives way when it is first called: after the first part of what has more.

    What is small is over before anybody feels it, and would wait for minutes on a busy machine.
    """
    waiting = [True]

    def call() -> None:
        if waiting:
            waiting.clear()
            give_way(record, settings)

    return call


def give_way(record: "PostgresHistory", settings: Settings) -> None:
    """Let trading go first: this process, and the embedded server's two that work for it.

    A server on another machine, or of another user, is left as it is: it has its own limits.
    """
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    if settings.database_url is None:
        for connection in (record.connection, record.reading):
            with suppress(PermissionError, ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, connection.info.backend_pid, NICE)
